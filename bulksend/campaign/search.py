"""What a phone got, over all runs of a folder or a database and of history; and what could not be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import orjson

from bulksend.campaign.gathering import Unread, gathered, places_in, places_of
from bulksend.errors import Advice, RunFileError, UsageError
from bulksend.model import Receipt, Recipient, Status
from bulksend.runs import Command, Kept, RowTold, Run, Shelf, State, histories
from bulksend.sms import phones

_NOT_SENT = {Status.PENDING.value, Status.FAILED.value, Status.REJECTED.value}
_STATES = set(State)


@dataclass(frozen=True, slots=True)
class Hit:
    """A row to the phone that was looked for.

    Attributes:
        place: of its run.
        row: its number there.
        state: its status; or ``in flight``.
        at_s: when its last attempt began, or its command was given, in seconds since 1970; None if it was not tried.
        text: what it says; None if only history knows of it, which keeps no texts.
        error: what went wrong; empty if nothing did, or that is not known.
        message_id: the API's; empty if that is not known.
        is_rehearsal: whether it went to a private sandbox.
        receipt: what the API told of its delivery; None if that was not fetched.
    """

    place: str
    row: int
    state: str
    at_s: float | None
    text: str | None
    error: str = ""
    message_id: str = ""
    is_rehearsal: bool = False
    receipt: Receipt | None = None

    @property
    def may_have_arrived(self) -> bool:
        """Whether it was tried, and is not known to have come to nothing."""
        return self.at_s is not None and self.state not in _NOT_SENT


@dataclass(frozen=True, slots=True)
class Search:
    """What was found, and over what was looked.

    Attributes:
        hits: the newest first.
        runs: so many were looked at.
        since_s: since when history knows, in seconds since 1970; None if it knows nothing at all.
        unread: what could not be looked at.
        nameless: rows that went to contacts whose numbers nobody knows, or may have: one of them may be this phone.
    """

    hits: tuple[Hit, ...]
    runs: int
    since_s: float | None
    unread: tuple[Unread, ...]
    nameless: int

    @property
    def is_whole(self) -> bool:
        """Whether everything was looked at."""
        return not self.unread and not self.nameless


def recipient_of(number: str, country: str | None) -> Recipient:
    """The phone of a number, however that is spelled.

    Args:
        number: it.
        country: whose it is, if it is written without + or 00; None where it is written with its dialing code.

    Raises:
        UsageError: it is none.
    """
    try:
        return phones.normalise(number, phones.check_country(country) if country else None, new_prefixes=True)
    except phones.BadNumber as error:
        advice = None if error.why.advice is Advice.ALLOW_NEW_PREFIXES else error.why.advice
        raise UsageError(f"{number}: {error}", advice) from error


def search(shelf: Shelf, recipient: Recipient) -> Search:
    """Look for what a phone got, or is to get.

    Raises:
        UsageError: there is no such folder or database.
    """
    places = places_in(shelf)
    given: tuple[Recipient, ...] = tuple(phones.all_numbers(recipient)) if isinstance(recipient, str) else (recipient,)
    memory, unread = _Memory(given), list[Unread]()
    for kept in histories(shelf):
        try:
            memory.read(kept)
        except (UsageError, RunFileError) as error:
            unread.append(Unread(kept.place, str(error)))
    looked = list(gathered([*places, *places_of(memory.commands)], memory.look_at))
    unread += [each for each in looked if isinstance(each, Unread) and not each.is_known]
    seen = [each for each in looked if not isinstance(each, Unread)]
    covered = {(each.plan_id, hit.row) for each in seen for hit in each.hits if hit.may_have_arrived}
    replaced = {plan_id for each in seen for plan_id in each.replaced if any(hit.may_have_arrived for hit in each.hits)}
    hits = [hit for each in seen for hit in each.hits] + list(memory.others(covered, replaced))
    hits.sort(key=lambda hit: float("inf") if hit.at_s is None else hit.at_s, reverse=True)
    since_s = min((command.began_at for command in memory.commands), default=None)
    nameless = sum(each.nameless for each in seen) if isinstance(recipient, str) else 0
    return Search(tuple(hits), len(seen), since_s, tuple(unread), nameless)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one run holds.

    Attributes:
        replaced: the plans in whose place its own is, all of whose messages that may have arrived it has carried over.
    """

    plan_id: str
    replaced: frozenset[str]
    hits: list[Hit]
    nameless: int


@dataclass(slots=True)
class _Memory:
    """What histories know of a phone."""

    given: Sequence[Recipient]
    commands: list[Command] = field(default_factory=list)
    got: list[tuple[Command, int, bool]] = field(default_factory=list)
    names: list[tuple[Kept, list[Recipient]]] = field(default_factory=list)

    def read(self, kept: Kept) -> None:
        """Take in what one history knows."""
        with kept.open() as history:
            names = history.all_names(self.given)
            commands = history.commands()
            found = history.got_by(names)
        self.names.append((kept, names))
        self.commands += commands.values()
        self.got += [(commands[by], row, bool(doubt)) for _, _, by, row, doubt in found if by in commands]

    def look_at(self, run: Run) -> _Seen:
        """See what a run holds for the phone, by all names that its account knows it by."""
        facts, place = run.facts, run.place
        if run.purge and not any(command.plan_id == facts.plan_id for command in self.commands):
            raise UsageError(f"{place}: this run was purged, and history knows nothing of it")
        names = next((known for kept, known in self.names if kept.is_of(facts.address)), self.given)
        is_rehearsal = facts.address.is_rehearsal
        rows = run.rows_to(names)
        receipts = run.receipts.of(rows)
        hits = [_hit(place, row, receipts.get(row.row), is_rehearsal=is_rehearsal) for row in run.told(rows)]
        return _Seen(facts.plan_id, facts.replaced, hits, run.nameless())

    def others(self, covered: set[tuple[str, int]], replaced: set[str]) -> Iterator[Hit]:
        """What was sent, as nothing but history knows any more."""
        for command, row, is_doubtful in self.got:
            if (command.plan_id, row) not in covered and command.plan_id not in replaced:
                state = Status.UNKNOWN if is_doubtful else Status.SENT
                yield Hit(command.run, row, state, command.began_at, None)


def _hit(place: str, row: RowTold, receipt: Receipt | None, *, is_rehearsal: bool) -> Hit:
    message_id = orjson.loads(row.answer)["messageId"] if row.answer else ""
    state = State(row.state).status or State.IN_FLIGHT if row.state in _STATES else row.state
    return Hit(place, row.row, state, row.started_at, row.text, row.error, message_id, is_rehearsal, receipt)
