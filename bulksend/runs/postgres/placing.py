"""How a database keeps where a run is: by its name alone, for machines reach it under different addresses."""

from __future__ import annotations

from bulksend.runs.places import DatabaseRun, place_of, resolved
from bulksend.runs.store import Run


def kept(run: Run) -> str:
    """A run's place as it is kept; a file's is that of the machine that sent it."""
    place = place_of(run.place)
    return f"#{place.name}" if isinstance(place, DatabaseRun) else str(resolved(place))


def told(database: str, place: str) -> str:
    """A place as people name it, who know the database by an address."""
    return f"{database}{place}" if place.startswith("#") else place
