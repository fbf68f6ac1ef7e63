from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest
from conftest import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulation import T0, TICK_S, Fate, Scenario, Send, Simulation, most_in_window

from bulksend.model import ContactId, PhoneNumber, Queued, Recipient
from bulksend.sending import Cap, Caps
from bulksend.sending.dispatcher import Dispatcher

HOT = PhoneNumber("639170000001")
WARM = PhoneNumber("639170000002")
ABROAD = PhoneNumber("4915112345678")
CONTACT = ContactId(101)
PHONES: dict[Recipient, PhoneNumber] = {
    CONTACT: HOT,
    ContactId(102): HOT,
    ContactId(103): WARM,
    ContactId(104): ABROAD,
}

often = settings(max_examples=examples(200), suppress_health_check=[HealthCheck.too_slow])


def ticks(low: int, high: int) -> st.SearchStrategy[float]:
    return st.integers(low, high).map(lambda number: number * TICK_S)


@st.composite
def scenarios(
    draw: st.DrawFn, *, contacts: bool = False, again: bool = True, tells: bool = True, caps: bool = False
) -> Scenario:
    """A few phones, most of them busy; latencies from a tick to beyond a window.

    Args:
        draw: Hypothesis' own.
        contacts: whether rows may also name contacts of these phones.
        again: whether attempts may fail to leave, and rows may be tried again.
        tells: whether every answer tells a contact's number.
        caps: whether there may be other caps than the Philippine one.
    """
    recipients = [HOT, WARM, ABROAD, *(PHONES if contacts else [])]
    slots = st.sampled_from([1, 1, 1, 1, 2, 3, 5, 6, 7])
    pairs = draw(st.lists(st.tuples(st.sampled_from(recipients), slots), max_size=40))
    long_or_short = st.one_of(ticks(1, 64), ticks(1, 70 * 64))
    fates = st.builds(
        Fate,
        up_s=long_or_short,
        down_s=long_or_short,
        arrives=st.sampled_from([True, True, True, False]) if again else st.just(True),
        again_s=st.one_of(st.none(), ticks(0, 90 * 64)) if again else st.none(),
        tells=st.just(True) if tells else st.booleans(),
    )
    return Scenario(
        rows=[Queued(row, *pair) for row, pair in enumerate(pairs, start=1)],
        parked=draw(st.frozensets(st.sampled_from(recipients), max_size=2)),
        recalled=draw(st.lists(st.tuples(st.sampled_from([HOT, WARM]), slots, ticks(1, 60 * 64)), max_size=4)),
        fates=draw(st.lists(fates, min_size=1, max_size=12)),
        phones=PHONES if contacts else None,
        batch=draw(st.integers(1, 50)),
        workers=draw(st.integers(1, 12)),
        caps=draw(st.sampled_from([(), (Cap("49", 3, 10),), (Cap("6391", 2, 30.5),)])) if caps else (),
    )


def any_scenario() -> st.SearchStrategy[Scenario]:
    return st.one_of(
        scenarios(caps=True), scenarios(contacts=True, caps=True), scenarios(contacts=True, tells=False, caps=True)
    )


def by_phone(sends: list[Send]) -> Iterator[list[Send]]:
    found = defaultdict(list)
    for send in sends:
        found[send.phone].append(send)
    return iter(found.values())


# -- docs/safety.md, 5: the cap holds at the server


@often
@given(scenarios())
def test_no_phone_gets_more_than_five_in_any_closed_minute_whatever_the_latencies(scenario: Scenario) -> None:
    for sends in by_phone(Simulation(scenario).run().sends):
        if sends[0].phone != ABROAD:
            assert most_in_window(sends, 60) <= 5


@often
@given(st.one_of(scenarios(contacts=True), scenarios(contacts=True, tells=False)))
def test_only_what_a_contact_got_before_its_number_was_told_can_exceed_the_cap(scenario: Scenario) -> None:
    """Each SMS that goes out under a number fits together with all that was known of this number by then."""
    for earlier in Simulation(scenario).run().history:
        arrived_s = earlier.send.arrival_s
        if arrived_s is None:
            continue
        others = [(other.arrival_s, other.item.slots) for other in earlier.counted if other.arrival_s is not None]
        for first_s in [arrived_s - 60, *(at for at, _ in others if arrived_s - 60 <= at <= arrived_s)]:
            beside = [slots for at, slots in others if first_s <= at <= first_s + 60]
            assert not beside or sum(beside) + earlier.send.item.slots <= 5


