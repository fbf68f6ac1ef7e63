"""Where a run is kept, as people name it: a file, or a name in a database (`postgresql://user@host/db#june`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

from bulksend.errors import UsageError

_SCHEMES = ("postgresql://", "postgres://")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class DatabaseRun:
    """A run in a database.

    Attributes:
        database: its address, without the run's name.
        name: the run's.
    """

    database: str
    name: str

    def __str__(self) -> str:
        return f"{self.database}#{self.name}"


Place: TypeAlias = Path | DatabaseRun


def place_of(given: str) -> Place:
    """What people name.

    Raises:
        UsageError: it is an address of a database and not to be used as that of a run.
    """
    if not is_database(given):
        return Path(given)
    database, _, name = given.partition("#")
    check_database(database)
    if not _NAME.fullmatch(name):
        seen = f"the name {name!r}" if name else "no name"
        raise UsageError(
            f"{database}: {seen} of a run after it; a run in a database is named like {database}#june, of letters, "
            "digits, dots, dashes and underscores, 100 at most"
        )
    return DatabaseRun(database, name)


def is_database(given: str) -> bool:
    """Whether it is an address of a database, with a run's name or without."""
    return given.startswith(_SCHEMES)


def check_database(address: str) -> None:
    """See that an address holds no password, which would stand in argument lists, histories and errors.

    Raises:
        UsageError: it holds one, or is none; the sentence does not repeat it.
    """
    try:
        parts = urlsplit(address)
        names = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        has_password = bool(parts.password) or not names.isdisjoint({"password", "sslpassword"})
    except ValueError as error:
        raise UsageError(f"this is no address of a database ({error}): it reads postgresql://user@host/db") from error
    if has_password:
        raise UsageError(
            f"{parts.scheme}://{parts.hostname or ''}{parts.path}: the address holds a password, which others could "
            "read in lists of processes: leave it out, and have it in PGPASSWORD, a pass file or a service file"
        )
