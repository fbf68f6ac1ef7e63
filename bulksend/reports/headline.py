"""What is seen of a run first: a sentence, and a few figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bulksend.model import Status
from bulksend.planning import Tally
from bulksend.reports.wording import day, local, share, zone
from bulksend.runs import Charge, Deliveries, Run, Stretch
from bulksend.sms import dollars
from bulksend.words import figure, many, time_of

_KINDS = {
    Status.REJECTED: "refused",
    Status.FAILED: "failed",
    Status.INVALID: "bad rows",
    Status.PENDING: "not sent yet",
}


class Tile(NamedTuple):
    """A figure that is seen first; ``kind`` is the status by which it is coloured, or empty."""

    label: str
    value: str
    beside: str
    kind: str = ""


def lead(run: Run, tally: Tally, stretches: Sequence[Stretch], charges: Sequence[Charge]) -> str:
    """What was sent, when and for how much, in a sentence."""
    if not stretches:
        overview = run.overview()
        if not overview.rows:
            return f"Nothing was sent: none of {many(tally.rows, 'row')} is to be."
        price = f"{dollars(overview.price)} as estimated" if overview.unpriced < overview.rows else "a price not known"
        return f"Nothing of this has been sent yet: {many(overview.rows, 'message')} are planned, for {price}."
    sent = tally.statuses[Status.SENT]
    begun, ended = day(stretches[0].since_s), day(stretches[-1].until_s)
    when = f"on {begun}" if begun == ended else f"from {begun} to {ended}"
    cost = f", for {dollars(tally.charged)}" if charges and not run.facts.address.is_rehearsal else ""
    whole = f"All {many(sent, 'row')}" if sent == tally.rows > 1 else f"{sent:,} of {many(tally.rows, 'row')}"
    missing = sum(tally.statuses[status] for status in _KINDS)
    others = f"; {missing:,} {'was' if missing == 1 else 'were'} not sent" if missing else ""
    return f"{whole} {'was' if sent == 1 else 'were'} accepted for sending {when}{cost}{others}."


def tiles(
    run: Run, tally: Tally, stretches: Sequence[Stretch], charges: Sequence[Charge], known: Deliveries | None
) -> Iterator[Tile]:  # fmt: skip
    """The figures, those that matter most first; what receipts tell where they were fetched."""
    if not stretches:
        yield from _planned(run, tally)
        return
    statuses, sent = tally.statuses, tally.statuses[Status.SENT]
    yield Tile("Sent", f"{sent:,}", f"of {many(tally.rows, 'row')}, {share(sent, tally.rows)}", Status.SENT)
    if known:
        yield Tile("Reached", f"{known.reached:,}", _reached(known), Status.SENT if known.reached else "")
    kinds = [(statuses[status], kind) for status, kind in _KINDS.items()]
    missing = sum(count for count, _ in kinds)
    told = " · ".join(f"{count:,} {kind}" for count, kind in kinds if count)
    yield Tile("Not sent", f"{missing:,}", told or "no row is missing", Status.REJECTED if missing else "")
    if skipped := statuses[Status.SKIPPED]:
        yield Tile("Left out", f"{skipped:,}", "on purpose")
    doubts = statuses[Status.UNKNOWN]
    if doubts:
        yield Tile("In doubt", f"{doubts:,}", "may or may not have been accepted", Status.UNKNOWN)
    else:
        yield Tile("In doubt", "0", "of every row it is known")
    if tally.in_flight:
        yield Tile("Under way", f"{tally.in_flight:,}", "their outcome was not known yet")
    yield Tile("Charged", dollars(tally.charged), _charged(run, charges))
    yield _when(stretches)
    lasted_s = sum(each.until_s - each.since_s for each in stretches)
    pace = f"{figure(sent / lasted_s)} SMS a second" if lasted_s >= 1 and sent else ""
    times = f"in {len(stretches)} stretches" if len(stretches) > 1 else ""
    took = time_of(lasted_s) if lasted_s >= 1 else "under 1 s"
    yield Tile("Took", took, " · ".join(filter(None, (pace, times))))


def _planned(run: Run, tally: Tally) -> Iterator[Tile]:
    """The figures of a run of which nothing was tried."""
    overview, statuses = run.overview(), tally.statuses
    yield Tile("To send", f"{overview.rows:,}", f"of {many(tally.rows, 'row')}")
    if bad := statuses[Status.INVALID]:
        yield Tile("Not to send", f"{bad:,}", _KINDS[Status.INVALID], Status.INVALID)
    if skipped := statuses[Status.SKIPPED]:
        yield Tile("Left out", f"{skipped:,}", "on purpose")
    unpriced = f", {overview.unpriced:,} messages without a known rate" if overview.unpriced else ""
    yield Tile("Estimated", dollars(overview.price), f"for {many(overview.parts, 'SMS part')}{unpriced}")


def _reached(known: Deliveries) -> str:
    """Which share that is, and what is to be said of the others."""
    others = ((known.failed, "not reached"), (known.open, "not known yet"))
    beside = (f"{count:,} {what}" for count, what in others if count)
    return " · ".join((f"{share(known.reached, known.sent)} of the sent", *beside))


def _charged(run: Run, charges: Sequence[Charge]) -> str:
    """What is to be said of the charge."""
    if not charges:
        return "nothing was sent"
    estimated, charged = sum(each.estimated for each in charges), sum(each.charged for each in charges)
    whose = "by the sandbox's words" if run.facts.address.is_rehearsal else "by the API's words"
    priced = "as estimated" if estimated == charged else f"estimated {dollars(estimated)}" if estimated else ""
    uncharged = sum(each.uncharged for each in charges)
    untold = f"without {many(uncharged, 'message')} of which they tell nothing" if uncharged else ""
    return ", ".join(filter(None, (whose, untold, priced)))


def _when(stretches: Sequence[Stretch]) -> Tile:
    begun, ended = local(stretches[0].since_s), local(stretches[-1].until_s)
    until = "" if begun.date() == ended.date() else f"{day(ended.timestamp())}, "
    times = (
        f"{begun:%H:%M}"
        if not until and f"{begun:%H:%M}" == f"{ended:%H:%M}"
        else f"{begun:%H:%M} to {until}{ended:%H:%M}"
    )
    return Tile("When", f"{begun.day} {begun:%b}", f"{begun:%Y}, {times} ({zone(begun.timestamp())})")
