"""How many messages may start now, and whether one whose intent is committed still may leave."""

from __future__ import annotations

from bulksend.model import Attempt, Outcome, Queued
from bulksend.sending.absence import Absence
from bulksend.sending.consequences import Consequences
from bulksend.sending.optouts import Gatekeeper
from bulksend.sending.purse import Purse
from bulksend.sending.stopping import Stopping
from bulksend.sending.throttle import Throttle
from bulksend.sending.verdict import Verdict


class Gate:
    """Says how many messages may start; of its own it knows only whether messages still go alone.

    Args:
        absence: whether the server is away.
        throttle: how much of the pace may be used.
        purse: keeps the messages that wait for money.
        consequences: knows whether intents may be committed ahead, and what follows where one must not leave.
        stopping: knows whether the run ends.
        gatekeeper: tells whose messages must not leave.
        is_rated: whether the account's rate is limited, so that nothing is committed ahead.
    """

    __slots__ = (
        "_absence", "_consequences", "_gatekeeper", "_is_alone", "_is_rated", "_purse", "_stopping", "_throttle",
    )  # fmt: skip

    def __init__(
        self,
        absence: Absence,
        throttle: Throttle,
        purse: Purse,
        consequences: Consequences,
        stopping: Stopping,
        gatekeeper: Gatekeeper,
        *,
        is_rated: bool,
    ) -> None:
        self._absence = absence
        # The first message goes alone until its answer is in: one round trip shows whether the key is good, the
        # organization right, what a message costs and whether dedup keys are echoed.
        self._is_alone = True
        self._throttle = throttle
        self._purse = purse
        self._consequences = consequences
        self._stopping = stopping
        self._gatekeeper = gatekeeper
        self._is_rated = is_rated

    def places(self, busy: int, ready: int, mono_s: float) -> int:
        """How many messages may be handed out now: one for each idle worker, and as many ahead where that is harmless.

        Ahead means that the next intents are committed while workers are busy, so that no worker waits for the disk,
        and that one commit serves many. A crash then leaves intents that never left, which only a proven clientDedup
        makes harmless.

        Args:
            busy: messages handed out and not concluded.
            ready: of these, so many wait for a worker.
            mono_s: now.
        """
        if self._purse.is_filled:
            return 0
        if self._absence.is_away:  # a trial would be set aside behind what waits for money
            return 1 if self._absence.allows_trial and not self._purse.aside else 0
        if self._is_alone:
            return 0 if busy else 1
        busy += self._purse.aside
        width = self._throttle.width
        # Ahead of idle workers there is nothing: they would take it at once, and hold it back.
        if not self._consequences.proof.number or self._is_rated or self._throttle.is_narrowed:
            return max(0, self._throttle.free(busy, mono_s))
        free = 2 * width - busy
        return free if free > 0 and (not ready or free >= width) else 0

    def next_at(self, busy: int) -> float:
        """None may start before; with intents committed ahead, or spaced, nothing is gained by starting together."""
        throttle = self._throttle
        if self._consequences.proof.number or self._is_rated or throttle.is_narrowed:
            return throttle.next_at
        return throttle.together_at(busy)

    def heard(self, verdict: Verdict) -> None:
        """An attempt ended; once one is answered, messages no longer go alone."""
        self._is_alone = self._is_alone and not verdict.is_answer

    def holds(
        self, item: Queued, attempt: Attempt, under_way: int, mono_s: float, wall_s: float
    ) -> Outcome | None:  # fmt: skip
        """What becomes of a message that was handed out and must not leave, or not now; None if it may leave.

        Args:
            item: its row, as the dispatcher handed it out.
            attempt: what is about to leave.
            under_way: requests that are.
            mono_s: now.
            wall_s: seconds since 1970.
        """
        follows = self._consequences
        says = self._gatekeeper.why(item, attempt, mono_s)
        if self._stopping.look(wall_s) is not None:
            return follows.call_off(item, attempt, mono_s, wall_s)
        if says:
            return follows.exclude(item, attempt, says, mono_s, wall_s)
        if self._is_shut_for(item.row, under_way, mono_s):
            return follows.hold_back(item, attempt, mono_s, wall_s)
        if not follows.proof.allows(attempt, wall_s):
            return follows.leave_in_doubt(item, attempt, mono_s, wall_s)
        return None

    def _is_shut_for(self, row: int, under_way: int, mono_s: float) -> bool:
        if self._throttle.quiet_until > mono_s:
            return True
        if self._absence.is_away:
            return not self._absence.is_trial(row)
        return under_way >= self._throttle.width
