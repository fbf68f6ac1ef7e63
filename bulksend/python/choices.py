"""How a program wants a run sent, and what it answers beforehand."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn

from bulksend import campaign
from bulksend.campaign import Begun, Changed, Repeating, Since
from bulksend.errors import Question, UndecidedError, UsageError
from bulksend.model import MicroUSD
from bulksend.python.campaigns import PlaceLike
from bulksend.runs import Place, Run
from bulksend.sending import Cap, Caps, ErrorLimit, Pace

_PACE, _REPEATING = Pace(), Repeating()
_WORDS = {
    Question.ANOTHER_RUN: "new=True begins another run beside it",
    Question.SENT_BEFORE: "put its file back to go on with it, or say repeat=True to send to all again",
    Question.LOST: "put its file back, or say repeat=True to send what it may have sent again",
    Question.UNSEEN: "try again later, or say unseen=True to have them sent all the same",
    Question.NETWORK: "keep it on a disk of this machine, or say force=True if only this machine uses it",
    Question.FILES: "bring it there (bulksend database init), or say force=True if it counts no more",
    Question.HOME: "send a run there, or say force=True if the account lives there no more",
}
_LEAST = {
    "limit": 1,
    "max_cost_micro": 1,
    "repeat_after_s": 0,
    "not_within_s": 0,
    "concurrency": 1,
    "concurrency_max": 1,
    "retries": 0,
    "patience_s": 0,
    "grace_s": 0,
    "history_days": 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOptions:
    """How a run is sent; every one has a default that is right for most.

    Attributes:
        limit: only the first so many pending rows.
        max_cost_micro: micro-USD that the whole run may cost; it stops before it costs more.
        max_errors: stop when more rows than this could not be sent; ``"5%"`` is judged from the 100th row on.
        new: begin another run beside one that has begun otherwise, or is finished.
        repeat: send again what earlier runs sent already, also those whose files are gone.
        repeat_after_s: for so long the same text to the same number is a slip, and left out.
        not_within_s: leave out who got anything for so long.
        exclude_dead: leave out phones that the last two runs did not reach, by the receipts that were fetched.
        wait: if another run of the account is sending, wait until it has ended.
        force: send a run though it lies on a network file system, or where its account does not live.
        concurrency: requests under way at once; None to find out how many the server takes.
        concurrency_max: that goes no higher; None for 512, or 64 where clientDedup is not proven.
        rate: messages per second of the whole account; None for no limit.
        caps: telcos' limits for one phone, such as ``"63=5/60"``.
        cap_counts: what counts against a cap.
        timeout_s: how long one request may take.
        retries: how often a message that was certainly not sent is tried again.
        patience_s: how long the server may be away before the run gives up for now.
        grace_s: how long answers under way are waited for when the task is cancelled.
        dedup: messages carry a clientDedup.
        history_days: for how long it is kept who got what.
        run: the run's file or its name in a database; by default the input's name, ending in ``.run``.
        results: the results, .csv, .jsonl or .xlsx; by default the run's name, ending in ``.results.csv``.

    Raises:
        UsageError: something of it cannot be.
    """

    limit: int | None = None
    max_cost_micro: int | None = None
    max_errors: int | str | None = None
    new: bool = False
    repeat: bool = False
    repeat_after_s: float = _REPEATING.repeat_after_s
    not_within_s: float | None = None
    exclude_dead: bool = False
    wait: bool = False
    force: bool = False
    concurrency: int | None = _PACE.concurrency
    concurrency_max: int | None = None
    rate: float | None = None
    caps: Sequence[str] = ()
    cap_counts: Literal["parts", "messages"] = "parts"
    timeout_s: float = _PACE.timeout_s
    retries: int = _PACE.retries
    patience_s: float = _PACE.patience_s
    grace_s: float = _PACE.grace_s
    dedup: bool = True
    history_days: int = 400
    run: PlaceLike | None = None
    results: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        """Refuse what no send can do."""
        for name, least in _LEAST.items():
            said = getattr(self, name)
            if said is not None and not said >= least:
                raise UsageError(f"{name} is {said}: it is {least} or more")
        for name in ("rate", "timeout_s"):
            said = getattr(self, name)
            if said is not None and not said > 0:
                raise UsageError(f"{name} is {said}: it is more than 0")
        if self.cap_counts not in {"parts", "messages"}:
            raise UsageError(f"cap_counts is {self.cap_counts!r}: it is parts or messages")

    @property
    def leaves_out(self) -> bool:
        """Whether anything is said of what history holds, so that what is left out for it is left out on purpose."""
        is_after_said = self.repeat_after_s != _REPEATING.repeat_after_s
        return self.repeat or is_after_said or self.not_within_s is not None or self.exclude_dead

    def settled(self) -> campaign.SendOptions:
        """The same, as it is sent; the command is given now.

        Raises:
            UsageError: a cap or a limit is not understood.
        """
        pace = Pace(
            concurrency=self.concurrency,
            most=self.concurrency_max or _PACE.most,
            most_unproven=self.concurrency_max or _PACE.most_unproven,
            rate=self.rate,
            timeout_s=self.timeout_s,
            retries=self.retries,
            patience_s=self.patience_s,
            grace_s=min(self.grace_s, self.timeout_s),
        )
        return campaign.SendOptions(
            pace,
            Caps(map(Cap.parse, self.caps)),
            by_parts=self.cap_counts == "parts",
            limit=self.limit,
            dedup=self.dedup,
            max_cost=None if self.max_cost_micro is None else MicroUSD(self.max_cost_micro),
            max_errors=None if self.max_errors is None else ErrorLimit.parse(str(self.max_errors)),
            repeating=Repeating(
                self.repeat, self.repeat_after_s, self.not_within_s, time.time(), exclude_dead=self.exclude_dead
            ),
            history_days=self.history_days,
        )


@dataclass(frozen=True, slots=True)
class Said:
    """Answers what a program has said before, and asks nobody; see `campaign.Deciding`.

    Attributes:
        new: whether another run begins beside one that has begun.
    """

    new: bool

    def goes_on(self, found: Begun) -> None:
        """It does."""

    def is_for_another(self, found: Begun) -> bool:  # noqa: ARG002 -- whatever was found
        """If that was said."""
        return self.new

    def replans(self, since: Since) -> None:
        """It does."""

    def begins_another(self, found: Changed) -> None:
        """If that was said."""
        if not self.new:
            try:
                campaign.refuse(found)
            except UndecidedError as error:
                refuse(error)

    def agrees(self, undecided: UndecidedError) -> None:
        """What was said beforehand is not asked."""
        refuse(undecided)


def check_local(place: Place, *, force: bool) -> None:
    """See that a run's file lies where its lock holds against everybody, unless it was said that this is known.

    Raises:
        UndecidedError: it lies on a network file system.
    """
    if not force:
        try:
            campaign.check_is_local(place)
        except UndecidedError as error:
            refuse(error)


def check_at_home(run: Run, *, force: bool) -> None:
    """See that a run lies where its account lives, unless it was said that this is known.

    Raises:
        UndecidedError: it does not.
    """
    if not force:
        try:
            campaign.check_at_home(run)
        except UndecidedError as error:
            refuse(error)


def refuse(undecided: UndecidedError) -> NoReturn:
    """Raise it with the argument by which yes is said."""
    says = f"{undecided}: {_WORDS[undecided.question]}"
    about = {"sentence": f"{undecided}", **undecided.about}  # for whoever has other words for yes
    raise UndecidedError(says, undecided.question, undecided.advice, **about) from None
