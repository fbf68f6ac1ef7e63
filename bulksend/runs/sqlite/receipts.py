"""The delivery receipts of a run file: the SQL of them.

Their table is made when the first of them is noted: a version that knows nothing of receipts reads the file all the
same, and the format need not change for them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import orjson

from bulksend.model import Reached, Receipt, Recipient
from bulksend.runs.receipts import Deliveries, Undelivered, receipt_of
from bulksend.runs.sqlite import kept
from bulksend.runs.sqlite.queries import NUMBER, TOLD_NUMBER
from bulksend.runs.sqlite.schema import explained
from bulksend.runs.states import State

_TABLE = """
CREATE TABLE IF NOT EXISTS main.receipts (
    row INTEGER PRIMARY KEY,
    to_telco INTEGER,              -- NULL: not told
    to_phone TEXT NOT NULL,        -- see `bulksend.model.Reached`
    error TEXT NOT NULL,
    charged INTEGER                -- micro-USD, NULL: not told
)
"""
_NONE = "(SELECT 0 AS row, 0 AS to_telco, '' AS to_phone, '' AS error, 0 AS charged WHERE false)"
_ID = "coalesce(json_extract(s.answer, '$.messageId'), '')"
_FINAL = f"'{Reached.CONFIRMED}', '{Reached.FAILED}'"
_ALL = f"SELECT r.row, {_ID}, r.to_telco, r.to_phone, r.error, r.charged FROM {{receipts}} r JOIN sends s USING (row)"
_SUMS = f"""
SELECT count(*), count(r.row), count(*) FILTER (WHERE r.to_phone = '{Reached.CONFIRMED}'),
    count(*) FILTER (WHERE r.to_phone = '{Reached.FAILED}'), coalesce(sum(r.charged), 0),
    coalesce(sum(coalesce(s.charged, m.price)) FILTER (WHERE r.charged IS NOT NULL), 0), count(r.charged)
FROM sends s JOIN messages m ON m.row = s.row LEFT JOIN {{receipts}} r ON r.row = s.row WHERE s.state = '{State.SENT}'
"""
_REASONS = f"""
SELECT error, count(*) AS n, min(row) FROM {{receipts}} WHERE to_phone = '{Reached.FAILED}'
GROUP BY error ORDER BY n DESC, min(row) LIMIT ?
"""
_VERDICTS = f"""
SELECT coalesce({TOLD_NUMBER}, n.number, m.recipient) AS who, max(r.to_phone = '{Reached.CONFIRMED}')
FROM {{receipts}} r JOIN sends s ON s.row = r.row JOIN messages m ON m.row = r.row {NUMBER.format("m")}
WHERE r.to_phone IN ({_FINAL}) AND who IS NOT NULL GROUP BY who
"""
_LAST = f"""
SELECT coalesce(max(s.started_at), 0.0) FROM {{receipts}} r JOIN sends s ON s.row = r.row WHERE r.to_phone IN ({_FINAL})
"""
_AWAITED = "CREATE TEMP TABLE awaited (message_id TEXT, row INTEGER, PRIMARY KEY (message_id, row)) WITHOUT ROWID"
_AWAIT = f"""
INSERT INTO temp.awaited SELECT {_ID}, s.row FROM sends s LEFT JOIN {{receipts}} r ON r.row = s.row
WHERE s.state = '{State.SENT}' AND {_ID} <> '' AND (r.to_phone IS NULL OR r.to_phone NOT IN ({_FINAL}))
"""
_SPAN = """
SELECT count(*), coalesce(min(coalesce(doubt_since, started_at)), 0.0), coalesce(max(started_at), 0.0)
FROM temp.awaited JOIN sends USING (row)
"""
_CARRY = """
INSERT INTO main.receipts SELECT moves.now, r.to_telco, r.to_phone, r.error, r.charged
FROM old.receipts r JOIN moves ON moves.was = r.row
"""
_NOTE = "INSERT OR REPLACE INTO main.receipts SELECT row, ?, ?, ?, ? FROM temp.awaited WHERE message_id = ?"


class SqliteReceipts:
    """See `bulksend.runs.receipts.Receipts`."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    @property
    def were_fetched(self) -> bool:
        """See `Receipts.were_fetched`."""
        with explained(self._path):
            return _are_there(self._db)

    def all(self) -> Iterator[tuple[int, Receipt]]:
        """See `Receipts.all`."""
        with explained(self._path):
            yield from map(receipt_of, self._told(f"{_ALL} ORDER BY r.row"))

    def of(self, rows: Sequence[int]) -> dict[int, Receipt]:
        """See `Receipts.of`."""
        wanted = orjson.dumps(rows).decode()
        with explained(self._path):
            found = self._told(f"{_ALL} WHERE r.row IN (SELECT value FROM json_each(?))", wanted)
            return dict(map(receipt_of, found))

    def deliveries(self, reasons: int) -> Deliveries:
        """See `Receipts.deliveries`."""
        with explained(self._path):
            why = tuple(map(Undelivered._make, self._told(_REASONS, reasons)))
            counts: tuple[int, int, int, int, int, int, int] = self._told(_SUMS).fetchone()
            return Deliveries(*counts, why)

    def verdicts(self) -> Iterator[tuple[Recipient, int]]:
        """See `Receipts.verdicts`."""
        with explained(self._path):
            yield from self._told(_VERDICTS)

    def last_sent_at(self) -> float:
        """See `Receipts.last_sent_at`."""
        with explained(self._path):
            return float(self._told(_LAST).fetchone()[0])

    def _told(self, sql: str, *values: object) -> sqlite3.Cursor:
        return self._db.execute(sql.format(receipts=_table(self._db)), values)


