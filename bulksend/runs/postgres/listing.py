"""Where the runs of a database stand: asked of all at once, for one after another would take long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

from bulksend.errors import UsageError
from bulksend.runs import sums
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import whole
from bulksend.runs.postgres.connecting import Db, connect, explained
from bulksend.runs.postgres.cut_off import SHOWN
from bulksend.runs.postgres.installing import check_installed
from bulksend.runs.postgres.registry import all_shared
from bulksend.runs.postgres.whole import Whole
from bulksend.runs.shared import Shared
from bulksend.runs.standing import Stand, stand
from bulksend.runs.states import State

_NAMES = "SELECT name FROM run WHERE name IS NOT NULL ORDER BY name"
_SENT = f"""
SELECT run, state, decision, count(*), sum(attempts)::bigint, coalesce(sum(charged), 0)::bigint,
    min(started_at) FILTER (WHERE attempts > 0)
FROM {SHOWN} s GROUP BY run, state, decision
"""


class _Sent(NamedTuple):
    """What was sent of a run, or not, and has in common what became of it."""

    state: str
    decision: str | None
    rows: int
    attempts: int
    charged: int
    first_at: float | None


def stands_in(database: str) -> list[Stand]:
    """Where the runs of a database stand, by name and all at one moment.

    Raises:
        UsageError: it has no tables that this version reads.
        RunFileError: it cannot be read.
    """
    sent: dict[int, list[_Sent]] = defaultdict(list)
    with connect(database) as db, explained(database):
        check_installed(db, database)
        with db.transaction():
            db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found = whole.all_of(db)
            workers = all_shared(db)
            for run, *counts in db.execute(_SENT):
                sent[run].append(_Sent._make(counts))
    return [_stand(DatabaseRun(database, each.name), each, sent[run], workers.get(run)) for run, each in found.items()]


def number_of(db: Db, named: DatabaseRun) -> int:
    """Which run of the database's has this name.

    Raises:
        UsageError: none; the sentence says what there is.
    """
    found = db.execute("SELECT id FROM run WHERE name = %s", [named.name]).fetchone()
    if found is not None:
        return int(found[0])
    names = [name for (name,) in db.execute(_NAMES)]
    near = get_close_matches(named.name, names)
    raise UsageError(f"{named}: there is no such run in this database; {_there_is(names, near)}")


def _stand(named: DatabaseRun, about: Whole, sent: list[_Sent], workers: Shared | None) -> Stand:
    tally = sums.tally(
        about.counts,
        sum(each.rows for each in sent),
        sum(each.attempts for each in sent),
        sum(each.charged for each in sent),
        ((each.state, each.decision, each.rows) for each in sent if each.state != State.SENT),
    )
    spell = about.spell(min((each.first_at for each in sent if each.first_at is not None), default=None))
    return stand(
        str(named), about.plan, tally, about.owner, workers, about.purge, spell, about.schedule, about.waits_until
    )


def _there_is(names: Sequence[str], near: Sequence[str]) -> str:
    if near:
        return f"there is one named {' or '.join(near)}"
    if len(names) > 1:
        return f"there are {len(names):,} of other names"
    return "there is one of another name" if names else "there is none"
