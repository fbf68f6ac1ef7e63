"""What receipts told of a run is seen wherever that run is looked at."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from planned import write_plan
from runfiles import ANSWER, begin, facts, notes_of, number, own, pending

from bulksend import cli
from bulksend.model import Event, Outcome, Reached, Receipt
from bulksend.reports.summary import summary_of
from bulksend.runs.sqlite import SqliteRun

FATES = (Reached.CONFIRMED, Reached.CONFIRMED, Reached.FAILED, Reached.UNKNOWN)
WHY = "absent: 639171234567"


@pytest.fixture
def june(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A run of which five messages were sent and one was not; of the last that was sent, nothing is told."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "june.run"
    write_plan(path, [pending(row, number(row)) for row in range(1, 7)], facts()).release()
    with own(path) as run:
        notes = notes_of(run)
        for row in range(1, 6):
            begin(notes, [row], 1_000.0 + row)
            answer = ANSWER._replace(message_id=f"SMS{row}")
            notes.settle([Outcome(row, Event.ACCEPTED, True, 1_001.0 + row, 200, answer)], turn=0)
        told = [
            Receipt(f"SMS{row}", True, fate, WHY if fate is Reached.FAILED else "", None)
            for row, fate in enumerate(FATES, 1)
        ]
        run.receipts.awaited().note(told)
    on_term = signal.getsignal(signal.SIGTERM)  # the program sets its own
    yield path
    signal.signal(signal.SIGTERM, on_term)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    cli.run(list(arguments))
    seen = capsys.readouterr()
    return seen.out, " ".join(seen.err.split())


def test_where_a_run_stands_tells_how_many_were_reached(june: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, says = shown(capsys, "status", june.name, "--json")
    assert "reached 2 (by their receipts; 1 not reached, 2 not known yet)" in says
    found = json.loads(out)
    assert (found["delivered"], found["notDelivered"], found["notKnown"]) == (2, 1, 2)


@pytest.mark.usefixtures("june")
@pytest.mark.parametrize(
    ("row", "says", "told"),
    [
        (1, "it reached the phone", "confirmed"),
        (3, f"it did not reach the phone: {WHY}", "failed"),
        (4, "not known yet whether it reached the phone; the telco took it", "unknown"),
    ],
)
def test_what_a_phone_got_tells_whether_it_came(
    row: int, says: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says in " ".join(shown(capsys, "find", number(row))).replace("\n", " ")
    out, _ = shown(capsys, "find", number(row), "--json")
    (hit,) = json.loads(out)["found"]
    assert (hit["deliveredToTelco"], hit["deliveredToPhone"]) == (True, told)
    out, said = shown(capsys, "show", "june.run", "--row", str(row), "--json")
    assert says in said
    assert json.loads(out)["rows"][0]["deliveredToPhone"] == told


@pytest.mark.usefixtures("june")
@pytest.mark.parametrize("row", [5, 6])
def test_of_whom_nothing_is_told_nothing_is_said(row: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert "the phone" not in " ".join(shown(capsys, "find", number(row)))
    out, _ = shown(capsys, "find", number(row), "--json")
    assert "deliveredToPhone" not in json.loads(out)["found"][0]


def test_the_page_and_the_workbook_tell_what_reached_the_phones(june: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "report", "june.run", "-o", "june.html") == ("", "")
    page = " ".join(june.with_suffix(".html").read_text(encoding="utf-8").split())
    assert "What reached the phones" in page
    for says in ("40.0 % of the sent · 1 not reached · 2 not known yet", "absent: 63•••••••567"):
        assert says in page
    with SqliteRun.open(june) as run:
        lines = dict(summary_of(run).lines)
    assert (lines["reached"], lines["not reached"], lines["not known yet"]) == (2, 1, 2)


def test_where_none_were_fetched_nothing_is_said_of_them(
    june: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_plan(tmp_path / "may.run", [pending(1)], facts()).release()
    out, says = shown(capsys, "status", "may.run", "--json")
    assert "reached" not in says
    assert "delivered" not in json.loads(out)
    assert shown(capsys, "report", "may.run", "-o", "may.html") == ("", "")
    assert "reached the phones" not in june.with_name("may.html").read_text(encoding="utf-8")
