"""Who asked for no more messages, by what they sent to the account."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from bulksend.campaign.clients import client
from bulksend.campaign.excluding import opted_out
from bulksend.engagespark import Looked, Target, read_inbox
from bulksend.model import PhoneNumber
from bulksend.runs import Address, OptOut, Where
from bulksend.sms import Stops, phones
from bulksend.words import printable

_PATIENCE_S = 60.0
_SHOWN = 60  # characters


@dataclass(frozen=True, slots=True)
class Asked:
    """What was seen of the account's incoming messages.

    Attributes:
        stops: who asked for no more and is not on the list of opt-outs, with their words as the reason; each once.
        known: how many more asked who are on it already.
        unsure: whose messages begin like a stop and go on, so that somebody should read them.
        unreadable: how many asked whose number is none.
        looked: how the looking went: that nobody was seen says something only of what was looked through.
    """

    stops: tuple[OptOut, ...]
    known: int
    unsure: tuple[OptOut, ...]
    unreadable: int
    looked: Looked


async def fetch_stops(target: Target, since_s: float, words: Collection[str], where: Where = None) -> Asked:
    """See who asked for no more messages.

    Args:
        target: whose messages.
        since_s: what came before is not looked at, in seconds since 1970.
        words: what means a stop, beside the usual words.
        where: the account lives.

    Raises:
        RunFileError: the list of opt-outs cannot be read.
    """
    async with client(target, _PATIENCE_S) as api:
        inbox = await read_inbox(api, since_s, _PATIENCE_S)
    says = Stops(words)
    stops: dict[PhoneNumber, OptOut] = {}
    unsure: dict[PhoneNumber, OptOut] = {}
    known: set[PhoneNumber] = set()
    unreadable = 0
    with opted_out(Address(target.org_id, target.base_url), where) as optouts:
        for message in inbox.messages:
            is_stop = says.means(message.text)
            if not is_stop and not says.may_mean(message.text):
                continue
            number = _number(message.number)
            if number is None:
                unreadable += is_stop
            elif optouts and optouts.why(number):
                known.add(number)
            else:
                into = stops if is_stop else unsure
                into.setdefault(number, OptOut(number, f"said: {printable(message.text, _SHOWN)}", message.created))
    rest = tuple(each for number, each in unsure.items() if number not in stops)
    return Asked(tuple(stops.values()), len(known), rest, unreadable, inbox.looked)


def _number(digits: str) -> PhoneNumber | None:
    with suppress(phones.BadNumber):
        return phones.normalise(f"+{digits}", new_prefixes=True)
    return None
