"""Who is not to get a planned run any more: those on lists that are given since, and whoever opted out since.

More can always be left out of a run, for that sends less; whom it has left out once it leaves out for good.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from bulksend.model import Event, Recipient
from bulksend.planning import EXCLUDED, Exclusions
from bulksend.runs import Address, OpenRow, OptedOut, OwnRun, Where, lend_numbers, opted_out_of
from bulksend.sms import phones

_AT_ONCE = 20_000  # rows


class Excluded(NamedTuple):
    """What it came to that a run was compared with those who are not to get it.

    Attributes:
        listed: rows that are left out for lists that were not given before.
        opted_out: rows that are left out because somebody opted out since.
        not_again: rows in doubt that are not repeated, for one of the two.
        unchecked: rows to contacts of unknown number, of whom nobody can tell whether they opted out.
        keeps_earlier: whether other lists were given before: whom they left out stays left out.
    """

    listed: int = 0
    opted_out: int = 0
    not_again: int = 0
    unchecked: int = 0
    keeps_earlier: bool = False


@contextmanager
def opted_out(to: Address, where: Where = None) -> Iterator[OptedOut | None]:
    """Who opted out of an account, by where it lives; None for a private sandbox, and as long as nobody knows whose.

    Raises:
        UsageError: the list is of another version.
        RunFileError: it cannot be read.
    """
    if not (to.base_url and to.org_id):
        yield None
        return
    with opted_out_of(where, to) as optouts:
        yield optouts


def stamp(lists: str, optouts: OptedOut | None) -> str:
    """What a run notes of those with whom it was compared: the digest of the lists, and how the opt-outs stood."""
    return f"{lists} {optouts.stand if optouts else ''}"


def exclude(run: OwnRun, lists: Exclusions) -> Excluded:
    """Leave out of what is left of a run whoever is on lists or opted out, as far as that is news to it.

    Args:
        run: the run.
        lists: those that are given now.

    Raises:
        RunFileError: the run or the opt-outs cannot be read or written.
    """
    with opted_out(run.facts.address, run.place) as optouts:
        before = run.excluded_by
        lists_before = before.partition(" ")[0] or run.facts.exclusion
        is_news = bool(lists.digest) and lists.digest != lists_before
        keeps_earlier = bool(lists_before) and lists.digest != lists_before
        now = stamp(lists.digest if is_news else lists_before, optouts)
        if now == before or not (is_news or optouts):
            return Excluded(keeps_earlier=keeps_earlier)
        excluding = _Excluding(run, lists if is_news else Exclusions(), optouts)
        excluding.go_through()
        run.note_excluded_by(now)
        return Excluded(
            excluding.listed, excluding.opted_out, excluding.not_again, excluding.unchecked, keeps_earlier=keeps_earlier
        )


class _Excluding:
    """Compares a run with those who are not to get it.

    Attributes:
        listed, opted_out, not_again, unchecked: rows, as in `Excluded`.
    """

    def __init__(self, run: OwnRun, lists: Exclusions, optouts: OptedOut | None) -> None:
        self.listed = self.opted_out = self.not_again = self.unchecked = 0
        self._run = run
        self._lists = lists
        self._optouts = optouts

    def go_through(self) -> None:
        """Leave them out, some rows at a time."""
        to, after = self._run.facts.address, 0
        if to.base_url and to.org_id:
            lend_numbers(self._run.place, to, self._run)
        while some := self._run.to_exclude(after, _AT_ONCE):
            after = some[-1][0]
            self._take(some)

    def _take(self, some: Sequence[OpenRow]) -> None:
        opted_out = self._opted_out(some)
        rows = []
        for place, (row, recipient, number, in_doubt) in enumerate(some):
            says = opted_out.get(place)
            is_listed = says is None and (self._is_listed(recipient) or self._is_listed(number))
            if says or is_listed:
                rows.append((row, says or EXCLUDED))
                self.not_again += in_doubt
                self.listed += is_listed and not in_doubt
                self.opted_out += not is_listed and not in_doubt
            elif self._optouts and isinstance(recipient, int) and number is None:
                self.unchecked += 1
        if rows:
            self._run.leave_out(rows, Event.EXCLUDED, time.time())

    def _opted_out(self, some: Sequence[OpenRow]) -> Mapping[int, str]:
        if not self._optouts:
            return {}
        by_id = self._optouts.among([recipient for _, recipient, *_ in some])
        return {**by_id, **self._optouts.among([number for _, _, number, _ in some])}

    def _is_listed(self, who: Recipient | None) -> bool:
        if who is None or not self._lists.recipients:
            return False
        return self._lists.has(who, phones.dialing_code(who) if isinstance(who, str) else "")
