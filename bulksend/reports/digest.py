"""A run in the words and figures of a page, for whoever answers for it; how they look is the page's matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bulksend.model import Status
from bulksend.planning import Tally
from bulksend.reports.charts import Chart, charts, width_for
from bulksend.reports.headline import Tile, lead, tiles
from bulksend.reports.tables import (
    Bar,
    Group,
    Why,
    country,
    crowds,
    deliveries,
    groups,
    outcomes,
    sizes,
    sums,
    undelivered,
)
from bulksend.reports.wording import Numbers, moment, why_ended, zone
from bulksend.runs import FINISHED, Facts, Run, name_of, place_of
from bulksend.words import many, printable

_COUNTRIES = 12
_REASONS = 8  # why messages did not reach their phones, the commonest

_TEXT_MAX = 1_600  # of the message, which is no longer than a few SMS


@dataclass(frozen=True, slots=True)
class Digest:
    """What a page says of a run, piece by piece; what does not apply is empty."""

    title: str
    place: str
    written: str
    lead: str
    notes: tuple[str, ...]
    tiles: tuple[Tile, ...]
    charts: tuple[Chart, ...]
    outcomes: tuple[Bar, ...]
    delivered: tuple[Bar, ...]
    undelivered: tuple[Why, ...]
    countries: tuple[Bar, ...]
    total: tuple[str, ...]
    sizes: tuple[Bar, ...]
    groups: tuple[Group, ...]
    crowding: str
    crowded: tuple[Bar, ...]
    sender: str
    text: str
    are_hidden: bool


def digest_of(run: Run, wall_s: float, numbers: Numbers) -> Digest:
    """Sum up a run at a time, in seconds since 1970.

    Raises:
        RunFileError: it cannot be read.
    """
    tally, facts, figures = run.tally(), run.facts, run.figures
    stretches = figures.stretches()
    charges = run.charges()
    width_s = width_for(stretches)
    crowding, crowded = crowds(figures, numbers, stretches)
    known = run.receipts.deliveries(_REASONS) if run.receipts.were_fetched else None
    by_country = [country(charge) for charge in charges]
    return Digest(
        title=printable(facts.input_name if facts.input_name != "-" else name_of(place_of(run.place)), 120),
        place=_place(facts),
        written=f"{moment(wall_s)} ({zone(wall_s)})",
        lead=lead(run, tally, stretches, charges),
        notes=tuple(_notes(run, tally, numbers)),
        tiles=tuple(tiles(run, tally, stretches, charges, known)),
        charts=tuple(charts(stretches, figures.slices(width_s), width_s)),
        outcomes=tuple(outcomes(tally)),
        delivered=tuple(deliveries(known)) if known else (),
        undelivered=tuple(undelivered(run, known, numbers)) if known else (),
        countries=tuple(by_country[:_COUNTRIES]),
        total=sums(charges) if len(charges) > 1 else (),
        sizes=tuple(sizes(figures)),
        groups=tuple(groups(run, tally, numbers)),
        crowding=crowding,
        crowded=crowded,
        sender=printable(facts.sender, 60) if facts.sender else "",
        text="\n".join(printable(line, _TEXT_MAX) for line in (facts.template or "")[:_TEXT_MAX].splitlines()),
        are_hidden=not numbers.are_shown,
    )


def _place(facts: Facts) -> str:
    if facts.address.is_rehearsal:
        return "a rehearsal in a private sandbox"
    host = printable(facts.base_url.partition("//")[2].partition("/")[0].rpartition("@")[2], 80)
    return f"organization {facts.org_id} at {host}" if facts.org_id else host


def _notes(run: Run, tally: Tally, numbers: Numbers) -> Iterator[str]:
    """What has to be known before the figures are read."""
    if run.facts.address.is_rehearsal:
        yield "This was a rehearsal: nothing reached a phone, and nothing was paid."
    owner = run.owner
    if owner is not None and not owner.is_gone:
        yield "It was being sent while this page was written: the figures are of that moment."
    elif owner is not None:
        yield "It was cut off while it was being sent, and has not gone on since."
    elif (end := run.spell.end) is not None and end.reason != FINISHED:
        when = "" if end.at_s is None else f" on {moment(end.at_s)}"
        yield f"The last send ended{when}: {numbers.within(why_ended(end))}."
    if (doubts := tally.statuses[Status.UNKNOWN]) == 1:
        yield "1 message may or may not have been accepted. It counts neither as sent nor as not sent."
    elif doubts:
        yield f"{doubts:,} messages may or may not have been accepted. They count neither as sent nor as not sent."
    if (purge := run.purge) is not None:
        yield f"Its numbers and texts were taken out of it on {moment(purge.at_s)}: the figures are left."
    if (closed_at := run.closed_at) is not None:
        yield f"It was closed on {moment(closed_at)}: what was not sent by then is not sent by this run any more."
    elif tally.statuses[Status.PENDING] and tally.attempts and (owner is None or owner.is_gone):
        yield f"It has not come to its end: {many(tally.statuses[Status.PENDING], 'row')} can still be sent."
