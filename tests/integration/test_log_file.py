"""The log of a send: what stands in it, what never does, and that a full disk ends nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from bulksend import cli
from bulksend.cli.codes import ExitCode
from bulksend.engagespark.outcomes import Fault
from bulksend.errors import UsageError
from bulksend.model import Answer, Attempt, ContactId, Event, Message, MicroUSD, Outcome, PhoneNumber
from bulksend.monitoring import Log
from bulksend.sending import Heard
from bulksend.sending.verdict import CUT_SHORT

KEY = "k3y-that-nobody-may-see"
PEOPLE = [f"63917123450{digit}" for digit in range(8)]
AT_S = 1_790_000_000.25


@pytest.fixture(autouse=True)
def folder(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to work in, and an environment without settings."""
    monkeypatch.setenv("BULKSEND_API_KEY", KEY)
    Path("june.csv").write_text("to,message\n" + "".join(f"{who},hello there\n" for who in PEOPLE))
    return own_folder


def send(*more: str) -> int:
    return cli.run(["send", "june.csv", "--yes", "--log-file", "june.log", *more])


def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("june.log").read_text().splitlines()]


def quiet(_: str) -> None:
    """Nobody wants to hear."""


def heard(row: int = 1, event: Event = Event.ACCEPTED, *, final: bool = True, **more: Any) -> Heard:
    message = Message(row, PhoneNumber("639171234567"), None, "hello", 1, MicroUSD(1))
    return Heard(Outcome(row, event, final, AT_S, **more), Attempt(message, 1, None, 1), 0.12345)


# ---- what stands in it ----


def test_every_attempt_and_what_happens_to_the_run_stand_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert send("--sandbox", "--json") == ExitCode.OK
    found = lines()
    assert [line["event"] for line in found] == ["planned", "started", *["attempt"] * 8, "ended"]
    assert {line["run"] for line in found} == {"june.sandbox.run"}
    planned, started, *attempts, ended = found
    assert (planned["rows"], planned["toSend"], started["rows"]) == (8, 8, 8)
    assert sorted(line["row"] for line in attempts) == list(range(1, 9))
    for line in attempts:
        assert (line["attempt"], line["status"], line["outcome"], line["httpStatus"]) == (1, "sent", "accepted", 200)
        assert 0 < line["latency"] < 5
        assert line["messageId"]
        assert line["error"] is None
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", line["at"])
    summary = json.loads(capsys.readouterr().out)
    assert {name: ended[name] for name in summary if name in ended} == {
        name: value for name, value in summary.items() if name not in {"reason", "notSent", "next"}
    }


def test_every_field_and_every_error_stands_in_the_papers() -> None:
    assert send("--sandbox") == ExitCode.OK
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    table = page.partition("| field | of | meaning |")[2].partition("\n\n")[0]
    summary = page.partition("| field | meaning |")[2].partition("\n\n")[0]
    told = set(re.findall(r"`([^`]+)`", table))
    for line in lines():
        assert set(line) <= told | set(re.findall(r"`(\w+)`", summary) if line["event"] == "ended" else ())
        assert line["event"] in told
    assert {fault.value for fault in Fault} | {CUT_SHORT.code} <= told


def test_no_text_no_number_and_no_key_stand_in_it() -> None:
    assert send("--sandbox") == ExitCode.OK
    text = Path("june.log").read_text()
    for nobodys in ("hello", KEY, *PEOPLE, *(who[2:] for who in PEOPLE)):
        assert nobodys not in text
    assert "63•••••••507" in text
    assert Path("june.log").stat().st_mode & 0o777 == 0o600


def test_the_next_command_adds_to_it() -> None:
    assert send("--sandbox", "--limit", "3") == ExitCode.OK
    assert cli.run(["send", "june.sandbox.run", "--sandbox", "--yes", "--log-file", "june.log"]) == ExitCode.OK
    assert Counter(line["event"] for line in lines()) == {"planned": 2, "started": 2, "attempt": 8, "ended": 2}


