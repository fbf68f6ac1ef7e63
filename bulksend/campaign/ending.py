"""The account of a send at its end: what was sent, what was not and why, what the rest costs, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from bulksend.campaign.events import Ended
from bulksend.model import MicroUSD, PhoneNumber, Recipient, Status
from bulksend.planning import Overview, Tally
from bulksend.runs import Charge, NotSent, Run
from bulksend.sending import ErrorLimit, StopReason
from bulksend.sms import phones

_REASONS = 8  # of each status, the commonest
_EXAMPLES = 3  # rows of each
_CENT = 10_000  # micro-USD
_TOO_MANY = frozenset({StopReason.TOO_MANY_ERRORS, StopReason.ALL_REJECTED})
_BAD = (Status.REJECTED, Status.FAILED, Status.INVALID)


class Finish(StrEnum):
    """How a send ended on the whole."""

    WHOLE = "finished"
    """Every row is sent, or was left out on purpose."""
    IN_PART = "finished in part"
    """All was done that could be, and some rows are not sent, or in doubt."""
    LIMITED = "limit reached"
    """As many rows as were wanted are done; the rest is pending on purpose."""
    STOPPED = "stopped early"
    NOTHING_SENT = "nothing sent"
    """This command brought no row to be accepted, and none is in doubt: stopped early, in vain, or nothing to send."""


class NextStep(StrEnum):
    """The one thing to do next."""

    NOTHING = "nothing"
    GO_ON = "go on"
    """Send the run again, after whatever stopped it is mended."""
    RAISE_BUDGET = "raise budget"
    ALLOW_ERRORS = "allow errors"
    RESOLVE = "resolve"
    """Settle what is in doubt."""
    MEND = "mend"
    """Write the rows that were not sent into a sheet, and mend them there."""
    LOOK = "look"
    """See who has the run by now."""


class Rest(NamedTuple):
    """What is still to be sent.

    Attributes:
        rows: messages.
        micro: what they cost in micro-USD, at the prices that the run was charged, or else by its plan; as far as
            either is known.
        unpriced: messages of which neither is.
    """

    rows: int
    micro: int
    unpriced: int


class Ending(NamedTuple):
    """How a send ended, in all that people, pages and scripts are told of it.

    Attributes:
        ended: how it ended, as it came.
        finish: what that is on the whole.
        missing: rows that count as not sent: rejected, failed, invalid, and pending unless that is on purpose.
        not_sent: why rows were not sent, of each status the commonest reasons.
        pending: the first of the rows that are pending.
        charges: what was sent, estimated and charged by dialing code, most messages first.
        rest: what is still to be sent; None if nothing is.
        budget: micro-USD with which a budget lets all of the rest go, in whole cents; None where none was filled.
        errors: with that many errors allowed a run goes on that had too many; None where it had not.
        next_step: what to do next.
    """

    ended: Ended
    finish: Finish
    missing: int
    not_sent: tuple[NotSent, ...]
    pending: tuple[int, ...]
    charges: tuple[Charge, ...]
    rest: Rest | None
    budget: MicroUSD | None
    errors: ErrorLimit | None
    next_step: NextStep

    @property
    def tally(self) -> Tally:
        """The run's rows as they are now."""
        return self.ended.tally

    @property
    def top_up(self) -> MicroUSD | None:
        """What the account lacks for the rest, in micro-USD, whole cents; None if nobody knows, or nothing."""
        balance, rest = self.ended.balance, self.rest
        if balance is None or rest is None or rest.micro <= balance.micro:
            return None
        return _whole_cents(rest.micro - balance.micro)

    @property
    def mean(self) -> float:
        """Messages accepted a second; 0 if none was, or in no time."""
        ended = self.ended
        return ended.sent_now / ended.seconds if ended.seconds else 0.0


def ending_of(run: Run, ended: Ended) -> Ending:
    """Sum up a send that has ended.

    Raises:
        RunFileError: the run cannot be read.
    """
    tally, statuses = ended.tally, ended.tally.statuses
    is_left = statuses[Status.PENDING] + statuses[Status.FAILED] + tally.resent > 0
    charges = tuple(run.charges())
    prices = _prices(charges)
    overview = run.overview() if is_left else None
    reason = ended.stop and ended.stop.reason
    return Ending(
        ended=ended,
        finish=_finish(ended),
        missing=_missing(ended),
        not_sent=tuple(run.figures.not_sent(_REASONS, _EXAMPLES)),
        pending=tuple(run.figures.pending(_EXAMPLES)) if statuses[Status.PENDING] else (),
        charges=charges,
        rest=_rest(overview, prices) if overview and overview.rows else None,
        budget=_budget(run, overview, prices) if overview and reason is StopReason.BUDGET_FILLED else None,
        errors=_errors(ended),
        next_step=_next_step(ended),
    )


