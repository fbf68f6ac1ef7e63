"""An account's pace, for all processes that send for it: its rate, and when its server asks to be left alone.

The rate is a generic cell rate algorithm in one row: whoever asks gets a span of its own on the account's time line,
as long as its messages take at the rate, and starts them evenly in it. What is not used in time is lost, so that
nobody saves up for a burst.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bulksend.errors import RunFileError
from bulksend.runs.postgres.connecting import Db, connect, explained, one
from bulksend.runs.postgres.schema import SHARDS

_SPAN_S = 0.1  # taken at a time
_LATE_S = 0.05  # so late a message may still start: less than 110 % start in any second, whoever stood still
_AHEAD_S = 300.0  # and the spans of all who may wait: none begins later, for the database's clock may be set back
_PAUSE_S = 0.5  # between two tries while the database cannot be reached

_NOW = "extract(epoch FROM clock_timestamp())::double precision"
TOLD = f"""(
    SELECT ARRAY[quiet_until - {_NOW}, absences] FROM pacing WHERE pacing.account = run.account
)"""
"""What `Commons` reads, of a ``run``: for so many seconds it is to be quiet, and how often the server was away."""
_TAKE = f"""
INSERT INTO pacing AS p (account, free_at) VALUES (%(account)s, {_NOW} + %(span)s) ON CONFLICT (account) DO UPDATE
SET free_at = greatest({_NOW}, least(p.free_at, {_NOW} + {_AHEAD_S} + {SHARDS} * %(span)s)) + %(span)s
RETURNING free_at - %(span)s - {_NOW}
"""
_QUIET = f"""
INSERT INTO pacing AS p (account, quiet_until) VALUES (%(account)s, {_NOW} + %(pause)s) ON CONFLICT (account) DO UPDATE
SET quiet_until = greatest(p.quiet_until, excluded.quiet_until)
"""
_AWAY = """
INSERT INTO pacing AS p (account, absences) VALUES (%(account)s, 1) ON CONFLICT (account) DO UPDATE
SET absences = p.absences + 1
"""


def note_quiet(db: Db, account: int, pause_s: float) -> None:
    """The server asks to be left alone for so long, from now on."""
    db.execute(_QUIET, {"account": account, "pause": pause_s})


def note_absence(db: Db, account: int) -> None:
    """Somebody found the server away."""
    db.execute(_AWAY, {"account": account})


class SharedRate:
    """The rate of an account for one of the processes that share it; see `bulksend.sending.Rate`.

    Args:
        database: its address.
        account: which.
        per_s: messages per second of the whole account.
        own_per_s: of these for this process at most; None for all.
        mono_s: monotonic seconds.
    """

    def __init__(
        self, database: str, account: int, per_s: float, own_per_s: float | None = None,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._database = database
        self._account = account
        self._per_s = per_s
        self._own_per_s = per_s if own_per_s is None else min(own_per_s, per_s)
        self._mono_s = mono_s
        self._most = max(1, int(_SPAN_S * self._own_per_s))
        self._asks_at = -math.inf  # not before, where less is its own than the account's
        self._due: deque[float] = deque()  # when each message may start that was asked for
        self._thread = ThreadPoolExecutor(1, "rate")
        self._ends = threading.Event()
        self._db: Db | None = None

    async def at_once(self, wanted: int) -> int:
        """See `Rate.at_once`."""
        now_s, taken = self._mono_s(), 0
        while self._due and self._due[0] < now_s - _LATE_S:
            self._due.popleft()
        while self._due and taken < wanted and self._due[0] <= now_s:
            self._due.popleft()
            taken += 1
        return taken

    async def one(self, wanted: int) -> None:
        """See `Rate.one`."""
        while not await self.at_once(1):
            if not self._due:
                await self._ask(min(wanted, self._most))
            await asyncio.sleep(self._due[0] - self._mono_s())

    def close(self) -> None:
        """Let go of the database."""
        self._ends.set()
        self._thread.shutdown()
        if self._db is not None:
            self._db.close()

    async def _ask(self, wanted: int) -> None:
        """Ask for the next span: it begins when those of all others are over."""
        if (early_s := self._asks_at - self._mono_s()) > 0:
            await asyncio.sleep(early_s)
        wait_s = await asyncio.get_running_loop().run_in_executor(self._thread, self._taken, wanted)
        first = self._mono_s() + wait_s
        self._due.extend(first + place / self._per_s for place in range(wanted))
        if self._own_per_s < self._per_s:
            self._asks_at = first + wanted / self._own_per_s

    def _taken(self, wanted: int) -> float:
        """In how many seconds the span begins.

        Raises:
            RunFileError: the database refuses, or was not reached until this was closed.
        """
        while True:
            try:
                with explained(self._database):
                    return self._take(wanted)
            except RunFileError:  # without the database nothing leaves anyway; the journal knows for how long
                is_refused = self._db is not None and not self._db.closed
                if is_refused or self._ends.wait(_PAUSE_S):
                    raise

    def _take(self, wanted: int) -> float:
        if self._db is None or self._db.closed:
            self._db = None
            self._db = connect(self._database)
            self._db.execute(
                "SET synchronous_commit = off"
            )  # what a crash takes back is over before the server is back
        span_s = wanted / self._per_s
        (wait_s,) = one(self._db.execute(_TAKE, {"account": self._account, "span": span_s}))
        return max(0.0, float(wait_s))
