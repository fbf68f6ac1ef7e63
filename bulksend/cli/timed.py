"""A run is sent when its messages may leave: the command sleeps until then, and between its windows if it is to."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from bulksend import campaign
from bulksend.campaign import Ended, SendOptions
from bulksend.cli import plan_view, when_view
from bulksend.cli.codes import of_stop
from bulksend.cli.console import tell_error
from bulksend.cli.excluded_view import excluded_teller
from bulksend.cli.next_command import next_command
from bulksend.cli.sending import EndTold, Manners, check_at_home, is_written, run_loop, send_monitored, tell_end
from bulksend.cli.signals import stop_on_signals
from bulksend.cli.watch import Watch
from bulksend.engagespark import Balance, Looked, Target
from bulksend.planning import Exclusions, Plan
from bulksend.runs import Account, OwnRun
from bulksend.sending import Stop, Stopping, StopReason
from bulksend.when import Schedule
from bulksend.words import many, printable


class Timing(NamedTuple):
    """When a run is sent, and how long its command waits for that.

    Attributes:
        schedule: when its messages may leave.
        limit_s: for so long at most the command may sleep before it begins to send.
    """

    schedule: Schedule
    limit_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Timed:
    """Sends one run in its time.

    Attributes:
        run: the run, owned; it is held while the command sleeps, and the account is not.
        target: where to; None for a private sandbox.
        how: how it is sent.
        manners: how the command behaves.
        timing: when.
        plan: what is to be sent of it.
    """

    run: OwnRun
    target: Target | None
    how: SendOptions
    manners: Manners
    timing: Timing
    plan: Plan

    def send(self, agree: Callable[[], None]) -> EndTold:
        """Send it, show how it went, and write its results.

        Args:
            agree: asks whether to; raises if not. What was agreed to includes the time, which the run keeps then.
        """
        now_s, began_s = time.time(), time.monotonic()
        how, slept = self.how, False
        sleeps_s = self.schedule.opens_at(now_s) - now_s
        if sleeps_s > 0:
            if sleeps_s > self.timing.limit_s:
                self._keep()
                return self._unsent(Stop(StopReason.WINDOW_CLOSED, self._too_long(now_s)))
            agree()
            self._keep()
            if stop := self._sleep():
                return self._unsent(stop)
            awake = self._awake(how)
            if isinstance(awake, Stop):
                return tell_end(self.run, campaign.end_unsent(self.run, awake), self.manners)
            how, slept = awake, True
        rows = self._rows(how)
        with self._held(wait=self.manners.wait, limit_s=self._left_s(began_s)) as account:
            if not slept:
                agree()
                self._keep()
            if self.manners.monitors:
                self.manners.monitors.planned(self.run.place, self.plan)
            ended = self._watched(account, replace(how, turn_s=self._left_s(began_s)))
        while campaign.pauses(ended, self.schedule):
            how = self._less(how, rows - self._rows(how))
            rows = self._rows(how)
            if how.limit == 0:
                ended = ended._replace(stop=None)
                break
            left = many(self.run.overview(how.limit).rows, "message is", "messages are")
            self.manners.out.print(f"Its window has closed: {left} left for when it opens.", soft_wrap=True)
            is_written(self.run, self.manners)
            if stop := self._sleep():
                ended = ended._replace(stop=stop)
                break
            awake = self._awake(how)
            if isinstance(awake, Stop):
                ended = campaign.end_unsent(self.run, awake).after(ended)
                break
            how = awake
            with self._held(wait=True) as account:
                ended = self._watched(account, how).after(ended)
        return tell_end(self.run, ended, self.manners)

    def _left_s(self, began_s: float) -> float:
        """For how long the command may still wait until it begins to send."""
        return max(0.0, self.timing.limit_s - (time.monotonic() - began_s))

    def _watched(self, account: Account | None, how: SendOptions) -> Ended:
        return send_monitored(self.run, account, self.target, how, self.manners)

    def _rows(self, how: SendOptions) -> int:
        """The rows that are still to be sent; 0 where no limit counts them, for that takes a second per million."""
        return 0 if how.limit is None else self.run.overview().rows

    def _less(self, how: SendOptions, done: int) -> SendOptions:
        """Of a limited number of rows, those are left that were not done before the pause."""
        return how if how.limit is None else replace(how, limit=how.limit - done)

    @property
    def schedule(self) -> Schedule:
        """When its messages may leave."""
        return self.timing.schedule

    def _keep(self) -> None:
        if self.run.times.schedule != self.schedule:
            self.run.times.keep(self.schedule)

    def _sleep(self) -> Stop | None:
        return run_loop(_slept(self.run, self.schedule, Watch(self.manners.out, hides_progress=False)))

    def _awake(self, how: SendOptions) -> SendOptions | Stop:
        """Look again at what may be otherwise by now, or why nothing can be sent; at history when sending begins."""
        out, now_s = self.manners.out, time.time()
        out.print(when_view.begins_words(self.schedule, now_s), soft_wrap=True)
        excluded_teller(out, is_list_said=True)(campaign.exclude(self.run, Exclusions()))
        overview = self.run.overview(how.limit)
        if self.target and overview.rows:
            told = run_loop(campaign.balance(self.target))
            if told is Looked.REFUSED:
                return campaign.KEY_REFUSED
            if isinstance(told, Balance) and (says := plan_view.uncovered(told, overview)):
                out.print(says, style="bold red", soft_wrap=True)
        return replace(how, repeating=replace(how.repeating, began_at=now_s))

    def _unsent(self, stop: Stop) -> EndTold:
        """That nothing was sent at all."""
        says, now_s, ended = printable(stop.says), time.time(), Ended(stop, self.run.tally())
        if stop.reason is not StopReason.WINDOW_CLOSED:
            again = when_view.moment_words(self.schedule.opens_at(now_s), now_s, self.schedule.zone)
            says = f"Nothing was sent: {says}. The same command waits again, until {again}"
        if self.manners.out.quiet:
            tell_error(self.manners.out, f"{self.run.place}: {says}")
        self.manners.out.print(f"{says[0].upper()}{says[1:]}.", style="bold red", soft_wrap=True)
        ending = campaign.ending_of(self.run, ended)
        return EndTold(ending, of_stop(stop), says, next_command(ending, self.run.place))

    @contextmanager
    def _held(self, *, wait: bool, limit_s: float = math.inf) -> Iterator[Account | None]:
        watch = Watch(self.manners.out, hides_progress=True)
        with campaign.held_account(self.target, self.run, watch.hear, wait=wait, limit_s=limit_s) as account:
            check_at_home(self.run, force=self.manners.force)  # it may have moved while this slept or waited
            yield account

    def _too_long(self, now_s: float) -> str:
        return when_view.too_long_words(self.schedule, now_s, self.timing.limit_s)


async def _slept(run: OwnRun, schedule: Schedule, watch: Watch) -> Stop | None:
    """Sleep until its messages may leave; why it ends, if somebody asks for that."""
    stopping = Stopping()
    try:
        with stop_on_signals(stopping, watch.close):
            await campaign.wait_until_open(run, schedule, stopping, watch.hear)
    finally:
        watch.close()
    return stopping.why
