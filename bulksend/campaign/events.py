"""What a face hears while a campaign is under way, and how it ends: typed, and in nobody's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bulksend.campaign.choices import Repeating
from bulksend.campaign.company import NotGivenBack, OthersAtWork
from bulksend.campaign.excluding import Excluded
from bulksend.campaign.lookback import LookedBack
from bulksend.engagespark import Balance, Looked
from bulksend.model import Status
from bulksend.planning import Tally
from bulksend.runs import FINISHED, LIMITED, Deliveries, End
from bulksend.sending import Progress, Stop, Why

_NOT_SENT = (Status.INVALID, Status.REJECTED, Status.FAILED, Status.UNKNOWN)


class AccountBusy(NamedTuple):
    """Another run of the account is sending, and this one waits for its end.

    Attributes:
        says: who that is.
    """

    says: str


class Waiting(NamedTuple):
    """A run's messages may not leave yet; it is told each second until they may.

    Attributes:
        until_s: when they may, in seconds since 1970.
        now_s: what time it is.
        zone: by whose clock people are told of it.
    """

    until_s: float
    now_s: float
    zone: str


class HistoryGone(NamedTuple):
    """The account's last run was cut off and its file is gone, so that nobody knows what it sent last.

    Attributes:
        quiet_s: nothing is sent for so many seconds, so that no phone gets too many.
    """

    quiet_s: float


class LeftOut(NamedTuple):
    """What was sent meanwhile is left out: history holds more than when the plan was shown.

    Attributes:
        looked: what it holds.
        repeating: what is sent again of it.
    """

    looked: LookedBack
    repeating: Repeating


@dataclass(frozen=True, slots=True)
class Started:
    """Sending begins.

    Attributes:
        rows: messages that are to be sent, those in doubt included that are repeated.
        price: what they are estimated at, in micro-USD; None if any has no known rate.
    """

    rows: int
    price: int | None = None


@dataclass(frozen=True, slots=True)
class PaceFound:
    """What the server was found to take has changed.

    Attributes:
        at_once: requests that may be under way.
        rate: messages a second that it lets through; None if it refuses none.
        why: why it changed; None if that is only where it starts.
    """

    at_once: int
    rate: float | None
    why: Why | None


@dataclass(frozen=True, slots=True)
class Progressed:
    """Where sending stands; only what is committed counts.

    Attributes:
        now: what has become of the rows.
        seconds: since it started.
        pace: messages accepted a second, lately.
        mean: the same since it started.
        left_s: how long it still takes at that pace and by the caps, pauses included; None if nobody can tell.
        free_s: how long until the next phone is free that rows wait for; None if none waits, or nobody can tell.
        slowed_s: for so long the server asks to be left alone; 0 if it does not.
        away_s: until the next try, where the server is away; None where it is not.
        closes_s: how long until the run's window closes; None if it never does.
        found: how much the server takes, where that is found out.
    """

    now: Progress
    seconds: float
    pace: float
    mean: float
    left_s: float | None
    free_s: float | None = None
    slowed_s: float = 0.0
    away_s: float | None = None
    closes_s: float | None = None
    found: PaceFound | None = None


class Slowed(NamedTuple):
    """The server asked to be left alone.

    Attributes:
        seconds: for so long.
    """

    seconds: float


class ServerAway(NamedTuple):
    """The server lets nothing through: the run pauses, and goes on by itself when it is back.

    Attributes:
        seconds: until the next try.
    """

    seconds: float


class StoppingEarly(NamedTuple):
    """No more messages are taken; those under way come to their end.

    Attributes:
        stop: why.
        in_flight: requests whose answers are waited for.
        grace_s: for so long at most, if somebody waits for the end.
    """

    stop: Stop
    in_flight: int
    grace_s: float


class CutShort(NamedTuple):
    """Answers are not waited for any more.

    Attributes:
        in_doubt: requests that were under way: they may have been accepted.
    """

    in_doubt: int


class SandboxClosed(NamedTuple):
    """The private sandbox that was sent to is gone, and this is what it saw.

    Attributes:
        accepted: messages.
        lost: of these, so many to the telcos' cap.
        charged: micro-USD.
    """

    accepted: int
    lost: int
    charged: int


class Ended(NamedTuple):
    """How a send ended.

    Attributes:
        stop: why before its end; None if all was done that could be.
        tally: the run's rows as they are now.
        seconds: how long the sending took.
        sent_now: rows that this send brought to be accepted.
        known_now: rows of which it heard that they were accepted before.
        unexplained_now: of these, so many of which history does not know by which run.
        attempts_now: POSTs that this send began.
        is_limited: whether only the first rows were to be sent, so that the rest is pending on purpose.
        since_s: when it began, in seconds since 1970; None if nothing was to be sent.
        until_s: when it ended.
        balance: what the account held then; None if that was not asked, or not told.
        others: so many workers go on with the run.
    """

    stop: Stop | None
    tally: Tally
    seconds: float = 0.0
    sent_now: int = 0
    known_now: int = 0
    unexplained_now: int = 0
    attempts_now: int = 0
    is_limited: bool = False
    since_s: float | None = None
    until_s: float | None = None
    balance: Balance | None = None
    others: int = 0

    def noted(self, at_s: float) -> End:
        """What the run keeps of it, which ended at this time (seconds since 1970)."""
        if self.stop is not None:
            return End(self.stop.reason.value, self.stop.says, at_s)
        return End(LIMITED if self.is_limited and self.tally.statuses[Status.PENDING] else FINISHED, at_s=at_s)

    def after(self, earlier: Ended) -> Ended:
        """How both ended together, where this one went on after a pause."""
        return self._replace(
            seconds=earlier.seconds + self.seconds,
            sent_now=earlier.sent_now + self.sent_now,
            known_now=earlier.known_now + self.known_now,
            unexplained_now=earlier.unexplained_now + self.unexplained_now,
            attempts_now=earlier.attempts_now + self.attempts_now,
        )

    @property
    def is_in_vain(self) -> bool:
        """Whether rows were tried, and none was accepted."""
        return self.attempts_now > 0 and not self.sent_now and not self.known_now

    def is_complete(self, *, leaves_out: bool = False) -> bool:
        """Whether every row is sent, or left out on purpose; a test send leaves the rest pending on purpose.

        Args:
            leaves_out: whether what history holds is left out on purpose.
        """
        if self.stop is not None or self.is_in_vain:
            return False
        statuses, is_rest_meant = self.tally.statuses, self.is_limited
        bad = sum(statuses[status] for status in _NOT_SENT) + (0 if is_rest_meant else statuses[Status.PENDING])
        return not bad and (leaves_out or not self.tally.left_out)

    @property
    def is_all_left_out(self) -> bool:
        """Whether nothing was ever tried, because history holds it."""
        return self.tally.left_out > 0 and not self.tally.attempts and self.stop is None


class StillAwaited(NamedTuple):
    """Not all receipts are in, and the API will be asked again.

    Attributes:
        now: what is known by now.
        looked: how the last asking went.
        pause_s: in how many seconds it is asked again.
    """

    now: Deliveries
    looked: Looked
    pause_s: float


CampaignEvent = (
    Excluded
    | AccountBusy
    | OthersAtWork
    | NotGivenBack
    | Waiting
    | HistoryGone
    | LeftOut
    | Started
    | Progressed
    | PaceFound
    | Slowed
    | ServerAway
    | StoppingEarly
    | CutShort
    | SandboxClosed
    | Ended
)
Tell = Callable[[CampaignEvent], None]
"""How a face hears of them; called in the event loop, and must come back at once."""


def unheard(event: CampaignEvent) -> None:
    """Nobody listens."""
