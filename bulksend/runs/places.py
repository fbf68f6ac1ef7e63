"""Where a run is kept, as people name it: a file, or a name in a database (`postgresql://user@host/db#june`).

What is otherwise for the two is decided here, once for everybody who has a place in hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar
from urllib.parse import parse_qsl

from bulksend.errors import UsageError
from bulksend.runs import postgres, sqlite  # whose parts are loaded where they are used: a file needs no database

_SCHEMES = ("postgresql://", "postgres://")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_END = re.compile(r"[/?#]")  # of what says who and where
_HOST = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(:\d*)?")
_ENDING = ".run"
_DRAFT = ".planning"


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

Shelf: TypeAlias = Path | str
"""Where runs lie side by side: a folder, or a database by its address."""

P = TypeVar("P", bound=Place | Shelf)


def place_of(given: str) -> Place:
    """What people name.

    Raises:
        UsageError: it is an address of a database and not to be used as that of a run.
    """
    if not is_database(given):
        return Path(given)
    check_database(given)
    database, _, name = given.partition("#")
    if not _NAME.fullmatch(name):
        seen = f"the name {name!r}" if name else "no name"
        raise UsageError(
            f"{database}: {seen} of a run after it; a run in a database is named like {database}#june, of letters, "
            "digits, dots, dashes and underscores, 100 at most"
        )
    return DatabaseRun(database, name)


def shelf_of(given: str) -> Shelf:
    """What people name of which they want all runs.

    Raises:
        UsageError: it is an address of a database and not to be used as that of one.
    """
    return database_of(given) if is_database(given) else Path(given)


def database_of(given: str) -> str:
    """The address of the database that people name.

    Raises:
        UsageError: it is no address of one, or has something behind it.
    """
    if not is_database(given):
        raise UsageError(f"{given}: this is no address of a database: it reads postgresql://user@host/db")
    check_database(given)
    database, mark, name = given.partition("#")
    if mark:
        raise UsageError(f"{database}: the database itself is meant here, without the name {name!r} of a run in it")
    return database


def is_database(given: str) -> bool:
    """Whether it is an address of a database, with a run's name or without."""
    return given.lower().startswith(_SCHEMES)


def check_database(address: str) -> None:
    """See that an address holds no password, which would stand in argument lists, histories and errors.

    Raises:
        UsageError: it holds one, or is none; the sentence repeats nothing of it.
    """
    scheme, _, rest = address.partition("://")
    head = _END.split(rest, maxsplit=1)[0]
    rest = rest.removeprefix(head)
    user, _, hosts = head.rpartition("@")
    names = {name for name, _ in parse_qsl(rest.partition("?")[2].partition("#")[0], keep_blank_values=True)}
    is_cut = ":" in head and "@" in rest  # a password that holds / ? or # as they are
    if user.partition(":")[2] or is_cut or not names.isdisjoint({"password", "sslpassword"}):
        raise UsageError(
            "the address of a database holds a password, which others could read in lists of processes: leave it out, "
            "and have it in PGPASSWORD, a pass file or a service file"
        )
    if f"{scheme}://" not in _SCHEMES or not all(map(_HOST.fullmatch, hosts.split(","))):
        raise UsageError("this is no address of a database: it reads postgresql://user@host/db")


def runs_in(shelf: Shelf) -> list[Place]:
    """Where the runs lie of a folder, its run files and what is called like one; or of a database.

    Raises:
        UsageError: it is none, or cannot be read.
        RunFileError: the database cannot be reached.
    """
    match shelf:
        case Path():
            try:
                paths = sorted(path for path in shelf.iterdir() if path.is_file() and path.suffix != _DRAFT)
            except OSError as error:
                raise UsageError(f"{shelf}: this folder cannot be read: {error.strerror}") from error
            return [path for path in paths if path.suffix == _ENDING or sqlite.is_run_file(path)]
        case str():
            return [DatabaseRun(shelf, name) for name in postgres.names(shelf)]


def names_run(place: Place) -> bool:
    """Whether a place is a run's and no input's; one in a database need not be there."""
    match place:
        case Path():
            return sqlite.is_run_file(place)
        case DatabaseRun():
            return True


def holds_run(place: Place) -> bool:
    """Whether there is a run in a place.

    Raises:
        UsageError: the database cannot be used.
        RunFileError: it cannot be reached.
    """
    match place:
        case Path():
            return sqlite.is_run_file(place)
        case DatabaseRun(database, name):
            return postgres.has_run(database, name)


def is_taken(place: Place) -> bool:
    """Whether there is anything in a place, be it a run or another file; raises as `holds_run` does."""
    match place:
        case Path():
            return place.exists()
        case DatabaseRun():
            return holds_run(place)


def name_of(place: Place) -> str:
    """The name by which people know it, without where it is."""
    return place.name


def folder_of(place: Place) -> Path:
    """Where files lie that are made of a run by default: beside its own, or in the current folder."""
    match place:
        case Path():
            return place.parent
        case DatabaseRun():
            return Path()


def shelf_with(place: Place) -> Shelf:
    """Where it lies with others."""
    match place:
        case Path():
            return place.parent
        case DatabaseRun(database, _):
            return database


def beside(place: Place, ending: str) -> Path:
    """A file that has a run's name, but for its ending."""
    match place:
        case Path():
            return place.with_name(f"{place.name.removesuffix(_ENDING)}{ending}")
        case DatabaseRun(_, name):
            return Path(f"{name}{ending}")


def files_of(*places: Place) -> list[Path]:
    """The files that places are themselves, which nothing else may replace; none of a database."""
    return [place for place in places if isinstance(place, Path)]


def resolved(place: P) -> P | Path:
    """The same, as it is named from everywhere; two names of one file or folder are equal then."""
    return place.resolve() if isinstance(place, Path) else place


def numbered(place: Place, number: int) -> Place:
    """The place of this number in the series of another, such as ``june-2``.

    Raises:
        UsageError: that is too long a name.
    """
    match place:
        case Path():
            return place.with_name(f"{place.stem}-{number}{place.suffix}")
        case DatabaseRun():
            return place_of(f"{place}-{number}")
