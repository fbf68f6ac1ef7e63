"""Which messages reached their phones, as somebody at a terminal, or a script, hears of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import Program, SandboxServer, Start, send_to

PEOPLE = [f"63917123456{digit}" for digit in range(4)]
RECEIPT = ["deliveredToTelco", "deliveredToPhone", "deliveryError", "chargedMicro"]


def send(program: Program, server: SandboxServer, name: str, *people: str, flags: tuple[str, ...] = ()) -> None:
    """Send a campaign with a text of its own."""
    lines = "".join(f"{who},Hi from {name}\n" for who in people)
    (program.folder / f"{name}.csv").write_text(f"to,message\n{lines}")
    sent = program(*send_to(server, "--no-progress", *flags, of=f"{name}.csv"))
    assert sent.returncode in {0, 1}, sent.stderr


def told(program: Program, *more: str, code: int) -> dict[str, Any]:
    asked = program("receipts", "june.csv", "--json", *more)
    assert asked.returncode == code, asked.stderr
    found: dict[str, Any] = json.loads(asked.stdout)
    assert found["exit"] == code
    return found


def results(program: Program) -> list[dict[str, str]]:
    assert program("results", "june.run", "-o", "again.csv").returncode == 0
    return program.results("again.csv")


def test_what_reached_its_phone_is_told_and_stands_in_the_results(program: Program, sandbox: Start) -> None:
    server = sandbox()
    send(program, server, "june", *PEOPLE)
    before = list(results(program)[0])
    assert not set(RECEIPT) & set(before)
    assert told(program, code=0) == {
        "run": "june.run", "sent": 4, "delivered": 4, "notDelivered": 0, "notKnown": 0, "reasons": [],
        "chargedMicro": 80_000, "estimateMicro": 80_000, "charged": 4, "looked": "looked through", "exit": 0,
    }  # fmt: skip
    rows = results(program)
    assert program("results", "june.run", "-o", "again.jsonl").returncode == 0
    first = json.loads((program.folder / "again.jsonl").read_text().splitlines()[0])
    assert [first[name] for name in RECEIPT] == [True, "confirmed", None, 20_000]
    place = before.index("sentAt") + 1
    assert list(rows[0]) == [*before[:place], *RECEIPT, *before[place:]]
    assert [[row[name] for name in RECEIPT] for row in rows] == [["true", "confirmed", "", "20000"]] * 4


def test_what_the_telco_lost_over_its_cap_is_told_with_its_reason(program: Program, sandbox: Start) -> None:
    server = sandbox("--cap", "63=2/60")
    send(program, server, "june", "12", PEOPLE[0], *[PEOPLE[1]] * 4, flags=("--concurrency", "1"))
    assert server.summary()["lost"] == 2
    asked = program("receipts", "june.csv")
    assert asked.returncode == 1
    words = " ".join(asked.stderr.split())
    assert (
        "sent 5 (accepted by the API) reached 3 (the phone confirmed it) not reached 2 (the receipt says so)" in words
    )
    assert "not reached: 2 rows, the first is row 5: lost: over the telco's cap for this number" in words
    assert "charged $0.10 by the receipts; as estimated" in words
    rows = results(program)
    assert [row["deliveredToPhone"] for row in rows] == ["", *["confirmed"] * 3, *["failed"] * 2]
    assert [row["status"] for row in rows] == ["invalid", *["sent"] * 5]
    assert rows[5]["deliveryError"] == "lost: over the telco's cap for this number"
    assert rows[0]["chargedMicro"] == ""


def test_what_is_not_known_yet_is_neither_delivered_nor_lost(program: Program, sandbox: Start) -> None:
    send(program, sandbox("--receipts-after", "7d"), "june", *PEOPLE)
    early = told(program, code=1)
    assert (early["delivered"], early["notDelivered"], early["notKnown"]) == (0, 0, 4)
    assert {row["deliveredToPhone"] for row in results(program)} == {"unknown"}
    shown = program("show", "june.csv", "--row", "1").stderr
    assert "not known yet whether it reached the phone; the telco took it" in shown


@pytest.mark.long
def test_receipts_that_come_late_are_waited_for(program: Program, sandbox: Start) -> None:
    send(program, sandbox("--receipts-after", "6s"), "june", *PEOPLE[:1])
    asked = program("receipts", "june.csv", "--until-done", "60s")
    assert asked.returncode == 0, asked.stderr
    assert "1 of 1 receipt not known yet: asking again in 2.0 s." in asked.stderr


def test_a_row_shows_its_receipt(program: Program, sandbox: Start) -> None:
    send(program, sandbox("--undelivered", "1", "--seed", "1"), "june", PEOPLE[0])
    told(program, code=1)
    assert "receipt it did not reach the phone: " in " ".join(program("show", "june.csv", "--row", "1").stderr.split())
    (row,) = json.loads(program("show", "june.csv", "--row", "1", "--json").stdout)["rows"]
    assert (row["deliveredToTelco"], row["deliveredToPhone"], row["chargedMicro"]) == (True, "failed", 20_000)
    assert row["deliveryError"] in {"absent subscriber", "unknown subscriber"}


def test_once_all_is_final_nobody_is_asked(program: Program, sandbox: Start) -> None:
    server = sandbox()
    send(program, server, "june", *PEOPLE)
    told(program, code=0)
    server.end()
    without_key = program("receipts", "june.csv", env={"BULKSEND_API_KEY": ""})
    assert without_key.returncode == 0, without_key.stderr


def test_a_list_that_could_not_be_read_is_said_and_nothing_is_called_undelivered(
    program: Program, sandbox: Start
) -> None:
    server = sandbox()
    send(program, server, "june", *PEOPLE)
    refused = program("receipts", "june.csv", env={"BULKSEND_API_KEY": "another"})
    assert refused.returncode == 3
    assert "the server refused the key" in refused.stderr
    assert "of 4 messages nothing more is known, neither that they reached a phone nor that they" in refused.stderr
    assert "not reached" not in refused.stderr
    server.end()
    away = told(program, code=3)
    assert (away["notDelivered"], away["notKnown"], away["looked"]) == (0, 4, "not reached")
    assert not set(RECEIPT) & set(results(program)[0])


def test_a_server_without_receipts_is_said(program: Program, sandbox: Start) -> None:
    send(program, sandbox("--legacy"), "june", *PEOPLE)
    asked = program("receipts", "june.csv", "--until-done", "10m")
    assert asked.returncode == 3
    assert "This server has no list of messages to look in" in asked.stderr


def test_a_run_that_is_being_sent_is_left_alone(program: Program, sandbox: Start) -> None:
    server = sandbox("--latency", "60s")
    (program.folder / "june.csv").write_text("to,message\n" + "".join(f"{who},Hi\n" for who in PEOPLE))
    sending = program.start(*send_to(server, of="june.csv"))
    server.await_requests(1)
    server.answer()
    server.await_requests(2)  # so that the first is sent
    asked = program("receipts", "june.csv")
    assert asked.returncode == 4
    assert "another bulksend process is at work on this run" in asked.stderr
    server.answer(at_once=True)
    sending.communicate(timeout=60)
    assert told(program, code=0)["delivered"] == 4


def test_what_cannot_be_asked_for_is_a_matter_of_usage(program: Program, sandbox: Start) -> None:
    server = sandbox()
    assert program("receipts", "june.csv").returncode == 2
    (program.folder / "june.csv").write_text("to,message\n639171234560,Hi\n")
    assert program("send", "june.csv", "--sandbox", "--yes").returncode == 0
    rehearsal = program("receipts", "june.sandbox.run")
    assert rehearsal.returncode == 2
    assert "this was a rehearsal: its private sandbox is gone, and its receipts with it" in rehearsal.stderr
    saved = program("estimate", "june.csv", "--save", "saved.run", env={"BULKSEND_BASE_URL": server.base_url})
    assert saved.returncode == 0
    unsent = program("receipts", "saved.run")
    assert unsent.returncode == 0
    assert "nothing of this run was sent, so that there are no receipts" in unsent.stderr
    assert program("receipts", "saved.run", "--until-done", "soon").returncode == 2


@pytest.fixture
def dead(program: Program, sandbox: Start) -> SandboxServer:
    """A server of the account that did not reach PEOPLE[:3] in May, and of these only the third in June."""
    server = sandbox("--undelivered", "1")
    send(program, server, "may", *PEOPLE[:3])
    assert program("receipts", "may.csv").returncode == 1
    send(program, server, "june", *PEOPLE[:2])
    assert program("receipts", "june.csv").returncode == 1
    server.end()
    again = sandbox("--port", server.port)
    send(program, again, "extra", PEOPLE[2])
    assert program("receipts", "extra.csv").returncode == 0
    for name in ("may", "june", "extra"):
        (program.folder / f"{name}.run").unlink()
        (program.folder / f"{name}.results.csv").unlink()
    return again


def test_phones_that_two_runs_did_not_reach_are_left_out_where_that_is_wanted(
    program: Program, dead: SandboxServer
) -> None:
    (program.folder / "july.csv").write_text("to,message\n" + "".join(f"{who},Hi in July\n" for who in PEOPLE))
    estimated = program("estimate", "july.csv", "--exclude-dead", "--json", env={"BULKSEND_BASE_URL": dead.base_url})
    assert estimated.returncode == 0, estimated.stderr
    assert json.loads(estimated.stdout)["skipped"] == 2
    assert "2 of these were not reached by the last two runs, as receipts tell: left out" in estimated.stderr
    send(program, dead, "july", *PEOPLE, flags=("--exclude-dead",))
    rows = program.results("july.results.csv")
    assert [row["status"] for row in rows] == ["skipped", "skipped", "sent", "sent"]
    assert rows[0]["error"] == "the last two runs did not reach this phone, by their delivery receipts"


def test_without_the_word_nobody_is_left_out_for_a_receipt(program: Program, dead: SandboxServer) -> None:
    send(program, dead, "july", *PEOPLE)
    assert {row["status"] for row in program.results("july.results.csv")} == {"sent"}


def test_what_receipts_said_of_a_phone_is_forgotten_with_the_rest(program: Program, dead: SandboxServer) -> None:
    assert program("history", "purge", "--older-than", "0s").returncode == 0
    send(program, dead, "july", *PEOPLE, flags=("--exclude-dead",))
    assert {row["status"] for row in program.results("july.results.csv")} == {"sent"}