def test_an_early_stop_stands_in_it_with_its_reason() -> None:
    assert send("--org-id", "1", "--base-url", "http://127.0.0.1:9", "--patience", "0s") == ExitCode.STOPPED
    found = lines()
    attempt = next(line for line in found if line["event"] == "attempt")
    assert (attempt["httpStatus"], attempt["error"], attempt["messageId"]) == (None, "unreachable", None)
    stops = [
        (line["event"], line.get("reason") or line.get("stop"))
        for line in found
        if line["event"] in {"stopped", "ended"}
    ]
    assert stops == [("stopped", "server away"), ("ended", "server away")]


# ---- line by line ----


def line_of(each: Heard) -> dict[str, Any]:
    log = Log(Path("june.log"), quiet)
    log.hear_of([each])
    log.close()
    found = lines()
    Path("june.log").unlink()
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("each", "says"),
    [
        (heard(event=Event.REJECTED, http_status=400), ("rejected", "rejected", 400, None)),
        (heard(event=Event.PUT_OFF, final=False, http_status=429), ("pending", "put off", 429, None)),
        (heard(event=Event.PUT_OFF, final=False, in_doubt=True), ("unknown", "put off", None, None)),
        (heard(event=Event.DOUBTED, final=False, code="timed out"), ("unknown", "doubted", None, "timed out")),
        (heard(event=Event.KNOWN, http_status=409), ("skipped", "known", 409, None)),
        (heard(event=Event.EXCLUDED)._replace(attempt=None), ("skipped", "excluded", None, None)),
    ],
)
def test_what_an_attempt_showed(each: Heard, says: tuple[str, str, int | None, str | None]) -> None:
    line = line_of(each)
    assert (line["status"], line["outcome"], line["httpStatus"], line["error"]) == says
    assert (line["attempt"] is None) == (each.attempt is None)


def test_an_errors_words_stay_out_of_it_for_they_may_quote_a_number() -> None:
    assert "639171234567" not in json.dumps(line_of(heard(event=Event.REJECTED, error="no 639171234567 here")))


def test_a_contact_is_told_by_its_id() -> None:
    message = Message(1, ContactId(7), None, "hello", 1, None)
    answer = Answer("SMS1", 1, 1, "0.01", "", "639171234567", 7, None)
    line = line_of(Heard(Outcome(1, Event.ACCEPTED, True, AT_S, 200, answer), Attempt(message, 2, None, 1), 1.0))
    assert (line["to"], line["attempt"], line["messageId"], line["latency"]) == ("contact 7", 2, "SMS1", 1.0)


def test_what_never_left_and_is_still_to_be_sent_is_no_line() -> None:
    log = Log(Path("june.log"), quiet)
    log.hear_of([Heard(Outcome(1, Event.CALLED_OFF, False, AT_S))])
    assert Path("june.log").read_bytes() == b""
    log.close()


# ---- where it cannot be written ----


def test_a_full_disk_is_told_once_and_the_run_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["send", "june.csv", "--yes", "--sandbox", "--log-file", "/dev/full"]) == ExitCode.OK
    says = capsys.readouterr().err
    assert says.count("The log /dev/full lacks something: it cannot be written (No space left on device).") == 1


def test_a_line_that_was_broken_off_is_ended_before_the_next() -> None:
    Path("june.log").write_text('{"at":"2026-')
    log = Log(Path("june.log"), quiet)
    log.hear_of([heard()])
    log.close()
    assert json.loads(Path("june.log").read_text().splitlines()[1])["row"] == 1


@pytest.mark.parametrize("name", ["june.csv", "june.sandbox.run", "june.sandbox.results.csv"])
def test_no_input_and_no_run_is_written_to(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["send", "june.csv", "--yes", "--sandbox", "--log-file", name]) == ExitCode.USAGE
    assert "name another file for --log-file" in capsys.readouterr().err
    assert not Path("june.sandbox.run").exists()


def test_a_file_that_is_no_log_is_left_alone(folder: Path) -> None:
    Path("list.csv").write_text("to\n")
    with pytest.raises(UsageError, match="this is no log"):
        Log(Path("list.csv"), quiet)
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        Log(folder / "none" / "june.log", quiet)
    with pytest.raises(UsageError, match="cannot be written: Is a directory"):
        Log(folder, quiet)
