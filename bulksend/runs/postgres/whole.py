"""What a run in a database keeps of itself as a whole, read at one look; see `bulksend.runs.store.Run`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from bulksend.errors import UsageError
from bulksend.model import Status
from bulksend.planning import Findings
from bulksend.runs import kept
from bulksend.runs.ends import Purge, Spell
from bulksend.runs.facts import Facts
from bulksend.runs.owner import Owner
from bulksend.runs.postgres.connecting import Db
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.times import schedule_of
from bulksend.when import Schedule

_WHOLE = """
SELECT run.id, run.name, run.epoch, coalesce(run.lease_until > clock_timestamp(), false),
    coalesce(run.opened = run.epoch, false), fact.name, fact.value
FROM run LEFT JOIN fact ON fact.run = run.id
"""


@dataclass(frozen=True, slots=True)
class Whole:
    """What a run keeps of itself.

    Attributes:
        name: the run's.
        epoch: how often it was taken over.
        is_owned: whether the lease of whoever took it over last goes on.
        is_opened: whether workers send it.
        facts: by name, each as JSON.
    """

    name: str
    epoch: int
    is_owned: bool
    is_opened: bool
    facts: Mapping[str, str]

    def read(self, name: str) -> Any:
        """A fact by its name; None if there is none."""
        value = self.facts.get(name)
        return None if value is None else orjson.loads(value)

    @property
    def plan(self) -> Facts:
        """See `Run.facts`."""
        return kept.facts(self.read("plan"))

    @property
    def findings(self) -> Findings:
        """What planning found."""
        return kept.findings(self.read("findings"))

    @property
    def counts(self) -> dict[Status, int]:
        """How many rows the plan has of each status."""
        return kept.counts(self.read("counts"))

    @property
    def owner(self) -> Owner | None:
        """See `Run.owner`; whose lease has run out has lost it."""
        found = self.read("owner") if self.is_owned else None
        return None if found is None else Owner(**found)

    def spell(self, first: float | None) -> Spell:
        """See `Run.spell`.

        Args:
            first: when the first of its rows was tried last, which counts where nobody noted the start.
        """
        started, owner = self.read("started"), self.owner
        is_held = self.is_opened or (owner is not None and not owner.is_gone)
        return Spell(first) if started is None else kept.spell(started, self.read("end"), self.epoch, is_held=is_held)

    @property
    def progress(self) -> str | None:
        """See `Run.progress`."""
        found: str | None = self._of_this_epoch("progress")
        return found

    @property
    def purge(self) -> Purge | None:
        """See `Run.purge`."""
        found = self.read("purged")
        return None if found is None else Purge(found[0], bool(found[1]))

    @property
    def results_at(self) -> list[str]:
        """See `Run.results_at`."""
        return list(self.read("results") or [])

    @property
    def turn(self) -> int:
        """See `Run.turn`."""
        return int(self.read("turn") or 0)

    @property
    def is_keyed(self) -> bool:
        """See `Run.is_keyed`."""
        return self.read("keyed") in (None, 1)

    @property
    def is_limited(self) -> bool:
        """See `Run.is_limited`."""
        return bool(self.read("limited") == 1)

    @property
    def begun_to(self) -> int:
        """A row up to which every message was begun."""
        return int(self.read("begun to") or 0)

    @property
    def closed_at(self) -> float | None:
        """See `Run.closed_at`."""
        found: float | None = self.read("closed")
        return found

    @property
    def schedule(self) -> Schedule:
        """See `Times.schedule`."""
        found = self.read("schedule")
        return Schedule() if found is None else schedule_of(found)

    @property
    def waits_until(self) -> float | None:
        """See `Times.waits_until`."""
        found: float | None = self._of_this_epoch("waits until")
        return found

    def _of_this_epoch(self, name: str) -> Any:
        """What was noted with an epoch before it; None if that is another owner's."""
        epoch, value = self.read(name) or (None, None)
        return value if epoch == self.epoch else None


def of(reader: Reader) -> Whole:
    """A run's.

    Raises:
        UsageError: the run is gone.
    """
    found = reader.all(f"{_WHOLE} WHERE run.id = %(run)s")
    if not found:
        raise UsageError(f"{reader.place}: this run was removed meanwhile")
    return _whole(found)


def all_of(db: Db) -> dict[int, Whole]:
    """Those of all runs of a database that are planned, without what planning found."""
    sql = f"{_WHOLE} AND fact.name <> 'findings' WHERE run.name IS NOT NULL ORDER BY run.name, run.id"
    return {run: _whole(list(rows)) for run, rows in groupby(db.execute(sql), itemgetter(0))}


def _whole(rows: list[tuple[Any, ...]]) -> Whole:
    (_, name, epoch, is_owned, is_opened, *_) = rows[0]
    return Whole(name, epoch, is_owned, is_opened, {fact: value for *_, fact, value in rows if fact is not None})
