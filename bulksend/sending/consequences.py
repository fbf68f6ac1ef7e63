"""What follows from a verdict: the message's status, whether it is tried again, whether the run goes on.

It decides and carries nothing out: it looks at the verdict and at what the run has seen so far, tells the dispatcher,
and returns the outcome to be noted.
"""

from __future__ import annotations

import math
import random

from bulksend.model import Attempt, ContactId, Event, Message, Outcome, PhoneNumber, Queued
from bulksend.sending.dispatcher import Dispatcher
from bulksend.sending.limits import Budget, ErrorLimit
from bulksend.sending.proof import Proof
from bulksend.sending.stop import Stop, StopReason
from bulksend.sending.stopping import Stopping
from bulksend.sending.verdict import Repeat, Ruling, Verdict

_BACKOFF_S = 0.5
_BACKOFF_MAX_S = 30.0
_QUIET_MAX_S = 300.0  # a server that asks to be left alone for longer is asked again after this
_GOOD = frozenset({Event.ACCEPTED, Event.KNOWN})
_WELL = _GOOD | {Event.REJECTED}  # they show that the API is
_NO_REPEAT = "it may or may not have been accepted, and it is not known that a repeat would not be accepted as well"


class Consequences:
    """Draws the consequences of one run's verdicts.

    Args:
        dispatcher: hears of answers, of learned numbers and of rows to try again.
        stopping: is asked for the run's end where no message can do better.
        retries: how often a message is tried again after its first attempt.
        failures_max: so many attempts in a row without an answer that makes sense end the run.
        proof: when a repeat is safe; hears of answers.
        is_shared: whether another run may have used the run's dedup keys.
        budget: what the run may cost, or None.
        error_limit: how many rows may end unsent, or None.
        rng: the retries' jitter.

    Attributes:
        proof: the same.
        quiet_until: no message may start before; the server asked for it.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        stopping: Stopping,
        *,
        retries: int,
        failures_max: int,
        proof: Proof,
        is_shared: bool,
        budget: Budget | None,
        error_limit: ErrorLimit | None,
        rng: random.Random,
    ) -> None:
        self.proof = proof
        self.quiet_until = -math.inf
        self._dispatcher = dispatcher
        self._is_shared = is_shared
        self._retries = retries
        self._failures_max = failures_max
        self._budget = budget
        self._error_limit = error_limit
        self._stopping = stopping
        self._rng = rng
        self._tries: dict[int, int] = {}  # of messages that were tried in vain
        self._waiting: list[Queued] = []  # of earlier commands; a repeat is safe once an echo is seen
        self._done = self._bad = 0  # rows
        self._in_vain = 0  # attempts in a row without a message accepted
        self._rejected_alike = 0.0  # messages, as long as none had another fate
        self._rejection: str | None = None

    def can_afford(self, attempt: Attempt) -> bool:
        """Set a message's price aside before it leaves; False if the budget is filled."""
        return self._budget is None or self._budget.hold(attempt.message.row, attempt.message.price)

    def doubt(self, items: list[Queued]) -> None:
        """Rows of before may have been accepted, under the proof that holds: they are repeated once that is safe."""
        self._waiting.extend(items)

    def draw(self, item: Queued, attempt: Attempt, verdict: Verdict, mono_s: float, wall_s: float) -> Outcome:
        """What a verdict means for its message and for the run.

        Args:
            item: the row as the dispatcher handed it out.
            attempt: what was sent.
            verdict: what came of it.
            mono_s: seconds of the dispatcher's clock.
            wall_s: seconds since 1970.
        """
        self._prove(attempt, verdict, mono_s)
        if self._is_shared and attempt.number == 1 and verdict.is_duplicate:
            verdict = verdict.of_another_run()
        ruling = verdict.ruling
        learned = self._learn(attempt.message, verdict, mono_s) if ruling.event in _GOOD else None
        if ruling.counts:
            self._dispatcher.answered(item, mono_s)
        else:
            self._dispatcher.unsent(item, mono_s)
        if verdict.retry_after_s is not None:
            self.quiet_until = max(self.quiet_until, mono_s + min(verdict.retry_after_s, _QUIET_MAX_S))
        self._see_whether_to_stop(verdict)
        again = ruling.repeat is not Repeat.NEVER and self._try_again(item, attempt, ruling, mono_s)
        if not again:
            self._tries.pop(item.row, None)
        event = self._event(ruling, again=again)
        self._account_for(attempt, event, verdict)
        final = not again and (event is not Event.PUT_OFF or attempt.in_doubt)
        if final:
            self._count(event)
        return Outcome(
            row=item.row,
            event=event,
            final=final,
            ended_at=wall_s,
            http_status=verdict.http_status,
            answer=verdict.answer,
            error=verdict.says,
            learned=learned,
        )

    def call_off(self, item: Queued, attempt: Attempt, mono_s: float, wall_s: float) -> Outcome:
        """The run stopped between the intent and the POST: nothing left."""
        self._dispatcher.unsent(item, mono_s)
        self._account_for(attempt, Event.CALLED_OFF, None)
        return Outcome(row=item.row, event=Event.CALLED_OFF, final=False, ended_at=wall_s)

    def leave_in_doubt(self, item: Queued, mono_s: float, wall_s: float) -> Outcome:
        """A repeat is not safe, or no longer, just before it would have left."""
        self._dispatcher.unsent(item, mono_s)
        self._tries.pop(item.row, None)
        self._count(Event.DOUBTED)
        return Outcome(row=item.row, event=Event.CALLED_OFF, final=True, ended_at=wall_s, error=_NO_REPEAT)

    def let_go(self, item: Queued, mono_s: float) -> None:
        """Somebody else has the row: it is nobody's here any more."""
        self._dispatcher.unsent(item, mono_s)
        self._tries.pop(item.row, None)

    def _event(self, ruling: Ruling, *, again: bool) -> Event:
        if ruling.repeat is Repeat.FREELY and (again or self._stopping.why is not None):
            return Event.PUT_OFF
        return ruling.event

    def _see_whether_to_stop(self, verdict: Verdict) -> None:
        ruling = verdict.ruling
        if ruling.ends is not None:
            self._stopping.ask(Stop(ruling.ends, verdict.says))
        # A rejection in the API's own words is the message's fault, and shows that the API is well.
        self._in_vain = 0 if ruling.event in _WELL else self._in_vain + 1
        if self._in_vain >= self._failures_max:
            says = f"the last {self._in_vain} attempts all failed, the latest because: {verdict.says}"
            self._stopping.ask(Stop(StopReason.NOTHING_BUT_FAILURES, says))
        self._see_whether_all_are_rejected(verdict)

    def _see_whether_all_are_rejected(self, verdict: Verdict) -> None:
        """If it rejects all from the first on in the same words, no message is at fault but, say, the organization."""
        event, error = verdict.ruling.event, verdict.says
        if event in _GOOD or self._rejection not in (None, error):
            self._rejected_alike = -math.inf  # from now on rejections are the messages' own
        if event is Event.REJECTED:
            self._rejection = error
            self._rejected_alike += 1
        if self._rejected_alike >= self._failures_max and self._error_limit is None:
            says = f"all of the first {self._rejected_alike:.0f} messages were rejected, because: {error}"
            self._stopping.ask(Stop(StopReason.ALL_REJECTED, says))

    def _count(self, event: Event) -> None:
        self._done += 1
        self._bad += event not in _GOOD
        limit = self._error_limit
        if limit is not None and limit.is_exceeded(self._bad, self._done):
            says = f"{self._bad} of {self._done} rows could not be sent, more than the limit of {limit}"
            self._stopping.ask(Stop(StopReason.TOO_MANY_ERRORS, says, self._bad, self._done, limit))

    def _account_for(self, attempt: Attempt, event: Event, verdict: Verdict | None) -> None:
        if self._budget is None:
            return
        row = attempt.message.row
        if event is Event.ACCEPTED:
            self._budget.accepted(row, verdict.answer.charged if verdict and verdict.answer else None)
        elif event is not Event.DOUBTED and not attempt.in_doubt:
            self._budget.not_sent(row)

    def _learn(self, message: Message, verdict: Verdict, mono_s: float) -> tuple[ContactId, PhoneNumber] | None:
        """Remember the number behind a contactId, if the answer tells it."""
        if not isinstance(message.recipient, int) or verdict.answer is None:
            return None
        number = verdict.answer.to
        if not (number.isascii() and number.isdecimal()):
            return None
        self._dispatcher.learn(message.recipient, PhoneNumber(number), mono_s)
        return message.recipient, PhoneNumber(number)

    def _try_again(self, item: Queued, attempt: Attempt, ruling: Ruling, mono_s: float) -> bool:
        """Plan the next attempt, if there is to be one."""
        tries = self._tries.get(item.row, 0) + 1
        if tries > self._retries or self._stopping.why is not None:
            return False
        needs_proof = ruling.repeat is Repeat.UNDER_KEY or (attempt.in_doubt and not attempt.resent)
        if needs_proof and not self.proof.covers(attempt):
            return False
        self._tries[item.row] = tries
        ceiling_s = min(_BACKOFF_MAX_S, _BACKOFF_S * 2 ** (tries - 1))
        self._dispatcher.retry(item, mono_s + self._rng.uniform(0, ceiling_s))
        return True

    def _prove(self, attempt: Attempt, verdict: Verdict, mono_s: float) -> None:
        """See what an answer proves: what waits is repeated from now on, or never."""
        self.proof.see(attempt, verdict)
        if self.proof.number:
            for item in self._waiting:
                self._dispatcher.retry(item, mono_s)
        if self.proof.number or not self.proof.held:
            self._waiting.clear()
