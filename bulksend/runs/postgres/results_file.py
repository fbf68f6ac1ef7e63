"""The file that the results of a run in a database go to: nobody notes there what changed since they were written."""

from __future__ import annotations

from collections.abc import Callable

from bulksend.runs.results_file import Written


class PostgresResultsFile:
    """See `bulksend.runs.results_file.OwnResultsFile`: it is always written anew.

    Args:
        note_place: notes where the results are about to be written.
    """

    last_row = 0
    tells_changes = False
    written: Written | None = None
    stale: frozenset[int] = frozenset()

    def __init__(self, note_place: Callable[[str], None]) -> None:
        self.note_place = note_place

    def note(self, written: Written) -> None:
        """See `OwnResultsFile.note`."""