@often
@given(scenarios(contacts=True, again=False))
def test_a_contact_whose_number_is_not_known_yet_has_one_sms_under_way(scenario: Scenario) -> None:
    simulation = Simulation(scenario).run()
    for contact in PHONES:
        under_this_name = [send for send in simulation.sends if send.label == contact]
        assert len(under_this_name) <= 1  # its answer told the number: all others went under that


@often
@given(any_scenario())
def test_no_row_starts_while_its_phone_has_no_room(scenario: Scenario) -> None:
    assert Simulation(scenario).run().too_early == []


@pytest.mark.parametrize("latency_s", [TICK_S, 0.5, 30.0, 75.0])
def test_sixth_sms_to_one_number_waits_for_the_first_answers_minute(latency_s: float) -> None:
    rows = [Queued(row, HOT, 1) for row in range(1, 7)]
    simulation = Simulation(Scenario(rows, fates=[Fate(latency_s / 2, latency_s / 2)])).run()
    assert [send.start_s - T0 for send in simulation.sends] == [0.0] * 5 + [latency_s + 60]


# -- docs/safety.md, 4 and 7: each row once, and none longer than it must


@often
@given(any_scenario())
def test_every_row_is_handed_out_once_for_every_time_it_is_fed(scenario: Scenario) -> None:
    simulation = Simulation(replace(scenario, tries=1)).run()  # a second time would be a KeyError
    assert dict(simulation.begun) == {row.row: 1 for row in scenario.rows}


@often
@given(any_scenario())
def test_the_run_ends_with_every_row_done(scenario: Scenario) -> None:
    simulation = Simulation(scenario).run()
    assert simulation.unfinished == []
    assert set(simulation.begun) == {row.row for row in scenario.rows}
    assert simulation.dispatcher.is_empty
    assert simulation.dispatcher.parked == simulation.dispatcher.queued == 0


@often
@given(any_scenario())
def test_no_row_that_may_start_waits_while_a_worker_is_free(scenario: Scenario) -> None:
    assert Simulation(scenario).run().left_waiting == []


@often
@given(any_scenario())
def test_nothing_can_start_before_wake_at_and_something_can_at_that_moment(scenario: Scenario) -> None:
    assert Simulation(scenario).run(check_wake=True).lies == []


@often
@given(scenarios(again=False))
def test_rows_of_one_number_start_in_input_order_if_none_is_tried_again(scenario: Scenario) -> None:
    for sends in by_phone(Simulation(scenario).run().sends):
        rows = [send.item.row for send in sends]
        assert rows == sorted(rows)


@often
@given(any_scenario())
def test_nothing_is_remembered_of_windows_that_have_passed(scenario: Scenario) -> None:
    dispatcher = Simulation(scenario).run().forget()
    held = [dispatcher._windows, dispatcher._lanes, dispatcher._queue, dispatcher._due, dispatcher._retries]
    held += [dispatcher._ready, dispatcher._waiting, dispatcher._expiries]
    assert not any(held)


def test_windows_are_forgotten_while_the_run_goes_on() -> None:
    dispatcher = Dispatcher(Caps())
    for row in range(1, 2001):
        now = T0 + row
        dispatcher.queue([Queued(row, PhoneNumber(f"63917{row:07}"), 1)])
        [item] = dispatcher.take(now, 8)
        dispatcher.answered(item, now)
        assert len(dispatcher._windows) <= 60
        assert len(dispatcher._expiries) <= 60


# -- How long it takes


@pytest.mark.parametrize("count", [1, 5, 6, 10, 11, 48, 100])
def test_a_single_busy_number_takes_as_long_as_its_cap_and_not_longer(count: int) -> None:
    latency_s = 0.25
    rows = [Queued(row, HOT, 1) for row in range(1, count + 1)]
    simulation = Simulation(Scenario(rows, fates=[Fate(latency_s / 2, latency_s / 2)])).run()
    rounds = math.ceil(count / 5)
    assert simulation.ended_s == (rounds - 1) * (60 + latency_s) + latency_s


