"""A row's life, stated a second time as rules, and walked through every state, doubt, decision and event."""

from __future__ import annotations

from itertools import product

import pytest

from bulksend.model import Event, Status
from bulksend.runs.states import Decision, Life, State

LIVES = [
    Life(state, in_doubt, decision) for state, in_doubt, decision in product(State, (False, True), (None, *Decision))
]
WALK = list(product(LIVES, Event))
ENDS_OF_AN_ATTEMPT = {
    Event.ACCEPTED, Event.KNOWN, Event.REJECTED, Event.FAILED, Event.PUT_OFF, Event.CALLED_OFF, Event.DOUBTED,
    Event.CUT_OFF,
}  # fmt: skip
NEVER_TRIED = Life(State.PENDING)


def can_happen(life: Life, event: Event) -> bool:
    if event in ENDS_OF_AN_ATTEMPT:
        return life.state is State.IN_FLIGHT
    if event is Event.BEGUN:
        return life.state in {State.PENDING, State.FAILED, State.UNKNOWN}
    if event is Event.EXCLUDED:
        return life.state not in {State.SENT, State.SKIPPED, State.REJECTED, State.CLOSED, State.EXCLUDED}
    if event in {Event.LEFT_OUT, Event.TAKEN_OVER, Event.CLOSED}:
        return life.state in {State.PENDING, State.FAILED}
    if event is Event.TAKEN_UP:
        return life.state is State.LEFT_OUT
    assert event in {Event.FOUND, Event.RESENT, Event.LEFT}
    return life.state is State.UNKNOWN


def steps() -> list[tuple[Life, Event, Life]]:
    return [(life, event, life.after(event)) for life, event in WALK if can_happen(life, event)]


def reachable() -> set[Life]:
    """All that a row can become from the moment it is planned."""
    seen, fresh = {NEVER_TRIED}, {NEVER_TRIED}
    while fresh:
        fresh = {life.after(event) for life in fresh for event in Event if can_happen(life, event)} - seen
        seen |= fresh
    return seen


def test_every_event_happens_where_it_can_and_is_refused_elsewhere() -> None:
    for life, event in WALK:
        if can_happen(life, event):
            life.after(event)
        else:
            with pytest.raises(ValueError, match=f"a row that is {life.state} cannot be {event}"):
                life.after(event)


def test_each_event_leads_to_one_state_where_nothing_is_in_doubt() -> None:
    leads_to = {
        Event.BEGUN: State.IN_FLIGHT,
        Event.ACCEPTED: State.SENT,
        Event.KNOWN: State.SKIPPED,
        Event.REJECTED: State.REJECTED,
        Event.FAILED: State.FAILED,
        Event.PUT_OFF: State.PENDING,
        Event.CALLED_OFF: State.PENDING,
        Event.DOUBTED: State.UNKNOWN,
        Event.CUT_OFF: State.UNKNOWN,
        Event.FOUND: State.SENT,
        Event.RESENT: State.UNKNOWN,
        Event.LEFT: State.UNKNOWN,
        Event.LEFT_OUT: State.LEFT_OUT,
        Event.EXCLUDED: State.EXCLUDED,
        Event.TAKEN_UP: State.PENDING,
        Event.TAKEN_OVER: State.SKIPPED,
        Event.CLOSED: State.CLOSED,
    }
    for life, event, after in steps():
        if not life.in_doubt:
            assert after.state is leads_to[event]


def test_a_row_in_doubt_reads_unknown_or_in_flight_until_it_is_accepted_or_found() -> None:
    for life, event, after in steps():
        if life.in_doubt:
            if event in {Event.ACCEPTED, Event.KNOWN, Event.FOUND}:
                assert after.state is State.SENT
            else:
                assert after.state is (State.IN_FLIGHT if event is Event.BEGUN else State.UNKNOWN)


def test_doubt_is_never_taken_off() -> None:
    assert all(after.in_doubt for life, _, after in steps() if life.in_doubt)


def test_only_a_lost_answer_and_a_lost_process_bring_doubt() -> None:
    for life, event, after in steps():
        if not life.in_doubt:
            assert after.in_doubt is (event in {Event.DOUBTED, Event.CUT_OFF})


