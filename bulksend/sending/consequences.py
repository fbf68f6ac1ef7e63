"""What follows from a verdict: the message's status, whether it is tried again, whether the run goes on.

It decides and carries nothing out: it looks at the verdict and at what the run has seen so far, tells the dispatcher,
and returns the outcome to be noted.
"""

from __future__ import annotations

import math

from bulksend.model import Answer, Attempt, ContactId, Event, Message, Outcome, PhoneNumber, Queued
from bulksend.sending.absence import Absence
from bulksend.sending.dispatcher import Dispatcher
from bulksend.sending.limits import Errors
from bulksend.sending.proof import Proof
from bulksend.sending.purse import Purse
from bulksend.sending.sharing import Sharing
from bulksend.sending.stop import Stop, StopReason
from bulksend.sending.stopping import Stopping
from bulksend.sending.throttle import Throttle
from bulksend.sending.tries import Tries
from bulksend.sending.verdict import CUT_SHORT, Repeat, Ruling, Verdict, Voice

_MONEY_S = 0.2  # until a row is tried again for which there was no money: others may give some back
_GOOD = frozenset({Event.ACCEPTED, Event.KNOWN})
# What each message is compared with: see `absence`.
_NEVER, _FREELY = Repeat.NEVER, Repeat.FREELY
_PUT_OFF, _REJECTED, _API = Event.PUT_OFF, Event.REJECTED, Voice.API
_NO_REPEAT = "it may or may not have been accepted, and it is not known that a repeat would not be accepted as well"


