"""Intents are noted: the SQL, inside the caller's transaction; the last guard against a double send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bulksend.model import Event
from bulksend.runs import life
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import Decision, State

# Who takes a shard over waits for the locks, and then finds these intents; so does who takes the run over. In the order
# of the shards' numbers, as all who lock several. The WHERE of the conflict is the last guard against a double send: a
# row that was accepted, or is on its way, cannot begin again.
_SHARDS = """
    SELECT shard.no, shard.epoch FROM shard
    JOIN unnest(%(nos)s::smallint[], %(epochs)s::bigint[]) AS mine (no, epoch) USING (no, epoch)
    WHERE shard.account = %(account)s AND shard.lease_until > clock_timestamp()
        AND shard.no IN (SELECT shard FROM planned)
        AND (NOT %(is_worked)s OR EXISTS (SELECT FROM run WHERE id = %(run)s AND opened = %(epoch)s))
    ORDER BY shard.no FOR SHARE OF shard
"""
_RUN = """
    SELECT no, run.epoch FROM run, (SELECT DISTINCT shard AS no FROM planned) AS parts
    WHERE run.id = %(run)s AND run.epoch = %(epoch)s AND run.lease_until > clock_timestamp() FOR SHARE OF run
"""
_BEGIN = f"""
WITH planned AS MATERIALIZED (
    SELECT m.*, held, place
    FROM unnest(%(rows)s::bigint[], %(held)s::bigint[]) WITH ORDINALITY AS wanted (row, held, place)
    JOIN message m ON m.run = %(run)s AND m.row = wanted.row
), fence AS MATERIALIZED ({{fence}}), begun AS (
    INSERT INTO send (run, row, state, attempts, started_at, ticket, epoch, shard, proof, held)
    SELECT run, row, '{State.IN_FLIGHT}', 1, %(at)s, %(issued)s + place, fence.epoch, fence.no, %(proof)s, held
    FROM planned JOIN fence ON fence.no = planned.shard
    ON CONFLICT (run, row) DO UPDATE SET {life.after(Event.BEGUN, table="send.")}, attempts = send.attempts + 1,
        started_at = excluded.started_at, ended_at = NULL, held = excluded.held,
        ticket = excluded.ticket, epoch = excluded.epoch, shard = excluded.shard,
        proof = CASE WHEN send.doubt_since IS NULL OR send.proof = excluded.proof THEN excluded.proof ELSE 0 END
    WHERE {life.can_be(Event.BEGUN, "send.")}
    RETURNING row, attempts, doubt_since, ticket, epoch, proof, decision
)
SELECT planned.row, phone, contact, sender, text, parts, price, coalesce(copy, 0),
    attempts, doubt_since, proof, coalesce(decision = '{Decision.RESEND}', false), shard, epoch, ticket
FROM begun JOIN planned USING (row) LEFT JOIN copy ON copy.run = planned.run AND copy.row = planned.row ORDER BY place
"""


def begin(of: Reader, mine: Mapping[str, Any], which: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    """Note intents of rows that are still this process's; of those that began, message, attempt and intent.

    Args:
        of: the run.
        mine: what is held of it, as the statements know it.
        which: the rows, what each is held at, when, under which tickets and which proof.
    """
    fence = _RUN if mine["account"] is None else _SHARDS
    return of.all(_BEGIN.format(fence=fence), **mine, **which)