@pytest.mark.parametrize("state", [State.SENT, State.SKIPPED, State.CLOSED, State.REJECTED, State.EXCLUDED])
def test_nothing_happens_any_more_to_what_the_api_has_decided_on(state: State) -> None:
    assert not [event for life, event in WALK if life.state is state and can_happen(life, event)]


def test_a_decision_is_dropped_by_a_new_doubt_and_by_certainty_and_kept_by_all_that_changes_nothing() -> None:
    for life, event, after in steps():
        if event in {Event.DOUBTED, Event.CUT_OFF, Event.ACCEPTED, Event.KNOWN, Event.FOUND, Event.REJECTED}:
            assert after.decision is None
        elif event is Event.EXCLUDED and life.in_doubt:
            assert after.decision is Decision.EXCLUDED
        elif event is Event.RESENT and life.decision is not Decision.EXCLUDED:
            assert after.decision is Decision.RESEND
        elif event is Event.LEFT:
            assert after.decision is Decision.LEAVE
        else:
            assert after.decision is life.decision


def test_no_row_can_become_what_makes_no_sense() -> None:
    for life in reachable():
        if life.in_doubt:
            assert life.state in {State.UNKNOWN, State.IN_FLIGHT, State.SENT}
        if life.state is State.UNKNOWN:
            assert life.in_doubt
        if life.decision:
            assert life.in_doubt
            assert life.state in {State.UNKNOWN, State.IN_FLIGHT}


def test_every_row_is_to_send_or_unsettled_or_under_way_or_done_with() -> None:
    for life in reachable():
        left = {State.LEFT_OUT, State.CLOSED, State.EXCLUDED}
        done_with = life.state in {State.SENT, State.SKIPPED, State.REJECTED} | left or (
            life.state is State.UNKNOWN and life.decision in {Decision.LEAVE, Decision.EXCLUDED}
        )
        under_way = life.state is State.IN_FLIGHT
        assert [life.is_to_send, life.is_unsettled, under_way, done_with].count(True) == 1


def test_what_is_to_send_was_certainly_not_accepted_unless_somebody_wants_it_repeated() -> None:
    for life in reachable():
        if life.is_to_send and life.in_doubt:
            assert life.decision is Decision.RESEND


def test_what_is_repeated_on_somebodys_word_is_repeated_until_it_is_accepted_refused_or_in_doubt_anew() -> None:
    resent = NEVER_TRIED.after(Event.BEGUN).after(Event.DOUBTED).after(Event.RESENT)
    assert resent.is_to_send
    for event in ENDS_OF_AN_ATTEMPT:
        again = resent.after(Event.BEGUN).after(event)
        assert again.is_to_send is (event in {Event.FAILED, Event.PUT_OFF, Event.CALLED_OFF})
        assert again.is_unsettled is (event in {Event.DOUBTED, Event.CUT_OFF, Event.REJECTED})


def test_what_was_excluded_is_never_sent_again_whoever_says_so() -> None:
    excluded = {life.after(Event.EXCLUDED) for life in reachable() if can_happen(life, Event.EXCLUDED)}
    assert {life.state for life in excluded} == {State.EXCLUDED, State.UNKNOWN}
    for life in excluded:
        for event in {Event.RESENT, Event.TAKEN_UP, Event.LEFT_OUT, Event.EXCLUDED}:
            later = life.after(event) if can_happen(life, event) else life
            assert not later.is_to_send
            assert not later.is_unsettled


def test_what_was_excluded_in_doubt_is_still_looked_for() -> None:
    excluded = NEVER_TRIED.after(Event.BEGUN).after(Event.DOUBTED).after(Event.EXCLUDED)
    assert excluded.is_open
    assert excluded.after(Event.FOUND).state is State.SENT


def test_people_are_told_a_status_of_every_row_but_one_under_way() -> None:
    assert {state: state.status for state in State} == {
        State.PENDING: Status.PENDING,
        State.IN_FLIGHT: None,
        State.SENT: Status.SENT,
        State.SKIPPED: Status.SKIPPED,
        State.LEFT_OUT: Status.SKIPPED,
        State.CLOSED: Status.SKIPPED,
        State.EXCLUDED: Status.SKIPPED,
        State.REJECTED: Status.REJECTED,
        State.FAILED: Status.FAILED,
        State.UNKNOWN: Status.UNKNOWN,
    }
