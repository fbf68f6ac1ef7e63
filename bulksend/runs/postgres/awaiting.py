"""What the owner of a run in a database learns of the delivery of its messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from bulksend.model import Reached, Receipt
from bulksend.runs.postgres.connecting import explained, one, plain
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.postgres.receipts import PostgresReceipts
from bulksend.runs.states import State

_AWAIT = f"""
DROP TABLE IF EXISTS pg_temp.awaited;
CREATE TEMP TABLE awaited (message_id text COLLATE "C", row bigint, PRIMARY KEY (message_id, row));
INSERT INTO pg_temp.awaited SELECT s.answer->>'messageId', s.row
FROM send s LEFT JOIN receipt r ON r.run = s.run AND r.row = s.row
WHERE s.run = {{run}} AND s.state = '{State.SENT}' AND s.answer->>'messageId' <> ''
    AND (r.to_phone IS NULL OR r.to_phone NOT IN ('{Reached.CONFIRMED}', '{Reached.FAILED}'));
ANALYZE pg_temp.awaited
"""
_SPAN = """
SELECT count(*), coalesce(min(coalesce(doubt_since, started_at)), 0), coalesce(max(started_at), 0)
FROM pg_temp.awaited a JOIN send s ON s.run = %(run)s AND s.row = a.row
"""
_NOTE = """
INSERT INTO receipt SELECT %s, a.row, told.to_telco, told.to_phone, told.error, told.charged
FROM unnest(%s::text[], %s::boolean[], %s::text[], %s::text[], %s::bigint[])
    AS told (message_id, to_telco, to_phone, error, charged) JOIN pg_temp.awaited a USING (message_id)
ON CONFLICT (run, row) DO UPDATE SET to_telco = excluded.to_telco, to_phone = excluded.to_phone,
    error = excluded.error, charged = excluded.charged
"""


class OwnPostgresReceipts(PostgresReceipts):
    """See `bulksend.runs.receipts.OwnReceipts`.

    Args:
        of: the run.
        writing: a transaction of its owner.
        skew_s: see `bulksend.runs.postgres.clock`.
    """

    def __init__(self, of: Reader, writing: Callable[[], AbstractContextManager[Reader]], skew_s: float) -> None:
        super().__init__(of, skew_s)
        self._writing = writing

    def awaited(self) -> PostgresAwaiting:
        """See `OwnReceipts.awaited`."""
        return PostgresAwaiting(self._reader, self._writing, self._skew_s)


class PostgresAwaiting:
    """See `bulksend.engagespark.Awaiting`. The messages stand in a table of the connection's, which may be long."""

    def __init__(self, of: Reader, writing: Callable[[], AbstractContextManager[Reader]], skew_s: float) -> None:
        self._of = of
        self._writing = writing
        with explained(of.place):
            for statement in _AWAIT.format(run=of.run).split(";"):
                of.db.execute(statement)
        self.left, since_s, until_s = of.first(_SPAN)
        self.since_s, self.until_s = since_s - skew_s, until_s - skew_s

    def note(self, receipts: Sequence[Receipt]) -> int:
        """See `Awaiting.note`."""
        ids = [receipt.message_id for receipt in receipts]
        of_these = "FROM pg_temp.awaited WHERE message_id = ANY(%s)"
        with explained(self._of.place):
            (noted,) = one(self._of.db.execute(f"SELECT count(*) {of_these}", [ids]))
        if noted:
            last = {receipt.message_id: receipt for receipt in receipts}  # of two of the same message the later
            told = [
                (each.message_id, each.to_telco, each.to_phone.value, plain(each.error), each.charged)
                for each in last.values()
            ]
            with self._writing():
                self._of.db.execute(_NOTE, [self._of.run, *map(list, zip(*told, strict=True))])
            with explained(self._of.place):
                self._of.db.execute(f"DELETE {of_these}", [ids])
            self.left -= noted
        return int(noted)

    def next(self, after: str, limit: int) -> list[str]:
        """See `Awaiting.next`."""
        sql = "SELECT DISTINCT message_id FROM pg_temp.awaited WHERE message_id > %(after)s ORDER BY 1 LIMIT %(limit)s"
        return [message_id for (message_id,) in self._of.all(sql, after=after, limit=limit)]