@pytest.mark.parametrize(
    ("hot_rows", "other_rows", "workers"),
    [
        ([200], 4000, 1),  # the phone decides
        ([100], 9000, 1),  # the throughput decides
        ([100], 9600, 1),  # both alike
        ([160, 80, 40, 20, 10], 15000, 1),  # phones of all sizes, both alike
        ([60] * 100, 0, 1),  # more phones than the throughput serves in a minute
    ],
)
def test_a_campaign_takes_two_percent_longer_than_it_must_at_most(
    hot_rows: list[int], other_rows: int, workers: int
) -> None:
    latency_s = 0.125
    phones = [PhoneNumber(f"63917{number:07}") for number in range(len(hot_rows))]
    recipients = [PhoneNumber(f"49151{number:07}") for number in range(other_rows)]
    for phone, rows in zip(phones, hot_rows, strict=True):
        recipients += [phone] * rows  # the worst order: busy phones come last
    scenario = Scenario(
        rows=[Queued(row, recipient, 1) for row, recipient in enumerate(recipients, start=1)],
        parked=frozenset(phones),
        fates=[Fate(latency_s / 2, latency_s / 2)],
        workers=workers,
    )
    by_number = (math.ceil(max(hot_rows) / 5) - 1) * 60
    by_throughput = len(recipients) * latency_s / workers
    assert Simulation(scenario).run().ended_s <= 1.02 * max(by_number, by_throughput) + latency_s


# -- The rules one by one


def taken(dispatcher: Dispatcher, now: float = T0, limit: int = 100) -> list[int]:
    return [item.row for item in dispatcher.take(now, limit)]


def test_a_number_at_its_cap_holds_up_nobody_else() -> None:
    dispatcher = Dispatcher(Caps())
    dispatcher.queue(Queued(row, HOT, 1) for row in range(1, 11))
    dispatcher.queue([Queued(11, WARM, 1), Queued(12, ABROAD, 1)])
    assert taken(dispatcher) == [1, 2, 3, 4, 5, 11, 12]
    assert dispatcher.parked == 5
    assert HOT in dispatcher._lanes
    assert WARM not in dispatcher._lanes


def test_no_more_are_handed_out_than_asked_for() -> None:
    dispatcher = Dispatcher(Caps())
    dispatcher.queue(Queued(row, ABROAD, 1) for row in range(1, 11))
    assert taken(dispatcher, limit=0) == []
    assert taken(dispatcher, limit=3) == [1, 2, 3]
    assert dispatcher.queued == 7


def test_the_phone_with_the_most_messages_left_goes_first() -> None:
    dispatcher = Dispatcher(Caps())
    dispatcher.queue([Queued(1, ABROAD, 1)])
    dispatcher.park([Queued(2, WARM, 1), *(Queued(row, HOT, 1) for row in (3, 4, 5))], T0)
    assert taken(dispatcher, limit=2) == [3, 4]
    assert sorted(taken(dispatcher, limit=2)) == [2, 5]
    assert dispatcher.queued == 1


def test_an_sms_that_never_left_gives_its_place_back_at_once() -> None:
    dispatcher = Dispatcher(Caps([Cap("63", 1, 60)]))
    dispatcher.queue([Queued(1, HOT, 1), Queued(2, HOT, 1)])
    [first] = dispatcher.take(T0, 10)
    dispatcher.unsent(first, T0 + 1)
    assert taken(dispatcher, T0 + 1) == [2]


def test_a_row_is_tried_again_when_it_is_due_and_not_before() -> None:
    dispatcher = Dispatcher(Caps())
    dispatcher.retry(Queued(1, ABROAD, 1), T0 + 5)
    assert dispatcher.wake_at(T0) == T0 + 5
    assert taken(dispatcher, T0 + 4.99) == []
    assert taken(dispatcher, T0 + 5) == [1]


def test_a_row_tried_again_goes_before_those_not_tried_yet() -> None:
    dispatcher = Dispatcher(Caps())
    dispatcher.queue([Queued(2, ABROAD, 1)])
    dispatcher.retry(Queued(1, ABROAD, 1), T0)
    assert taken(dispatcher) == [1, 2]


