"""A row's life in SQL that both stores understand, made of the one table: see `bulksend.runs.states`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from bulksend.model import Event
from bulksend.runs.states import STEPS, Decision, Keep, Life, State

CUT_OFF = "bulksend was cut off while this attempt was under way"
"""The error of a row whose owner is gone."""

_DECISIONS = (None, *Decision)
_UNTOLD = (State.PENDING, State.IN_FLIGHT, State.SENT)  # of which nobody asks why they were not sent


def is_to_send(table: str = "") -> str:
    """Of a row of ``sends``: it is sent by the next command without another word."""
    return _where(lambda life: life.is_to_send, table)


def is_unsettled(table: str = "") -> str:
    """Of a row of ``sends``: it is in doubt, and nobody has decided on it."""
    return _where(lambda life: life.is_unsettled, table)


def is_open(table: str = "") -> str:
    """Of a row of ``sends``: it is in doubt, and was not left at that."""
    return _where(lambda life: life.is_open, table)


def may_have_arrived(table: str = "") -> str:
    """Of a row of ``sends``: an SMS may have reached the telco, or may be about to."""
    held = _listed((State.SENT, State.UNKNOWN, State.IN_FLIGHT))
    return f"({table}state IN ({held}) OR {table}doubt_since IS NOT NULL)"


def is_not_sent(table: str = "") -> str:
    """Of a row of ``sends``: it was tried or left out, was not sent, and there is a reason."""
    return " AND ".join(f"{table}state <> '{state}'" for state in _UNTOLD)


def told(table: str = "", otherwise: str = "status") -> str:
    """Of a row of ``sends``: the state as it reads in results, where some states read alike; or else another column."""
    others = [state for state in State if state.status not in (None, state.value)]
    cases = " ".join(f"WHEN '{state}' THEN '{state.status}'" for state in others)
    return f"CASE {table}state {cases} ELSE coalesce({table}state, {otherwise}) END"


def can_be(event: Event, table: str = "") -> str:
    """Of a row of ``sends``: the event can happen to it."""
    return f"{table}state IN ({_listed(sorted(STEPS[event].before))})"


class Changes(NamedTuple):
    """What becomes of a row of ``sends``, each column as an SQL expression of what it was."""

    state: str
    doubt_since: str
    decision: str

    def __str__(self) -> str:
        """As assignments of an UPDATE."""
        return ", ".join(f"{column} = {value}" for column, value in self._asdict().items())


def after(*events: Event, which: str = "", table: str = "") -> Changes:
    """What events make of a row of ``sends``.

    Args:
        events: those that can happen here.
        which: an SQL expression for the one that does; not needed for a single one.
        table: what is put before the row's columns, such as ``send.``, where they could be another table's.
    """
    which = which or _quoted(events[0])
    marking = [event for event in events if STEPS[event].doubts]
    since = f"{table}doubt_since"
    return Changes(
        state=f"CASE WHEN {since} IS NULL THEN {_chosen(events, which, lambda event: _quoted(STEPS[event].after))} "
        f"ELSE {_chosen(events, which, lambda event: _quoted(STEPS[event].in_doubt))} END",
        doubt_since=f"CASE WHEN {which} IN ({_listed(marking)}) THEN coalesce({since}, {table}started_at) "
        f"ELSE {since} END"
        if marking
        else since,
        decision=_chosen(events, which, lambda event: _decision(event, table)),
    )


def _decision(event: Event, table: str) -> str:
    decision = STEPS[event].decision
    if decision is Keep.KEEP:
        return f"{table}decision"
    if decision is Decision.RESEND:
        return f"CASE WHEN {table}decision = '{Decision.EXCLUDED}' THEN {table}decision ELSE '{decision}' END"
    if decision is Decision.EXCLUDED:
        return f"CASE WHEN {table}doubt_since IS NULL THEN {table}decision ELSE '{decision}' END"
    return "NULL" if decision is Keep.DROP else f"'{decision}'"


def _chosen(events: Sequence[Event], which: str, value: Callable[[Event], str]) -> str:
    """A CASE over the events; what comes out of it is SQL."""
    cases = [f"WHEN '{event}' THEN {value(event)}" for event in events]
    return f"CASE {which} {' '.join(cases)} END"


def _where(holds: Callable[[Life], bool], table: str) -> str:
    """The lives for which something holds, state by state, so that partial indexes of a state serve."""
    whatever_was_decided, terms = [], []
    for state in State:
        decisions = [each for each in _DECISIONS if holds(Life(state, decision=each))]
        if len(decisions) == len(_DECISIONS):
            whatever_was_decided.append(state)
        elif decisions:
            terms.append(f"{table}state = '{state}' AND ({' OR '.join(_decided(each, table) for each in decisions)})")
    if whatever_was_decided:
        terms.insert(0, _is_one_of(whatever_was_decided, table))
    return f"({' OR '.join(terms)})"


def _decided(decision: Decision | None, table: str) -> str:
    return f"{table}decision IS NULL" if decision is None else f"{table}decision = '{decision}'"


def _is_one_of(states: Iterable[State], table: str) -> str:
    """As terms one by one: an index that asks ``IN (...)`` costs each write of a row as much again."""
    return " OR ".join(f"{table}state = '{state}'" for state in states)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    return f"'{word}'"
