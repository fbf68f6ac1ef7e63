"""The account that the page sends from: its number, and its key in a file that is never shown again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from bulksend.python import Account
from bulksend.web.private import private_folder, write_private

_ENDING = ".key"


@dataclass(frozen=True, slots=True)
class Keys:
    """Keeps one account's key for each address of the API, so that none goes to another server.

    Attributes:
        state: the page's own folder.
        base_url: the API's address.
    """

    state: Path
    base_url: str

    @property
    def organization(self) -> int | None:
        """Whose key is kept; None if none is."""
        file = self.file
        return int(file.stem) if file else None

    @property
    def file(self) -> Path | None:
        """The file that holds it; None if none is kept."""
        return next(iter(sorted(self._folder.glob(f"*{_ENDING}"))), None)

    def keep(self, org_id: int, key: str) -> None:
        """Keep a key instead of the one before.

        Raises:
            UsageError: it can be no key, or that no organization's number.
        """
        Account(org_id, key, self.base_url)
        self.forget()
        write_private(private_folder(self._folder) / f"{org_id}{_ENDING}", f"{key}\n")

    def forget(self) -> None:
        """Remove it."""
        for file in self._folder.glob(f"*{_ENDING}"):
            file.unlink(missing_ok=True)

    @property
    def _folder(self) -> Path:
        return self.state / "keys" / hashlib.sha256(self.base_url.encode()).hexdigest()[:16]
