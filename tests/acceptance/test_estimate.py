"""The dry run: what people are told of a spreadsheet before anything is sent."""

from __future__ import annotations

import csv
import gzip
import json
import os
import threading
from pathlib import Path

import pytest
from conftest import Program, Start, examples, send_to
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bulksend.cli import run
from bulksend.cli.codes import ExitCode

GOLDEN = Path(__file__).parents[1] / "golden"


def write(program: Program, *rows: tuple[str, ...], name: str = "campaign.csv") -> None:
    with (program.folder / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def test_what_is_wrong_with_rows_is_told_by_reason_with_row_column_and_value(program: Program) -> None:
    write(
        program,
        ("Mobile No.", "Name", "Message"),
        *[("639171234567", "Ana", f"Hello {number}") for number in range(4)],
        *[("6.39E+11", "Ben", "a")] * 4,
        ("639171234567, 639181234567", "Two", "a"),
        ("639171234567", "Long", "x" * 2_000),
    )
    told = program("estimate", "campaign.csv", "--from", "ACME", "-v")
    assert told.returncode == ExitCode.NOT_ALL_SENT
    lines = lines_of(told.stderr)
    assert (
        "note: the numbers are taken from the column 'Mobile No.': --map to=COLUMN says otherwise [COLUMN-GUESS]"
        in lines
    )
    assert "(Rows are counted from 1 below the header; empty ones do not count.)" in lines
    at = lines.index(
        "invalid: 4 rows: digits lost to scientific notation: format the column as text and fill it in again"
    )
    assert lines[at + 1 : at + 4] == [f"  row {row}, column Mobile No.: '6.39E+11'" for row in (5, 6, 7)]
    assert "  row 9, column Mobile No.: '639171234567, 639181234567'" in lines
    assert "invalid: 1 row: the text needs 14 SMS parts; the API takes 7 at most" in lines
    assert told.stdout == ""


def test_prices_are_told_by_country_and_what_has_none_is_said(program: Program) -> None:
    write(program, ("to", "message"), ("639171234567", "a"), ("639181234567", "x" * 161), ("12125550123", "a"))
    told = program("estimate", "campaign.csv", "--from", "ACME", "--json")
    assert json.loads(told.stdout)["estimateMicro"] == 60_000
    assert "$0.06 estimated, and 1 message without a known rate, by the API document's example" in told.stderr
    assert "+63 (PH): 2 messages, 3 parts, $0.06 estimated" in told.stderr
    assert "+1 (US): 1 message, 1 part, no rate known" in told.stderr
    (program.folder / "rates.csv").write_text("prefix,microUSD,source\n63,20000,mine\n63918,30000,mine\n1,5000,mine\n")
    told = program("estimate", "campaign.csv", "--rates", "rates.csv", "--json")
    assert json.loads(told.stdout)["estimateMicro"] == 20_000 + 2 * 30_000 + 5_000
    assert "$0.085 estimated, by rates.csv (mine)" in told.stderr


def test_the_balance_is_told_and_that_it_does_not_do(program: Program, sandbox: Start) -> None:
    write(program, ("to", "message"), *[(f"63917{row:07}", "a") for row in range(5)])
    rich, poor = sandbox("--balance", "5"), sandbox("--balance", "0.05")
    told = program("estimate", "campaign.csv", "--base-url", rich.base_url, "--json")
    assert json.loads(told.stdout)["balanceMicro"] == 5_000_000
    assert "$5.00; $4.90 after this" in told.stderr
    assert "does not cover" not in told.stderr
    told = program("estimate", "campaign.csv", "--base-url", poor.base_url, "--json")
    assert (json.loads(told.stdout)["balanceMicro"], told.returncode) == (50_000, 0)
    assert "The balance of $0.05 does not cover the estimated $0.10." in told.stderr
    sent = program(*send_to(poor))
    assert "The balance of $0.05 does not cover the estimated $0.10." in sent.stderr
    assert sent.returncode == ExitCode.STOPPED
    old = program("estimate", "campaign.csv", "--base-url", sandbox("--legacy").base_url, "--json")
    assert (json.loads(old.stdout)["balanceMicro"], old.returncode) == (None, 0)


def test_an_estimate_needs_neither_key_nor_organization_nor_server(program: Program) -> None:
    write(program, ("to", "message"), ("639171234567", "a"))
    for env in ({"BULKSEND_API_KEY": ""}, {"BULKSEND_ORG_ID": ""}, {}):
        told = program("estimate", "campaign.csv", "--json", env=env)
        assert (json.loads(told.stdout)["balanceMicro"], told.returncode) == (None, 0), told.stderr


def test_a_server_that_rejects_everything_alike_is_not_asked_for_every_row(program: Program, sandbox: Start) -> None:
    server = sandbox("--org-id", "5")
    write(program, ("to", "message"), *[(f"63917{row:07}", "a") for row in range(1_000)])
    send = send_to(server, "--concurrency", "4")
    stopped = program(*send)
    assert stopped.returncode == ExitCode.STOPPED
    assert "messages were rejected, because: the API rejected it: invalid 'orgId'" in " ".join(stopped.stderr.split())
    assert server.summary()["requests"] < 100
    assert program(*send, "--max-errors", "100%").returncode == ExitCode.STOPPED  # none was accepted
    assert server.summary()["requests"] > 1_000


def test_a_budget_that_will_not_do_is_said_before_anything_is_sent(program: Program) -> None:
    write(program, ("to", "message"), *[(f"63917{row:07}", "a") for row in range(5)])
    sent = program("send", "campaign.csv", "--sandbox", "--max-cost", "0.05", "--yes")
    says = "--max-cost $0.05 will stop the run before its end: it is estimated at $0.10 in all."
    assert sent.stderr.index(says) < sent.stderr.index("The sandbox took 2 messages")
    assert sent.returncode == ExitCode.STOPPED


def test_the_phones_that_take_longest_are_named(program: Program) -> None:
    write(
        program,
        ("to", "message"),
        *[("639171234567", f"{row}") for row in range(500)],
        *[("639181234567", f"{row}") for row in range(100)],
        *[("639191234567", f"{row}") for row in range(20)],
    )
    told = program("estimate", "campaign.csv", "--json", "-v")
    assert json.loads(told.stdout)["minSeconds"] == 99 * 60
    assert "1 h 39 min at least, for the cap: 639171234567 gets 500 messages, 639181234567 100 messages\n" in (
        "\n".join(lines_of(told.stderr))
    )


def test_what_makes_texts_dear_is_told_and_mended_on_request(program: Program) -> None:
    text = "It\u2019s here \u2013 come and see\u2026 " + "x" * 60
    write(program, ("to", "message"), *[(f"63917{row:07}", text) for row in range(3)], ("639181234567", "\U0001f600"))
    told = program("estimate", "campaign.csv", "--from", "ACME", "--json")
    assert json.loads(told.stdout)["parts"] == 3 * 2 + 1
    assert (
        "4 texts cannot travel as GSM-7 (160 characters a part), only as UCS-2 (70), which takes 3 SMS parts more"
        in (told.stderr)
    )
    assert "\u2019 (right single quotation mark) in 3 (row 1 (character 3), row 2 (character 3), row 3" in told.stderr
    assert "3 of these would be GSM-7" in told.stderr
    assert "would save 3 SMS parts ($0.06): --gsm replaces them" in told.stderr
    mended = program("estimate", "campaign.csv", "--from", "ACME", "--gsm", "--json", "--save", "gsm.run", "-v")
    assert json.loads(mended.stdout)["parts"] == 3 + 1
    assert "3 rows have typographic characters replaced, which saves 3 SMS parts ($0.06)" in mended.stderr
    assert "It's here - come and see... xxx" in mended.stderr
    assert program("send", "gsm.run", "--sandbox", "--yes").returncode == 0


def test_a_saved_estimate_is_sent_exactly_as_it_was(program: Program, sandbox: Start) -> None:
    server = sandbox()
    write(program, ("to", "message"), ("639171234567", "as planned"), ("bad", "x"))
    saved = program("estimate", "campaign.csv", "--save", "june.run", env={"BULKSEND_ORG_ID": ""})
    assert saved.returncode == ExitCode.NOT_ALL_SENT
    assert "`bulksend send june.run` sends exactly this" in saved.stderr
    write(program, ("to", "message"), ("639181234567", "edited since"))
    sent = program(*send_to(server, of="june.run"))
    assert sent.returncode == ExitCode.NOT_ALL_SENT
    assert [(each["to"], each["message"]) for each in server.accepted()] == [("639171234567", "as planned")]
    again = program("estimate", "campaign.csv", "--save", "june.run")
    assert again.returncode == ExitCode.USAGE
    assert "june.run: this run has begun: give the new plan a file of its own" in again.stderr
    for name in ("campaign.csv", "none/x.run"):
        refused = program("estimate", "campaign.csv", "--save", name)
        assert refused.returncode == ExitCode.USAGE
        assert name.split("/")[0] in refused.stderr
    assert (program.folder / "campaign.csv").read_text().startswith("to,message")


def test_those_who_opted_out_and_those_twice_there_are_left_out_and_listed(program: Program) -> None:
    (program.folder / "optouts.txt").write_text("to,since\n0917-123-4567,2024-11-24\n,\n")
    write(
        program,
        ("to", "contactId", "message"),
        ("+63 917 123 4567", "", "a"),
        ("639191234567", "", "b"),
        ("+63 919 123 4567", "", "b"),
        ("", "1001", "c"),
    )
    flags = ("--exclude", "optouts.txt", "--country", "PH", "--duplicates", "skip")
    told = program("estimate", "campaign.csv", *flags, "-o", "rows.csv")
    assert told.returncode == 0
    rows = program.results("rows.csv")
    assert [(row["status"], row["error"]) for row in rows] == [
        ("skipped", "on the list of those to leave out"),
        ("pending", ""),
        ("skipped", "the same number and text as an earlier row"),
        ("pending", ""),
    ]
    assert "skipped: 1 row: on the list of those to leave out" in told.stderr
    assert "row 4; they cannot be compared with the numbers to leave out" in told.stderr
    sent = program("send", "campaign.csv", *flags, "--sandbox", "--yes")
    assert sent.returncode == 0
    results = program.results("campaign.sandbox.results.csv")
    assert [row["status"] for row in results] == ["skipped", "sent", "skipped", "sent"]


@pytest.mark.parametrize(
    ("flags", "content", "says"),
    [
        (("--exclude", "list.csv"), "Name\nAna\n", "list.csv: there is no phone number in this list"),
        (("--exclude", "list.csv"), None, "list.csv: there is no such file"),
        (
            ("--exclude", "list.csv"),
            "639171234567\n0917 123 4567\n",
            "list.csv: row 1: '0917 123 4567' cannot be left out: no dialing code",
        ),
        (("--rates", "list.csv"), "prefix,microUSD\n63,0.02\n", "write 20000 for $0.02"),
        (("--delimiter", "ab"), None, "write one character such as ';', or the word tab"),
        (("--encoding", "klingon"), None, "klingon"),
        (("--sheet", "2"), None, "this is no workbook"),
        (("--duplicates", "fail"), None, "1 row has the same number and text as an earlier one: row 2 (as row 1)"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    program: Program, flags: tuple[str, ...], content: str | None, says: str
) -> None:
    write(program, ("to", "message"), ("639171234567", "a"), ("639171234567", "a"))
    if content is not None:
        (program.folder / "list.csv").write_text(content)
    refused = program("estimate", "campaign.csv", *flags, "-v")
    assert refused.returncode == ExitCode.USAGE
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr


def test_carriers_rules_and_landlines_are_warned_of(program: Program) -> None:
    write(
        program,
        ("to", "from", "message"),
        ("639171234567", "SMARTDEALS", "see https://bit.ly/abc"),
        ("6328123456", "", "a"),
        ("63281234567", "", "a"),
        ("9611234567", "ACME", "a"),
        ("639181234567", "ACME", "Hi {{contact.firstName}}"),
    )
    told = program("estimate", "campaign.csv", "-v").stderr
    assert "holds a carrier's name, 'SMART'" in told
    assert "no sender id (from)" in told
    assert "1 row has a link through bit.ly, a public shortener, which a Philippine carrier blocks: row 1" in told
    assert "2 rows go to a landline or service number" in told
    assert "row 4 (9611234567): if that is meant, say --country PH" in told
    assert "1 row has fields that the API fills in ({{...}}): parts and price are the least they can be: row 5" in told


@pytest.mark.parametrize("name", ["libreoffice.xlsx", "openpyxl.xlsx", "libreoffice.ods", "cp1252-semicolon.csv"])
def test_a_spreadsheet_programs_own_files_are_planned(program: Program, name: str) -> None:
    told = program("estimate", str(GOLDEN / name), "--country", "PH", "--message", "Hello", "--json")
    assert json.loads(told.stdout)["sendable"] > 0, told.stderr
    assert "Traceback" not in told.stderr


def test_a_packed_sheet_is_read_from_standard_input(program: Program) -> None:
    packed = program.folder / "c.csv.gz"
    packed.write_bytes(gzip.compress(b"to;message\n639171234567;a\n"))
    told = program("estimate", str(packed), "--json")
    assert json.loads(told.stdout)["sendable"] == 1
    assert "note: its columns are separated by ';'" in told.stderr


# ---- whatever comes ----

HEADERS = st.sampled_from(
    [b"to,message\n", b"to;message\n", b"\xff\xfet\x00o\x00\n\x00", b'{"to":', b"PK\x03\x04", b""]
)


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(head=b"to,message\n", body=b'639171234567,"unclosed\n', name="c.csv")
@example(head=b"PK\x03\x04", body=b"\x00" * 40, name="c.xlsx")
@given(
    head=HEADERS,
    body=st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))),
    name=st.sampled_from(["c.csv", "c.jsonl", "c.xlsx", "c"]),
)
def test_any_bytes_give_a_plan_or_one_clear_sentence(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    head: bytes,
    body: bytes,
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BULKSEND_API_KEY", raising=False)
    Path(name).write_bytes(head + body)
    code = run(["estimate", name, "--message", "Hello", "-o", "rows.csv", "--json"])
    told = capfd.readouterr()
    if code == ExitCode.USAGE:
        assert told.err.startswith("Error: ")
        assert told.err.count("\n") == 1
        assert json.loads(told.out) == {"exit": 2, "reason": told.err.removeprefix("Error: ").rstrip("\n")}
    else:
        assert code in {ExitCode.OK, ExitCode.NOT_ALL_SENT}
        assert json.loads(told.out)["rows"] > 0


# ---- pipes ----


@pytest.mark.parametrize("command", ["estimate", "send"])
def test_nothing_of_a_pipe_is_lost(program: Program, command: str) -> None:
    pipe = program.folder / "pipe.jsonl"
    os.mkfifo(pipe)
    rows = [json.dumps({"to": f"63917{row:07}", "message": f"{row:020}"}) + "\n" for row in range(400)]
    writer = threading.Thread(target=pipe.write_text, args=["".join(rows)])
    writer.start()
    flags = ("--sandbox", "--yes", "--run", "pipe.run") if command == "send" else ()
    done = program(command, "pipe.jsonl", "--json", *flags)
    writer.join(timeout=10)
    assert json.loads(done.stdout)["rows"] == 400, done.stderr
