"""Rates learned from what was charged: the smallest table of prefixes that gives back what was seen.

The table is optimal in the sense of routing tables (Draves, King, Venkatachary, Zill: "Constructing Optimal IP Routing
Tables", INFOCOM 1999): from the longest prefixes up, each keeps the rates that suit most of its parts; from the
dialing code down, a prefix gets a line of its own only where the rate above it is none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bulksend.model import MicroUSD, PhoneNumber
from bulksend.sms.phones import dialing_code

_DIGITS = 5  # after the dialing code; those of a Philippine number tell its network with fewer
LONGEST_PREFIX = 3 + _DIGITS
"""How many of a number's first digits decide on its rate: no dialing code has more than three."""


class Observed(NamedTuple):
    """Messages that were charged alike.

    Attributes:
        start: the first digits of the numbers they went to, `LONGEST_PREFIX` or more.
        micro: what a part cost, in micro-USD.
        messages: how many.
        rounded: whether the parts of a message came to a fraction of a micro-USD each, which was rounded up.
    """

    start: str
    micro: int
    messages: int
    rounded: bool = False


@dataclass(frozen=True, slots=True)
class LearnedRate:
    """One line of a table of rates.

    Attributes:
        prefix: what numbers begin with.
        micro: what a part costs, in micro-USD.
        messages: how many messages it was learned from: those whose longest prefix it is.
        mixed: whether some of them cost less, so that the highest rate was taken.
    """

    prefix: str
    micro: MicroUSD
    messages: int
    mixed: bool = False

    def __add__(self, other: LearnedRate) -> LearnedRate:
        """The same line, learned from the messages of both."""
        return replace(self, messages=self.messages + other.messages, mixed=self.mixed or other.mixed)


def learn(observed: Iterable[Observed]) -> list[LearnedRate]:
    """Make a table of rates, ordered by prefix, that gives back every rate observed.

    A dialing code gets the rate of most of its messages. Where one prefix saw several rates even with 5 digits after
    the dialing code, the highest is taken, so that no estimate is too low. Numbers of no country are left out.
    """
    codes: dict[str, _Node] = {}
    for each in observed:
        if code := dialing_code(PhoneNumber(each.start)):
            codes.setdefault(code, _Node()).add(each.start[len(code) : len(code) + _DIGITS], each)
    lines: dict[str, LearnedRate] = {}
    for code, node in codes.items():
        node.settle()
        for piece in node.pieces(code, None):
            lines[piece.prefix] = lines[piece.prefix] + piece if piece.prefix in lines else piece
    return [lines[prefix] for prefix in sorted(lines)]


@dataclass(slots=True)
class _Node:
    """A prefix.

    Attributes:
        children: by the next digit.
        own: the rate of the numbers that tell no more digits, None if there are none; the highest of several.
        messages: those of ``own``.
        mixed: whether ``own`` is one of several, or rounded.
        by_rate: messages by rate, of this prefix and all that are longer.
        best: the rates that leave the fewest lines to the longer prefixes.
    """

    children: dict[str, _Node] = field(default_factory=dict)
    own: int | None = None
    messages: int = 0
    mixed: bool = False
    by_rate: Counter[int] = field(default_factory=Counter)
    best: set[int] = field(default_factory=set)

    def add(self, digits: str, seen: Observed) -> None:
        if digits:
            self.children.setdefault(digits[0], _Node()).add(digits[1:], seen)
            return
        self.mixed |= seen.rounded or self.own not in (None, seen.micro)
        self.own = max(self.own or 0, seen.micro)
        self.messages += seen.messages

    def settle(self) -> None:
        """Find the best rates, from the longest prefixes up."""
        suits: Counter[int] = Counter()
        for child in self.children.values():
            child.settle()
            self.by_rate.update(child.by_rate)
            suits.update(child.best)
        if self.own is None:
            most = max(suits.values())
            self.best = {rate for rate, children in suits.items() if children == most}
        else:
            self.best = {self.own}
            self.by_rate[self.own] += self.messages

    def pieces(self, prefix: str, above: LearnedRate | None) -> Iterator[LearnedRate]:
        """What this prefix and all that are longer add to the lines, under the line that they would else have."""
        if above is not None and above.micro in self.best:
            line = replace(above, messages=self.messages, mixed=self.mixed)
        else:
            # A dialing code's rate is also that of its numbers nobody has seen: it is that of most messages.
            among = self.best if above or self.own is not None else self.by_rate.keys()
            rate = max(among, key=lambda rate: (self.by_rate[rate], rate))
            line = LearnedRate(prefix, MicroUSD(rate), self.messages, self.mixed)
        yield line
        for digit, child in self.children.items():
            yield from child.pieces(prefix + digit, line)
