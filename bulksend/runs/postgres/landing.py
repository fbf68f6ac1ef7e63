"""What was sent to a phone out of another shard, as the one who keeps its cap hears of it.

That is what went to a contact whose phone nobody knew yet; see `bulksend.runs.postgres.moving`. Who has the phone's
shard looks in each transaction in which intents are noted: what is told in another one, and was not to be seen then, is
found in the next. No row to such a phone begins before the caps count what was told of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from bulksend.model import PhoneNumber, Recipient
from bulksend.runs.postgres.columns import NUMBER
from bulksend.runs.postgres.connecting import array
from bulksend.runs.postgres.leases import Hold
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.postgres.schema import SHARDS

_NOTHING = "1:1:"  # a snapshot in which nothing is to be seen
# Another run of the account may have contacts that are under way: not one that is planned only from now on. Due to the
# order an index serves, whatever is known of the table.
_HAS_CONTACTS = """
SELECT EXISTS (SELECT FROM run CROSS JOIN LATERAL (
    SELECT FROM message m WHERE m.run = run.id AND m.contact IS NOT NULL ORDER BY m.contact LIMIT 1
) contacts WHERE account = %(account)s)
"""
# What a run told before the caps were seeded is among its own sends. What another one told may not be: who seeds the
# caps of these looks elsewhere, and before.
_LOOK = """
WITH here AS MATERIALIZED (SELECT pg_current_snapshot() AS seen)
SELECT here.seen::text, l.run, l.phone, l.parts, l.messages, l.ended_at, l.moved
FROM here LEFT JOIN landed l ON l.account = %(account)s AND l.told_in >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
    AND NOT pg_visible_in_snapshot(l.told_in, %(seen)s::pg_snapshot)
    AND l.shard = ANY(%(nos)s::smallint[]) AND NOT EXISTS (
        SELECT FROM unnest(%(nos)s::smallint[], %(epochs)s::bigint[]) AS mine (no, epoch)
        WHERE mine.no = l.sent_for AND mine.epoch = l.epoch)
    AND (%(goes_on)s OR l.run <> %(run)s)
"""
_TO_PHONES = f"""
SELECT m.row FROM message m {NUMBER}
WHERE m.run = %(run)s AND m.row = ANY(%(rows)s::bigint[]) AND coalesce(n.phone, m.phone) = ANY(%(phones)s::text[])
"""


class Landed(NamedTuple):
    """A send to a phone out of another shard; `ended_at` is by the database's clock."""

    phone: PhoneNumber
    parts: int
    messages: int
    ended_at: float

    def counted(self, skew_s: float, *, by_parts: bool) -> tuple[Recipient, int, float]:
        """Its slots of the phone's cap, and when it ended by this machine's clock."""
        return self.phone, self.parts if by_parts else self.messages, self.ended_at - skew_s


class _Heard(NamedTuple):
    """What was heard, as of the last transaction.

    Attributes:
        seen: the snapshot in which was looked last.
        claimed_to: the last row that was claimed: those behind it are still to be.
        sends: which the caps do not count yet.
        rows: which came to the own shards, or were held back, and are not claimed any more.
    """

    seen: str = _NOTHING
    claimed_to: float = 0
    sends: tuple[Landed, ...] = ()
    rows: frozenset[int] = frozenset()


class Landing:
    """What came to the shards of one who sends out of others; used in the transactions of its notes.

    Args:
        of: the run.
        lease: the shards.

    Attributes:
        hears: whether anything can come: there are contacts.
    """

    def __init__(self, of: Reader, lease: Hold) -> None:
        self._of = of
        self._lease = lease
        self._before = self._now = _Heard()
        self.hears: bool = lease.account is not None and of.first(_HAS_CONTACTS, account=lease.account)[0]

    def committed(self) -> None:
        """The transaction under way is on the disk."""
        self._before = self._now

    def rolled_back(self) -> None:
        """It is not, or nobody knows."""
        self._now = self._before

    def claimed(self, rows: Sequence[int]) -> None:
        """These rows were claimed just now; none if there are no more."""
        if not self.hears:
            return
        came, taken = self._look(), set(rows)
        claimed_to = rows[-1] if rows else math.inf
        behind = {row for row in came if row <= claimed_to and row not in taken}
        self._now = self._now._replace(claimed_to=claimed_to, rows=self._now.rows | behind)

    def begin(self, rows: Sequence[int]) -> Sequence[int]:
        """Those of rows that may begin: of their phones the caps know all that was told by now."""
        if not self.hears or len(self._lease.shards) == SHARDS:  # as long as all are held, nobody else can send
            return rows
        self._hear()
        held: set[int] = set()
        if self._now.sends:
            phones = list({each.phone for each in self._now.sends})
            held = {row for (row,) in self._of.all(_TO_PHONES, rows=array(rows), phones=phones)}
        self._now = self._now._replace(rows=self._now.rows | held)
        return [row for row in rows if row not in held]

    def heard(self) -> tuple[tuple[Landed, ...], frozenset[int]]:
        """What came since this was asked last, from now on counted; and the rows that came or were held back."""
        self._hear()
        sends, rows = self._now.sends, self._now.rows
        self._now = self._now._replace(sends=(), rows=frozenset())
        return sends, rows

    def _hear(self) -> None:
        came = {row for row in self._look() if row <= self._now.claimed_to}
        self._now = self._now._replace(rows=self._now.rows | came)

    def _look(self) -> set[int]:
        """Hear what was told by now; the rows of the run that came with it."""
        seen, shards = self._now.seen, self._lease.shards
        mine = {"account": self._lease.account, "nos": array(shards), "epochs": array(shards.values())}
        found = self._of.all(_LOOK, seen=seen, goes_on=seen != _NOTHING, **mine)
        told = [each for each in found if each[1] is not None]
        sends = tuple(Landed(PhoneNumber(phone), *rest) for _, _, phone, *rest, _ in told)
        self._now = self._now._replace(seen=found[0][0], sends=self._now.sends + sends)
        return {row for _, run, *_, moved in told if run == self._of.run for row in moved}
