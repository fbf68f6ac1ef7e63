"""What outlives runs, as whoever sends and plans asks for it: an account's state, its history, and who opted out.

It is kept where the account lives: in files of one machine, or in a database; see `bulksend.runs.choosing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

from bulksend.model import Recipient
from bulksend.runs.clock import Clock
from bulksend.runs.hashes import Hashes
from bulksend.runs.opted_out import OptedOut
from bulksend.runs.owned import OwnRun
from bulksend.runs.store import Run
from bulksend.runs.telling import RecentSend


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a run must know of the ones before it.

    Attributes:
        sends: other runs' recent sends.
        blind: whether a run was cut off and its run file is gone, so that its last sends are not known.
    """

    sends: list[RecentSend]
    blind: bool


class Command(NamedTuple):
    """A command that sent, or was about to.

    Attributes:
        run: the place of its run.
        plan_id: the plan of that.
        key: what tells the file of that from others.
        began_at: when somebody gave it, in seconds since 1970.
        is_open: whether it is not known here yet what it sent.
    """

    run: str
    plan_id: str
    key: str
    began_at: float
    is_open: int


class Got(NamedTuple):
    """A message that a phone got, or may have got.

    Attributes:
        text: the hash of what it said.
        command: the number of the command that sent it.
        row: its row in that command's run.
        in_doubt: whether it is not known to be accepted.
    """

    text: int
    command: int
    row: int
    in_doubt: int


PlacedGot = tuple[int, int, int, int, int]
"""What a phone got, behind its place among those asked for. A tuple, for millions of them pass."""


class OptOut(NamedTuple):
    """Somebody who opted out.

    Attributes:
        recipient: the number or contact, as it was given.
        reason: in the words of whoever noted it; may be empty.
        since_s: when it was noted, in seconds since 1970.
    """

    recipient: Recipient
    reason: str
    since_s: float


class Account(Protocol):
    """What an account knows beyond one run, while that is sent. A context manager."""

    @property
    def history(self) -> History:
        """Who got what from it."""

    @property
    def optouts(self) -> OptedOut:
        """Who is to get nothing from it any more."""

    def begin(
        self, run: Run, *, since_s: float, wall_s: float, clock: Clock | None = None, began_at: float | None = None,
        is_remembered: bool = True, repeat_after_s: float | None = None,
    ) -> Earlier:  # fmt: skip
        """Note that a run begins, and tell what others have sent at ``since_s`` (since 1970) or later.

        Args:
            run: the run.
            since_s: what was sent before does not matter any more.
            wall_s: seconds since 1970.
            clock: how the clock stands; None if nobody knows.
            began_at: when somebody gave the command, in seconds since 1970; None for now.
            is_remembered: whether history keeps what it sends.
            repeat_after_s: for so long the very text that another run sends to a phone at the same time is not sent
                again, where several can send at a time; None to send it all the same.
        """

    def lend_numbers(self, run: OwnRun) -> None:
        """Tell a run the numbers of its contacts, as far as they are known."""

    def end(self, run: Run, *, since_s: float, wall_s: float, clock: Clock | None = None) -> None:
        """Remember what a run sent at ``since_s`` or later and what it learned; it has ended.

        If that fails, it is as if the run had been cut off: the next one reads it.
        """

    def close(self) -> None:
        """Let go of it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Reach(Protocol):
    """Which runs reached which phones, as far as receipts tell."""

    def take_in(self, run: Run) -> None:
        """Take in what a run's receipts say, in place of what they said before.

        Raises:
            RunFileError: the run cannot be read, or history not be written; then nothing of it was taken in.
        """

    def dead(self, recipients: Iterable[Recipient]) -> set[int]:
        """The places, among those asked for, of phones that the last runs that tell of them did not reach."""


class History(Protocol):
    """Who got which text when from one account, as keyed hashes. Several processes may write it. A context manager.

    Everything raises RunFileError if it cannot be read or written.
    """

    @property
    def hashes(self) -> Hashes:
        """Makes the hashes by which it tells of texts."""

    @property
    def reach(self) -> Reach:
        """Which phones were reached."""

    @property
    def stand(self) -> str:
        """What tells what it holds now from what it held before, and from any other history."""

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing."""

    @property
    def is_open(self) -> bool:
        """Whether there are commands of which it is not known here yet what they sent."""

    def begin(self, run: Run, *, began_at: float, wall_s: float) -> None:
        """Note that a command is about to send; it is open until `absorb` has read what it sent.

        Args:
            run: what it sends.
            began_at: when somebody gave it, in seconds since 1970.
            wall_s: now, in seconds since 1970.
        """

    def absorb(
        self, run: Run, *, since_s: float | None = None, closes: bool = True, other: Run | None = None
    ) -> None:  # fmt: skip
        """Take in what the commands of a run sent since the first of them that is open.

        Args:
            run: the run.
            since_s: since when to take in where none is open, in seconds since 1970; None for nothing.
            closes: whether these commands have ended; as long as they go on, nothing in doubt is taken in.
            other: another file of the same run, which may know better what became of a doubtful attempt.

        Raises:
            RunFileError: the run cannot be read, or history not be written; then nothing of it was taken in.
        """

    def catch_up(self, own: Run, *, closes: bool) -> list[Command]:
        """Take in what open commands sent whose runs can be read; the commands of the others: nobody knows.

        Args:
            own: the caller's own run, which knows by itself what it sent.
            closes: whether the caller has the account for itself, so that all other commands have ended.
        """

    def give_up(self, command: Command) -> None:
        """Ask no more after what the commands of a plan sent: nobody will ever know."""

    def commands(self) -> dict[int, Command]:
        """All commands, by number."""

    def got_by(self, recipients: Sequence[Recipient], texts: Sequence[str] = ()) -> list[PlacedGot]:
        """What phones got, or may have got.

        Args:
            recipients: the phones.
            texts: what each is to get, so that its hash is told where it got the same; none if that does not matter.
        """

    def all_names(self, recipients: Sequence[Recipient]) -> list[Recipient]:
        """These, and by what other numbers and ids the account knows their phones."""

    def purge(self, before_s: float) -> int:
        """Forget what commands sent that began before (seconds since 1970); how many messages that were."""

    def prune(self, before_s: float) -> None:
        """The same, now and then: it looks through all of it, which a command a day should not have to wait for."""

    def give_room_back(self) -> None:
        """Let what was forgotten take no room any more."""

    def close(self) -> None:
        """Let go of it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class OptOuts(Protocol):
    """The opt-outs of one account, to be changed; several processes may write them. A context manager.

    Everything raises RunFileError if it cannot be read or written.
    """

    def add(self, recipients: Iterable[Recipient], reason: str, wall_s: float) -> int:
        """Note that somebody opted out; how many of them had not before, and they keep what is noted of them."""

    def remove(self, recipients: Iterable[Recipient]) -> int:
        """Take some off the list; how many of them were on it."""

    def all(self) -> Iterator[OptOut]:
        """All of them, in the order in which they were noted."""

    def close(self) -> None:
        """Let go of them."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
