"""A campaign is sent when it was said, by the clock of a zone: it sleeps, it stops with its window, and it goes on."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from conftest import CampaignOf, Numbers, Program, SandboxServer, Start, environment, send_to

from bulksend.runs import open_run, stand_of

ROWS = 120
SLOW = ("--rate", "30")
MANILA = ("--tz", "Asia/Manila")


@dataclass(frozen=True)
class Clock:
    """The clock of the programs of a folder."""

    folder: Path

    def set(self, text: str) -> None:
        """Have it show a time in Manila from now on."""
        wanted = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Manila")).timestamp()
        ahead = self.folder / "ahead"
        (self.folder / "ahead.new").write_text(f"{wanted - time.time()}", encoding="ascii")
        (self.folder / "ahead.new").replace(ahead)  # at once, for it is read all the time

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the program by this clock."""
        return subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("clocks.py")), "ahead", *arguments],
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run the program by this clock to its end."""
        process = self.start(*arguments)
        out, talk = process.communicate(timeout=60)
        return process.returncode, out, talk

    def await_sleep(self, process: subprocess.Popen[str], name: str = "campaign.run") -> float:
        """Wait until a program sleeps that has the run; until when."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()[1]
            if (self.folder / name).exists():
                with open_run(self.folder / name) as run:
                    if until_s := stand_of(run).waits_until:
                        return until_s
            time.sleep(0.05)
        raise AssertionError("it does not sleep")


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


def sending(server: SandboxServer, *more: str) -> tuple[str, ...]:
    return send_to(server, *MANILA, *more)


