"""Never twice where several send at once: a run reserves phone and text for itself in its intents' own transaction.

What earlier runs of the account sent is looked at long before, see `bulksend.campaign.lookback`. Here is the last word,
for two who submit the same sheet in the same minute: rows do not begin whose phone and text another run has since a
command of the last hours. What that run has certainly not sent, it gives back with the outcome.

As many of a run's own rows may have the same phone and text as its sheet has. And as many equal ones as it has left out
already for what history holds, the other run may have sent: the rest is meant.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bulksend.runs import life
from bulksend.runs.postgres.connecting import Db, array
from bulksend.runs.states import State

# A contact is a phone of its own as long as its number is not known. The order is the same for all, so that two who
# want the same wait for each other, and not in a circle.
_WANTED = f"""
    SELECT account.id AS account, m.run, m.row, hashed(key, 'text', m.text) AS text,
        hashed(key, 'phone', coalesce(n.phone, m.phone, m.contact::text)) AS phone,
        hashed(key, 'phone', m.contact::text) AS of_contact, (
            SELECT count(*) FROM repeat p JOIN message e USING (run, row) JOIN send s USING (run, row)
            WHERE p.run = m.run AND (p.phone = m.phone OR p.contact = m.contact)
                AND e.text = m.text AND s.state = '{State.LEFT_OUT}'
        ) AS spared
    FROM message m JOIN run ON run.id = m.run JOIN account ON account.id = run.account
    LEFT JOIN number n ON n.run = m.run AND n.contact = m.contact
    WHERE m.run = %(run)s AND m.row = ANY(%(rows)s::bigint[])
"""
_RESERVE = f"""
WITH wanted AS MATERIALIZED ({_WANTED}), mine AS (
    INSERT INTO reservation AS held
    SELECT account, phone, text, run, %(began_at)s, count(*), max(spared) FROM wanted
    GROUP BY account, phone, text, run ORDER BY phone, text
    ON CONFLICT (account, phone, text) DO UPDATE SET run = excluded.run, began_at = excluded.began_at,
        rows = excluded.rows + CASE WHEN held.run = excluded.run THEN held.rows ELSE 0 END, spared = excluded.spared
    WHERE held.run = excluded.run OR held.rows <= excluded.spared OR held.began_at <= %(fresh_since)s
    RETURNING phone, text
)
SELECT row, phone, text FROM wanted LEFT JOIN mine USING (phone, text) WHERE mine.phone IS NULL ORDER BY row
"""
_HOLDERS = """
SELECT row, run.name, held.began_at FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS refused (row, phone, text)
LEFT JOIN reservation held ON held.account = (SELECT account FROM run WHERE id = %s)
    AND held.phone = refused.phone AND held.text = refused.text
LEFT JOIN run ON run.id = held.run ORDER BY row
"""
# What was reserved for a contact before its number was known stands under its id: another row may have the number's.
_GIVE_BACK = f"""
WITH wanted AS MATERIALIZED (
    {_WANTED} AND NOT EXISTS (
        SELECT FROM send s WHERE s.run = m.run AND s.row = m.row AND {life.may_have_arrived("s.")}
    )
), given AS (
    SELECT account, coalesce((
        SELECT held.phone FROM reservation held WHERE held.account = wanted.account AND held.phone = of_contact
            AND held.text = wanted.text AND held.run = wanted.run AND held.rows > 0
    ), phone) AS phone, text, run, count(*) AS rows FROM wanted GROUP BY 1, 2, 3, 4
), mine AS (
    SELECT held.account, held.phone, held.text, given.rows FROM reservation held
    JOIN given USING (account, phone, text, run)
    ORDER BY held.phone, held.text FOR UPDATE OF held
)
UPDATE reservation held SET rows = greatest(held.rows - mine.rows, 0) FROM mine
WHERE held.account = mine.account AND held.phone = mine.phone AND held.text = mine.text
"""
_FORGET = """
WITH old AS (
    SELECT account, phone, text FROM reservation WHERE account = %s AND began_at < %s ORDER BY phone, text FOR UPDATE
)
DELETE FROM reservation held USING old
WHERE held.account = old.account AND held.phone = old.phone AND held.text = old.text
"""


@dataclass(frozen=True, slots=True)
class Reserving:
    """How the rows of a command are reserved.

    Attributes:
        began_at: when somebody gave the command, in seconds since 1970.
        repeat_after_s: for so long the same text is a slip; what another run began to send before does not matter.
        repeat: whether it is sent all the same; it is noted then, and refused to nobody.
    """

    began_at: float
    repeat_after_s: float
    repeat: bool = False


class Refused(NamedTuple):
    """A row that must not begin.

    Attributes:
        row: its number.
        says: why, as results tell.
    """

    row: int
    says: str


def reserve(db: Db, run: int, rows: Sequence[int], how: Reserving, skew_s: float) -> list[Refused]:
    """Reserve phone and text of rows that are about to begin, inside the transaction in which they do.

    Who wants the same at the same moment waits here until that transaction ends.

    Args:
        db: the connection.
        run: the run's number; one that is of no account refuses nothing.
        rows: its rows.
        how: see there.
        skew_s: by so many seconds the database's clock is ahead.

    Returns:
        Those that another run has reserved; all others are reserved now.
    """
    began_at = how.began_at + skew_s
    fresh_since = float("inf") if how.repeat else began_at - how.repeat_after_s
    which = {"run": run, "rows": array(rows), "began_at": began_at, "fresh_since": fresh_since}
    refused = db.execute(_RESERVE, which).fetchall()
    if not refused:
        return []
    # Asked anew: who was waited for is not in sight of the statement that waited.
    holders = db.execute(_HOLDERS, [*map(list, zip(*refused, strict=True)), run]).fetchall()
    return [Refused(row, _reason(name, None if at is None else at - skew_s)) for row, name, at in holders]


def give_back(db: Db, run: int, rows: Sequence[int]) -> None:
    """Give back what was reserved for rows that were certainly not sent: behind their outcomes, in their transaction.

    Rows of which that is not so may be among them.
    """
    db.execute(_GIVE_BACK, {"run": run, "rows": array(rows)})


def forget(db: Db, account: int, before_s: float) -> None:
    """What commands of an account reserved that were given before, by the database's clock, holds nobody up."""
    db.execute(_FORGET, [account, before_s])


def _reason(name: str | None, began_at: float | None) -> str:
    """Why a row is left out, as its results tell; the same words for all rows of a reason."""
    if name is None or began_at is None:  # it is gone by now
        return "another run of the account began to send this very text to this phone"
    then = time.localtime(began_at)
    when = f"{then.tm_mday} {time.strftime('%B %Y, %H:%M', then)}"
    return f"got this very text from {name} on {when}, or is getting it now"
