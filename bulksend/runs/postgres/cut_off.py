"""What is in flight and whose owner's lease has run out, as the next owner will find it; whoever only reads sees it so.

A row under way belongs to the lease under which its intent was committed: that of its part of the account's phones, or
that of the run where it is of no account. Leases run by the database's clock.
"""

from __future__ import annotations

from bulksend.model import Event
from bulksend.runs import life
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.states import State

_UNDER_WAY = f"f.state = '{State.IN_FLIGHT}'"
_HELD = """EXISTS (
    SELECT FROM run LEFT JOIN shard ON shard.account = run.account AND shard.no = f.shard
    WHERE run.id = f.run AND f.epoch = CASE WHEN run.account IS NULL THEN run.epoch ELSE shard.epoch END
        AND CASE WHEN run.account IS NULL THEN run.lease_until ELSE shard.lease_until END > clock_timestamp())"""
_CHANGED = life.after(Event.CUT_OFF)._asdict() | {"error": f"'{life.CUT_OFF}'"}
_OTHERS = "run, row, attempts, started_at, ended_at, ticket, epoch, proof, http_status, answer, charged"
_COLUMNS = ", ".join(
    f"CASE WHEN is_held THEN {column} ELSE {value} END AS {column}" for column, value in _CHANGED.items()
)
# In two parts, so that the table's indexes serve for all that is not under way, which is nearly all.
SHOWN = f"""(
    SELECT {_OTHERS}, {", ".join(_CHANGED)} FROM send f WHERE f.state <> '{State.IN_FLIGHT}'
    UNION ALL SELECT {_OTHERS}, {_COLUMNS} FROM (SELECT f.*, {_HELD} AS is_held FROM send f WHERE {_UNDER_WAY}) f)"""
"""Stands for the table ``send``."""


def sends(reader: Reader) -> str:
    """What is read for a run's sends: the table, unless something in it is cut off."""
    sql = f"SELECT EXISTS (SELECT FROM send f WHERE f.run = %(run)s AND {_UNDER_WAY} AND NOT {_HELD})"
    return SHOWN if reader.first(sql)[0] else "send"
