"""What the owner of a run decides of its rows before they are sent: the SQL, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from bulksend.model import Event
from bulksend.runs import life
from bulksend.runs.postgres.columns import NUMBER, who
from bulksend.runs.postgres.connecting import plain
from bulksend.runs.postgres.queries import first_unfinished
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import STEPS, Decision, State
from bulksend.runs.telling import KnownRow, OpenRow, UnsentRow

_MESSAGES = f"message m LEFT JOIN send s ON s.run = m.run AND s.row = m.row AND s.row > %(after)s {NUMBER}"
_UNSENT = f"""
SELECT m.row, m.phone, m.contact, n.phone, m.text FROM {_MESSAGES}
WHERE m.run = %(run)s AND m.row > %(after)s AND m.status = 'pending'
    AND (s.row IS NULL OR {life.can_be(Event.LEFT_OUT, "s.")})
ORDER BY m.row LIMIT %(limit)s
"""
_SENT_BY_ANOTHER = f"""
SELECT m.row, m.phone, m.contact, n.phone, m.text, coalesce(s.answer->>'messageId', '')
FROM send s JOIN message m ON m.run = s.run AND m.row = s.row {NUMBER}
WHERE s.run = %(run)s AND s.row > %(after)s AND s.state = '{State.SKIPPED}' AND s.attempts > 0
    AND s.ended_at >= %(since)s
ORDER BY s.row LIMIT %(limit)s
"""
_MAY_BE_EXCLUDED = f"{life.can_be(Event.EXCLUDED, 's.')} AND s.decision IS DISTINCT FROM '{Decision.EXCLUDED}'"
_OPEN = f"m.row, m.phone, m.contact, n.phone, s.row IS NOT NULL AND s.state = '{State.UNKNOWN}'"
_TO_EXCLUDE = f"""
SELECT {_OPEN} FROM {_MESSAGES}
WHERE m.run = %(run)s AND m.row > %(after)s AND m.status = 'pending' AND (s.row IS NULL OR {_MAY_BE_EXCLUDED})
ORDER BY m.row LIMIT %(limit)s
"""
# Of millions of rows that were sent only those are looked at that were not.
_TO_EXCLUDE_BEFORE = f"""
SELECT {_OPEN} FROM send s JOIN message m ON m.run = s.run AND m.row = s.row {NUMBER}
WHERE s.run = %(run)s AND s.row > %(after)s AND s.row < %(first)s AND {_MAY_BE_EXCLUDED} ORDER BY s.row LIMIT %(limit)s
"""
_ALIKE = f"""
SELECT m.row, count(*) FROM message m
JOIN repeat r ON r.run = m.run AND (r.phone = m.phone OR r.contact = m.contact)
JOIN message other ON other.run = r.run AND other.row = r.row AND other.text = m.text
JOIN send s ON s.run = r.run AND s.row = r.row AND s.state = '{State.LEFT_OUT}'
WHERE m.run = %(run)s AND m.row = ANY(%(rows)s) GROUP BY m.row
"""
_NOT_AGAIN = "it may have been accepted before, and is not repeated"
# What is under way is left out by whoever has it alone: it has not left.
_LEAVE_OUT = f"""
INSERT INTO send (run, row, state, attempts, started_at, error, epoch, ticket)
SELECT %(run)s, row, '{{after}}', 0, %(at)s, says, %(epoch)s, %(ticket)s
FROM unnest(%(rows)s::bigint[], %(says)s::text[]) AS left_out (row, says)
ON CONFLICT (run, row) DO UPDATE SET {{changes}},
    attempts = send.attempts - (send.state = '{State.IN_FLIGHT}')::integer,
    ended_at = CASE send.state WHEN '{State.IN_FLIGHT}' THEN excluded.started_at ELSE send.ended_at END,
    error = excluded.error || CASE WHEN send.doubt_since IS NULL THEN '' ELSE '; {_NOT_AGAIN}' END
WHERE {{can_be}}
    AND (send.state <> '{State.IN_FLIGHT}' OR send.epoch = excluded.epoch AND send.ticket = excluded.ticket)
