"""What receipts said of each phone, in a database; see `bulksend.runs.outliving.Reach`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from bulksend.model import Recipient
from bulksend.runs.hashes import Hashes
from bulksend.runs.postgres.accounts import remember_alone
from bulksend.runs.postgres.linking import Link
from bulksend.runs.reach import AT_ONCE, IN_A_ROW
from bulksend.runs.store import Run

_TELL = """
INSERT INTO told_run (account, plan_id, sent_at) VALUES (%s, %s, %s)
ON CONFLICT (account, plan_id) DO UPDATE SET sent_at = excluded.sent_at RETURNING id
"""
_TAKE_IN = """
INSERT INTO reached_by SELECT phone, %s, reached FROM unnest(%s::bigint[], %s::boolean[]) AS told (phone, reached)
ON CONFLICT (phone, run) DO UPDATE SET reached = excluded.reached
"""
_DEAD = """
WITH latest AS (
    SELECT place, reached, row_number() OVER (PARTITION BY place ORDER BY sent_at DESC, told_run.id DESC) AS back
    FROM unnest(%(places)s::integer[], %(phones)s::bigint[]) AS wanted (place, phone)
    JOIN reached_by USING (phone) JOIN told_run ON told_run.id = run AND account = %(account)s
)
SELECT place FROM latest WHERE back <= %(runs)s GROUP BY place HAVING count(*) = %(runs)s AND NOT bool_or(reached)
"""


class PostgresReach:
    """Which runs of an account reached which phones, as far as receipts tell.

    Args:
        link: the way to the database.
        account: its number there.
        hashes: by which phones stand there; what is taken in gets the first.
    """

    def __init__(self, link: Link, account: int, hashes: Sequence[Hashes]) -> None:
        self._link = link
        self._account = account
        self._hashes = hashes

    def take_in(self, run: Run) -> None:
        """See `Reach.take_in`."""
        sent_at = run.receipts.last_sent_at() + self._link.skew_s
        with self._link.transaction() as db:
            remember_alone(db, self._account)
            ((number,),) = db.execute(_TELL, [self._account, run.facts.plan_id, sent_at]).fetchall()
            verdicts = run.receipts.verdicts()
            while some := list(islice(verdicts, AT_ONCE)):
                phones = self._hashes[0].of_phones(who for who, _ in some)
                told = {phone: bool(reached) for phone, (_, reached) in zip(phones, some, strict=True)}
                db.execute(_TAKE_IN, [number, list(told), list(told.values())])
            db.execute("UPDATE account SET changes = changes + 1 WHERE id = %s", [self._account])

    def dead(self, recipients: Iterable[Recipient]) -> set[int]:
        """See `Reach.dead`."""
        wanted = list(recipients)
        hashed = [list(each.of_phones(wanted)) for each in self._hashes]
        which = {
            "places": [*range(len(wanted))] * len(hashed),
            "phones": [phone for phones in hashed for phone in phones],
            "account": self._account,
            "runs": IN_A_ROW,
        }
        return {place for (place,) in self._link.ask(lambda db: db.execute(_DEAD, which).fetchall())}
