"""The delivery receipts of a run in a database, for reading: the SQL of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bulksend.model import Reached, Receipt, Recipient
from bulksend.runs.postgres.columns import CONTACT, NUMBER, PHONE, SENDS, with_who
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.receipts import Deliveries, Undelivered, receipt_of
from bulksend.runs.states import State

_WITH = f"{SENDS} JOIN receipt r ON r.run = s.run AND r.row = s.row"
_FINAL = f"r.to_phone IN ('{Reached.CONFIRMED}', '{Reached.FAILED}')"
_ALL = f"""
SELECT r.row, coalesce(s.answer->>'messageId', ''), r.to_telco, r.to_phone, r.error, r.charged FROM {_WITH}
WHERE s.run = %(run)s
"""
_SUMS = f"""
SELECT count(*), count(r.row), count(*) FILTER (WHERE r.to_phone = '{Reached.CONFIRMED}'),
    count(*) FILTER (WHERE r.to_phone = '{Reached.FAILED}'), coalesce(sum(r.charged), 0)::bigint,
    coalesce(sum(coalesce(s.charged, m.price)) FILTER (WHERE r.charged IS NOT NULL), 0)::bigint, count(r.charged)
FROM {SENDS} LEFT JOIN receipt r ON r.run = s.run AND r.row = s.row
WHERE s.run = %(run)s AND s.state = '{State.SENT}'
"""
_REASONS = f"""
SELECT error, count(*) AS n, min(row) FROM receipt WHERE run = %(run)s AND to_phone = '{Reached.FAILED}'
GROUP BY error ORDER BY n DESC, min(row) LIMIT %(limit)s
"""
_VERDICTS = f"""
SELECT {PHONE} AS known, {CONTACT} AS other, max((r.to_phone = '{Reached.CONFIRMED}')::integer) FROM {_WITH} {NUMBER}
WHERE s.run = %(run)s AND {_FINAL} AND (m.phone IS NOT NULL OR m.contact IS NOT NULL) GROUP BY known, other
"""
_LAST = f"SELECT coalesce(max(s.started_at), 0) FROM {_WITH} WHERE s.run = %(run)s AND {_FINAL}"


class PostgresReceipts:
    """See `bulksend.runs.receipts.Receipts`."""

    def __init__(self, reader: Reader, skew_s: float) -> None:
        self._reader = reader
        self._skew_s = skew_s

    @property
    def were_fetched(self) -> bool:
        """See `Receipts.were_fetched`."""
        return bool(self._reader.first("SELECT EXISTS (SELECT FROM receipt WHERE run = %(run)s)")[0])

    def all(self) -> Iterator[tuple[int, Receipt]]:
        """See `Receipts.all`."""
        return map(receipt_of, self._reader.each(f"{_ALL} ORDER BY r.row"))

    def of(self, rows: Sequence[int]) -> dict[int, Receipt]:
        """See `Receipts.of`."""
        return dict(map(receipt_of, self._reader.all(f"{_ALL} AND r.row = ANY(%(rows)s::bigint[])", rows=list(rows))))

    def deliveries(self, reasons: int) -> Deliveries:
        """See `Receipts.deliveries`."""
        with self._reader.snapshot():
            why = tuple(map(Undelivered._make, self._reader.all(_REASONS, limit=reasons)))
            counts: tuple[int, int, int, int, int, int, int] = self._reader.first(_SUMS)
        return Deliveries(*counts, why)

    def verdicts(self) -> Iterator[tuple[Recipient, int]]:
        """See `Receipts.verdicts`."""
        return with_who(self._reader.each(_VERDICTS), 0)

    def last_sent_at(self) -> float:
        """See `Receipts.last_sent_at`."""
        return float(self._reader.first(_LAST)[0]) - self._skew_s
