"""Connections to a database: what each is set to, and what goes wrong with them in sentences for people."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

from bulksend.errors import RunFileError, UsageError
from bulksend.runs.places import check_database
from bulksend.runs.postgres.schema import SCHEMA

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    from bulksend.runs.postgres.ways import Way
except ImportError as error:  # an extra
    raise UsageError("a run in a database needs psycopg: in bulksend's folder, pip install '.[postgres]'") from error

Db: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

_LOCAL = {"localhost", "127.0.0.1", "::1"}
_CONNECT_S = 10
_WATCH = {  # of a database that does not answer is known in half a minute, also where no packet comes back
    "connect_timeout": _CONNECT_S,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_SETTINGS = {
    "search_path": f"{SCHEMA}, pg_temp",
    "synchronous_commit": "on",  # a commit that was told is on the disk, whatever the server's default
    "timezone": "UTC",
    "client_encoding": "UTF8",
    "default_transaction_isolation": "read committed",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "60s",  # whoever was cut off in the midst holds up nobody for long
}


def connect(database: str) -> Db:
    """A connection, outside of any transaction.

    Raises:
        UsageError: the address cannot be used.
        RunFileError: the database cannot be reached.
    """
    check_database(database)
    try:
        told = conninfo_to_dict(database)
    except psycopg.ProgrammingError as error:
        raise UsageError(f"{database}: this is no address of a database ({_words(error)})") from error
    if not _is_here(told) and "sslmode" not in told:
        told["sslmode"] = "verify-full"  # elsewhere nobody else may pass for the database, unless the address says so
    for name, value in _WATCH.items():
        told.setdefault(name, value)
    told.setdefault("application_name", "bulksend")
    told["options"] = " ".join([str(told.get("options", "")), *(f"-c {k}={_escaped(v)}" for k, v in _SETTINGS.items())])
    with explained(database):
        return Way.to(make_conninfo("", **told))


def limit_standstill(db: Db, limit_s: float) -> None:
    """Hold up others for so long at most, by what is locked, where this process stands still amid a transaction."""
    db.execute(f"SET idle_in_transaction_session_timeout = {round(limit_s * 1000)}")


def is_lost(db: Db) -> bool:
    """Whether a connection is gone, such as after hours in which nothing was asked; costs one way there and back."""
    with suppress(psycopg.Error):
        db.execute("SELECT")
    return bool(db.closed)


@contextmanager
def transaction(db: Db) -> Iterator[None]:
    """What is written in here is written whole or not at all."""
    db.execute("BEGIN")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with suppress(psycopg.Error):  # the connection is lost, and the server rolls back
            db.execute("ROLLBACK")
        raise


@contextmanager
def explained(place: object) -> Iterator[None]:
    """Turn what goes wrong with a database into RunFileError."""
    try:
        yield
    except psycopg.Error as error:
        raise RunFileError(f"{place}: the database cannot be used: {_words(error)}") from error


def is_given_way(error: RunFileError) -> bool:
    """Whether the database ended a transaction for others that waited for it: it may be tried again."""
    return isinstance(error.__cause__, psycopg.errors.DeadlockDetected)


def one(found: psycopg.Cursor[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The one row of what always has one."""
    row = found.fetchone()
    assert row is not None  # noqa: S101 -- by the statement
    return row


def array(numbers: Iterable[int]) -> str:
    """Numbers as a parameter that is cast to an array: psycopg takes its time with lists."""
    return f"{{{','.join(map(str, numbers))}}}"


def plain(text: str) -> str:
    """A text as PostgreSQL can hold it: it knows no NUL character."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


def _is_here(told: dict[str, Any]) -> bool:
    """Whether it is on this machine: a socket's folder or a loopback address, and no service that may say otherwise."""
    named = told.get("hostaddr") or told.get("host") or os.environ.get("PGHOSTADDR") or os.environ.get("PGHOST")
    hosts = str(named or "").split(",")
    return (
        "service" not in told
        and "PGSERVICE" not in os.environ
        and all(not host or host.startswith(("/", "@")) or host in _LOCAL for host in hosts)
    )


def _words(error: psycopg.Error) -> str:
    """What the database or the way there says, on one line."""
    return " ".join(str(error).split())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
