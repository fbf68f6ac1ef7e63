"""The screen of a run that is being sent, at any width: whole words, and everything that there is to tell."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from bulksend.campaign import CampaignEvent, Meter, PaceFound, Progressed, Started, StoppingEarly
from bulksend.cli.console import wrapped
from bulksend.cli.screen import Screen
from bulksend.cli.watch import Watch
from bulksend.model import Event, Outcome, Status
from bulksend.sending import Progress, Stop, StopReason, Why
from bulksend.sending.progress import status_of

ENDS = {Status.SENT: 1_190, Status.REJECTED: 40, Status.UNKNOWN: 4}
BUSY = Progress(ENDS, 23_800_000, 3, "the API had an internal error (500): internal service error", 12, 4, 8.0, 32)
SEEN = Progressed(BUSY, seconds=4.0, pace=312.4, mean=298.0, left_s=12.4, free_s=8.2)
BEGAN = Started(2_000, 40_000_000)


def shown(seen: Progressed, width: int, began: Started = BEGAN) -> list[str]:
    said = StringIO()
    Console(file=said, width=width, highlight=False, markup=False, emoji=False).print(Screen(began, seen).shown(width))
    return [line.rstrip() for line in said.getvalue().splitlines()]


def test_a_window_that_closes_before_the_end_is_told_with_what_is_left_then() -> None:
    soon = replace(SEEN, left_s=60.0, closes_s=45.0)
    assert "Its window closes in 45.0 s: about 192 rows left then." in shown(soon, 140)
    assert not [line for line in shown(replace(SEEN, left_s=30.0, closes_s=45.0), 140) if "window" in line]


def test_all_there_is_to_tell_stands_on_one_screen() -> None:
    head, bar, *lines = shown(SEEN, 140)
    assert head == "sending: 1,234 of 2,000 done, 62%"
    assert set(bar) <= set("━╺╸ ")
    assert lines == [
        "1,190 sent, 40 rejected, 4 unknown, 32 in flight",
        "312/s now, 298/s on average, 12.4 s left, $23.80 of $40.00 estimated",
        "12 rows wait for the cap of 4 phones; the next is free in 8.2 s",
        "3 retries, the last because the API had an internal error (500): internal service error",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_no_word_is_broken_at_any_width(width: int) -> None:
    lines = shown(SEEN, width)
    assert max(map(cell_len, lines)) <= width
    whole = " ".join(line for line in shown(SEEN, 400) if "━" not in line)
    assert " ".join(line for line in lines if "━" not in line).split() == whole.split()


def test_a_server_that_is_away_and_one_that_asks_for_quiet_are_told() -> None:
    away = Progressed(BUSY, 4.0, 0.0, 298.0, None, away_s=8.0)
    assert shown(away, 80)[-1] == "Server away: trying again in 8.0 s."
    assert not any("left" in line for line in shown(away, 80))
    slowed = Progressed(BUSY, 4.0, 0.0, 298.0, 30.0, slowed_s=12.0)
    assert shown(slowed, 80)[-1] == "Slowed by the API for 12.0 s."


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (PaceFound(8, None, None), "8 requests at once"),
        (PaceFound(1, None, Why.AWAY), "1 request at once, few at first, for the server was away"),
        (PaceFound(256, None, Why.ROOM), "256 requests at once, more than before, for answers are as quick"),
        (PaceFound(40, None, Why.SLOWER), "40 requests at once, fewer than before, for answers took longer"),
        (PaceFound(9, 19.6, Why.REFUSED), "the server lets about 20/s through; 9 requests at once at most"),
    ],
)
def test_how_much_the_server_takes_is_told_and_why(found: PaceFound, says: str) -> None:
    assert says in shown(replace(SEEN, found=found), 140)
    assert Screen(BEGAN, replace(SEEN, found=found)).line().endswith(f", {says}")


def test_what_has_no_price_is_not_told_as_a_share_of_one() -> None:
    assert "$23.80," not in " ".join(shown(SEEN, 140, Started(2_000)))
    assert "estimated" not in " ".join(shown(SEEN, 140, Started(2_000)))


def test_a_row_in_doubt_stays_unknown_whatever_its_last_attempt_shows() -> None:
    def ended(event: Event, *, in_doubt: bool) -> Status:
        return status_of(Outcome(1, event, final=True, ended_at=0.0, in_doubt=in_doubt))

    assert ended(Event.REJECTED, in_doubt=False) is Status.REJECTED
    assert ended(Event.ACCEPTED, in_doubt=True) is Status.SENT
    for event in (Event.REJECTED, Event.FAILED, Event.PUT_OFF, Event.CALLED_OFF, Event.DOUBTED):
        assert ended(event, in_doubt=True) is Status.UNKNOWN


def test_the_pace_is_that_of_the_last_ten_seconds() -> None:
    meter = Meter(100.0)
    for second in range(1, 21):
        meter.note(100.0 + second, 10 * second)
    assert meter.pace(120.0, 200) == pytest.approx(10)
    for second in range(21, 41):
        meter.note(100.0 + second, 200)
    assert meter.pace(140.0, 200) == 0
    assert meter.mean(140.0, 200) == pytest.approx(5)


WORDS = st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30), min_size=1)


@given(WORDS, st.integers(40, 160))
def test_a_sentence_is_broken_between_words_alone(words: list[str], width: int) -> None:
    lines = wrapped(" ".join(words), width)
    assert " ".join(line.removeprefix("    ") for line in lines).split(" ") == words
    for line in lines:
        assert cell_len(line) <= width or len(line.split()) == 1


def test_who_wants_no_colour_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|38|4[0-7]|48|9[0-7])")
    for wants, found in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", wants)
        said = StringIO()
        out = Console(
            file=said,
            width=80,
            force_terminal=True,
            color_system="auto",
            _environ={**os.environ, "TERM": "xterm-256color"},
        )
        out.print(Screen(BEGAN, SEEN).shown(80))
        assert bool(coloured.search(said.getvalue())) is found


def watched(*events: CampaignEvent) -> list[str]:
    """What is said without a terminal."""
    said = StringIO()
    watch = Watch(Console(file=said, width=160, highlight=False), hides_progress=False)
    for event in events:
        watch.hear(event)
    return said.getvalue().splitlines()


def test_without_a_terminal_a_plain_line_comes_every_ten_seconds() -> None:
    lines = watched(BEGAN, *(replace(SEEN, seconds=tenths / 10) for tenths in range(250)))
    assert lines == [Screen(BEGAN, SEEN).line()] * 2
    assert "internal service error" not in lines[0]  # what the server says may name somebody


@pytest.mark.parametrize(
    ("in_flight", "says"),
    [
        (8, "Stopping: waiting for 8 answers, 30 s at most. Ctrl-C again leaves them in doubt."),
        (1, "Stopping: waiting for 1 answer, 30 s at most. Ctrl-C again leaves it in doubt."),
        (0, "Stopping: no answer is waited for."),
    ],
)
def test_ctrl_c_is_told_what_it_waits_for(in_flight: int, says: str) -> None:
    assert watched(StoppingEarly(Stop(StopReason.INTERRUPTED, "interrupted"), in_flight, 30.0)) == [says]
