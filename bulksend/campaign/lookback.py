"""Never twice, as people mean it: what is to be sent is compared with what the account's history holds.

Left out by itself is only what is equal, number and text, and of the last hours: a slip is hours old, while a reminder
with the same words is meant. As many are left out as history holds, for the sheet itself may have a message twice.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from bulksend.campaign.choices import Repeating
from bulksend.campaign.dead import leave_out_dead
from bulksend.model import Event
from bulksend.runs import (
    Address,
    Command,
    Got,
    History,
    OwnRun,
    UnsentRow,
    Where,
    history_of,
    is_remembered,
    lend_numbers,
    name_of,
    place_of,
)

AT_ONCE = 5_000  # rows
OFTEN = 3
"""So many texts to a phone in 7 days, and another one is told of."""
_LATELY_S = 7 * 86_400.0  # who got another text in that time is told of


class Holds(StrEnum):
    """What history holds of a message that is to be sent."""

    EQUAL = "equal"
    """The phone got this very text, not long ago: it is left out."""
    DOUBTED = "doubted"
    """The phone may have got this very text, not long ago: it is left out."""
    OWN = "own"
    """This very run has sent it, by another file of it: it is left out."""
    LATELY = "lately"
    """The phone got something lately, and such are to be left out."""
    OLDER = "older"
    """The phone got this very text long ago: it is sent again."""
    ANOTHER = "another"
    """The phone got another text lately: this one is sent all the same."""

    @property
    def leaves_out(self) -> bool:
        """Whether the message is left out for it."""
        return self in _LEAVING_OUT


_LEAVING_OUT = frozenset({Holds.EQUAL, Holds.DOUBTED, Holds.OWN, Holds.LATELY})


class Held(NamedTuple):
    """What history holds of rows.

    Attributes:
        what: that.
        run: the place of the run that sent it.
        began_at: when its command was given, in seconds since 1970.
        rows: how many rows.
    """

    what: Holds
    run: str
    began_at: float
    rows: int


class LookedBack(NamedTuple):
    """What a comparison with history showed.

    Attributes:
        held: of the rows, most first.
        lost: the commands that were cut off and whose run files are gone: nobody knows what they sent.
        dead: rows that were left out because the last runs did not reach their phones.
        often: rows that are sent though their phones got `OFTEN` texts or more from other runs in the last 7 days.
        by_id: rows to contacts whose number is not known here: what went to that number is not seen.
    """

    held: tuple[Held, ...] = ()
    lost: tuple[Command, ...] = ()
    dead: int = 0
    by_id: int = 0
    often: int = 0

    @property
    def leaves_out(self) -> bool:
        """Whether it left rows out."""
        return self.dead > 0 or any(held.what.leaves_out for held in self.held)


def look_at_history(run: OwnRun, how: Repeating) -> LookedBack:
    """Compare what is to be sent of a run with what its account sent before, for the screen; a rehearsal with nothing.

    Raises:
        UsageError: history cannot be used.
        RunFileError: it, or the run, cannot be read or written.
    """
    to = run.facts.address
    if not (to.base_url and to.org_id):
        return LookedBack()
    lend_numbers(run.place, to, run)
    with history_of(run.place, to) as history:
        return look_back(run, history, how, history.catch_up(run, closes=False))


def give_up_lost(run: OwnRun, looked: LookedBack) -> None:
    """Go on though nobody knows what some commands of its account sent, and ask no more after them."""
    with history_of(run.place, run.facts.address) as history:
        for command in looked.lost:
            history.give_up(command)


def has_history(to: Address, where: Where = None) -> bool:
    """Whether an account that lives somewhere has sent anything before, as far as is known there."""
    if not (to.base_url and to.org_id and is_remembered(where, to)):
        return False
    with history_of(where, to) as history:
        return not history.is_empty or history.is_open


def look_back(run: OwnRun, history: History, how: Repeating, lost: Sequence[Command] = ()) -> LookedBack:
    """Compare what is to be sent of a run with history, and leave out what is not to be sent again.

    Args:
        run: the run.
        history: the account's.
        how: what is to be sent again.
        lost: the commands of which history cannot know.
    """
    if how.repeat or not run.has_begun:
        run.take_up()  # what was left out before is looked at anew: the words or the time may be others
    found: Counter[tuple[Holds, int]] = Counter()
    looking = Looking(run, history, how)
    after = by_id = 0
    if not history.is_empty:
        while some := run.unsent(after, AT_ONCE):
            after = some[-1][0]
            by_id += sum(number is None and isinstance(who, int) for _, who, number, _ in some)
            found.update(looking.leave_out(some))
    dead = leave_out_dead(run, history, how.began_at) if how.exclude_dead else 0
    run.note_look(_stand(history, how))
    held = [Held(what, looking.commands[by].run, looking.commands[by].began_at, n) for (what, by), n in found.items()]
    recent = tuple(each for each in lost if how.began_at - each.began_at < how.repeat_after_s)
    return LookedBack(tuple(sorted(held, key=lambda each: -each.rows)), recent, dead, by_id, looking.often)


def look_again(run: OwnRun, history: History, how: Repeating) -> LookedBack:
    """The same, for whoever has the account for itself: nothing if history is what it was compared with already."""
    return LookedBack() if run.looked_at == _stand(history, how) else look_back(run, history, how)


def _stand(history: History, how: Repeating) -> str:
    return f"{history.stand} {how.repeat} {how.repeat_after_s} {how.not_within_s} {how.exclude_dead} {how.began_at}"


class Looking:
    """Compares rows with history, some at a time.

    Attributes:
        commands: all that history knows, by number.
        often: see `LookedBack`.
    """

    def __init__(self, run: OwnRun, history: History, how: Repeating) -> None:
        self._run = run
        self._history = history
        self._how = how
        self._plan_id = run.facts.plan_id
        self.often = 0
        # Under a campaign's id that others may have used, a message that is repeated needs a key of its own.
        self._counts_on = how.repeat and run.facts.is_shared
        self.commands = history.commands()
        lately_s = max(_LATELY_S, how.not_within_s or 0.0)
        self._recent = {at for at, by in self.commands.items() if how.began_at - by.began_at < lately_s}

    def leave_out(self, some: Sequence[UnsentRow]) -> Counter[tuple[Holds, int]]:
        """Leave out what is not to be sent of some rows; what history holds of them, and by which commands."""
        got = self.got(some)
        if not got:
            return Counter()
        alike = self._run.alike_left_out([some[place][0] for place in got])
        used: Counter[tuple[object, int]] = Counter()  # of what history holds, by whom and which text
        found: Counter[tuple[Holds, int]] = Counter()
        rows: dict[Event, list[tuple[int, str]]] = {Event.LEFT_OUT: [], Event.TAKEN_OVER: []}
        again: list[tuple[int, int]] = []
        for place, (text, messages) in sorted(got.items()):
            row, recipient, number, _ = some[place]
            key = (number or recipient, text)
            if self._counts_on and (earlier := self._equal_before(text, messages)):
                again.append((row, earlier))
            holds = self._judge(row, text, messages, alike.get(row, 0) + used[key])
            if holds is None or not holds[0].leaves_out:
                self.often += self._of_late(messages) >= OFTEN
            if holds is None:
                continue
            found[holds] += 1
            if holds[0].leaves_out:
                used[key] += holds[0] is not Holds.OWN
                event = Event.TAKEN_OVER if holds[0] is Holds.OWN else Event.LEFT_OUT
                rows[event].append((row, _reason(holds[0], self.commands[holds[1]])))
        for event, which in rows.items():
            if which:
                self._run.leave_out(which, event, self._how.began_at)
        if again:
            self._run.count_on(again)
        return found

    def _of_late(self, got: Sequence[Got]) -> int:
        """How many texts other runs have sent in the last 7 days, or may have."""
        commands = [self.commands[each.command] for each in got if each.command in self.commands]
        ages = [self._how.began_at - by.began_at for by in commands if by.plan_id != self._plan_id]
        return sum(age_s < _LATELY_S for age_s in ages)

    def _equal_before(self, text: int, got: Sequence[Got]) -> int:
        """How many equal messages other runs have sent, or may have."""
        commands = [self.commands[each.command] for each in got if each.text == text and each.command in self.commands]
        return sum(command.plan_id != self._plan_id for command in commands)

    def got(self, some: Sequence[UnsentRow]) -> dict[int, tuple[int, list[Got]]]:
        """What matters of what the rows' phones got, behind the hash of their own text, by place."""
        found = self._history.got_by([number or who for _, who, number, _ in some], [text for *_, text in some])
        known = [place for place, (_, _, number, _) in enumerate(some) if number is not None]
        if known:  # what went to a contact may stand under its id or its number
            by_id = self._history.got_by([some[place][1] for place in known], [some[place][3] for place in known])
            found += [(known[at], text, by, row, in_doubt) for at, text, by, row, in_doubt in by_id]
        places = list({place for place, *_ in found})
        texts = dict(zip(places, self._history.hashes.of_texts([some[place][3] for place in places]), strict=True))
        kept: dict[int, tuple[int, list[Got]]] = {}
        for place, text, by, row, in_doubt in found:
            if text == texts[place] or by in self._recent:
                kept.setdefault(place, (texts[place], []))[1].append(Got(text, by, row, in_doubt))
        return kept

    def _judge(self, row: int, text: int, got: Sequence[Got], used: int) -> tuple[Holds, int] | None:
        """What history holds of a row, of which so many equal ones were left out; and by which command."""
        known = [each for each in got if each.command in self.commands]
        for each in known:
            if self.commands[each.command].plan_id == self._plan_id and each.row == row and each.text == text:
                if not each.in_doubt:
                    return Holds.OWN, each.command
                if not self._how.repeat:
                    return Holds.DOUBTED, each.command
        others = [each for each in known if self.commands[each.command].plan_id != self._plan_id]
        # What is known to be accepted counts first, and of that the newest.
        others.sort(key=lambda each: (each.in_doubt, self._age_s(each)))
        equal = [each for each in others if each.text == text]
        fresh = [each for each in equal if self._age_s(each) < self._how.repeat_after_s]
        if not self._how.repeat and used < len(fresh):
            return (Holds.DOUBTED if fresh[used].in_doubt else Holds.EQUAL), fresh[used].command
        newest = min(others, key=self._age_s, default=None)
        if newest is not None and self._age_s(newest) < (self._how.not_within_s or 0.0):
            return Holds.LATELY, newest.command
        sure = [each for each in equal if not each.in_doubt and (self._how.repeat or each not in fresh)]
        if sure:
            return Holds.OLDER, min(sure, key=self._age_s).command
        if newest is not None and self._age_s(newest) < _LATELY_S:
            return Holds.ANOTHER, newest.command
        return None

    def _age_s(self, got: Got) -> float:
        """From the beginning of the command that sent it to the beginning of this one."""
        return self._how.began_at - self.commands[got.command].began_at


def _reason(what: Holds, by: Command) -> str:
    """Why a row is left out, as its results tell; the same words for all rows of a reason."""
    match what:
        case Holds.EQUAL:
            return f"got this very text from {named(by)}"
        case Holds.DOUBTED:
            return f"may have got this very text from {named(by)}"
        case Holds.OWN:
            name = name_of(place_of(by.run))
            return f"this very run sent it on {_when(by)}, as {name} knows: this file of it was copied, or put back"
        case _:
            return f"got an SMS from {named(by)}"


def named(by: Command) -> str:
    """A command as people are told of it: its run, and when it was given."""
    return f"{name_of(place_of(by.run))} on {_when(by)}"


def _when(by: Command) -> str:
    then = time.localtime(by.began_at)
    return f"{then.tm_mday} {time.strftime('%B %Y, %H:%M', then)}"
