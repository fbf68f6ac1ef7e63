"""A run file copied into a database, table by table: so one store can be compared with the other, row by row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import psycopg

from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres.connecting import Db, connect

_PLAIN = ("token", "looked at", "excluded by")  # words; the file has them as they are, and all else as JSON or a number
_OF_A_FILE = ("epoch", "lines", "token", "whole", "cut off")  # a database has these elsewhere, or has no use for them
_SAID = "proof, http_status, answer, charged, error"
_TABLES = {
    "message": ("messages", "row, status, recipient, sender, text, encoding, parts, price, error, cells"),
    "repeat": ("repeats", "recipient, row, parts"),
    "copy": ("copies", "row, copy"),
    "send": ("sends", f"row, state, attempts, started_at, ended_at, doubt_since, decision, ticket, {_SAID}"),
    "number": ("numbers", "contact, number"),
    "receipt": ("receipts", "row, to_telco, to_phone, error, charged"),
}


def copied(path: Path, into: DatabaseRun, *, is_owned: bool, of_account: bool = False) -> DatabaseRun:
    """Copy a run file into a database.

    Args:
        path: the run file.
        into: its name there.
        is_owned: whether the leases of its owner go on.
        of_account: whether its phones belong to an account, so that the leases are those of shards.
    """
    with closing(sqlite3.connect(path)) as file, connect(into.database) as db, db.transaction():
        facts = dict(file.execute("SELECT name, value FROM facts"))
        epoch = facts.get("epoch") or 0
        until = f"clock_timestamp() {'+' if is_owned else '-'} interval '1 hour'"
        account = _account(db, into, epoch, until) if of_account else None
        found = db.execute(
            f"""INSERT INTO run (name, account, planned_at, lines, epoch, lease_until)
            VALUES (%s, %s, 0, %s, %s, {until}) RETURNING id""",
            [into.name, account, facts.get("lines"), epoch],
        ).fetchone()
        assert found is not None
        run = int(found[0])
        with db.cursor() as cursor:
            cursor.executemany("INSERT INTO fact VALUES (%s, %s, %s)", list(_facts(run, facts)))
            for table, (source, columns) in _TABLES.items():
                if file.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [source]).fetchone():
                    _copy(cursor, table, file.execute(f"SELECT {columns} FROM {source}"), run, epoch)
    return into


def _facts(run: int, facts: Mapping[str, Any]) -> Iterator[tuple[int, str, str]]:
    for name, value in facts.items():
        if name in _OF_A_FILE:
            continue
        is_json = isinstance(value, str | bytes) and name not in _PLAIN
        kept = value if is_json else orjson.dumps(value)
        yield run, name, kept if isinstance(kept, str) else kept.decode()


def _account(db: Db, into: DatabaseRun, epoch: int, until: str) -> int:
    found = db.execute("INSERT INTO account (name) VALUES (%s) RETURNING id", [into.name]).fetchone()
    assert found is not None
    db.execute(f"INSERT INTO shard (account, no, epoch, lease_until) VALUES (%s, 0, %s, {until})", [found[0], epoch])
    return int(found[0])


def _copy(
    cursor: psycopg.Cursor[Any], table: str, rows: sqlite3.Cursor, run: int, epoch: int
) -> None:  # fmt: skip
    names = [column[0] for column in rows.description]
    columns = {"run": run} | dict.fromkeys(_split(names, [None] * len(names)))
    columns |= {"message": {"shard": 0}, "send": {"epoch": epoch, "shard": 0}}.get(table, {})
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(list((columns | _split(names, row)).values()))


def _split(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """A row with its recipient in two columns."""
    found = dict(zip(names, row, strict=True))
    if "recipient" in found:
        who = found.pop("recipient")
        found |= {"phone": who if isinstance(who, str) else None, "contact": who if isinstance(who, int) else None}
    if "number" in found:
        found["phone"] = found.pop("number")
    for name in ("cells", "answer"):
        if isinstance(found.get(name), bytes):
            found[name] = found[name].decode()
    if "to_telco" in found and found["to_telco"] is not None:
        found["to_telco"] = bool(found["to_telco"])
    return found
