"""Who opted out of an account, as whoever plans and sends looks at it: in memory, with those who are added since."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Self

from bulksend.model import ContactId, PhoneNumber, Recipient
from bulksend.sms import phones


class OptedOut(ABC):
    """Who opted out of an account, in memory, with whoever is added meanwhile. A context manager.

    Whoever is taken off the list meanwhile stays in here.
    """

    def __init__(self) -> None:
        self._since: dict[Recipient, float] = {}
        self._has_others = False  # whether any of their phones may have another number

    def __len__(self) -> int:
        return len(self._since)

    @property
    @abstractmethod
    def stand(self) -> str:
        """What tells this list, as far as it was read, from what it was before; empty if nobody is on it."""

    @abstractmethod
    def look(self) -> None:
        """Take in who opted out since.

        Raises:
            UsageError: the list is of another version.
            RunFileError: it cannot be read.
        """

    @abstractmethod
    def close(self) -> None:
        """Look no more."""

    @abstractmethod
    def _known(self, contacts: Collection[ContactId]) -> dict[ContactId, PhoneNumber]:
        """The numbers of some contacts, as far as the account knows them."""

    def why(self, recipient: Recipient) -> str | None:
        """Why somebody is to get nothing; None if they may. A contact is known by its number only if that is asked."""
        since_s = self._since.get(recipient)
        if since_s is None and self._has_others and isinstance(recipient, str):
            since_s = self._since.get(phones.canonical(recipient))
        return None if since_s is None else _reason(since_s)

    def among(self, recipients: Sequence[Recipient | None]) -> Mapping[int, str]:
        """See `bulksend.planning.OptOuts.among`."""
        since, numbers = self._since, self._numbers(recipients)
        if not numbers and not self._has_others and since.keys().isdisjoint(recipients):
            return {}
        found = {}
        for place, who in enumerate(recipients):
            if who is not None:
                says = self.why(who) or (self.why(numbers[who]) if isinstance(who, int) and who in numbers else None)
                if says:
                    found[place] = says
        return found

    def unknown(self, recipients: Collection[Recipient | None]) -> int:
        """See `bulksend.planning.OptOuts.unknown`."""
        numbers = self._numbers(recipients)
        return sum(isinstance(who, int) and who not in numbers for who in recipients)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take_in(self, found: Sequence[tuple[Recipient, float]]) -> None:
        """Remember some, by the one number that stands for each phone, and since when."""
        self._since.update(found)
        self._has_others = self._has_others or _may_have_others(phone for phone, _ in found)

    def _numbers(self, recipients: Collection[Recipient | None]) -> dict[ContactId, PhoneNumber]:
        """The numbers of the contacts among some recipients, as far as the account knows them."""
        contacts = {who for who in recipients if isinstance(who, int)} if self._since else set()
        return self._known(contacts) if contacts else {}


def _may_have_others(found: Iterable[Recipient]) -> bool:
    starts = {phone[:3] for phone in found if isinstance(phone, str)}
    return any(phones.has_others(phones.dialing_code(PhoneNumber(start))) for start in starts)


def _reason(since_s: float) -> str:
    then = time.localtime(since_s)
    return f"opted out on {then.tm_mday} {time.strftime('%B %Y', then)}"