def test_sends_of_an_earlier_run_count() -> None:
    dispatcher = Dispatcher(Caps())
    dispatcher.recall(HOT, 4, T0 + 50)
    dispatcher.recall(HOT, 1, T0 + 20)
    dispatcher.queue([Queued(1, HOT, 1), Queued(2, HOT, 1)])
    assert taken(dispatcher) == []
    assert dispatcher.wake_at(T0) == T0 + 20
    assert taken(dispatcher, T0 + 20) == [1]
    assert taken(dispatcher, T0 + 49) == []
    assert taken(dispatcher, T0 + 50) == [2]


def test_only_an_answer_can_help_a_phone_whose_cap_is_all_under_way() -> None:
    dispatcher = Dispatcher(Caps())
    dispatcher.queue(Queued(row, HOT, 1) for row in range(1, 7))
    under_way = dispatcher.take(T0, 10)
    assert dispatcher.wake_at(T0) == math.inf
    dispatcher.answered(under_way[3], T0 + 2)
    assert dispatcher.wake_at(T0 + 2) == T0 + 62


def test_a_contact_shares_the_window_of_its_number_once_that_is_told() -> None:
    dispatcher = Dispatcher(Caps())
    dispatcher.queue([Queued(1, CONTACT, 1), *(Queued(row, HOT, 1) for row in range(2, 6))])
    contact, *others = dispatcher.take(T0, 10)
    dispatcher.learn(CONTACT, HOT, T0 + 1)
    for item in (contact, *others):
        dispatcher.answered(item, T0 + 1)
    dispatcher.queue([Queued(6, HOT, 1), Queued(7, CONTACT, 1)])
    assert taken(dispatcher, T0 + 60.9) == []
    assert set(dispatcher._lanes) == {HOT}
    assert taken(dispatcher, T0 + 61) == [6, 7]


def test_two_contacts_of_one_number_share_its_window() -> None:
    dispatcher = Dispatcher(Caps([Cap("63", 1, 60)]))
    other = ContactId(102)
    for contact in (CONTACT, other):
        dispatcher.learn(contact, HOT, T0)
    dispatcher.queue([Queued(1, CONTACT, 1), Queued(2, other, 1)])
    assert taken(dispatcher) == [1]


def test_only_so_many_contacts_numbers_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bulksend.sending.dispatcher._LEARNED_MAX", 4)
    dispatcher = Dispatcher(Caps())
    for contact in range(1, 101):
        dispatcher.learn(ContactId(contact), HOT, T0)
        assert len(dispatcher._learned) <= 4
    dispatcher.queue([Queued(1, ContactId(100), 1)])
    assert dispatcher.take(T0, 1) == [Queued(1, HOT, 1)]


def test_rows_of_a_contact_go_at_once_when_its_number_turns_out_to_have_no_cap() -> None:
    dispatcher = Dispatcher(Caps())
    dispatcher.queue(Queued(row, CONTACT, 1) for row in range(1, 11))
    [first] = dispatcher.take(T0, 100)
    assert first.row == 1
    dispatcher.learn(CONTACT, ABROAD, T0 + 1)
    dispatcher.answered(first, T0 + 1)
    assert taken(dispatcher, T0 + 1) == [2, 3, 4, 5, 6, 7, 8, 9, 10]


def test_a_row_that_was_out_under_its_contact_comes_back_under_its_number() -> None:
    dispatcher = Dispatcher(Caps())
    dispatcher.learn(CONTACT, HOT, T0)
    dispatcher.queue([Queued(1, CONTACT, 1)])
    assert dispatcher.take(T0, 1) == [Queued(1, HOT, 1)]


def test_a_message_longer_than_the_cap_goes_alone() -> None:
    dispatcher = Dispatcher(Caps())
    dispatcher.queue([Queued(1, HOT, 1), Queued(2, HOT, 7), Queued(3, HOT, 1)])
    [first] = dispatcher.take(T0, 10)
    dispatcher.answered(first, T0)
    assert taken(dispatcher, T0 + 59.9) == []
    [long] = dispatcher.take(T0 + 60, 10)
    assert long.row == 2
    dispatcher.answered(long, T0 + 61)
    assert taken(dispatcher, T0 + 120.9) == []
    assert taken(dispatcher, T0 + 121) == [3]
