"""``bulksend purge``: numbers, texts and cells are gone from every byte; what a run came to stays."""

from __future__ import annotations

import json
import sqlite3
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import CampaignOf, Numbers, Program, SandboxServer, Start, send_to

ROWS = 30
HOURS = 3_600.0
PURGE = ("purge", "campaign.run", "--older-than", "2h", "--repeat-after", "2h")
SECRETS = ("63917100001", "Ana Reyes", "Kumusta", "Poblacion")  # numbers, a cell, the text, another cell


def campaign(folder: Path) -> None:
    lines = ["to,Name,City", *(f"639171000{row:03},Ana Reyes {row},Poblacion" for row in range(ROWS)), "12,Ana Reyes,x"]
    (folder / "campaign.csv").write_text("\n".join(lines))


def age(path: Path, by_s: float = 3 * HOURS) -> None:
    """Let a run have been sent so long ago."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE sends SET started_at = started_at - ?, ended_at = ended_at - ?", [by_s, by_s])


def holding(folder: Path, secret: str) -> list[str]:
    """The files of a folder in which something stands, in whatever encoding."""
    spellings = [secret.encode(), secret.encode("utf-16-le"), secret.encode("utf-16-be")]
    return sorted(
        path.name
        for path in folder.rglob("*")
        if path.is_file() and any(spelled in path.read_bytes() for spelled in spellings)
    )


def unpacked(path: Path) -> str:
    """All that stands in a workbook."""
    with zipfile.ZipFile(path) as book:
        return "".join(book.read(name).decode(errors="replace") for name in book.namelist())


@pytest.fixture
def command(program: Program, sandbox: Start) -> tuple[SandboxServer, tuple[str, ...]]:
    """A campaign of which a row is bad and all others were sent, three hours ago."""
    server = sandbox()
    campaign(program.folder)
    send = send_to(server, "--message", "Kumusta, {Name} of {City}?")
    assert program(*send).returncode == 1
    age(program.folder / "campaign.run")
    return server, send


def status(program: Program) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(program("status", "campaign.run", "--json").stdout)
    return found


@pytest.mark.usefixtures("command")
def test_nothing_personal_stands_in_any_byte_and_counts_and_costs_stay(program: Program, state_folder: Path) -> None:
    folder = program.folder
    assert program("results", "campaign.run", "-o", "copy.jsonl").returncode == 0
    (folder / "campaign.run.planning").write_bytes((folder / "campaign.run").read_bytes())  # a killed planner's
    (folder / ".bulksend-999999.part").write_text("639171000010")  # a killed writer's
    (folder / "campaign.csv").unlink()
    before = status(program)
    for secret in SECRETS:
        assert {"campaign.run", "campaign.results.csv", "copy.jsonl"} <= set(holding(folder, secret))
    mode = (folder / "campaign.run").stat().st_mode

    purged = program(*PURGE, "--also", "copy.jsonl")
    assert purged.returncode == 0, purged.stderr
    assert f"the numbers, texts and cells of {ROWS + 1} rows are gone" in purged.stderr
    assert "campaign.results.csv: rewritten without them." in purged.stderr
    assert "copy.jsonl: rewritten without them." in purged.stderr
    assert "History still knows, as hashes, who got what." in purged.stderr
    for secret in SECRETS:
        assert holding(folder, secret) == []
        assert holding(state_folder, secret) == []
    assert sorted(path.name for path in folder.iterdir()) == ["campaign.results.csv", "campaign.run", "copy.jsonl"]
    assert (folder / "campaign.run").stat().st_mode == mode
    after = status(program)
    assert after.pop("purgedAt")
    assert before.pop("purgedAt") is None
    assert after == before
    assert (after["sent"], after["invalid"], after["estimateMicro"]) == (ROWS, 1, ROWS * 20_000)


@pytest.mark.usefixtures("command")
def test_what_killed_processes_left_beside_a_run_is_gone_wherever_its_results_are(program: Program) -> None:
    (program.folder / "campaign.results.csv").unlink()
    left = program.folder / ".bulksend-999999.part"
    left.write_text("639171000010")
    purged = program(*PURGE)
    assert purged.returncode == 0, purged.stderr
    assert "rewritten" not in purged.stderr
    assert not left.exists()


def test_a_workbook_of_results_is_rewritten_too(program: Program, sandbox: Start) -> None:
    pytest.importorskip("xlsxwriter")
    server = sandbox()
    campaign(program.folder)
    send = send_to(server, "--message", "Kumusta, {Name} of {City}?")
    assert program(*send, "--results", "mine.xlsx").returncode == 1
    age(program.folder / "campaign.run")
    assert SECRETS[1] in unpacked(program.folder / "mine.xlsx")
    purged = program(*PURGE)
    assert purged.returncode == 0, purged.stderr
    assert "mine.xlsx: rewritten without them." in purged.stderr
    for secret in SECRETS:
        assert secret not in unpacked(program.folder / "mine.xlsx")

    other = program("results", "campaign.run", "-o", "other.xlsx")
    assert other.returncode == 0
    campaign(program.folder)
    assert program(*send, "--run", "second.run", "--repeat", "--results", "second.xlsx").returncode == 1
    age(program.folder / "second.run")
    foreign = program("purge", "second.run", *PURGE[2:], "--also", "other.xlsx")
    assert foreign.returncode == 2
    assert "other.xlsx: this is not what the run second.run wrote" in foreign.stderr


@pytest.mark.usefixtures("command")
def test_whoever_looks_at_a_purged_run_hears_that_it_was(program: Program) -> None:
    ids = [row["messageId"] for row in program.results()]
    assert program(*PURGE).returncode == 0
    today = time.localtime()
    day = f"{today.tm_mday} {time.strftime('%B %Y', today)}"
    assert f"Purged on {day}, " in program("status", "campaign.run").stderr
    assert ", purged: all was done that could be" in program("runs").stdout.replace("\n    ", " ")
    written = program("results", "campaign.run", "-o", "again.csv")
    assert written.returncode == 0
    assert "its numbers, texts and cells are gone" in written.stderr
    rows = program.results("again.csv")
    assert rows == program.results()
    assert [row["messageId"] for row in rows] == ids
    assert {(row["to"], row["messageSent"], row["Name"], row["City"]) for row in rows} == {("", "", "", "")}
    found = json.loads(program("find", "639171000001", "--json").stdout)
    assert [(hit["row"], hit["status"], hit["message"]) for hit in found["found"]] == [(2, "sent", None)]
    assert program(*PURGE).returncode == 0  # once more does no harm


def test_a_purged_run_is_not_sent_and_its_sheet_is_left_out_as_before(
    program: Program, command: tuple[SandboxServer, tuple[str, ...]]
) -> None:
    server, send = command
    assert program(*PURGE).returncode == 0
    for again in (send, ("send", "campaign.run", "--yes"), ("resolve", "campaign.run")):
        refused = program(*again)
        assert refused.returncode == 2, refused.stderr
        assert len(refused.stderr.splitlines()) == 1
        assert "campaign.run: this run was purged: its numbers and texts are gone: " in refused.stderr
        assert "to send its input once more, send that with --new" in refused.stderr
    ended = program(*send, "--run", "second.run", "--results", "second.csv")
    assert ended.returncode == 1
    assert f"{ROWS} of these got this very text from campaign.run" in ended.stderr
    assert server.summary()["accepted"] == ROWS


@pytest.mark.usefixtures("command")
def test_what_needs_whom_a_run_reached_refuses_a_purged_one(program: Program) -> None:
    assert program(*PURGE).returncode == 0
    excluded = program("estimate", "campaign.csv", "--message", "x", "--exclude", "campaign.run")
    assert excluded.returncode == 2
    assert "campaign.run: this run was purged: nobody knows any more whom it reached" in excluded.stderr
    for reading in (
        ("rates", "learn", "campaign.run", "-o", "rates.csv"),
        ("estimate", "campaign.run"),
        ("show", "campaign.run", "--to", "639171000001"),
        ("retry", "campaign.run", "-o", "mended.csv"),
    ):
        refused = program(*reading)
        assert refused.returncode == 2
        assert "this run was purged" in refused.stderr


def test_a_history_that_was_forgotten_is_no_answer_about_a_purged_run(
    program: Program, command: tuple[SandboxServer, tuple[str, ...]], state_folder: Path
) -> None:
    del command
    for path in state_folder.iterdir():
        if path.is_file():
            path.unlink()
    purged = program(*PURGE)
    assert purged.returncode == 0
    assert "History holds nothing of this run" in purged.stderr
    found = program("find", "639171000001")
    assert found.returncode == 3
    assert "campaign.run: this run was purged, and history knows nothing of it" in " ".join(found.stdout.split())


# -- Refused


@pytest.mark.long
@pytest.mark.parametrize(("older", "after"), [("0s", "20h"), ("90d", "0s"), ("4h", "1h"), ("0s", "4h")], ids=str)
@pytest.mark.usefixtures("command")
def test_what_is_younger_is_not_purged(program: Program, older: str, after: str) -> None:
    arguments = ("purge", "campaign.csv", "--older-than", older, "--repeat-after", after)
    ended = program(*arguments)
    assert ended.returncode == 2
    assert "rows of this run were tried as late as " in ended.stderr
    assert status(program)["purgedAt"] is None


def test_what_a_phones_cap_may_still_count_is_not_purged(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(numbers(3))
    assert program(*send_to(server)).returncode == 0
    ended = program("purge", "campaign.run", "--older-than", "0s", "--repeat-after", "0s")
    assert ended.returncode == 2
    assert "rows of this run were tried as late as " in ended.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    ("flags", "options", "says"),
    [
        ((), ("--limit", "2"), "2 rows of this run are still to be sent: nothing was purged"),
        (("--legacy", "--lose-answers", "1"), (), "4 rows of this run may have been accepted"),
    ],
)
def test_what_is_still_needed_is_not_purged(
    program: Program,
    sandbox: Start,
    campaign_of: CampaignOf,
    numbers: Numbers,
    flags: tuple[str, ...],
    options: tuple[str, ...],
    says: str,
) -> None:
    server = sandbox(*flags)
    campaign_of(numbers(4))
    program(*send_to(server, "--timeout", "2", *options))
    age(program.folder / "campaign.run")
    ended = program(*PURGE)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert status(program)["purgedAt"] is None
    assert "63917100000" in (program.folder / "campaign.results.csv").read_text()


@pytest.mark.long
def test_a_run_in_use_is_not_purged(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "20")
    campaign_of(numbers(2))
    process = program.start(*send_to(server))
    server.await_requests(1)  # it goes alone
    ended = program(*PURGE)
    assert ended.returncode == 4
    assert "another bulksend process is at work on this run" in ended.stderr
    process.kill()
    process.communicate(timeout=10)


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize("change", [lambda text: text + "a,line,more\n", lambda text: text.replace("messageId", "id")])
def test_results_that_are_not_the_runs_own_any_more_are_left_and_told(
    program: Program, change: Callable[[str], str]
) -> None:
    results = program.folder / "campaign.results.csv"
    results.write_text(change(results.read_text()))
    kept = results.read_bytes()
    ended = program(*PURGE)
    assert ended.returncode == 2
    assert "campaign.results.csv: this is not what the run campaign.run wrote, or not any more" in ended.stderr
    assert results.read_bytes() == kept
    assert status(program)["purgedAt"] is None
    results.rename(program.folder / "mine.csv")
    assert program(*PURGE).returncode == 0
