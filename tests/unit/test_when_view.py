"""What people read of when a run is sent."""

from __future__ import annotations

import math
from datetime import datetime
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from bulksend.campaign import SendOptions, Waiting
from bulksend.cli.summary import of_estimate
from bulksend.cli.watch import Watch
from bulksend.cli.when_view import from_words, kept_words, plan_rows, tell_changed, too_long_words, waiting_words
from bulksend.model import Encoding, MicroUSD, Status
from bulksend.planning import Findings, Group, Overview, Plan, Tally
from bulksend.sending import Caps, Pace
from bulksend.when import Schedule, Wanted, WindowEnd

MANILA = "Asia/Manila"
HOW = SendOptions(Pace(rate=1.0), Caps(()))


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(MANILA)).timestamp()


NOW = at("2026-11-25 19:00")


def said(start: str | None, *windows: str, end: WindowEnd | None = None) -> Schedule:
    return Wanted(start, windows, end, MANILA).settled(Schedule(), NOW)


def rows(count: int) -> Overview:
    return Overview((Group("63", Encoding.GSM7, 1, count, MicroUSD(20_000 * count), 0),), ())


def shown(schedule: Schedule, count: int = 60) -> dict[str, str]:
    return dict(plan_rows(schedule, rows(count), HOW, NOW))


def test_a_plan_that_may_go_at_once_says_nothing_of_time() -> None:
    assert shown(Schedule()) == {}
    assert from_words(Schedule(), NOW) == ""


def test_a_plan_says_when_it_starts_and_when_it_would_end() -> None:
    assert shown(said("tomorrow 09:00")) == {
        "starts": "tomorrow, Thu 26 Nov 2026 09:00 (Asia/Manila), in 14 h 00 min",
        "ends": "about tomorrow, Thu 26 Nov 2026 09:01 (Asia/Manila)",
    }
    assert shown(said("2026-12-24T08:00+09:00"))["starts"] == "Thu 24 Dec 2026 07:00 (Asia/Manila), in 28 days"
    assert shown(said("19:30"))["starts"] == "19:30 (Asia/Manila), in 30 min 00 s"


def test_a_plan_says_what_is_left_when_its_window_closes() -> None:
    found = shown(said(None, "ph"), 7_200)
    assert found["starts"] == "at once"
    assert found["window"] == "08:00-20:00 (Asia/Manila); at its end it stops"
    assert found["ends"] == (
        "the window closes 20:00 (Asia/Manila): about 3,600 messages of 7,200 are left for then; if the same command "
        "goes on when it opens, all would end tomorrow, Thu 26 Nov 2026 09:00 (Asia/Manila)"
    )
    pausing = shown(said(None, "ph", end=WindowEnd.PAUSE), 7_200)
    assert pausing["window"].endswith("at its end it pauses until it opens again")
    assert "; if it goes on when it opens, " in pausing["ends"]


def test_windows_of_several_zones_name_them() -> None:
    berlin = Wanted(None, ("mon-fri 08:00-10:00,12:00-14:00", "ph"), None, "Europe/Berlin").settled(Schedule(), NOW)
    window = shown(berlin)["window"]
    assert window.startswith("mon-fri 08:00-10:00, mon-fri 12:00-14:00 (Europe/Berlin); 08:00-20:00 (Asia/Manila);")


@pytest.mark.parametrize(
    ("start", "says"),
    [
        ("tomorrow 09:00", " from tomorrow 09:00 on"),
        ("19:30", " from 19:30 on"),
        ("2026-12-24 09:00", " from Thu 24 Dec 2026 09:00 on"),
    ],
)
def test_the_question_says_from_when_on(start: str, says: str) -> None:
    assert from_words(said(start), NOW) == says


def test_a_moment_that_the_run_kept_and_that_has_come_is_told_as_that() -> None:
    kept = said("tomorrow 09:00")
    assert dict(plan_rows(kept, rows(1), HOW, at("2026-11-26 10:00")))["starts"] == (
        "at once: its moment, 09:00 (Asia/Manila), has come"
    )


