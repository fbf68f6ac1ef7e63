"""How many messages may start now, and from when: what the pace, the server and the money leave."""

from __future__ import annotations

from bulksend.sending.absence import Absence
from bulksend.sending.consequences import Consequences
from bulksend.sending.purse import Purse
from bulksend.sending.throttle import Throttle
from bulksend.sending.verdict import Verdict


class Gate:
    """Says how many messages may start; of its own it knows only whether messages still go alone.

    Args:
        absence: whether the server is away.
        throttle: how much of the pace may be used.
        purse: keeps the messages that wait for money.
        consequences: knows whether intents may be committed ahead.
        is_rated: whether the account's rate is limited, so that nothing is committed ahead.
    """

    __slots__ = ("_absence", "_consequences", "_is_alone", "_is_rated", "_purse", "_throttle")

    def __init__(
        self, absence: Absence, throttle: Throttle, purse: Purse, consequences: Consequences, *, is_rated: bool
    ) -> None:
        self._absence = absence
        # The first message goes alone until its answer is in: one round trip shows whether the key is good, the
        # organization right, what a message costs and whether dedup keys are echoed.
        self._is_alone = True
        self._throttle = throttle
        self._purse = purse
        self._consequences = consequences
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

    def heard(self, verdict: Verdict) -> None:
        """An attempt ended; once one is answered, messages no longer go alone."""
        self._is_alone = self._is_alone and not verdict.is_answer

    def is_shut_for(self, row: int, under_way: int, mono_s: float) -> bool:
        """Whether a message that was handed out must wait after all.

        Args:
            row: its row.
            under_way: requests that are.
            mono_s: now.
        """
        if self._throttle.quiet_until > mono_s:
            return True
        if self._absence.is_away:
            return not self._absence.is_trial(row)
        return under_way >= self._throttle.width