class Consequences:
    """Draws the consequences of one run's verdicts.

    Args:
        dispatcher: hears of answers, of learned numbers and of rows to try again.
        stopping: is asked for the run's end where no message can do better.
        absence: hears how attempts end; knows whether the server is away.
        throttle: hears how long answers take, and when the server asks to slow down.
        purse: keeps the messages that wait for money.
        tries: counts them.
        proof: when a repeat is safe; hears of answers.
        is_shared: whether another run may have used the run's dedup keys.
        alike_max: so many messages rejected in the same words from the first on end the run; ``math.inf`` for none.
        errors: counts the rows that end unsent, or None if they may.
        sharing: knows which rows wait for the run's money; None if one process has it alone.

    Attributes:
        proof: the same.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        stopping: Stopping,
        absence: Absence,
        throttle: Throttle,
        purse: Purse,
        tries: Tries,
        *,
        proof: Proof,
        is_shared: bool,
        alike_max: float,
        errors: Errors | None,
        sharing: Sharing | None = None,
    ) -> None:
        self.proof = proof
        self._dispatcher = dispatcher
        self._stopping = stopping
        self._absence = absence
        self._throttle = throttle
        self._purse = purse
        self._tries = tries
        self._is_shared = is_shared
        self._alike_max = alike_max
        self._errors = errors
        self._sharing = sharing
        self._waiting: list[Queued] = []  # of earlier commands; a repeat is safe once an echo is seen
        self._rejected_alike = 0.0  # messages, as long as none had another fate
        self._rejection: str | None = None
        self._is_proven = False
        self._latest = ""  # why an attempt did not get through

    def begin(self, in_doubt: list[Queued], repeats: int | None, mono_s: float) -> None:
        """Take up what earlier commands left.

        Args:
            in_doubt: rows that may have been accepted, under the proof that holds: they are repeated once that is safe.
            repeats: only the first so many of them; None for all.
            mono_s: seconds of the dispatcher's clock.
        """
        if self._errors is not None:
            for item in in_doubt:
                self._errors.hope(item.row)
        self._see_whether_errors_are_too_many()
        self._waiting.extend(in_doubt[:repeats])
        self._repeat(mono_s)

    def draw(
        self, item: Queued, attempt: Attempt, verdict: Verdict, mono_s: float, wall_s: float, *,
        others: int, latency_s: float,
    ) -> Outcome:  # fmt: skip
        """What a verdict means for its message and for the run.

        Args:
            item: the row as the dispatcher handed it out.
            attempt: what was sent.
            verdict: what came of it.
            mono_s: seconds of the dispatcher's clock.
            wall_s: seconds since 1970.
            others: attempts under way beside it.
            latency_s: how long it took.
        """
        if self.proof.see(attempt, verdict):  # what waits is repeated from now on, or never
            self._repeat(mono_s)
        # What the server knew from elsewhere costs nothing anew, nor does what it refused, whatever the body says.
        is_free = verdict.is_duplicate and not attempt.in_doubt
        if self._is_shared and attempt.number == 1 and verdict.is_duplicate:
            verdict = verdict.of_another_run()
        ruling = verdict.ruling
        learned = self._learn(attempt.message, verdict, mono_s) if ruling.event in _GOOD else None
        if ruling.counts:
            self._dispatcher.answered(item, mono_s)
        else:
            self._dispatcher.unsent(item, mono_s)
        is_trial = self._absence.is_trial(item.row)
        self._hold_back(verdict, latency_s, mono_s)
        self._hear(item.row, verdict, others, mono_s)
        self._see_whether_to_stop(verdict)
        again = ruling.repeat is not _NEVER and self._try_again(item, attempt, verdict, mono_s, is_trial=is_trial)
        if not again:
            self._tries.forget(item.row)
        event = self._event(ruling, again=again)
        answer = verdict.answer if ruling.event in _GOOD and not is_free else _uncharged(verdict.answer)
        self._purse.settle(attempt, event, answer, mono_s, is_free=is_free)
        final = not again and (event is not _PUT_OFF or attempt.in_doubt)
        if final:
            self._count(item.row, event)
        return Outcome(
            item.row, event, final, wall_s, verdict.http_status, answer, verdict.says, learned, attempt.in_doubt,
            verdict.code,
        )  # fmt: skip

    def looked(self, mono_s: float, *, found: bool) -> None:
        """It was looked whether anybody answers for the server that is away."""
        self._absence.looked(mono_s, found=found)
        self._see_whether_it_is_gone()

    def call_off(self, item: Queued, attempt: Attempt, mono_s: float, wall_s: float) -> Outcome:
        """The run stopped between the intent and the POST: nothing left."""
        self._dispatcher.unsent(item, mono_s)
        self._absence.called_off(item.row)
        self._purse.settle(attempt, Event.CALLED_OFF, None, mono_s)
        return Outcome(row=item.row, event=Event.CALLED_OFF, final=False, ended_at=wall_s)

    def leave_in_doubt(self, item: Queued, attempt: Attempt, mono_s: float, wall_s: float) -> Outcome:
        """A repeat is not safe, or no longer, just before it would have left."""
        outcome = self.call_off(item, attempt, mono_s, wall_s)
        self._tries.forget(item.row)
        self._count(item.row, Event.DOUBTED)
        return outcome._replace(final=True, error=_NO_REPEAT)

    def exclude(self, item: Queued, attempt: Attempt | None, says: str, mono_s: float, wall_s: float) -> Outcome:
        """Whoever it goes to is not to get it, as was seen before it began (no attempt), or before it would have left.

        Of a row that did not begin nobody here knows whether it is in doubt: errors are then as they were.
        """
        if attempt is None:
            self.let_go(item, mono_s)
        else:
            self.call_off(item, attempt, mono_s, wall_s)
            self._tries.forget(item.row)
            if attempt.in_doubt:
                self._count(item.row, Event.DOUBTED)
        in_doubt = attempt is not None and attempt.in_doubt
        return Outcome(item.row, Event.EXCLUDED, final=True, ended_at=wall_s, error=says, in_doubt=in_doubt)

    def hold_back(self, item: Queued, attempt: Attempt, mono_s: float, wall_s: float) -> Outcome:
        """The run must wait between the intent and the POST: nothing left, and it goes as soon as it may."""
        outcome = self.call_off(item, attempt, mono_s, wall_s)
        self._dispatcher.retry(item, mono_s)
        return outcome

    def let_go(self, item: Queued, mono_s: float) -> None:
        """The row did not begin: it waits for money, or somebody else has it and it is nobody's here any more."""
        self._dispatcher.unsent(item, mono_s)
        self._absence.called_off(item.row)
        if self._sharing is not None and self._sharing.waits(item.row):
            self._dispatcher.retry(item, mono_s + _MONEY_S)
        else:
            self._tries.forget(item.row)

    def _hold_back(self, verdict: Verdict, latency_s: float, mono_s: float) -> None:
        """Let less go, or more, for how an attempt ended."""
        if verdict.slow:
            self._throttle.slowed(latency_s, verdict.retry_after_s, mono_s)
        elif verdict.voice is _API:
            self._throttle.answered(latency_s, mono_s)
        elif verdict is not CUT_SHORT:
            self._throttle.silent(latency_s, mono_s)

    def _hear(self, row: int, verdict: Verdict, others: int, mono_s: float) -> None:
        """Tell those who watch the server how an attempt ended."""
        goes_away = self._absence.heard(row, verdict, others, mono_s)
        self._tries.heard(verdict)
        if goes_away:
            self._throttle.narrow(mono_s)
            self._tries.take_back()
        self._latest = verdict.says
        self._see_whether_it_is_gone()

    def _see_whether_it_is_gone(self) -> None:
        if self._absence.is_over:
            time_s = f"{self._absence.patience_s:g} s"
            says = f"the server was away: nothing got through for {time_s}, the latest because: {self._latest}"
            self._stopping.ask(Stop(StopReason.SERVER_AWAY, says))

    def _event(self, ruling: Ruling, *, again: bool) -> Event:
        if ruling.repeat is _FREELY and (again or self._stopping.why is not None):
            return _PUT_OFF
        return ruling.event

    def _see_whether_to_stop(self, verdict: Verdict) -> None:
        """If it rejects all from the first on in the same words, no message is at fault but, say, the organization."""
        event, error = verdict.ruling.event, verdict.says
        if verdict.ruling.ends is not None:
            self._stopping.ask(Stop(verdict.ruling.ends, error))
        if event in _GOOD or self._rejection not in (None, error):
            self._rejected_alike = -math.inf  # from now on rejections are the messages' own
        if event is _REJECTED:
            self._rejection = error
            self._rejected_alike += 1
        if self._rejected_alike >= self._alike_max:
            says = f"all of the first {self._rejected_alike:.0f} messages were rejected, because: {error}"
            self._stopping.ask(Stop(StopReason.ALL_REJECTED, says))

    def _count(self, row: int, event: Event) -> None:
        if self._errors is None:
            return
        if event in _GOOD:
            self._errors.sent(row)
        else:
            self._errors.not_sent(row)
        self._see_whether_errors_are_too_many()

    def _see_whether_errors_are_too_many(self) -> None:
        errors = self._errors
        if errors is not None and errors.is_exceeded:
            says = f"{errors.count} of {errors.done} rows could not be sent, more than the limit of {errors.limit}"
            self._stopping.ask(Stop(StopReason.TOO_MANY_ERRORS, says, errors.count, errors.done, errors.limit))

    def _learn(self, message: Message, verdict: Verdict, mono_s: float) -> tuple[ContactId, PhoneNumber] | None:
        """Remember the number behind a contactId, if the answer tells it."""
        if not isinstance(message.recipient, int) or verdict.answer is None:
            return None
        number = verdict.answer.to
        if not (number.isascii() and number.isdecimal()):
            return None
        self._dispatcher.learn(message.recipient, PhoneNumber(number), mono_s)
        return message.recipient, PhoneNumber(number)

    def _try_again(self, item: Queued, attempt: Attempt, verdict: Verdict, mono_s: float, *, is_trial: bool) -> bool:
        """Plan the next attempt, if there is to be one."""
        if self._stopping.why is not None:
            return False
        if verdict.ruling.repeat is Repeat.UNDER_KEY and not self.proof.covers(attempt):
            return False  # looked at once more when it leaves
        wait_s = self._tries.wait_s(item.row, verdict, self._absence)
        if wait_s is None:
            return False
        if not (is_trial and self._absence.is_away):
            self._dispatcher.retry(item, mono_s + wait_s)
        elif verdict.voice is Voice.NONE:
            self._dispatcher.put_first(item)
        else:
            self._dispatcher.queue([item])  # others first: it may be the message that is at fault
        return True

    def _repeat(self, mono_s: float) -> None:
        if bool(self.proof.number) is not self._is_proven:
            self._is_proven = not self._is_proven
            self._throttle.prove(is_proven=self._is_proven)
        if not self._waiting:
            return
        if self.proof.number:
            for item in self._waiting:
                self._dispatcher.retry(item, mono_s)
            self._waiting.clear()
        elif not self.proof.held:
            lost, self._waiting = self._waiting, []
            for item in lost:
                self._count(item.row, Event.DOUBTED)


def _uncharged(answer: Answer | None) -> Answer | None:
    """An answer that costs nothing; the structure is always the same, so that its body may name a cost."""
    return None if answer is None else answer._replace(charged=None)