def test_whoever_asks_where_a_run_stands_hears_of_its_time() -> None:
    assert kept_words(Schedule(), None, NOW) == []
    assert kept_words(said("tomorrow 09:00", "ph"), None, NOW) == [
        "It is to begin tomorrow, Thu 26 Nov 2026 09:00 (Asia/Manila); not by itself: the same command waits for it.",
        "It is sent only in its window: 08:00-20:00 (Asia/Manila).",
    ]
    assert kept_words(said("19:30"), at("2026-11-25 19:30"), NOW) == [
        "It waits until 19:30 (Asia/Manila), in 30 min 00 s."
    ]


def test_a_run_that_is_told_another_time_says_so_and_one_that_is_told_the_same_does_not() -> None:
    kept = said("tomorrow 09:00", "ph")
    assert told(kept, kept) == ""
    assert told(Schedule(), kept) == ""
    moved = Wanted("tomorrow 10:00").settled(kept, NOW)
    assert told(kept, moved) == (
        "Told anew when it is sent: from tomorrow, Thu 26 Nov 2026 10:00 (Asia/Manila) on, in the window 08:00-20:00 "
        "(Asia/Manila), at whose end it stops; before, from tomorrow, Thu 26 Nov 2026 09:00 (Asia/Manila) on, in the "
        "window 08:00-20:00 (Asia/Manila), at whose end it stops.\n"
    )
    at_once = Wanted("now", ("always",)).settled(kept, NOW)
    assert told(kept, at_once).startswith("Told anew when it is sent: at once; before, ")


def told(kept: Schedule, schedule: Schedule) -> str:
    said_to = StringIO()
    tell_changed(Console(file=said_to, width=160), kept, schedule, NOW)
    return said_to.getvalue()


def test_who_would_wait_too_long_hears_how_long() -> None:
    assert too_long_words(said("tomorrow 09:00"), NOW, 7_200.0) == (
        "it would begin tomorrow, Thu 26 Nov 2026 09:00 (Asia/Manila), in 14 h 00 min, which is longer than it may "
        "wait (2 h 00 min): nothing was sent; the same command later begins it"
    )


def test_the_sleep_is_told_once_without_a_terminal_and_counted_down_on_one() -> None:
    until, events = at("2026-11-25 19:01"), [Waiting(at("2026-11-25 19:01"), NOW + gone, MANILA) for gone in range(3)]
    assert waiting_words(events[0]) == "Waiting until 19:01 (Asia/Manila), in 1 min 00 s. Nothing is sent before."
    log = StringIO()
    watch = Watch(Console(file=log, width=160), hides_progress=False)
    for event in [*events, events[0]._replace(until_s=until + 60)]:
        watch.hear(event)
    assert log.getvalue().splitlines() == [
        "Waiting until 19:01 (Asia/Manila), in 1 min 00 s. Nothing is sent before.",
        "Waiting until 19:02 (Asia/Manila), in 2 min 00 s. Nothing is sent before.",
    ]
    screen = StringIO()
    watch = Watch(Console(file=screen, width=160, force_terminal=True, highlight=False), hides_progress=False)
    for event in events:
        watch.hear(event)
    watch.close()
    assert "in 59 s" in screen.getvalue()
    assert "in 58 s" in screen.getvalue()


def estimate(schedule: Schedule, count: int) -> dict[str, object]:
    tally = Tally(dict.fromkeys(Status, 0) | {Status.PENDING: count}, 0, 0, 0)
    return of_estimate(Plan("c.csv", tally, rows(count), Findings(), ()), HOW, schedule, NOW, None)


def test_an_estimate_counts_what_its_windows_are_closed_in_between() -> None:
    plain = estimate(Schedule(), 7_200)
    assert (plain["minSeconds"], plain["startsAt"], plain["endsAt"]) == (7_200.0, None, None)
    timed = estimate(said("19:00", "ph"), 7_200)
    assert timed["minSeconds"] == 14 * 3_600.0
    assert timed["startsAt"] == "2026-11-25T11:00:00.000Z"
    assert timed["endsAt"] == "2026-11-26T01:00:00.000Z"
    assert estimate(said(None, "mon 08:00-08:01"), 10**7)["minSeconds"] is None
    assert said(None, "mon 08:00-08:01").span(NOW, 1e9).ends == math.inf
