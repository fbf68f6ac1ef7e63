"""What its owner asks of a run, wherever that is kept: any store will do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bulksend.model import ContactId, Event, PhoneNumber
from bulksend.runs.ends import End
from bulksend.runs.facts import Address
from bulksend.runs.receipts import OwnReceipts
from bulksend.runs.results_file import OwnResultsFile
from bulksend.runs.store import Run
from bulksend.runs.telling import KnownRow, OpenRow, UnsentRow
from bulksend.runs.times import OwnTimed
from bulksend.sending import Journal


class OwnRun(OwnTimed, Run, Protocol):
    """A run that this process alone may write, until it closes it.

    Everything that writes raises RunFileError if it cannot, and OwnedError if somebody else has taken the run over.

    Attributes:
        behind_s: by so much its attempts may be older than their times say, for the clock was set back since.
    """

    behind_s: float

    def readdress(self, address: Address) -> None:
        """Say where the plan goes, before anything of it is sent."""

    def remove(self) -> None:
        """Let go of it and remove it: a plan that nobody wants to send after all."""

    def note_input(self, digest: str) -> None:
        """Note that an input with these bytes has the same rows as that of which it was planned."""

    def learn(self, numbers: Sequence[tuple[ContactId, PhoneNumber]]) -> None:
        """Note numbers of contacts that are known from elsewhere."""

    def decide(self, rows: Sequence[int], *, resend: bool) -> None:
        """Settle rows in doubt by somebody's word: they are sent again, or left unknown for good."""

    @property
    def looked_at(self) -> str:
        """What of history it was last compared with; empty if with none."""

    @property
    def excluded_by(self) -> str:
        """What its rows were last compared with of those who are not to get anything; empty if with nothing."""

    def note_excluded_by(self, lists: str) -> None:
        """Note what its rows were compared with of these."""

    def note_look(self, at: str) -> None:
        """Note what of history it was compared with."""

    def unsent(self, after: int, limit: int) -> list[UnsentRow]:
        """The next messages after a row that were certainly not sent, in input order."""

    def to_exclude(self, after: int, limit: int) -> list[OpenRow]:
        """The next rows after one that may yet be sent or repeated by somebody's word, in input order."""

    def alike_left_out(self, rows: Sequence[int]) -> dict[int, int]:
        """Of rows, how many others with the same recipient and text were left out for what history holds."""

    def leave_out(self, rows: Sequence[tuple[int, str]], event: Event, wall_s: float) -> None:
        """Leave rows out, each with the reason why; the event says what becomes of them, and of those in doubt."""

    def count_on(self, rows: Sequence[tuple[int, int]]) -> None:
        """Note of rows how many equal messages went before the run: their keys are others than those had."""

    def known(self, since_s: float, after: int, limit: int) -> list[KnownRow]:
        """The next rows after a row of which an answer at ``since_s`` or later said that another run had sent them."""

    def explain(self, rows: Sequence[tuple[int, str]]) -> None:
        """Say anew of such rows why they were not sent."""

    def take_up(self) -> None:
        """Have all rows sent after all that were left out for what history holds."""

    def close_rows(self, says: str, wall_s: float) -> None:
        """Close the run: what is pending or failed is not sent by it any more, and that is why."""

    def note_start(self, wall_s: float) -> None:
        """Note that it is sent from now on."""

    @property
    def results_file(self) -> OwnResultsFile:
        """Where its results are written, and what of them need not be written anew."""

    def forget(self, wall_s: float) -> None:
        """Take numbers, texts and cells out of it, for good; what was cut off in that is finished."""

    def note_end(self, end: End) -> None:
        """Note how that ended."""

    @property
    def asked_at(self) -> float | None:
        """When somebody elsewhere asked this owner to end, in seconds since 1970; None if nobody did."""

    @property
    def receipts(self) -> OwnReceipts:
        """What is known of the delivery of its messages, and what is not yet."""

    def claim_account(self) -> None:
        """Have the account for itself until a journal or this is closed; raises AccountBusyError if another run has."""

    def journal(self, *, by_parts: bool = True, limit: int | None = None, keyed: bool | None = None) -> Journal:
        """The notes of one send; until it is closed, nothing else is asked of the run.

        Args:
            by_parts: whether a message counts its parts against a cap, or one.
            limit: send only the first so many rows; None for all.
            keyed: whether messages carry a clientDedup; None if none are sent.
        """
