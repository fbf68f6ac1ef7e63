"""What receipts said of each phone, run by run: a part of an account's history, and by keyed hashes like all of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import orjson

from bulksend.model import Recipient
from bulksend.runs.hashes import Hashes
from bulksend.runs.sqlite import explained, transaction
from bulksend.runs.store import Run

IN_A_ROW = 2
"""So many runs in a row that did not reach a phone, and it is taken for dead."""

AT_ONCE = 20_000  # phones
_SCHEMA = """
CREATE TABLE IF NOT EXISTS told_runs (
    id INTEGER PRIMARY KEY, plan_id TEXT NOT NULL UNIQUE,
    sent_at REAL NOT NULL          -- when the last message was sent of which it was told, in seconds since 1970
);
CREATE TABLE IF NOT EXISTS reached_by (
    phone INTEGER NOT NULL, run INTEGER NOT NULL,
    reached INTEGER NOT NULL,      -- whether any message of the run reached it
    PRIMARY KEY (phone, run)
) WITHOUT ROWID;
"""
_DEAD = """
WITH latest AS (
    SELECT wanted.key AS place, reached,
        row_number() OVER (PARTITION BY wanted.key ORDER BY sent_at DESC, told_runs.id DESC) AS back
    FROM json_each(:wanted) wanted JOIN reached_by ON phone = wanted.value JOIN told_runs ON told_runs.id = run
)
SELECT place FROM latest WHERE back <= :runs GROUP BY place HAVING count(*) = :runs AND max(reached) = 0
"""


class FileReach:
    """Which runs reached which phones, in the file of a history; see `bulksend.runs.outliving.Reach`.

    Args:
        db: of the account's history.
        hashes: of the same.
        path: its file, for errors.
    """

    def __init__(self, db: sqlite3.Connection, hashes: Hashes, path: Path) -> None:
        self._db = db
        self._hashes = hashes
        self._path = path
        db.executescript(_SCHEMA)

    def take_in(self, run: Run) -> None:
        """See `Reach.take_in`."""
        verdicts = run.receipts.verdicts()
        with explained(self._path), transaction(self._db):
            self._db.execute(
                "INSERT INTO told_runs (plan_id, sent_at) VALUES (?, ?) "
                "ON CONFLICT (plan_id) DO UPDATE SET sent_at = excluded.sent_at",
                [run.facts.plan_id, run.receipts.last_sent_at()],
            )
            sql = "SELECT id FROM told_runs WHERE plan_id = ?"
            (number,) = self._db.execute(sql, [run.facts.plan_id]).fetchone()
            while some := list(islice(verdicts, AT_ONCE)):
                phones = self._hashes.of_phones(who for who, _ in some)
                rows = ((phone, number, reached) for phone, (_, reached) in zip(phones, some, strict=True))
                self._db.executemany("INSERT OR REPLACE INTO reached_by VALUES (?, ?, ?)", sorted(rows))
            self._db.execute("UPDATE changes SET count = count + 1")

    def dead(self, recipients: Iterable[Recipient]) -> set[int]:
        """See `Reach.dead`."""
        wanted = orjson.dumps(self._hashes.of_phones(recipients).tolist()).decode()
        with explained(self._path):
            return {place for (place,) in self._db.execute(_DEAD, {"wanted": wanted, "runs": IN_A_ROW})}

    def purge(self, before_s: float) -> None:
        """Forget what was told of runs that sent last before (seconds since 1970); inside the caller's transaction."""
        self._db.execute("DELETE FROM reached_by WHERE run IN (SELECT id FROM told_runs WHERE sent_at < ?)", [before_s])
        self._db.execute("DELETE FROM told_runs WHERE sent_at < ?", [before_s])
