"""What is in flight and whose owner's lease has run out, as the next owner will find it; whoever only reads sees it so.

A row under way belongs to the lease under which its intent was committed: that of its part of the account's phones, or
that of the run where it is of no account. Leases run by the database's clock.
"""

from __future__ import annotations

from bulksend.model import Event
from bulksend.runs import life
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import State

_GONE = f"""
f.state = '{State.IN_FLIGHT}' AND NOT EXISTS (
    SELECT FROM run LEFT JOIN message ON message.run = run.id AND message.row = f.row
    LEFT JOIN shard ON shard.account = run.account AND shard.no = message.shard
    WHERE run.id = f.run AND f.epoch = CASE WHEN run.account IS NULL THEN run.epoch ELSE shard.epoch END
        AND CASE WHEN run.account IS NULL THEN run.lease_until ELSE shard.lease_until END > clock_timestamp())"""
_CHANGES = {
    **life.after(Event.CUT_OFF)._asdict(),
    "error": f"'{life.CUT_OFF}'",
}
_OTHERS = "run, row, attempts, started_at, ended_at, ticket, epoch, proof, http_status, answer, charged"
_COLUMNS = ", ".join(
    f"CASE WHEN is_gone THEN {value} ELSE {column} END AS {column}" for column, value in _CHANGES.items()
)
SHOWN = f"(SELECT {_OTHERS}, {_COLUMNS} FROM (SELECT f.*, {_GONE} AS is_gone FROM send f) f)"
"""Stands for the table ``send``, at the price of its indexes: they know nothing of what only seems to be."""


def sends(reader: Reader) -> str:
    """What is read for a run's sends: the table, unless something in it is cut off."""
    sql = f"SELECT EXISTS (SELECT FROM send f WHERE f.run = %(run)s AND f.state = '{State.IN_FLIGHT}' AND {_GONE})"
    return SHOWN if reader.first(sql)[0] else "send"
