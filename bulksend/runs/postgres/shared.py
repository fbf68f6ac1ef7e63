"""Who works on the runs of a database that are opened for workers: the SQL, inside the caller's transaction."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

import orjson

from bulksend.runs.owner import Owner
from bulksend.runs.postgres.connecting import Db
from bulksend.runs.postgres.schema import SHARDS
from bulksend.runs.shared import AtWork, Shared

_SHARED = """
SELECT r.id,
    (SELECT count(*) FROM shard s
        WHERE s.account = r.account AND coalesce(s.lease_until <= clock_timestamp(), true)),
    w.owner, coalesce(w.run = r.id, false), extract(epoch FROM w.seen_until - clock_timestamp())::float8,
    (SELECT count(*) FROM shard s
        WHERE s.account = w.account AND s.owner = w.owner AND s.lease_until > clock_timestamp())
FROM run r LEFT JOIN worker w ON w.account = r.account AND w.seen_until > clock_timestamp()
WHERE r.opened = r.epoch
"""


def shared(db: Db, run: int) -> Shared | None:
    """Who works on a run; None if it is not opened for workers."""
    return _shared(db.execute(f"{_SHARED} AND r.id = %s ORDER BY w.id", [run]).fetchall()).get(run)


def all_shared(db: Db) -> dict[int, Shared]:
    """Who works on each run of a database that is opened for workers."""
    return _shared(db.execute(f"{_SHARED} ORDER BY r.id, w.id").fetchall())


def _shared(rows: list[tuple[int, int, str | None, bool, float, int]]) -> dict[int, Shared]:
    found = {}
    for run, its in groupby(rows, itemgetter(0)):
        workers, free = [], 0
        for _, unowned, owner, is_here, left_s, shards in its:
            free = free or unowned
            if owner is None:
                continue
            worker = AtWork(Owner(**orjson.loads(owner)), is_here, left_s, shards)
            if worker.owner.is_gone:  # its lease goes on, but whoever takes what is free takes these too
                free += shards
            else:
                workers.append(worker)
        found[run] = Shared(tuple(workers), free, SHARDS)
    return found
