"""A contact's number becomes known: its rows move to the part of the account's phones that the number belongs to.

Until then they lie in the part of its id, for nobody can know better. What was sent to the contact so far counts
against the cap of the phone, which the owner of that part keeps: he is told in the same transaction; see
`bulksend.runs.postgres.landing`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from bulksend.model import ContactId, PhoneNumber
from bulksend.runs import life
from bulksend.runs.postgres.columns import COUNTED, TAKEN
from bulksend.runs.postgres.connecting import plain
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.postgres.shards import shard_of
from bulksend.runs.states import State

_AT_ONCE = 10_000  # contacts
_KEPT_S = 3600  # as long as a cap may count
# In the order of their ids, as all who note several, and whoever moves a contact's rows has its number locked: so that
# nobody waits for who waits for him.
_NOTE = """
INSERT INTO number SELECT %(run)s, contact, phone
FROM unnest(%(contacts)s::bigint[], %(phones)s::text[]) AS told (contact, phone) ORDER BY contact
ON CONFLICT (run, contact) DO {} RETURNING contact
"""
_NEWER = "UPDATE SET phone = excluded.phone WHERE number.phone <> excluded.phone"
# What was sent stays where it is, for nobody asks after it.
_MOVE = f"""
WITH told AS MATERIALIZED (
    SELECT * FROM unnest(%(contacts)s::bigint[], %(phones)s::text[], %(shards)s::smallint[])
        AS told (contact, phone, shard)
), moved AS (
    UPDATE message m SET shard = told.shard FROM told
    WHERE m.run = %(run)s AND m.contact = told.contact AND m.shard <> told.shard
        AND NOT EXISTS (SELECT FROM send s WHERE s.run = m.run AND s.row = m.row AND s.state = '{State.SENT}')
    RETURNING m.contact, m.row
)
"""
_TELL = f"""
{_MOVE}, sent AS (
    SELECT told.*, s.shard AS sent_for, s.epoch, {TAKEN}, row_number() OVER (PARTITION BY told.contact) AS nth
    FROM told JOIN message m ON m.run = %(run)s AND m.contact = told.contact
    JOIN send s ON s.run = m.run AND s.row = m.row {COUNTED}
    WHERE s.shard <> told.shard AND {life.may_have_arrived("s.")} AND ended >= %(now)s - {_KEPT_S}
), came AS (
    SELECT contact, 1 AS nth, array_agg(row) AS rows FROM moved GROUP BY contact
)
INSERT INTO landed (account, shard, sent_for, epoch, run, phone, parts, messages, ended_at, moved)
SELECT %(account)s, shard, sent_for, epoch, %(run)s, phone, parts, messages, ended, coalesce(rows, '{{}}')
FROM sent LEFT JOIN came USING (contact, nth)
"""
# What the account learned since the run was planned, or from another run that was sent meanwhile.
_KNOWN = """
SELECT a.contact, a.phone FROM account_number a LEFT JOIN number n ON n.run = %(run)s AND n.contact = a.contact
WHERE a.account = (SELECT account FROM run WHERE id = %(run)s) AND n.contact IS NULL
    AND EXISTS (SELECT FROM message m WHERE m.run = %(run)s AND m.contact = a.contact AND m.shard = ANY(%(nos)s))
ORDER BY a.contact
"""
_NUMBERS = "SELECT contact, phone FROM number WHERE run = %(run)s ORDER BY contact"


def lend(of: Reader, numbers: Mapping[ContactId, PhoneNumber]) -> None:
    """Note numbers of contacts that were known before; what the run itself has learned stays."""
    if new := _noted(of, numbers, is_newer=False):
        _move(of, new)


def tell_known(of: Reader, account: int | None, nos: Collection[int], now_s: float) -> None:
    """Note the numbers that the run's account knows by now of contacts in some shards, which nobody is sending for yet.

    See `tell`.
    """
    for some in _batches(of.each(_KNOWN, nos=list(nos))):
        _tell(of, account, _noted(of, some, is_newer=False), now_s)


def tell(of: Reader, account: int | None, numbers: Mapping[ContactId, PhoneNumber], now_s: float) -> None:
    """Note numbers that answers told, instead of what was known, and tell the phones' owners what was sent there.

    Args:
        of: the run.
        account: whose shards are sent for; None if the run is of none.
        numbers: by contact.
        now_s: what nobody saw the end of ended then, by the database's clock.
    """
    _tell(of, account, _noted(of, numbers, is_newer=True), now_s)


def place(of: Reader) -> None:
    """Have the rows of contacts whose numbers are known where these belong."""
    for some in _batches(of.each(_NUMBERS)):
        _move(of, some)


def _tell(of: Reader, account: int | None, new: Mapping[ContactId, PhoneNumber], now_s: float) -> None:
    if new and account is None:
        _move(of, new)
    elif new:
        of.db.execute(_TELL, {"run": of.run, "account": account, "now": now_s, **_told(new)})


def _noted(of: Reader, numbers: Mapping[ContactId, PhoneNumber], *, is_newer: bool) -> dict[ContactId, PhoneNumber]:
    """Note numbers; those that were not known before."""
    which = {contact: PhoneNumber(plain(phone)) for contact, phone in numbers.items()}
    noted = of.all(_NOTE.format(_NEWER if is_newer else "NOTHING"), **_told(which))
    return {contact: which[contact] for (contact,) in noted}


def _move(of: Reader, numbers: Mapping[ContactId, PhoneNumber]) -> None:
    of.db.execute(f"{_MOVE} SELECT", {"run": of.run, **_told(numbers)})


def _batches(found: Iterator[tuple[ContactId, PhoneNumber]]) -> Iterator[dict[ContactId, PhoneNumber]]:
    while some := dict(islice(found, _AT_ONCE)):
        yield some


def _told(numbers: Mapping[ContactId, PhoneNumber]) -> dict[str, Sequence[object]]:
    phones = list(numbers.values())
    return {"contacts": list(numbers), "phones": phones, "shards": [shard_of(phone) for phone in phones]}
