"""Where runs stand, and why they ended, in words."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bulksend.reports import why_ended, zone
from bulksend.runs import End, Owner, Purge, Shared, Spell
from bulksend.words import many, printable, time_of


def who_words(owner: Owner | None, shared: Shared | None, spell: Spell) -> str:
    """Who is at work on a run; or if nobody is, why that is."""
    if owner is not None and not owner.is_gone:
        return f"{owner}, is at work on it"
    if shared is not None:
        return shared_words(shared)
    nobody = "nobody is at work on it"
    if owner is not None:
        return f"{nobody}; the last ({owner}) was cut off, and the same command goes on"
    return nobody if spell.end is None else f"{nobody}; {end_words(spell.end)}"


def shared_words(shared: Shared) -> str:
    """That a run is left to workers, and how many are at work on it."""
    here, others = len(shared.here), len(shared.workers) - len(shared.here)
    if here:
        return f"{many(here, 'worker is', 'workers are')} at work on it"
    nobody = "it is left to workers, and none is at work on it"
    return f"{nobody}; {many(others, 'other worker')} of the account" if others else nobody


def worker_lines(shared: Shared) -> Iterator[str]:
    """Who the workers of a run are, and what nobody has."""
    for each in shared.here:
        who = f"process {each.owner.pid} on {printable(each.owner.host)}"
        yield f"{who}: {each.shards} of {many(shared.of, 'shard')}, its lease lasts {time_of(each.left_s)}."
    if shared.here and shared.free:
        yield f"{many(shared.free, 'shard')} nobody has yet."


def end_words(end: End) -> str:
    """How a run was last sent to an end."""
    return f"its last send ended{'' if end.at_s is None else f' on {moment(end.at_s)}'}: {why_ended(end)}"


def purge_words(place: str, purge: Purge) -> str:
    """That a run was purged."""
    if not purge.is_whole:
        return f"its purge on {moment(purge.at_s)} was cut off: give that command once more ({printable(place)})"
    return f"purged on {moment(purge.at_s)}: its numbers, texts and cells are gone"


def moment(seconds: float) -> str:
    """A time for people, to the minute, by the clock that is named."""
    then = time.localtime(seconds)
    return f"{then.tm_mday} {time.strftime('%B %Y, %H:%M', then)} {zone(seconds)}"
