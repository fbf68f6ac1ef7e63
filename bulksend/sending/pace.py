"""How fast a run goes, and how stubbornly."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from bulksend.sending.concurrency import START

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter

    from bulksend.sending.stopping import Stopping

_USUAL = 32  # what nearly every server takes, as long as nothing is known of it


class LastPace(NamedTuple):
    """What an account's server took well the last time.

    Attributes:
        at_once: requests under way at once; 0 if nobody knows.
        rate: messages a second that it let through, where it refused more; 0 if nobody knows.
    """

    at_once: int = 0
    rate: float = 0.0


class Pace(NamedTuple):
    """How fast, and how stubbornly.

    Attributes:
        concurrency: requests under way at once; None to find out what the server takes.
        start: if that is to be found out, so many at first.
        start_rate: and near so many messages a second; 0 for any number.
        most: and never more.
        most_unproven: and no more as long as the server has not shown that it knows dedup keys: a power cut leaves so
            many messages in doubt, and a person decides on each.
        rate: messages per second of the whole account, or None for no limit.
        timeout_s: how long one request may take.
        retries: how often a message is tried again after its first attempt.
        patience_s: how long the server may be away before the run gives up.
        grace_s: how long requests under way may go on after the run was interrupted.
    """

    concurrency: int | None = None
    start: int = START
    start_rate: float = 0.0
    most: int = 512
    most_unproven: int = 64
    rate: float | None = None
    timeout_s: float = 30.0
    retries: int = 4
    patience_s: float = 600.0
    grace_s: float = 30.0

    @property
    def widest(self) -> int:
        """So many requests are ever under way at once."""
        return self.concurrency or self.most

    @property
    def usual(self) -> int:
        """So many are about to be, as far as anybody knows before."""
        return self.concurrency or min(self.most, self.start if self.start != START else _USUAL)

    def start_at(self, last: LastPace) -> Pace:
        """The same for a server of which so much was found to be well."""
        start = max(START, last.at_once * 3 // 4) if last.at_once else self.start
        return self._replace(start=start, start_rate=last.rate)

    def bound(self, concurrency: int) -> Pace:
        """The same with no more requests at once."""
        most = min(self.most, concurrency)
        return self._replace(most=most, most_unproven=min(self.most_unproven, most), start=min(self.start, most))


def limiter(rate: float | None) -> AsyncLimiter | None:
    """A twentieth of a second's worth of burst, one message at least: no second sees more than 110 % of the rate."""
    if rate is None:
        return None
    from aiolimiter import AsyncLimiter  # noqa: PLC0415 -- it looks at all that is installed, and most runs have no rate

    burst = max(1.0, rate / 20)
    return AsyncLimiter(burst, burst / rate)


class Rate(Protocol):
    """How many messages a second may start, of whoever shares it."""

    async def at_once(self, wanted: int) -> int:
        """Take what may start now, ``wanted`` at most, without a wait."""

    async def one(self, wanted: int) -> None:
        """Wait until one may start, and take it; so many are wanted behind it, with it."""


class OwnRate:
    """The rate of a process that sends alone.

    Args:
        limiter: keeps it.
    """

    def __init__(self, limiter: AsyncLimiter) -> None:
        self._limiter = limiter

    async def at_once(self, wanted: int) -> int:
        """See `Rate.at_once`."""
        taken = 0
        while taken < wanted and self._limiter.has_capacity():
            await self._limiter.acquire()
            taken += 1
        return taken

    async def one(self, wanted: int) -> None:
        """See `Rate.one`."""
        del wanted
        await self._limiter.acquire()


async def grant(rate: Rate | None, wanted: int, stopping: Stopping) -> int:
    """How many of ``wanted`` the account's rate lets go now: one at least, after a wait; 0 if the run stops."""
    if rate is None:
        return wanted
    granted = await rate.at_once(wanted)
    if granted:
        return granted
    await stopping.unless(rate.one(wanted))
    return 0 if stopping.why is not None else 1 + await rate.at_once(wanted - 1)