def test_a_campaign_for_tomorrow_waits_and_is_stopped_and_the_same_words_mean_the_same_morning(
    clock: Clock, program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(numbers(5))
    clock.set("2026-11-25 19:02")
    tomorrow = sending(server, "--start-at", "tomorrow 09:00", "--json")
    process = clock.start(*tomorrow)
    nine = datetime(2026, 11, 26, 9, tzinfo=ZoneInfo("Asia/Manila")).timestamp()
    assert clock.await_sleep(process) == nine
    process.send_signal(signal.SIGINT)
    out, talk = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "starts     tomorrow, Thu 26 Nov 2026 09:00 (Asia/Manila), in 13 h 5" in talk
    assert "Waiting until tomorrow, Thu 26 Nov 2026 09:00 (Asia/Manila), in 13 h 5" in talk
    assert "Nothing was sent: interrupted. The same command waits again, until tomorrow, Thu 26 Nov 2026 09:00" in talk
    assert json.loads(out)["sent"] == 0
    assert json.loads(out)["reason"].startswith("Nothing was sent: interrupted. The same command waits again, until ")

    clock.set("2026-11-26 08:50")
    process = clock.start(*tomorrow)
    assert clock.await_sleep(process) == nine
    assert not server.log()
    stopped = program("stop", "campaign.csv")
    assert stopped.returncode == 0, stopped.stderr
    _, talk = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "Nothing was sent: somebody asked it to stop, at " in talk

    clock.set("2026-11-26 09:10")
    code, out, talk = clock.run(*tomorrow)
    assert code == 0, talk
    assert "starts     at once: its moment, 09:00 (Asia/Manila), has come" in talk
    assert Counter(record["to"] for record in server.accepted()) == dict.fromkeys(numbers(5), 1)


def test_a_pause_lasts_until_the_window_opens_again_and_nothing_leaves_in_between(
    clock: Clock, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(numbers(ROWS))
    clock.set("2026-11-25 19:00")
    process = clock.start(*sending(server, *SLOW, "--window", "ph", "--window-end", "pause", "--json"))
    server.await_requests(10)
    clock.set("2026-11-25 19:59:59.800")
    until_s = clock.await_sleep(process)
    assert until_s == datetime(2026, 11, 26, 8, tzinfo=ZoneInfo("Asia/Manila")).timestamp()
    before = len(server.log())
    assert 0 < before < ROWS
    clock.set("2026-11-26 07:59:59")
    out, talk = process.communicate(timeout=60)
    assert process.returncode == 0, talk
    assert f"Its window has closed: {ROWS - before} messages are left for when it opens." in talk
    assert "It is 08:00 (Asia/Manila): sending begins." in talk
    assert json.loads(out)["sent"] == ROWS
    assert Counter(record["to"] for record in server.accepted()) == dict.fromkeys(numbers(ROWS), 1)


@pytest.mark.long
def test_a_window_that_ends_stops_it_and_the_same_command_goes_on_when_it_is_open(
    clock: Clock, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(numbers(ROWS))
    clock.set("2026-11-25 19:59:00")
    at_night = sending(server, "--window", "ph", "--wait-limit", "0s", "--json")
    process = clock.start(*at_night, "--rate", "1")
    server.await_requests(1)
    clock.set("2026-11-25 19:59:59.800")
    out, talk = process.communicate(timeout=30)
    assert process.returncode == 3, talk
    assert json.loads(out)["reason"].startswith("its window is closed from 20:00 to Thu 26 Nov 2026, 08:00")
    assert re.search(
        rf"ends       the window closes 20:00 \(Asia/Manila\): about \d+ messages of {ROWS} are left", talk
    )
    assert "its window is closed from 20:00 to Thu 26 Nov 2026, 08:00 (Asia/Manila)" in talk
    before = len(server.log())
    assert 0 < before < ROWS

    code, _, talk = clock.run(*at_night)
    assert code == 3
    assert "which is longer than it may wait (0 s): nothing was sent" in talk
    assert len(server.log()) == before
    clock.set("2026-11-26 08:00")
    code, _, talk = clock.run("send", "campaign.run", "--yes", "--json")  # which keeps its window
    assert code == 0, talk
    assert Counter(record["to"] for record in server.accepted()) == dict.fromkeys(numbers(ROWS), 1)


@pytest.mark.long
def test_who_opted_out_while_it_slept_gets_nothing_and_the_rest_is_sent(
    clock: Clock, program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(numbers(3))
    clock.set("2026-11-25 19:00")
    process = clock.start(*sending(server, "--start-at", "20:00", "--json"))
    clock.await_sleep(process)
    out = program("optouts", "add", f"+{numbers(1)[0]}", "--base-url", server.base_url)
    assert out.returncode == 0, out.stderr
    clock.set("2026-11-25 20:00")
    found, talk = process.communicate(timeout=30)
    assert process.returncode == 0, talk
    assert "they go to who opted out since this was planned." in talk
    assert (json.loads(found)["sent"], json.loads(found)["skipped"]) == (2, 1)


@pytest.mark.long
def test_a_moment_that_has_passed_is_refused_and_so_is_a_zone_that_is_none(
    clock: Clock, campaign_of: CampaignOf, numbers: Numbers, tmp_path: Path
) -> None:
    campaign_of(numbers(3))
    clock.set("2026-11-25 19:02")
    code, _, talk = clock.run("send", "campaign.csv", "--sandbox", "--yes", "--start-at", "18:30", *MANILA)
    assert code == 2
    assert "18:30 has passed (it is 19:02 in Asia/Manila): say `tomorrow 18:30`" in talk
    code, _, talk = clock.run("send", "campaign.csv", "--sandbox", "--yes", "--window", "ph", "--tz", "Asia/Manilla")
    assert code == 2
    assert "there is no time zone 'Asia/Manilla': did you mean Asia/Manila?" in talk
    assert not (tmp_path / "campaign.sandbox.results.csv").exists()


@pytest.mark.long
def test_the_question_says_from_when_on_and_a_no_fixes_nothing(
    program: Program, campaign_of: CampaignOf, numbers: Numbers, tmp_path: Path
) -> None:
    campaign_of(numbers(3))
    tomorrow = ("send", "campaign.csv", "--sandbox", "--start-at", "tomorrow 09:00", *MANILA)
    code, talk = program.answered(*tomorrow, answer="n")
    assert code == 3
    assert "as a rehearsal ($0.06 estimated) from tomorrow 09:00 on? [y/N]" in talk
    with open_run(tmp_path / "campaign.sandbox.run") as run:
        assert run.times.schedule.is_any_time


@pytest.mark.long
def test_a_window_that_closes_on_the_last_answers_has_stopped_nothing(
    clock: Clock, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--latency", "2")
    campaign_of(numbers(1))
    clock.set("2026-11-25 19:00")
    process = clock.start(*sending(server, "--window", "ph", "--window-end", "pause", "--json"))
    server.await_requests(1)
    clock.set("2026-11-25 20:00:01")
    out, talk = process.communicate(timeout=30)
    assert process.returncode == 0, talk
    assert (json.loads(out)["sent"], json.loads(out)["reason"]) == (1, None)


@pytest.mark.long
def test_a_repeat_by_somebodys_word_waits_for_the_window_too(
    clock: Clock, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox("--legacy", "--lose-answers", "1")
    campaign_of(numbers(2))
    clock.set("2026-11-25 19:00")
    pace = ("--timeout", "0.3", "--patience", "1s")
    code, _, talk = clock.run(*sending(server, "--window", "ph", *pace))
    assert code in {1, 3}, talk
    before = len(server.log())
    assert before
    clock.set("2026-11-25 21:00")
    again = ("resolve", "campaign.run", "--resend", "--yes", "--unseen", "--base-url", server.base_url, *pace)
    code, _, talk = clock.run(*again)
    assert code == 3, talk
    assert "its window is closed from 21:00 to Thu 26 Nov 2026, 08:00 (Asia/Manila)" in talk
    assert len(server.log()) == before
