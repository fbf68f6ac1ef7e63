"""What the engine asks of wherever a run is kept: the protocol of its notes. Any store can stand behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bulksend.model import Answer, Attempt, Outcome, Queued, Recipient, RowInDoubt

if TYPE_CHECKING:
    from bulksend.sending.sharing import Sharing


class News(NamedTuple):
    """What came to this process from others that send for the account.

    Attributes:
        rows: to be sent from here, though they would not be claimed any more.
        sends: (recipient, slots, seconds since 1970) of sends that count against a cap that is kept here.
    """

    rows: Sequence[Queued] = ()
    sends: Sequence[tuple[Recipient, int, float]] = ()


class Journal(Protocol):
    """The notes of one run that is being sent.

    Calls take effect in the order in which they are made, whether or not they are awaited yet. Every one raises
    RunFileError if it could not be committed, and OwnedError if somebody else has the run by now: then nothing of it
    was noted, and nothing may leave.
    """

    @property
    def sharing(self) -> Sharing | None:
        """What it keeps for all processes that send the run; None if this one has it alone."""

    def claim(self, after: int, limit: int) -> Awaitable[list[Queued]]:
        """The next rows to send behind row ``after``, in input order, ``limit`` at most; none if there are no more."""

    def crowded(self, is_crowded: Callable[[Recipient, int], bool]) -> Awaitable[list[Queued]]:
        """The rows to send of recipients for which ``is_crowded(recipient, slots of all its rows)`` holds.

        They are among those that `claim` answers, too: it is for the caller to know them again.
        """

    def undecided(self, since_s: float, proof: int) -> Awaitable[list[Queued]]:
        """Rows in doubt that nobody has decided on, since ``since_s`` (since 1970) or later.

        Only those of which all that may have been accepted went under this proof of clientDedup.
        """

    def recent_sends(self, since_s: float, wall_s: float) -> Awaitable[list[tuple[Recipient, int, float]]]:
        """(recipient, slots, time) of attempts that ended at ``since_s`` or later, in seconds since 1970.

        An attempt whose end nobody saw is taken to end at ``wall_s``.
        """

    def news(self) -> Awaitable[News | None]:
        """What came since this was asked last, first of all before `recent_sends`; None if nothing ever will.

        To a phone of which there are sends that were not told yet no row begins; it comes with them.
        """

    def begin(self, rows: Sequence[int], wall_s: float, proof: int = 0) -> Awaitable[list[Attempt]]:
        """Commit the intents to send these rows, under a proof of clientDedup (0 for none).

        Returns:
            The attempts that may leave, and only now. Rows that are missing may not: somebody else has them, or
            they wait for money (`Sharing.waits`).
        """

    def leaves(self, attempt: Attempt) -> bool:
        """An attempt's POST is about to be written; whether it still may. Comes back at once.

        It may not if somebody else could have the run by now. What was begun and never left is not in doubt if this
        process dies, though its intent was committed: that it leaves outlives the process. Whoever cannot know it takes
        every intent for one that left.
        """

    def settle(self, outcomes: Sequence[Outcome], *, turn: int) -> Awaitable[None]:
        """Commit outcomes, and how far the turns of `Proof` have come by them; they never go back.

        Of rows that are not under way the only one is that they are excluded, which must not have been sent.
        """

    def in_doubt(self, limit: int) -> Awaitable[list[RowInDoubt]]:
        """Rows in doubt that may be in the API's list, in input order, ``limit`` at most."""

    def message_ids(self, since_s: float) -> Awaitable[Collection[str]]:
        """The messageIds of what was sent at ``since_s`` (since 1970) or later."""

    def rivals(self, since_s: float) -> Awaitable[Collection[tuple[Recipient, str]]]:
        """Recipients and texts of rows beside those of `in_doubt` that may be in the API's list under an unknown id.

        They were left in doubt, are under way, or took several attempts, at ``since_s`` (since 1970) or later.
        """

    def found(self, answers: Mapping[int, Answer], wall_s: float) -> Awaitable[None]:
        """Commit that rows in doubt were accepted after all; by row, what the API's list says of them."""

    def asked_at(self) -> Awaitable[float | None]:
        """When somebody elsewhere asked that this send end, in seconds since 1970; None if nobody did."""

    def note_progress(self, words: str) -> Awaitable[None]:
        """Note where the send stands, for whoever looks on from elsewhere, in the caller's words; gone when it ends."""

    def give_up(self) -> None:
        """Nobody waits any longer for what cannot be committed as things are; comes back at once."""

    def close(self) -> None:
        """Commit what waits; nothing can be noted any more."""
