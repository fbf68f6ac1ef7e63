"""Whether the server is away: with a server, its outages and a clock of the test's own."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from bulksend.sending import ACCEPTED, DOUBTED, FAILED, REJECTED, Verdict, Voice
from bulksend.sending.absence import Absence
from bulksend.sending.tries import Tries

WELL = Verdict(ACCEPTED, voice=Voice.API)
REFUSED = Verdict(REJECTED, voice=Voice.API)
SILENT = Verdict(DOUBTED, voice=Voice.NONE)
BUSY = Verdict(FAILED, voice=Voice.BUSY, slow=True)
ILL = Verdict(FAILED, voice=Voice.API)
LATENCY_S = 0.125
LOOK_S = 0.25


def absence(patience_s: float = 600.0) -> Absence:
    return Absence(patience_s, random.Random(7))


def hears(machine: Absence, *verdicts: Verdict, others: int = 31, mono_s: float = 0.0) -> None:
    for row, verdict in enumerate(verdicts, 1):
        machine.heard(row, verdict, others, mono_s)


@dataclass
class World:
    """A run of messages that end or come back until they are done, and a server with outages.

    Attributes:
        outages: (from, until, what it answers meanwhile); seconds.
        width: messages under way at once.
        rows: how many there are.
        trials: when single messages tried.
        looks: (when, whether anybody answered).
        through: when messages got through.
    """

    outages: Sequence[tuple[float, float, Verdict]]
    width: int = 8
    rows: int = 200
    patience_s: float = 600.0
    trials: list[float] = field(default_factory=list)
    looks: list[tuple[float, bool]] = field(default_factory=list)
    through: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    ended_s: float = 0.0
    most_trials: int = 0

    def answer(self, mono_s: float) -> Verdict:
        return next((verdict for start, end, verdict in self.outages if start <= mono_s < end), WELL)

    def run(self) -> Absence:
        machine, now, left, ticket = absence(self.patience_s), 0.0, self.rows, count(1)
        under_way: list[tuple[float, int]] = []
        while (left or under_way) and not machine.is_over:
            while left and (machine.allows_trial or (not machine.is_away and len(under_way) < self.width)):
                row = next(ticket)
                if machine.is_away:
                    self.trials.append(now)
                machine.begins(row)
                heapq.heappush(under_way, (now + LATENCY_S, row))
                self.starts.append(now)
                left -= 1
            now = max(now, min(machine.look_at, under_way[0][0] if under_way else math.inf))
            assert now < math.inf, "nothing would ever happen"
            if under_way and under_way[0][0] <= now:
                _, row = heapq.heappop(under_way)
                verdict = self.answer(now)
                machine.heard(row, verdict, len(under_way), now)
                if verdict is WELL:
                    self.through.append(now)
                else:
                    left += 1
            elif machine.look_at <= now:
                now += LOOK_S
                found = self.answer(now) is not SILENT
                self.looks.append((now, found))
                machine.looked(now, found=found)
        self.ended_s = now
        return machine


outages = st.lists(
    st.tuples(
        st.floats(0, 40).map(lambda s: round(s * 8) / 8),
        st.floats(0.125, 700).map(lambda s: round(s * 8) / 8),
        st.sampled_from([SILENT, ILL]),
    ),
    max_size=3,
)


def world_of(gaps: Sequence[tuple[float, float, Verdict]], width: int) -> World:
    """Outages that follow one another, each after a time in which the server is there."""
    at, found = 0.0, []
    for after_s, lasts_s, verdict in gaps:
        found.append((at + after_s, at + after_s + lasts_s, verdict))
        at += after_s + lasts_s
    return World(found, width)


@settings(max_examples=examples(200))
@given(outages, st.integers(1, 40))
def test_it_is_given_up_only_after_its_patience_and_comes_back_soon_after_the_server(
    gaps: list[tuple[float, float, Verdict]], width: int
) -> None:
    world = world_of(gaps, width)
    machine = world.run()
    if machine.is_over:
        assert world.ended_s - max(world.through, default=0.0) >= world.patience_s
    else:
        assert len(world.through) == world.rows
        last_outage = max((end for start, end, _ in world.outages if start <= world.ended_s), default=0.0)
        assert world.ended_s <= last_outage + 30 + LOOK_S + 1 + world.rows * LATENCY_S + 10


@settings(max_examples=examples(200))
@given(outages, st.integers(1, 40))
def test_while_it_is_away_a_message_tries_only_after_somebody_answered_and_one_at_a_time(
    gaps: list[tuple[float, float, Verdict]], width: int
) -> None:
    world = world_of(gaps, width)
    world.run()
    found = [at for at, was_found in world.looks if was_found]
    assert len(world.trials) <= len(found)
    assert all(any(at <= trial for at in found) for trial in world.trials)
    for start, end, verdict in world.outages:
        in_vain = [at for at in world.starts if start <= at + LATENCY_S < end and at >= start]
        if verdict is SILENT:  # those under way when it was found out, and then nobody
            assert len(in_vain) <= 8 + width
        else:
            assert len(in_vain) <= 16 + width + 1 + (end - start)


def test_eight_in_a_row_without_a_word_of_the_api_are_an_absence() -> None:
    machine = absence()
    hears(machine, *[SILENT] * 7)
    assert not machine.is_away
    hears(machine, SILENT)
    assert machine.is_away


def test_all_that_is_under_way_is_enough_if_that_is_fewer() -> None:
    machine = absence()
    for others in (2, 1):
        hears(machine, SILENT, others=others)
    assert not machine.is_away
    hears(machine, SILENT, others=0)
    assert machine.is_away


@pytest.mark.parametrize("word", [WELL, REFUSED, ILL])
def test_any_word_of_the_api_shows_that_it_is_there(word: Verdict) -> None:
    machine = absence()
    hears(machine, *[SILENT] * 7, word, *[SILENT] * 7)
    assert not machine.is_away


def test_being_asked_to_slow_down_is_neither_an_absence_nor_the_end_of_one() -> None:
    machine = absence()
    hears(machine, *[BUSY] * 100)
    assert not machine.is_away
    hears(machine, *[SILENT] * 7, BUSY, SILENT)
    assert machine.is_away


def test_an_api_that_speaks_and_lets_nothing_through_has_twice_as_many_chances() -> None:
    machine = absence()
    hears(machine, *[ILL] * 15)
    assert not machine.is_away
    hears(machine, ILL)
    assert machine.is_away
    assert machine.speaks


def test_the_looks_come_ever_later_up_to_half_a_minute() -> None:
    machine, now, waits = absence(10_000), 0.0, []
    hears(machine, SILENT, others=0)
    for _ in range(12):
        waits.append(machine.look_at - now)
        now = machine.look_at
        machine.looked(now, found=False)
    for at, wait_s in enumerate(waits):
        longest = min(30, 2**at)
        assert longest / 2 <= wait_s <= longest


def test_a_pause_of_ours_is_no_absence_of_the_server() -> None:
    machine = absence(60)
    hears(machine, SILENT, others=0)
    woken_s = 10_000.0  # stopped for hours before the look
    assert not machine.is_over
    machine.looked(woken_s, found=True)
    assert machine.allows_trial
    machine.begins(5)
    machine.heard(5, WELL, 0, woken_s)
    assert not machine.is_away
    assert not machine.is_over


def test_a_message_that_was_called_off_leaves_its_try_to_the_next() -> None:
    machine = absence()
    hears(machine, SILENT, others=0)
    machine.looked(machine.look_at, found=True)
    machine.begins(5)
    assert not machine.allows_trial
    machine.called_off(5)
    assert machine.allows_trial


def test_what_gets_through_late_shows_that_it_is_back() -> None:
    machine = absence()
    hears(machine, *[SILENT] * 8)
    machine.heard(99, WELL, 3, 1.0)
    assert not machine.is_away
    assert machine.look_at == math.inf


def test_a_row_whose_tries_are_used_up_waits_as_long_as_the_silence_may_be_the_servers() -> None:
    machine, tries = absence(), Tries(0, random.Random(7))
    unreachable = Verdict(FAILED, voice=Voice.NONE)
    waits = []
    for row, verdict in enumerate([unreachable, WELL, unreachable, unreachable], 1):
        machine.heard(row, verdict, 31, 0.0)
        waits.append(verdict is WELL or tries.wait_s(row, verdict, machine) is not None)
    assert waits == [True, True, False, True]  # it never spoke; it spoke just now; nor to the one before
