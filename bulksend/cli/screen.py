"""The screen of a run that is being sent: what stands on it, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table

from bulksend.campaign import PaceFound, Progressed, Started
from bulksend.cli.console import wrapped
from bulksend.model import Status
from bulksend.sending import Why
from bulksend.sms import dollars
from bulksend.words import many, printable, time_of

_ENDS = (Status.SENT, Status.SKIPPED, Status.REJECTED, Status.FAILED, Status.UNKNOWN)
_BAR = 40  # columns at most
_WHY = {
    Why.ROOM: "more than before, for answers are as quick",
    Why.SLOWER: "fewer than before, for answers took longer",
    Why.SILENT: "fewer than before, for several brought no answer",
    Why.REFUSED: "fewer than before, for the server refuses more",
    Why.AWAY: "few at first, for the server was away",
}


class Screen(NamedTuple):
    """Shows how a run gets on, at any width.

    Attributes:
        began: what is to be sent.
        seen: where it stands.
    """

    began: Started
    seen: Progressed

    @property
    def done(self) -> int:
        """Rows that this command is done with."""
        return self.seen.now.sent + self.seen.now.not_sent

    def line(self) -> str:
        """All of it that a log has room for."""
        found = () if self.seen.found is None else (found_line(self.seen.found),)
        return f"{self.done:,} of {self.began.rows:,} done: {', '.join((*self._counts(), *self._pace(), *found))}"

    def shown(self, width: int) -> Group:
        """A bar, and under it what there is to tell; words stay whole."""
        share = self.done / self.began.rows if self.began.rows else 1.0
        bar = Table.grid()
        bar.add_row(ProgressBar(self.began.rows, self.done, width=min(width, _BAR)))
        head = f"sending: {self.done:,} of {self.began.rows:,} done, {share:.0%}"
        return Group(head, bar, *(line for each in self.lines() for line in wrapped(each, width)))

    def lines(self) -> Iterator[str]:
        """What there is to tell."""
        yield ", ".join(self._counts())
        yield ", ".join(self._pace())
        if self.seen.found is not None:
            yield found_line(self.seen.found)
        yield from self._waits()

    def _counts(self) -> Iterator[str]:
        now = self.seen.now
        for status in _ENDS:
            if now.ends.get(status, 0) or status is Status.SENT:
                yield f"{now.ends.get(status, 0):,} {status}"
        if now.in_flight:
            yield f"{now.in_flight:,} in flight"

    def _pace(self) -> Iterator[str]:
        seen = self.seen
        yield f"{seen.pace:,.0f}/s now, {seen.mean:,.0f}/s on average"
        if seen.left_s is not None and self.done:
            yield f"{time_of(seen.left_s)} left"
        if seen.now.charged:
            of = f" of {dollars(self.began.price)} estimated" if self.began.price is not None else ""
            yield f"{dollars(seen.now.charged)}{of}"

    def _waits(self) -> Iterator[str]:
        seen = self.seen
        if seen.now.parked:
            when = "" if seen.free_s is None else f"; the next is free in {time_of(seen.free_s)}"
            phones = many(seen.now.phones, "phone")
            yield f"{many(seen.now.parked, 'row waits', 'rows wait')} for the cap of {phones}{when}"
        if seen.now.retries:
            yield f"{many(seen.now.retries, 'retry', 'retries')}, the last because {printable(seen.now.latest)}"
        if seen.closes_s is not None and seen.left_s is not None and seen.left_s > seen.closes_s and self.done:
            left = round((self.began.rows - self.done) * (1 - seen.closes_s / seen.left_s))
            yield f"Its window closes in {time_of(seen.closes_s)}: about {many(left, 'row')} left then."
        if seen.away_s is not None:
            yield f"Server away: trying again in {time_of(seen.away_s)}."
        elif seen.slowed_s:
            yield f"Slowed by the API for {time_of(seen.slowed_s)}."


def found_line(found: PaceFound) -> str:
    """How much the server was found to take, and why."""
    at_once = many(found.at_once, "request") + " at once"
    if found.rate is not None:
        return f"the server lets about {max(found.rate, 1):,.0f}/s through; {at_once} at most"
    return at_once if found.why is None else f"{at_once}, {_WHY[found.why]}"