class OwnSqliteReceipts(SqliteReceipts):
    """See `bulksend.runs.receipts.OwnReceipts`.

    Args:
        db: the run's.
        path: the run file.
        writing: a transaction of its owner.
    """

    def __init__(self, db: sqlite3.Connection, path: Path, writing: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__(db, path)
        self._writing = writing

    def awaited(self) -> SqliteAwaiting:
        """See `OwnReceipts.awaited`."""
        return SqliteAwaiting(self._db, self._path, self._writing)


class SqliteAwaiting:
    """See `bulksend.engagespark.Awaiting`. The messages stand in a table of the connection's, which may be long."""

    def __init__(self, db: sqlite3.Connection, path: Path, writing: Callable[[], AbstractContextManager[None]]) -> None:
        self._db = db
        self._path = path
        self._writing = writing
        with explained(path):
            db.execute("DROP TABLE IF EXISTS temp.awaited")
            db.execute(_AWAITED)
            db.execute(_AWAIT.format(receipts=_table(db)))
            self.left, since_s, self.until_s = db.execute(_SPAN).fetchone()
            self.since_s = since_s - kept.spread_s(db)

    def note(self, receipts: Sequence[Receipt]) -> int:
        """See `Awaiting.note`."""
        ids = orjson.dumps([receipt.message_id for receipt in receipts]).decode()
        of_these = "FROM temp.awaited WHERE message_id IN (SELECT value FROM json_each(?))"
        with explained(self._path):
            (noted,) = self._db.execute(f"SELECT count(*) {of_these}", [ids]).fetchone()
        if noted:
            with self._writing():
                self._db.execute(_TABLE)
                self._db.executemany(_NOTE, [(*receipt[1:], receipt.message_id) for receipt in receipts])
            with explained(self._path):
                self._db.execute(f"DELETE {of_these}", [ids])
            self.left -= noted
        return int(noted)

    def next(self, after: str, limit: int) -> list[str]:
        """See `Awaiting.next`."""
        sql = "SELECT DISTINCT message_id FROM temp.awaited WHERE message_id > ? ORDER BY message_id LIMIT ?"
        with explained(self._path):
            return [message_id for (message_id,) in self._db.execute(sql, [after, limit])]


def forget(db: sqlite3.Connection) -> None:
    """Take what may be personal out of them, inside the caller's transaction: a reason may quote its recipient."""
    if _are_there(db):
        db.execute("UPDATE main.receipts SET error = ''")


def carry_over(db: sqlite3.Connection) -> None:
    """Those of another run, attached as ``old``, go with its rows, by ``moves``; inside the caller's transaction."""
    if _are_there(db, "old"):
        db.execute(_TABLE)
        db.execute(_CARRY)


def _are_there(db: sqlite3.Connection, schema: str = "main") -> bool:
    sql = f"SELECT 1 FROM {schema}.sqlite_master WHERE type = 'table' AND name = 'receipts'"
    return db.execute(sql).fetchone() is not None


def _table(db: sqlite3.Connection) -> str:
    """Where receipts stand, or what stands for none."""
    return "main.receipts" if _are_there(db) else _NONE
