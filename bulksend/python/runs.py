"""A run is read, also while it is being sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import orjson

from bulksend.errors import UsageError
from bulksend.planning import Tally
from bulksend.python.campaigns import PlaceLike, place_from
from bulksend.runs import Deliveries, Place, Run, Stand, is_run_file, place_of, run_named, series, stand_of
from bulksend.runs import open_run as open_store

_REASONS = 8  # the commonest


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a run, and what became of it.

    Attributes:
        row: its number in the input, from 1; the header is none.
        status: a `Status`, or "in flight" for what is under way.
        to: the number, as far as it is known.
        contact_id: the contact, as far as it is known.
        message_id: the API's id of the message; empty if it has none.
        text: of its message; empty if it has none.
        estimate_micro: micro-USD, as the API told them; None if it told none.
        error: why it was not sent, or what else is to be said; empty for nothing.
        http_status: of the last answer, or None.
        attempts: requests begun.
        sent_at: when the last of them began, in seconds since 1970, if it was accepted; or None.
        cells: the row's own cells by column.
    """

    row: int
    status: str
    to: str | None
    contact_id: int | None
    message_id: str
    text: str = field(repr=False)
    estimate_micro: int | None
    error: str
    http_status: int | None
    attempts: int
    sent_at: float | None
    cells: Mapping[str, str | None] = field(repr=False)


class OpenRun:
    """A run, open for reading. A context manager; it belongs to the thread that opened it.

    Attributes:
        place: where it is.
    """

    def __init__(self, run: Run) -> None:
        self.place: Place = place_of(run.place)
        self._run = run

    @property
    def stand(self) -> Stand:
        """Where it stands, who is at work on it, and why it last ended."""
        return stand_of(self._run)

    @property
    def tally(self) -> Tally:
        """Its rows, by what became of them."""
        return self._run.tally()

    @property
    def deliveries(self) -> Deliveries:
        """What is known of delivery, as far as receipts were fetched."""
        return self._run.receipts.deliveries(_REASONS)

    def rows(self) -> Iterator[Row]:
        """All rows in input order, one at a time: memory does not grow with them."""
        columns = self._run.facts.columns
        for row, state, who, said, error, http_status, attempts, started_at, text, cells in self._run.results():
            told = orjson.loads(said) if said else {}
            yield Row(
                row=row,
                status=state,
                to=(told.get("to") or None) if isinstance(who, int) else who,
                contact_id=who if isinstance(who, int) else told.get("contactId") or None,
                message_id=told.get("messageId") or "",
                text=text,
                estimate_micro=told.get("estimateMicro"),
                error=error or "",
                http_status=http_status,
                attempts=attempts,
                sent_at=started_at if state == "sent" else None,
                cells=dict(zip(columns, orjson.loads(cells), strict=False)),
            )

    def close(self) -> None:
        """Let go of it."""
        self._run.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_run(place: PlaceLike) -> OpenRun:
    """Open a run for reading, also while it is being sent.

    Args:
        place: of the run; or an input, of whose runs beside it the newest is meant.

    Raises:
        UsageError: there is none, or it is of a newer version.
        RunFileError: it cannot be read.
    """
    return OpenRun(open_store(run_meant(place)))


def run_meant(given: PlaceLike) -> Place:
    """The run that is meant: itself, or of an input's the newest.

    Raises:
        UsageError: an input is named that has no run beside it.
    """
    named = place_from(given)
    found = run_named(named)
    if found != named:
        return series(found, str(named))[0].place
    if isinstance(named, Path) and named.is_file() and named.suffix != ".run" and not is_run_file(named):
        raise UsageError(f"{named}: this is not a run file, and no run of it lies beside it")
    return named
