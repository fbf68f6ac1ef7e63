"""What the processes of a run in a database have in common, as one of them keeps it: see `bulksend.sending.Sharing`.

The journal's thread tells and hears inside its transactions, without a way to the database of its own; the event loop
looks at what was committed last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bulksend.model import Outcome
from bulksend.runs.postgres import rates, stops
from bulksend.runs.postgres.bounds import Bounds
from bulksend.runs.postgres.outcomes import Intent
from bulksend.runs.postgres.rates import SharedRate
from bulksend.runs.postgres.reader import Reader
from bulksend.sending import ForAll, Stop

TOLD: str = f"{stops.TOLD}, {rates.TOLD}"
"""What `Commons.hear` is given, of a ``run``."""


class Commons:
    """What one process keeps for all, and hears of the others.

    Args:
        of: the run, by the owner's connection.
        account: the run's.
        per_s: messages per second of the whole account, as the run was opened; None if nobody said.
        mono_s: monotonic seconds.

    Attributes:
        limits_errors: see `Sharing.limits_errors`.
    """

    def __init__(
        self, of: Reader, account: int, per_s: float | None = None, mono_s: Callable[[], float] = time.monotonic
    ) -> None:  # fmt: skip
        self._of = of
        self._account = account
        self._per_s = per_s
        self._mono_s = mono_s
        bound = of.first("SELECT most_errors IS NOT NULL FROM bound WHERE run = %(run)s")
        self._is_bound, self.limits_errors = bound is not None, bound is not None and bool(bound[0])
        self._known: dict[str, int] = {}  # see `Bounds`
        self._bounds: Bounds | None = None  # of the transaction under way
        self._waits: frozenset[int] = frozenset()
        self._stop: Stop | None = None
        self._quiet_until, self._absences = 0.0, 0
        self._to_note: list[Callable[[], None]] = []
        self._noted = 0  # of these, by the transaction under way
        self._rates: list[SharedRate] = []
        self.hear(*of.first(f"SELECT {TOLD} FROM run WHERE id = %(run)s"))

    # -- Asked by the engine

    def waits(self, row: int) -> bool:
        """See `Sharing.waits`."""
        return row in self._waits

    def told(self) -> ForAll:
        """See `Sharing.told`."""
        return ForAll(self._stop, max(0.0, self._quiet_until - self._mono_s()), self._absences)

    def note_stop(self, stop: Stop) -> None:
        """See `Sharing.note_stop`."""
        self._to_note.append(lambda: stops.note(self._of.db, self._of.run, stop))

    def note_quiet(self, pause_s: float) -> None:
        """See `Sharing.note_quiet`."""
        until = self._mono_s() + pause_s
        self._to_note.append(lambda: rates.note_quiet(self._of.db, self._account, max(0.0, until - self._mono_s())))

    def note_absence(self) -> None:
        """See `Sharing.note_absence`."""
        self._to_note.append(lambda: rates.note_absence(self._of.db, self._account))

    def rate(self, per_s: float) -> SharedRate:
        """See `Sharing.rate`."""
        rate = SharedRate(self._of.place.database, self._account, self._per_s or per_s, per_s)
        self._rates.append(rate)
        return rate

    def close(self) -> None:
        """Share nothing more."""
        for rate in self._rates:
            rate.close()

    # -- Called by the journal's thread, inside a transaction

    def hear(self, stop: dict[str, Any] | None, pacing: list[float] | None) -> None:
        """Take in what the database tells."""
        self._stop = self._stop or stops.told(stop)
        if pacing is not None:
            self._quiet_until, self._absences = self._mono_s() + pacing[0], int(pacing[1])

    def tell(self) -> None:
        """Note what is to be noted."""
        to_note = self._to_note[:]
        if to_note:
            self._locked()  # first: who has found an end has locked the limits, and notes it then
        for note in to_note:
            note()
        self._noted = len(to_note)

    def hold(self, rows: Sequence[int]) -> dict[int, int] | None:
        """What rows are held at that are about to begin, as far as there is money; None where that is not limited."""
        bounds = self._locked()
        return None if bounds is None else bounds.hold(rows)

    def begun(self, rows: Iterable[int]) -> None:
        """Of these some have begun."""
        if self._bounds is not None:
            self._bounds.begun(rows)
            self._end()

    def settle(self, outcomes: Sequence[tuple[Outcome, Intent]]) -> dict[int, bool]:
        """Outcomes are about to be noted; by row that is done with, whether it is an error."""
        bounds = self._locked() if outcomes else None
        if bounds is None:
            return {}
        bad = bounds.settle(outcomes)
        self._end()
        return bad

    def lock(self) -> None:
        """Lock the run's limits, as whoever changes what is held of its rows does first."""
        self._locked()

    def take_back(self, held: int) -> None:
        """Intents were taken back of which so much was held."""
        bounds = self._locked()
        if bounds is not None:
            bounds.take_back(held)

    def committed(self) -> None:
        """The transaction under way is on the disk."""
        del self._to_note[: self._noted]
        if self._bounds is not None:
            self._waits = self._waits if self._bounds.waits is None else frozenset(self._bounds.waits)
            self._known.update(self._bounds.told)
            self._stop = self._stop or self._bounds.stop
        self.rolled_back()

    def rolled_back(self) -> None:
        """Nothing of it was noted, or nobody knows."""
        self._noted = 0
        self._bounds = None

    def _locked(self) -> Bounds | None:
        """The run's limits, locked from now on; None if it has none."""
        if self._is_bound and self._bounds is None:
            self._bounds = Bounds(self._of, self._known)
        return self._bounds

    def _end(self) -> None:
        if self._bounds is not None and self._bounds.stop is not None:
            stops.note(self._of.db, self._of.run, self._bounds.stop)
