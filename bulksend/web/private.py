"""Files that nobody else on this machine may read."""

from __future__ import annotations

import os
from pathlib import Path


def private_folder(path: Path) -> Path:
    """The folder, made if it is not there, for its owner alone."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner alone; it takes the place of an older one when it is whole."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(create_private(part), "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


def create_private(path: Path) -> int:
    """A new file, open for writing, for its owner alone.

    Raises:
        FileExistsError: something is there.
    """
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