def _finish(ended: Ended) -> Finish:
    statuses = ended.tally.statuses
    is_any_sent = ended.sent_now or ended.known_now
    if not is_any_sent and not statuses[Status.UNKNOWN]:
        is_nothing_left = ended.stop is None and not ended.attempts_now and statuses[Status.SENT]
        if not is_nothing_left:
            return Finish.NOTHING_SENT
    if ended.stop is not None:
        return Finish.STOPPED
    if ended.is_limited and statuses[Status.PENDING]:
        return Finish.LIMITED
    return Finish.IN_PART if _missing(ended) or statuses[Status.UNKNOWN] else Finish.WHOLE


def _missing(ended: Ended) -> int:
    statuses = ended.tally.statuses
    is_on_purpose = ended.is_limited and ended.stop is None
    return sum(statuses[status] for status in _BAD) + (0 if is_on_purpose else statuses[Status.PENDING])


def _next_step(ended: Ended) -> NextStep:
    tally, statuses = ended.tally, ended.tally.statuses
    reason = ended.stop and ended.stop.reason
    if reason is StopReason.TAKEN_OVER:
        return NextStep.LOOK
    if statuses[Status.PENDING] or statuses[Status.FAILED] or tally.resent:
        if reason is StopReason.BUDGET_FILLED:
            return NextStep.RAISE_BUDGET
        return NextStep.ALLOW_ERRORS if reason in _TOO_MANY else NextStep.GO_ON
    if tally.in_doubt:
        return NextStep.RESOLVE
    return NextStep.MEND if tally.to_mend else NextStep.NOTHING


def _errors(ended: Ended) -> ErrorLimit | None:
    """As many errors more as were allowed, beyond those there are."""
    stop = ended.stop
    if stop is None or stop.reason not in _TOO_MANY:
        return None
    if stop.limit is None:
        return ErrorLimit(100, is_percent=True)
    if stop.limit.is_percent:
        return ErrorLimit(min(100, -(-100 * stop.unsent // max(1, stop.done)) + stop.limit.number), is_percent=True)
    return ErrorLimit(stop.unsent + stop.limit.number, is_percent=False)


def _prices(charges: Sequence[Charge]) -> dict[str, int]:
    """What a part has cost by dialing code, in micro-USD, where the API told that of every message."""
    return {
        each.code: -(-each.charged // each.parts)
        for each in charges
        if each.charged and each.parts and not each.uncharged
    }


def _rest(overview: Overview, prices: Mapping[str, int]) -> Rest:
    micro = unpriced = 0
    for group in overview.groups:
        if group.code in prices:
            micro += prices[group.code] * group.parts * group.rows
        else:
            micro += group.price
            unpriced += group.unpriced
    return Rest(overview.rows, micro, unpriced)


def _budget(run: Run, overview: Overview, prices: Mapping[str, int]) -> MicroUSD:
    """What a budget has to be for all of the rest: nothing in it is held at less than plan and answers tell."""
    dearest = max([run.dearest_part() or 0, *prices.values()])
    needed = run.spent(dearest)
    for group in overview.groups:
        told = prices.get(group.code, dearest if group.unpriced else 0)
        needed += max(group.price, told * group.parts * group.rows)
    for message in run.messages_in_doubt():
        told = prices.get(_code(message.recipient), 0 if message.price else dearest)
        needed += max(message.price or 0, told * message.parts)
    return _whole_cents(needed)


def _code(recipient: Recipient) -> str:
    return "" if isinstance(recipient, int) else phones.dialing_code(PhoneNumber(recipient))


def _whole_cents(micro: int) -> MicroUSD:
    return MicroUSD(-(-micro // _CENT) * _CENT)


def grouped(ending: Ending) -> Iterator[tuple[Status, int, tuple[NotSent, ...]]]:
    """The statuses of rows that were not sent, each with its rows and their reasons; the doubtful first."""
    for status in (Status.UNKNOWN, *_BAD, Status.PENDING, Status.SKIPPED):
        if rows := ending.tally.statuses[status]:
            yield status, rows, tuple(each for each in ending.not_sent if each.status is status)
