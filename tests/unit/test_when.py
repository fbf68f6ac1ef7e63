"""Moments and windows: what people write, and when that is by the clocks of zones that are set now and then."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bulksend.errors import UsageError
from bulksend.when import Schedule, Wanted, WindowEnd, Windows, local, machine_zone, parse_moment
from bulksend.when.windows import Window, parse_windows
from bulksend.when.zones import instant, zone_named

MANILA = "Asia/Manila"
ZONES = ("Europe/Berlin", "America/New_York", MANILA, "Australia/Lord_Howe", "Africa/Casablanca")


def at(text: str, zone: str = MANILA) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone_named(zone)).timestamp()


NOW = at("2026-11-25 19:02")  # a Wednesday

zones = st.sampled_from(ZONES)
instants = st.integers(
    int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())
)
days = st.frozensets(st.integers(0, 6), min_size=1)


@st.composite
def window(draw: st.DrawFn) -> Window:
    opens, closes = draw(st.integers(0, 1439)), draw(st.integers(0, 1440))
    assume(opens != closes)
    return Window(draw(days), opens, closes, draw(zones))


windows = st.lists(window(), min_size=1, max_size=3).map(lambda some: Windows(tuple(some)))


# ---- moments ----


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("tomorrow 09:00", "2026-11-26 09:00"),
        ("  Tomorrow   9:00 ", "2026-11-26 09:00"),
        ("today 20:00", "2026-11-25 20:00"),
        ("2026-12-24T09:00", "2026-12-24 09:00"),
        ("2026-12-24 09:00", "2026-12-24 09:00"),
        ("2026-12-24t09:00:30", "2026-12-24 09:00:30"),
        ("2026-12-24T09:00+09:00", "2026-12-24 08:00"),
        ("2026-12-24 01:00Z", "2026-12-24 09:00"),
        ("2026-12-24 01:00 +0000", "2026-12-24 09:00"),
        ("19:30", "2026-11-25 19:30"),
        ("19:02", "2026-11-25 19:02"),  # as long as it is 19:02, that has not passed
        ("20:30+09:00", "2026-11-25 19:30"),
    ],
)
def test_a_moment_is_what_people_write(text: str, means: str) -> None:
    found = parse_moment(text, NOW + 20, MANILA)
    assert (found.at_s, found.zone) == (at(means), MANILA)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("18:30", "18:30 has passed (it is 19:02 in Asia/Manila): say `tomorrow 18:30`"),
        ("19:01", "19:01 has passed (it is 19:02 in Asia/Manila): say `tomorrow 19:01`"),
        ("2026-11-25 09:00", "2026-11-25 09:00 has passed (it is 19:02 in Asia/Manila)"),
        ("2026-11-20T09:00", "2026-11-20T09:00 has passed (it is 2026-11-25 19:02 in Asia/Manila)"),
        ("2028-01-01 09:00", "2028-01-01 09:00: that is more than a year away"),
        ("9999-12-31 23:59", "9999-12-31 23:59: that is more than a year away"),
        ("0001-01-01 00:00", "0001-01-01 00:00 has passed (it is 2026-11-25 19:02 in Asia/Manila)"),
    ],
)
def test_a_moment_that_cannot_be_meant_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_moment(text, NOW, MANILA)
    assert str(refused.value) == says


@pytest.mark.parametrize(
    "text",
    ["", "9am", "tomorrow", "25:00", "09:60", "2026-02-30 09:00", "2026-12-24", "yesterday 09:00", "09:00+25:00"],
)
def test_what_is_no_time_is_told_with_how_to_write_one(text: str) -> None:
    with pytest.raises(UsageError, match="is no time: write it as 18:30, tomorrow 09:00"):
        parse_moment(text, NOW, MANILA)


def test_a_time_that_the_clock_leaps_over_is_the_leap() -> None:
    now_s = at("2027-03-27 12:00", "Europe/Berlin")
    found = parse_moment("tomorrow 02:30", now_s, "Europe/Berlin")
    assert f"{local(found.at_s, 'Europe/Berlin'):%H:%M %Z}" == "03:00 CEST"


def test_a_time_that_comes_twice_is_the_first() -> None:
    now_s = at("2026-10-24 12:00", "Europe/Berlin")
    found = parse_moment("tomorrow 02:30", now_s, "Europe/Berlin")
    assert f"{local(found.at_s, 'Europe/Berlin'):%H:%M %Z}" == "02:30 CEST"


@given(at_s=instants, zone=zones)
def test_the_instant_of_a_wall_clock_is_the_first_that_is_not_before_it(at_s: int, zone: str) -> None:
    wall = local(at_s, zone).replace(tzinfo=None)
    first = instant(wall, zone)
    assert first <= at_s
    assert local(first, zone).replace(tzinfo=None) == wall


@given(minutes=st.integers(0, 6 * 365 * 24 * 60), zone=zones)
def test_a_wall_clock_that_is_never_shown_becomes_the_next_that_is(minutes: int, zone: str) -> None:
    wall = datetime(2024, 1, 1) + timedelta(minutes=minutes)  # noqa: DTZ001 -- a wall's
    found = instant(wall, zone)
    assert local(found, zone).replace(tzinfo=None) >= wall
    assert local(found - 1, zone).replace(tzinfo=None) < wall


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_every_change_of_the_clock_in_three_years_is_held(zone: str) -> None:
    changes = 0
    for hour in range(3 * 366 * 24):
        at_s = at("2025-01-01 00:00", "UTC") + hour * 3600
        if local(at_s, zone).utcoffset() == local(at_s + 3600, zone).utcoffset():
            continue
        changes += 1
        for minute in range(-180, 181, 5):
            wall = local(at_s, zone).replace(tzinfo=None) + timedelta(minutes=minute)
            found = instant(wall, zone)
            assert local(found, zone).replace(tzinfo=None) >= wall > local(found - 1, zone).replace(tzinfo=None)
    assert changes >= 6


# ---- windows ----


@pytest.mark.parametrize(
    ("texts", "means"),
    [
        (("08:00-20:00",), ["08:00-20:00"]),
        (("8:00 - 20:00",), ["08:00-20:00"]),
        (("08:00\u201320:00",), ["08:00-20:00"]),
        (("00:00-24:00",), ["00:00-24:00"]),
        (("20:00-06:00",), ["20:00-06:00"]),
        (("mon-fri 08:00-20:00",), ["mon-fri 08:00-20:00"]),
        (("sat,sun 10:00-18:00",), ["sat-sun 10:00-18:00"]),
        (("mon,wed,fri 10:00-18:00",), ["mon,wed,fri 10:00-18:00"]),
        (("Fri-Mon 10:00-18:00",), ["mon,fri-sun 10:00-18:00"]),
        (("monday 10:00-18:00",), ["mon 10:00-18:00"]),
        (("mon-fri 08:00-12:00,13:00-18:00",), ["mon-fri 08:00-12:00", "mon-fri 13:00-18:00"]),
        (("mon-fri 08:00-20:00,sat 10:00-18:00",), ["mon-fri 08:00-20:00", "sat 10:00-18:00"]),
        (("mon-fri 08:00-20:00", "10:00-18:00"), ["mon-fri 08:00-20:00", "10:00-18:00"]),
        (("ph",), ["08:00-20:00"]),
        (("ntc",), ["07:00-21:00"]),
        (("mon-fri ntc,sat 10:00-12:00",), ["mon-fri 07:00-21:00", "sat 10:00-12:00"]),
    ],
)
def test_windows_are_what_people_write(texts: tuple[str, ...], means: list[str]) -> None:
    assert [str(each) for each in parse_windows(texts, "Europe/Berlin").each] == means


def test_the_presets_are_by_the_clock_of_manila_whatever_else_is_said() -> None:
    ph, other = parse_windows(("ph,08:00-10:00",), "Europe/Berlin").each
    assert (ph.zone, other.zone) == (MANILA, "Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no window: write one such as"),
        ("mon-fri", "is no window: write one such as"),
        ("08:00-12:00,sat", "is no window: write one such as"),
        ("08:00", "is no window: write one such as"),
        ("foo 08:00-12:00", "is no window: write one such as"),
        ("us", "is no window: write one such as"),
        (" 08:00-25:00", "there is no such time of day"),
        ("24:00-08:00", "there is no such time of day"),
        ("08:00-20:75", "there is no such time of day"),
        ("08:00-08:00", "never opens: it ends when it begins; for the whole day write 00:00-24:00"),
    ],
)
def test_a_window_that_is_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_windows((text,), MANILA)
    assert says in str(refused.value)


@given(windows=windows, at_s=instants)
def test_the_next_opening_is_in_a_window_and_none_is_before(windows: Windows, at_s: int) -> None:
    opens = windows.opens_at(at_s)
    assert at_s <= opens < math.inf
    assert windows.is_open(opens)
    if opens > at_s:
        assert not windows.is_open(at_s)
        assert not windows.is_open(opens - 1)
        between = at_s + (opens - at_s) / 2
        assert not windows.is_open(between)
        assert windows.opens_at(between) == opens


@given(windows=windows, at_s=instants)
def test_a_window_is_open_until_it_closes(windows: Windows, at_s: int) -> None:
    opens = windows.opens_at(at_s)
    closes = windows.closes_at(opens)
    assert closes > opens
    if closes < math.inf:
        assert windows.is_open(closes - 1)
        assert windows.is_open(opens + (closes - opens) / 2)
        assert not windows.is_open(closes)


@given(windows=windows, at_s=instants)
def test_a_window_is_open_when_the_clock_of_its_zone_says_so(windows: Windows, at_s: int) -> None:
    def says(window: Window) -> bool | None:
        here = local(at_s, window.zone)
        near = {local(at_s + hours * 3600, window.zone).utcoffset() for hours in range(-48, 49, 6)}
        if len(near) > 1:
            return None  # the clock is set about then, so that it does not tell
        minute = here.hour * 60 + here.minute
        if window.opens < window.closes:
            return here.weekday() in window.days and window.opens <= minute < window.closes
        yesterday = (here.weekday() - 1) % 7
        is_late = here.weekday() in window.days and minute >= window.opens
        return is_late or (yesterday in window.days and minute < window.closes)

    said = [says(each) for each in windows.each]
    assume(None not in said)
    assert windows.is_open(at_s) == any(said)


def test_what_closes_and_opens_at_once_stays_open() -> None:
    through = parse_windows(("08:00-12:00,12:00-20:00",), MANILA)
    assert through.closes_at(at("2026-11-25 09:00")) == at("2026-11-25 20:00")
    assert parse_windows(("00:00-12:00,12:00-24:00",), MANILA).closes_at(NOW) == math.inf


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    night = parse_windows(("fri 20:00-06:00",), MANILA)
    assert night.opens_at(NOW) == at("2026-11-27 20:00")
    assert night.closes_at(at("2026-11-28 03:00")) == at("2026-11-28 06:00")
    assert not night.is_open(at("2026-11-27 03:00"))


def test_a_window_that_the_leap_of_the_clock_swallows_opens_a_week_later() -> None:
    berlin = "Europe/Berlin"
    early = parse_windows(("sun 02:10-02:50",), berlin)
    assert early.opens_at(at("2027-03-22 00:00", berlin)) == at("2027-04-04 02:10", berlin)


# ---- schedules ----


def schedule(start: str | None = None, *windows: str, at_end: WindowEnd | None = None, now_s: float = NOW) -> Schedule:
    return Wanted(start, windows, at_end, MANILA).settled(Schedule(), now_s)


def test_a_run_begins_when_its_moment_has_come_and_a_window_is_open() -> None:
    found = schedule("tomorrow 06:00", "ph", at_end=WindowEnd.PAUSE)
    assert found.opens_at(NOW) == at("2026-11-26 08:00")
    assert found.closes_at(NOW) == NOW
    assert found.closes_at(at("2026-11-26 09:00")) == at("2026-11-26 20:00")
    assert schedule().opens_at(NOW) == NOW
    assert schedule("19:00", now_s=at("2026-11-25 18:00")).opens_at(NOW) == NOW


def test_how_long_a_run_takes_is_counted_while_a_window_is_open() -> None:
    found = schedule("tomorrow 19:00", "ph")
    assert found.span(NOW, 1800) == (at("2026-11-26 19:00"), at("2026-11-26 19:30"))
    assert found.span(NOW, 3600) == (at("2026-11-26 19:00"), at("2026-11-26 20:00"))
    assert found.span(NOW, 14 * 3600) == (at("2026-11-26 19:00"), at("2026-11-28 09:00"))
    assert found.span(NOW, 1e9).ends == math.inf
    assert schedule().span(NOW, 60) == (NOW, NOW + 60)


@given(windows=windows, at_s=instants, seconds=st.integers(0, 500_000))
def test_a_span_holds_as_much_open_time_as_it_takes(windows: Windows, at_s: int, seconds: int) -> None:
    begins, ends = Schedule(windows=windows).span(at_s, seconds)
    assume(ends < math.inf)
    assert begins == windows.opens_at(at_s)
    spent, here = 0.0, begins
    while here < ends:
        until = min(windows.closes_at(here), ends)
        spent += until - here
        here = windows.opens_at(until)
    assert spent == pytest.approx(seconds, abs=1e-3)


def test_a_moment_in_no_window_is_refused_if_nobody_waits_for_one() -> None:
    with pytest.raises(UsageError) as refused:
        schedule("tomorrow 06:00", "08:00-20:00")
    assert str(refused.value) == (
        "tomorrow 06:00 is outside the window (08:00-20:00), which opens next on 2026-11-26 at 08:00 in Asia/Manila: "
        "begin then, or have it pause until then"
    )


# ---- the same words ----


def test_the_same_words_keep_the_moment_that_was_planned() -> None:
    kept = schedule("tomorrow 09:00", "ph")
    morning, noon = at("2026-11-26 08:00"), at("2026-11-26 12:00")
    for now_s in (morning, noon):
        assert Wanted("Tomorrow  09:00", ("ph",), None, MANILA).settled(kept, now_s) == kept
        assert Wanted("tomorrow 09:00", ("ph",)).settled(kept, now_s, machine=lambda: "Europe/Berlin") == kept
    evening = schedule("19:30")
    assert Wanted("19:30", zone=MANILA).settled(evening, at("2026-11-26 10:00")) == evening


def test_words_without_a_date_are_not_taken_for_a_moment_of_days_ago_of_a_run_that_never_began() -> None:
    kept, friday = schedule("tomorrow 09:00"), at("2026-11-27 22:00")
    with pytest.raises(UsageError) as refused:
        Wanted("tomorrow 09:00").settled(kept, friday)
    assert str(refused.value) == (
        "tomorrow 09:00 meant 2026-11-26 09:00 (Asia/Manila) when this run was planned, and nothing of it was sent "
        "then: say `now`, or another time with its date"
    )
    assert Wanted("tomorrow 09:00").settled(kept, friday, has_begun=True) == kept
    assert Wanted("tomorrow 09:00").settled(kept, at("2026-11-27 08:59")) == kept
    assert Wanted().settled(kept, friday) == kept
    dated = schedule("2026-11-26 09:00")
    assert Wanted("2026-11-26 09:00").settled(dated, friday) == dated


def test_what_is_not_said_stays() -> None:
    kept = schedule("tomorrow 09:00", "ph", at_end=WindowEnd.PAUSE)
    assert Wanted().settled(kept, NOW) == kept
    later = Wanted("tomorrow 10:00").settled(kept, NOW)
    assert later.start is not None
    assert (later.start.at_s, later.windows, later.at_end) == (at("2026-11-26 10:00"), kept.windows, kept.at_end)
    other = Wanted(windows=("10:00-12:00",)).settled(kept, NOW)
    assert (other.start, [str(each) for each in other.windows.each]) == (kept.start, ["10:00-12:00"])


def test_what_was_said_is_taken_back_by_a_word() -> None:
    kept = schedule("tomorrow 09:00", "ph")
    assert Wanted("now").settled(kept, NOW).start is None
    assert Wanted("now", ("always",)).settled(kept, NOW) == Schedule()


def test_other_words_are_another_moment_and_another_zone_is_too() -> None:
    kept = schedule("tomorrow 09:00")
    morning = at("2026-11-26 08:00")
    moved = Wanted("2026-11-27 09:00").settled(kept, morning).start
    assert moved is not None
    assert moved.at_s == at("2026-11-27 09:00")
    there = Wanted("tomorrow 09:00", zone="Europe/Berlin").settled(kept, morning).start
    assert there is not None
    assert there.at_s == at("2026-11-27 09:00", "Europe/Berlin")


def test_the_machine_is_asked_for_its_zone_only_if_need_be() -> None:
    def nobody_knows() -> str:
        raise AssertionError("asked")

    assert Wanted().settled(Schedule(), NOW, nobody_knows) == Schedule()
    assert Wanted("20:00", zone=MANILA).settled(Schedule(), NOW, nobody_knows).zone == MANILA
    assert Wanted("20:00").settled(Schedule(), NOW, lambda: MANILA).zone == MANILA


@pytest.mark.parametrize("name", ["PST", "GMT+8", "UTC+8", "+08:00"])
def test_a_zone_that_may_be_a_wrong_one_is_not_proposed(name: str) -> None:
    with pytest.raises(UsageError, match="write one such as Asia/Manila"):
        Wanted("20:00", zone=name).settled(Schedule(), NOW)


@pytest.mark.parametrize("name", ["Asia/Manilla", "", "..", "/etc/passwd", "Asia", "nowhere", "x" * 300])
def test_an_unknown_zone_is_told_in_one_sentence(name: str) -> None:
    with pytest.raises(UsageError, match="there is no time zone"):
        Wanted("20:00", zone=name).settled(Schedule(), NOW)


def test_a_slip_in_a_zone_is_told_with_what_may_be_meant() -> None:
    with pytest.raises(UsageError, match="did you mean Asia/Manila"):
        Wanted(zone="Asia/Manilla").settled(Schedule(), NOW)


def test_the_machines_zone_is_found_where_machines_tell_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link, file, none = tmp_path / "localtime", tmp_path / "timezone", tmp_path / "none"
    link.symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    file.write_text("Africa/Casablanca\n")
    monkeypatch.delenv("TZ", raising=False)
    assert machine_zone(link=link, file=file) == "Europe/Berlin"
    assert machine_zone(link=file, file=file) == "Africa/Casablanca"
    assert machine_zone(link=none, file=none) == "UTC"
    monkeypatch.setenv("TZ", ":Asia/Manila")
    assert machine_zone(link=link, file=file) == MANILA
    monkeypatch.setenv("TZ", "CET-1CEST")
    with pytest.raises(UsageError, match="does not tell the name of its time zone"):
        machine_zone(link=link, file=file)