"""
# Counted from the plan each time, so that whoever looks twice counts once.
_COUNT_ON = """
INSERT INTO copy SELECT m.run, m.row, wanted.earlier + (
    SELECT count(*) FROM repeat r JOIN message other ON other.run = r.run AND other.row = r.row
    WHERE r.run = m.run AND (r.phone = m.phone OR r.contact = m.contact) AND r.row < m.row AND other.text = m.text
        AND other.sender IS NOT DISTINCT FROM m.sender
) FROM unnest(%s::bigint[], %s::bigint[]) AS wanted (row, earlier) JOIN message m ON m.run = %s AND m.row = wanted.row
ON CONFLICT (run, row) DO UPDATE SET copy = excluded.copy
"""
_EXPLAIN = f"""
UPDATE send SET error = told.says FROM unnest(%s::bigint[], %s::text[]) AS told (row, says)
WHERE send.run = %s AND send.row = told.row AND send.state = '{State.SKIPPED}'
"""
_TAKE_UP = f"""
UPDATE send SET {life.after(Event.TAKEN_UP)}, error = NULL WHERE run = %s AND {life.can_be(Event.TAKEN_UP)}
"""


def unsent(of: Reader, after: int, limit: int) -> list[UnsentRow]:
    """What `OwnRun.unsent` tells."""
    after = max(after, first_unfinished(of) - 1)
    found = of.all(_UNSENT, after=after, limit=limit)
    return [(row, who(phone, contact), number, text) for row, phone, contact, number, text in found]


def to_exclude(of: Reader, after: int, limit: int) -> list[OpenRow]:
    """What `OwnRun.to_exclude` tells."""
    first = first_unfinished(of)
    found = of.all(_TO_EXCLUDE_BEFORE, after=after, first=first, limit=limit) if after + 1 < first else []
    found = found or of.all(_TO_EXCLUDE, after=max(after, first - 1), limit=limit)
    return [(row, who(phone, contact), number, doubt) for row, phone, contact, number, doubt in found]


def alike_left_out(of: Reader, rows: Sequence[int]) -> dict[int, int]:
    """What `OwnRun.alike_left_out` tells."""
    return dict(of.all(_ALIKE, rows=list(rows)))


def leave_out(of: Reader, rows: Sequence[tuple[int, str]], event: Event, at_s: float) -> None:
    """Do what `OwnRun.leave_out` says; nothing of the run is under way."""
    _leave_out(of, rows, event, at_s, None, None)


def exclude(of: Reader, row: int, says: str, at_s: float, epoch: int | None, ticket: int | None) -> None:
    """A row is not to be sent, for whom it goes to.

    Args:
        of: the run.
        row: which.
        says: why.
        at_s: when, by the database's clock.
        epoch: under which its intent was committed, if one was by whoever excludes it.
        ticket: that of the intent.
    """
    _leave_out(of, [(row, says)], Event.EXCLUDED, at_s, epoch, ticket)


def _leave_out(
    of: Reader, rows: Sequence[tuple[int, str]], event: Event, at_s: float, epoch: int | None, ticket: int | None
) -> None:
    changes, can_be = life.after(event, table="send."), life.can_be(event, "send.")
    statement = _LEAVE_OUT.format(after=STEPS[event].after, changes=changes, can_be=can_be)
    which = {"rows": [row for row, _ in rows], "says": [plain(says) for _, says in rows]}
    of.db.execute(statement, which | {"run": of.run, "at": at_s, "epoch": epoch, "ticket": ticket})


def decide(of: Reader, rows: Sequence[int], event: Event) -> None:
    """Do what `OwnRun.decide` says."""
    statement = f"UPDATE send SET {life.after(event)} WHERE run = %s AND row = ANY(%s) AND {life.can_be(event)}"
    of.db.execute(statement, [of.run, list(rows)])


def count_on(of: Reader, rows: Sequence[tuple[int, int]]) -> None:
    """Do what `OwnRun.count_on` says."""
    of.db.execute(_COUNT_ON, [[row for row, _ in rows], [earlier for _, earlier in rows], of.run])


def known(of: Reader, since_s: float, after: int, limit: int) -> list[KnownRow]:
    """What `OwnRun.known` tells."""
    found = of.all(_SENT_BY_ANOTHER, since=since_s, after=after, limit=limit)
    return [(row, who(phone, contact), *rest) for row, phone, contact, *rest in found]


def explain(of: Reader, rows: Sequence[tuple[int, str]]) -> None:
    """Do what `OwnRun.explain` says."""
    of.db.execute(_EXPLAIN, [[row for row, _ in rows], [plain(says) for _, says in rows], of.run])


def take_up(of: Reader) -> None:
    """Do what `OwnRun.take_up` says."""
    of.db.execute(_TAKE_UP, [of.run])
