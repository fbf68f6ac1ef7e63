"""The tables of a page: what became of the rows, what they cost, how long they were, and why some were not sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bulksend.model import Encoding, Status
from bulksend.planning import Tally
from bulksend.reports.wording import Numbers, share
from bulksend.runs import Charge, Deliveries, Figures, Run, Stretch
from bulksend.sending import PHILIPPINES
from bulksend.sms import dollars, phones
from bulksend.words import many, time_of

_REASONS = 8  # of each status, the commonest
_EXAMPLES = 3  # rows of each reason
_CROWDED = 8
_MEANINGS = {
    Status.SENT: "accepted by the API",
    Status.REJECTED: "refused by the API: certainly not sent",
    Status.FAILED: "certainly not sent, all tries used up",
    Status.UNKNOWN: "may or may not have been accepted",
    Status.INVALID: "the row is bad: not tried",
    Status.PENDING: "not sent yet",
    Status.SKIPPED: "left out on purpose",
}
_LETTERS = {Encoding.GSM7: "GSM-7", Encoding.UCS2: "UCS-2"}


class Bar(NamedTuple):
    """A line of a table with a bar: its share is of the longest, from 0 to 1."""

    label: str
    cells: tuple[str, ...]
    share: float
    kind: str = ""


class Why(NamedTuple):
    """A reason why rows of a status were not sent, with the first of them."""

    says: str
    rows: int
    examples: tuple[str, ...]


class Group(NamedTuple):
    """The reasons of a status; ``others`` rows have yet other ones."""

    status: str
    meaning: str
    rows: int
    reasons: tuple[Why, ...]
    others: int


def outcomes(tally: Tally) -> Iterator[Bar]:
    """What became of the rows: how many, which share, and what that means."""
    counts = [(status.value, tally.statuses[status], meaning) for status, meaning in _MEANINGS.items()]
    if tally.in_flight:
        counts.append(("in flight", tally.in_flight, "under way: the outcome was not known yet"))
    longest = max(count for _, count, _ in counts) or 1
    for name, count, meaning in counts:
        if count:
            yield Bar(name, (f"{count:,}", share(count, tally.rows), meaning), count / longest, name)


def deliveries(known: Deliveries) -> Iterator[Bar]:
    """How many of the sent messages reached their phones."""
    counts = (
        ("reached", known.reached, "the phone confirmed it", Status.SENT),
        ("not reached", known.failed, "its receipt says so", Status.REJECTED),
        ("not known yet", known.open, "no receipt says whether the phone was reached", Status.UNKNOWN),
    )
    longest = max(count for _, count, *_ in counts) or 1
    for name, count, meaning, kind in counts:
        if count:
            yield Bar(name, (f"{count:,}", share(count, known.sent), meaning), count / longest, kind)


def undelivered(run: Run, known: Deliveries, numbers: Numbers) -> Iterator[Why]:
    """Why messages did not reach their phones."""
    lines = run.lines()
    for why in known.reasons:
        yield Why(
            numbers.within(why.says) or "without a reason", why.rows, (f"row {why.first}{lines.beside(why.first)}",)
        )


def country(charge: Charge) -> Bar:
    """What was sent to a country."""
    return Bar(phones.country_name(charge.code), sums([charge]), 0)


def sums(charges: Sequence[Charge]) -> tuple[str, ...]:
    """Messages, parts, what was estimated and what was charged."""
    estimated, charged = sum(each.estimated for each in charges), sum(each.charged for each in charges)
    return (
        f"{sum(each.rows for each in charges):,}",
        f"{sum(each.parts for each in charges):,}",
        dollars(estimated) if estimated else "unknown",
        dollars(charged) if charged else "unknown",
    )


def sizes(figures: Figures) -> Iterator[Bar]:
    """How long the messages are: how many were planned, and were sent."""
    found = figures.sizes()
    longest = max((each.messages for each in found), default=1)
    for each in found:
        label = f"{many(each.parts, 'part')} in {_LETTERS[each.encoding]}"
        cells = (f"{each.messages:,}", f"{each.sent:,}")
        yield Bar(label, cells, each.messages / longest, each.encoding)


def groups(run: Run, tally: Tally, numbers: Numbers) -> Iterator[Group]:
    """Why rows were not sent."""
    lines = run.lines()
    for status, meaning in _MEANINGS.items():
        rows = tally.statuses[status]
        if not rows or status in {Status.SENT, Status.PENDING}:
            continue
        reasons = []
        for says, count, first in run.complaints(status, _REASONS):
            found = run.figures.complained(status, says, first, min(count, _EXAMPLES))
            examples = (
                ", ".join(filter(None, (f"row {row}{lines.beside(row)}", numbers.of(who)))) for row, who in found
            )
            reasons.append(Why(numbers.within(says) or "without a reason", count, tuple(examples)))
        yield Group(status.value, meaning, rows, tuple(reasons), rows - sum(each.rows for each in reasons))


def crowds(figures: Figures, numbers: Numbers, stretches: Sequence[Stretch]) -> tuple[str, tuple[Bar, ...]]:
    """What a cap held back, in words, and the phones of most SMS."""
    at_once = PHILIPPINES.count
    found = figures.crowding(PHILIPPINES.prefix, at_once, _CROWDED)
    if not found.phones:
        return "", ()
    waited = "had to wait" if stretches else "will have to wait"
    says = (
        f"{many(found.phones, 'phone')} with more than {at_once} SMS, which is as many as Philippine telcos let "
        f"through to one phone in a minute: {many(found.waiting, 'SMS part')} beyond these {waited}."
    )
    if found.others_until_s is not None and stretches:
        alone_s = stretches[-1].until_s - found.others_until_s
        if alone_s >= 1:
            says += f" All other phones had theirs {time_of(alone_s)} before the end."
    longest = max(each.parts for each in found.most)
    return says, tuple(
        Bar(
            numbers.of(each.recipient),
            (
                f"{each.messages:,}",
                f"{each.parts:,}",
                f"{each.sent:,}",
                "" if each.since_s is None or each.until_s is None else time_of(each.until_s - each.since_s),
            ),
            each.parts / longest,
        )
        for each in found.most
    )
