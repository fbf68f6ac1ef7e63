"""What a run keeps of time: when it is to be sent, through plans that replace it, and until when its owner sleeps."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest
from conftest import ROOT
from runfiles import bad, begin, opened, own_where_locks_do_not_hold, planned

from bulksend import campaign
from bulksend.campaign import Limited, PlanRequest
from bulksend.errors import OwnedError
from bulksend.planning import PlanOptions
from bulksend.runs import Address, Standing, open_run, own_run, stand_of
from bulksend.when import Schedule, Wanted, WindowEnd

ADDRESS = Address(123, "https://api.engagespark.com")
SAID = Wanted("tomorrow 09:00", ("ph", "sat,sun 22:00-02:00"), WindowEnd.PAUSE, "Europe/Berlin")


def said() -> Schedule:
    return SAID.settled(Schedule(), time.time())


def request(folder: Path, *texts: str) -> PlanRequest:
    sheet = folder / "campaign.csv"
    rows = [f"63917123456{place},{text}" for place, text in enumerate(texts)]
    sheet.write_text("\n".join(["to,message", *rows, ""]))
    return PlanRequest(str(sheet), PlanOptions(), ADDRESS)


def test_a_run_of_which_nobody_said_anything_may_be_sent_at_any_time(tmp_path: Path) -> None:
    with campaign.plan(request(tmp_path, "hello"), tmp_path / "c.run") as run:
        assert run.times.schedule == Schedule()
        assert run.times.waits_until is None


def test_a_run_keeps_when_it_is_sent_word_for_word(tmp_path: Path) -> None:
    schedule = said()
    with campaign.plan(request(tmp_path, "hello"), tmp_path / "c.run") as run:
        run.times.keep(schedule)
    with open_run(tmp_path / "c.run") as kept:
        assert kept.times.schedule == schedule
        assert stand_of(kept).schedule == schedule


def test_a_plan_that_replaces_another_keeps_the_moment(tmp_path: Path) -> None:
    schedule, place = said(), tmp_path / "c.run"
    with campaign.plan(request(tmp_path, "hello"), place) as run:
        run.times.keep(schedule)
    with campaign.plan(request(tmp_path, "hello, corrected"), place) as run:
        assert run.times.schedule == schedule
    assert campaign.schedule_at(place) == schedule
    assert campaign.schedule_at(tmp_path / "none.run") == Schedule()


def test_a_run_that_is_planned_anew_after_a_test_send_keeps_the_moment(tmp_path: Path) -> None:
    schedule, place = said(), tmp_path / "campaign.run"
    with campaign.plan(request(tmp_path, "hello", "two"), place) as run:
        run.times.keep(schedule)
        journal = run.journal(limit=1, keyed=True)
        journal.close()
    with opened(place, limit=1) as notes:
        begin(notes, [1], 1_000.0)
    found = campaign.meant(request(tmp_path, "hello", "corrected"), place)
    assert isinstance(found, Limited)
    with found.replanned() as run:
        assert run.times.schedule == schedule


def test_until_when_the_owner_sleeps_is_seen_and_is_over_with_it(tmp_path: Path) -> None:
    place = tmp_path / "c.run"
    with campaign.plan(request(tmp_path, "hello"), place) as run:
        run.times.wait(5_000.0)
        with open_run(place) as seen:
            stand = stand_of(seen)
        assert (stand.standing, stand.waits_until) == (Standing.WAITING, 5_000.0)
        run.times.wait(None)
        with open_run(place) as seen:
            assert stand_of(seen).standing is Standing.SENDING
        run.times.wait(5_000.0)
    with open_run(place) as seen:  # he has let go of it
        assert (stand_of(seen).standing, stand_of(seen).waits_until) == (Standing.PLANNED, None)
    with own_run(place, time.time()) as another:
        assert another.times.waits_until is None


def test_who_is_no_owner_any_more_notes_nothing(tmp_path: Path) -> None:
    place = tmp_path / "c.run"
    with campaign.plan(request(tmp_path, "hello"), place) as run:
        own_where_locks_do_not_hold(place, 1_000.0).close()
        with pytest.raises(OwnedError):
            run.times.keep(said())
        with pytest.raises(OwnedError):
            run.times.wait(5_000.0)


def test_a_run_file_of_an_earlier_version_can_be_told_when(tmp_path: Path) -> None:
    place = tmp_path / "old.run"
    place.write_bytes(gzip.decompress((ROOT / "tests" / "golden" / "runs" / "format-2.run.gz").read_bytes()))
    with open_run(place) as kept:
        assert kept.times.schedule == Schedule()
    schedule = said()
    with own_run(place, time.time()) as run:
        run.times.keep(schedule)
    with open_run(place) as kept:
        assert kept.times.schedule == schedule


def test_a_purge_leaves_the_times(tmp_path: Path) -> None:
    place = tmp_path / "c.run"
    planned(place, [bad(1)])
    schedule = said()
    with own_run(place, time.time()) as run:
        run.times.keep(schedule)
        run.forget(time.time())
    with open_run(place) as kept:
        assert kept.times.schedule == schedule
