"""What is known of a campaign as a whole: the nouns in which a plan and a run are summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bulksend.errors import Advice, Remark, Severity
from bulksend.model import Encoding, MicroUSD, Recipient, Status


class Tally(NamedTuple):
    """A run's rows, counted.

    Attributes:
        statuses: rows by status; one in flight has none until its outcome is committed.
        in_flight: rows whose intent is committed and whose outcome is not.
        left: of the unknown, so many were left at that for good.
        resent: of the unknown, so many are to be sent again by somebody's word.
        attempts: POSTs begun.
        charged: micro-USD of the sent, by the API's own words.
        left_out: of the skipped, so many because history holds the same.
        closed: of the skipped, so many because the run was closed before they were sent.
        known: of the skipped, so many because they had been accepted before, from another run or file.
        excluded: of the skipped, so many because whoever they go to was excluded after they had been planned.
        excluded_in_doubt: of the unknown, so many are not to be sent again for that.
    """

    statuses: dict[Status, int]
    in_flight: int = 0
    attempts: int = 0
    charged: int = 0
    left: int = 0
    resent: int = 0
    left_out: int = 0
    closed: int = 0
    known: int = 0
    excluded: int = 0
    excluded_in_doubt: int = 0

    @property
    def in_doubt(self) -> int:
        """Rows in doubt that were not left at that."""
        return self.statuses[Status.UNKNOWN] - self.left

    @property
    def undecided(self) -> int:
        """Rows in doubt on which nobody has decided."""
        return self.in_doubt - self.resent - self.excluded_in_doubt

    @property
    def to_mend(self) -> int:
        """Rows that were certainly not sent, and are not skipped on purpose."""
        return self.closed + sum(self.statuses[each] for each in (Status.REJECTED, Status.FAILED, Status.INVALID))

    @property
    def rows(self) -> int:
        """All rows of the input."""
        return sum(self.statuses.values()) + self.in_flight


class Crowd(NamedTuple):
    """The pending messages of one recipient."""

    recipient: Recipient
    rows: int
    parts: int


class Group(NamedTuple):
    """The pending messages that have dialing code, encoding and parts in common.

    Attributes:
        code: the dialing code; empty for contacts, whose country nobody knows.
        encoding: how they travel.
        parts: SMS parts of each.
        rows: how many messages.
        price: micro-USD of all, as far as rates are known.
        unpriced: messages without a known rate.
    """

    code: str
    encoding: Encoding
    parts: int
    rows: int
    price: int
    unpriced: int


def summed(groups: Iterable[Group]) -> tuple[Group, ...]:
    """Put groups together that have everything in common, in order."""
    found: dict[tuple[str, Encoding, int], Group] = {}
    for group in groups:
        key = (group.code, group.encoding, group.parts)
        so_far = found.get(key)
        found[key] = (
            group
            if so_far is None
            else group._replace(
                rows=group.rows + so_far.rows,
                price=group.price + so_far.price,
                unpriced=group.unpriced + so_far.unpriced,
            )
        )
    return tuple(found[key] for key in sorted(found))


class Overview(NamedTuple):
    """What is still to be sent.

    Attributes:
        groups: all messages, by what decides their price.
        crowds: the recipients of most parts, as far as they get more than one message; `CROWDS_MAX` at most.
    """

    groups: tuple[Group, ...]
    crowds: tuple[Crowd, ...]

    @property
    def rows(self) -> int:
        """Messages."""
        return sum(group.rows for group in self.groups)

    @property
    def parts(self) -> int:
        """SMS parts of all messages."""
        return sum(group.parts * group.rows for group in self.groups)

    @property
    def price(self) -> int:
        """Micro-USD, as far as rates are known."""
        return sum(group.price for group in self.groups)

    @property
    def unpriced(self) -> int:
        """Messages without a known rate."""
        return sum(group.unpriced for group in self.groups)

    @property
    def by_parts(self) -> dict[int, int]:
        """Messages by their number of parts, fewest first."""
        return {parts: self._count(parts=parts) for parts in sorted({group.parts for group in self.groups})}

    @property
    def by_encoding(self) -> dict[Encoding, int]:
        """Messages by their encoding."""
        return {code: self._count(encoding=code) for code in sorted({group.encoding for group in self.groups})}

    def _count(self, **wanted: object) -> int:
        return sum(group.rows for group in self.groups if all(getattr(group, k) == v for k, v in wanted.items()))


CROWDS_MAX = 1_000


@dataclass(frozen=True, slots=True, order=True)
class Example:
    """A row that something is said of.

    Attributes:
        row: its number.
        column: the input's column; empty if it is no single one.
        value: what stands there, fit to show.
        beside: what is written after its number: its line in the sheet.
    """

    row: int
    column: str = ""
    value: str = ""
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows are not to be sent.

    Attributes:
        status: invalid or skipped.
        says: the reason, for people.
        rows: how many rows.
        examples: the first of them.
        advice: what can be done, or None.
    """

    status: Status
    says: str
    rows: int
    examples: tuple[Example, ...]
    advice: Advice | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What planning found that people should know, and that sending does not change.

    Attributes:
        reasons: why rows are left out, commonest first.
        notes: how the input was understood, where that was found out or guessed.
        warnings: what may not be as it was meant, with the reason.
        rates: where the rates come from.
        longest: the row of the longest message; 0 if that is not known.
        dearest: the row of the dearest message; 0 if that is not known.
    """

    reasons: tuple[Reason, ...] = ()
    notes: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
    rates: str = ""
    longest: int = 0
    dearest: int = 0

    def without(self, rows: Mapping[int, str]) -> Findings:
        """The same without rows that are not skipped after all, each of which names the reason that it had."""
        fewer = Counter((Status.SKIPPED, says) for says in rows.values())
        reasons = (
            replace(
                each,
                rows=each.rows - fewer[each.status, each.says],
                examples=tuple(example for example in each.examples if example.row not in rows),
            )
            for each in self.reasons
        )
        return replace(self, reasons=tuple(each for each in reasons if each.rows))

    def worst_first(self) -> list[Remark | Reason]:
        """What people are to see first, at its head; among equals warnings, then why rows are left out, then notes."""
        told: list[tuple[Severity, int, Remark | Reason]] = [
            *((each.severity, 0, each) for each in self.warnings),
            *((Severity.LEFT_OUT, 1, each) for each in self.reasons),
            *((each.severity, 2, each) for each in self.notes),
        ]
        return [each for *_, each in sorted(told, key=lambda one: one[:2])]


class Preview(NamedTuple):
    """A message as the phone will show it."""

    row: int
    recipient: str
    sender: str | None
    text: str

    @classmethod
    def of(cls, row: int, recipient: Recipient | None, sender: str | None, text: str) -> Preview:
        """A message's preview."""
        return cls(row, f"contact {recipient}" if isinstance(recipient, int) else f"{recipient}", sender, text)


class Extreme(NamedTuple):
    """A message that stands out.

    Attributes:
        preview: it.
        parts: its SMS parts.
        price: micro-USD; None where no rate is known.
        beside: what is written after its row's number: its line in the sheet.
        is_longest: whether it is of most parts, and of these of most characters.
        is_dearest: whether its price is the highest.
    """

    preview: Preview
    parts: int
    price: MicroUSD | None
    beside: str = ""
    is_longest: bool = False
    is_dearest: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, summed up.

    Attributes:
        name: the input's.
        tally: its rows by status.
        overview: what is still to be sent.
        findings: what planning found.
        previews: the first messages still to be sent.
        extremes: the longest and the dearest of those still to be sent, as far as they are none of the first.
    """

    name: str
    tally: Tally
    overview: Overview
    findings: Findings
    previews: tuple[Preview, ...] = field(repr=False)
    extremes: tuple[Extreme, ...] = field(default=(), repr=False)


PREVIEWS = 3
"""How many messages are shown, unless it is said."""
