"""What a run in a database keeps of time, for reading."""

from __future__ import annotations

from bulksend.runs.postgres import whole
from bulksend.runs.postgres.reader import Reader
from bulksend.when import Schedule


class PostgresTimes:
    """See `bulksend.runs.times.Times`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @property
    def schedule(self) -> Schedule:
        """See `Times.schedule`."""
        return whole.of(self._reader).schedule

    @property
    def waits_until(self) -> float | None:
        """See `Times.waits_until`."""
        return whole.of(self._reader).waits_until
