"""What the engine asks of what was sent before: the SQL beside that of `queries`, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bulksend.model import Queued, Recipient
from bulksend.runs import life
from bulksend.runs.postgres.columns import NUMBER, who
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import State

MINE = "(%(nos)s::smallint[] IS NULL OR m.shard = ANY(%(nos)s::smallint[]))"
"""Of ``message m``: it is in one of the own shards, where there are any."""
TO_SEND = f"(s.row IS NULL OR {life.is_to_send('s.')})"
"""Of ``send s``, left-joined: it is still to be sent."""
UNTRIED = f"(s.state IS DISTINCT FROM '{State.FAILED}' OR s.ended_at < %(opened_at)s)"
"""Of the same: it did not fail since a run was opened for workers, of whom each would try it once more."""

REPEATABLE = f"""{life.is_unsettled("s.")} AND s.doubt_since >= %(since)s AND s.proof = %(proof)s
    AND (s.ended_at < %(opened_at)s AND s.row <= %(repeats_until)s
        OR s.ended_at >= %(opened_at)s AND s.attempts <= %(tries)s)"""
"""Of the same: it may be repeated under a proof. What was in doubt before a run was opened for workers up to a row, for
which a limit left room; what was put in doubt since until it was tried too often: each would try it anew, and again."""

_UNDECIDED = f"""
SELECT m.row, coalesce(n.phone, m.phone), m.contact, {{slots}}
FROM send s JOIN message m ON m.run = s.run AND m.row = s.row {NUMBER}
WHERE s.run = %(run)s AND {REPEATABLE} AND {MINE}
ORDER BY m.row
"""
_TO_REPEAT = f"""
SELECT m.row FROM send s JOIN message m ON m.run = s.run AND m.row = s.row
WHERE s.run = %(run)s AND {REPEATABLE} AND (m.shard = ANY(%(nos)s::smallint[])) = %(is_mine)s
"""
_MESSAGE_IDS = f"""
SELECT answer->>'messageId' FROM send WHERE run = %(run)s AND state IN ('{State.SENT}', '{State.SKIPPED}')
    AND answer IS NOT NULL AND ended_at >= %(since)s
"""
_RIVALS = f"""
SELECT DISTINCT m.phone, m.contact, m.text FROM send s JOIN message m ON m.run = s.run AND m.row = s.row
WHERE s.run = %(run)s AND {life.may_have_arrived("s.")} AND NOT {life.is_open("s.")}
    AND NOT (s.state = '{State.SENT}' AND s.attempts = 1) AND (s.ended_at IS NULL OR s.ended_at >= %(since)s)
"""


def slots(*, by_parts: bool) -> str:
    """How many SMS a row counts against a cap."""
    return "m.parts" if by_parts else "1"


def undecided(of: Reader, mine: Mapping[str, Any], since_s: float, proof: int, *, by_parts: bool) -> list[Queued]:
    """What `Journal.undecided` tells, of the own shards."""
    found = of.all(_UNDECIDED.format(slots=slots(by_parts=by_parts)), since=since_s, proof=proof, **mine)
    return [Queued(row, who(phone, contact), count) for row, phone, contact, count in found]


def to_repeat(of: Reader, **which: object) -> set[int]:
    """The rows in doubt, in some shards or in all others, that may be repeated under a proof."""
    return {row for (row,) in of.all(_TO_REPEAT, **which)}


def message_ids(of: Reader, since_s: float) -> set[str]:
    """What `Journal.message_ids` tells."""
    return {message_id for (message_id,) in of.all(_MESSAGE_IDS, since=since_s)}


def rivals(of: Reader, since_s: float) -> list[tuple[Recipient, str]]:
    """What `Journal.rivals` tells."""
    return [(who(phone, contact), text) for phone, contact, text in of.all(_RIVALS, since=since_s)]
