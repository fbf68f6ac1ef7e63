"""What became of attempts, noted in a database: the SQL, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from bulksend.model import Answer, Event, Outcome
from bulksend.runs import life
from bulksend.runs.answers import named
from bulksend.runs.postgres.columns import CUTS_OFF
from bulksend.runs.postgres.connecting import array, plain
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import State

_ENDS = (
    Event.ACCEPTED, Event.KNOWN, Event.REJECTED, Event.FAILED, Event.PUT_OFF, Event.DOUBTED, Event.CALLED_OFF,
)  # fmt: skip

# All of a group as one text of JSON: psycopg takes ten times as long for lists of as many values.
_SETTLE = f"""
UPDATE send SET {life.after(*_ENDS, which="done.event", table="send.")},
    attempts = send.attempts - (done.event = '{Event.CALLED_OFF}')::integer, ended_at = done.ended_at,
    http_status = done.http_status, error = done.error, answer = done.answer, charged = done.charged,
    bad = coalesce(done.bad, send.bad)
FROM json_to_recordset(%s::json) AS done (
    row bigint, epoch bigint, ticket bigint, event text, ended_at float8, http_status integer, error text,
    charged bigint, answer jsonb, bad boolean
)
WHERE send.run = %s AND send.row = done.row AND send.epoch = done.epoch AND send.ticket = done.ticket
    AND send.state = '{State.IN_FLIGHT}'
RETURNING send.row
"""
_FOUND = f"""
UPDATE send SET {life.after(Event.FOUND, table="send.")}, ended_at = %s, answer = said.answer, charged = said.charged,
    error = 'its answer was lost; found in the API''s list of messages'
FROM json_to_recordset(%s::json) AS said (row bigint, charged bigint, answer jsonb)
WHERE send.run = %s AND send.row = said.row AND {life.can_be(Event.FOUND, "send.")}
"""
TRIED = f"""send.run = %(run)s AND send.state = '{State.IN_FLIGHT}'
    AND (send.row, send.ticket) IN (SELECT * FROM unnest(%(rows)s::bigint[], %(tickets)s::bigint[]))
    AND (%(account)s::integer IS NULL AND send.epoch = %(epoch)s OR (send.shard, send.epoch) IN (
        SELECT * FROM unnest(%(nos)s::smallint[], %(epochs)s::bigint[])))"""
"""Of ``send``: an intent that this process may have noted. Others count epochs and tickets from 1, too."""
_TAKE_BACK = f"""
UPDATE send SET {life.after(Event.CALLED_OFF, table="send.")}, attempts = attempts - 1 WHERE {TRIED}
RETURNING send.row, CASE WHEN send.doubt_since IS NULL THEN coalesce(send.held, 0) ELSE 0 END
"""
_CUT_OFF = f"""
{CUTS_OFF}
WHERE run = %(run)s AND {life.can_be(Event.CUT_OFF)} AND (row, shard, epoch, ticket) IN (
    SELECT * FROM unnest(%(rows)s::bigint[], %(nos)s::smallint[], %(epochs)s::bigint[], %(tickets)s::bigint[]))
"""
_LEFT_BEHIND = f"""
{CUTS_OFF}
WHERE run = %(run)s AND {life.can_be(Event.CUT_OFF)} AND (shard, epoch) IN (
    SELECT * FROM unnest(%(nos)s::smallint[], %(epochs)s::bigint[]))
"""


class Intent(NamedTuple):
    """What tells a committed intent from all others of its row.

    Attributes:
        shard: the row's.
        epoch: of the shard, or of a run that is of no account.
        ticket: see `Attempt`.
    """

    shard: int
    epoch: int
    ticket: int


def settle(of: Reader, outcomes: Sequence[tuple[Outcome, Intent]], skew_s: float, bad: Mapping[int, bool]) -> set[int]:
    """Note outcomes, each of its own intent alone; that somebody is excluded is noted elsewhere.

    Args:
        of: the run.
        outcomes: each with the intent that it is of.
        skew_s: see `bulksend.runs.postgres.clock`.
        bad: by row, whether it counts as an error, where that is counted.

    Returns:
        The rows of those that were not noted before.
    """
    ended = [
        _settlement(each, intent, skew_s, bad.get(each.row))
        for each, intent in outcomes
        if each.event is not Event.EXCLUDED
    ]
    if not ended:
        return set()
    return {row for (row,) in of.db.execute(_SETTLE, [orjson.dumps(ended).decode(), of.run])}


def tried(mine: Mapping[str, Any], rows: Mapping[int, int]) -> dict[str, Any]:
    """What `TRIED` asks for.

    Args:
        mine: what is held of the run, as the statements know it.
        rows: that were tried, by ticket.
    """
    return {**mine, "rows": array(rows.values()), "tickets": array(rows)}


def take_back(of: Reader, which: Mapping[str, Any]) -> dict[int, int]:
    """Intents of which nobody knows whether they were committed, and which surely did not leave, are none.

    Args:
        of: the run.
        which: see `tried`.

    Returns:
        By row, what was held of it and comes free, in micro-USD.
    """
    return dict(of.all(_TAKE_BACK, **which))


def cut_off(of: Reader, in_flight: Mapping[int, Intent]) -> None:
    """Of one's own intents, by row, the end is not known; those of others are theirs."""
    intents = in_flight.values()
    of.db.execute(
        _CUT_OFF,
        {
            "run": of.run,
            "rows": array(in_flight),
            "nos": array(intent.shard for intent in intents),
            "epochs": array(intent.epoch for intent in intents),
            "tickets": array(intent.ticket for intent in intents),
        },
    )


def cut_off_left(of: Reader, epochs: Mapping[int, int]) -> None:
    """Of what is under way for own shards, by their epochs, the end is not known: nobody sends for them just now."""
    of.db.execute(_LEFT_BEHIND, {"run": of.run, "nos": array(epochs), "epochs": array(epochs.values())})


def found(of: Reader, answers: Mapping[int, Answer], at_s: float) -> None:
    """Note that rows in doubt were accepted after all, as was seen at ``at_s`` by the database's clock."""
    told = [{"row": row, "charged": answer.charged, "answer": _said(answer)} for row, answer in answers.items()]
    if told:
        of.db.execute(_FOUND, [at_s, orjson.dumps(told).decode(), of.run])


def _settlement(outcome: Outcome, intent: Intent, skew_s: float, bad: bool | None) -> dict[str, object]:
    answer = outcome.answer
    return {
        "row": outcome.row,
        "epoch": intent.epoch,
        "ticket": intent.ticket,
        "event": outcome.event,
        "ended_at": outcome.ended_at + skew_s,
        "http_status": outcome.http_status,
        "error": plain(outcome.error),
        "charged": None if answer is None else answer.charged,
        "answer": None if answer is None else _said(answer),
        "bad": bad,
    }


def _said(answer: Answer) -> dict[str, object]:
    """What the API said, as far as a database can hold it: text in JSON can have no NUL character either."""
    return {name: plain(value) if isinstance(value, str) else value for name, value in named(answer).items()}
