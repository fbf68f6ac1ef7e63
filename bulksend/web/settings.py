"""What is said of the page when it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bulksend.engagespark import DEFAULT_BASE_URL
from bulksend.runs import Shelf


@dataclass(frozen=True, slots=True)
class PageSettings:
    """Where the page works.

    Attributes:
        folder: whose sheets and runs it shows.
        state: the folder of its own files: uploads, what was chosen, the key.
        port: it listens on; 0 for any that is free.
        base_url: the API's address.
        upload_max: bytes of a file that is brought.
        entry_s: for so many seconds the file opens the page.
        confirm_above: what costs more than this, in micro-USD, is sent only when somebody writes the amount.
        database: the address of the database that the account lives in, whose runs it shows; empty for files.
    """

    folder: Path
    state: Path
    port: int = 0
    base_url: str = DEFAULT_BASE_URL
    upload_max: int = 256 << 20
    entry_s: float = 60.0
    confirm_above: int = 50_000_000
    database: str = ""

    @property
    def shelf(self) -> Shelf:
        """Where the runs lie that it shows."""
        return self.database or self.folder.resolve()
