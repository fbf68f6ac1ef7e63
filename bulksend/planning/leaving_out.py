"""Who of those that rows go to is left out: by a list, by their own wish, or for their country."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bulksend.errors import Remark, Severity
from bulksend.model import Recipient
from bulksend.planning.countries import Countries
from bulksend.planning.exclusions import Exclusions
from bulksend.planning.optouts import OptOuts, unchecked
from bulksend.rules import Rule
from bulksend.sms import phones
from bulksend.words import many

EXCLUDED = "on the list of those to leave out"


class LeavingOut:
    """Tells who is left out.

    Args:
        exclusions: the lists of those to leave out.
        optouts: who opted out; None if that is nobody.
        countries: which may be texted.
    """

    def __init__(self, exclusions: Exclusions, optouts: OptOuts | None, countries: Countries) -> None:
        self._exclusions = exclusions
        self._optouts = optouts
        self._countries = countries

    def among(self, recipients: Sequence[Recipient | None], codes: Sequence[str]) -> Mapping[int, str]:
        """Those of some recipients with these dialing codes who are left out: by place, the reason for people."""
        found = dict(self._listed(recipients, codes))
        if self._optouts:
            found = {**self._optouts.among(recipients), **found}
        return {**self._countries.others_among(recipients, codes), **found}

    def _listed(self, recipients: Sequence[Recipient | None], codes: Sequence[str]) -> Mapping[int, str]:
        known = self._exclusions.recipients
        if not known or (known.isdisjoint(recipients) and not any(map(phones.has_others, set(codes)))):
            return {}
        return {i: EXCLUDED for i, who in enumerate(recipients) if self._exclusions.has(who, codes[i])}


class UnknownContacts:
    """Counts rows to contacts whose number is not known here, so that nobody can tell whether they are left out.

    Args:
        optouts: who opted out; None if that is nobody.
        knows_countries: whether their countries do not matter.
    """

    def __init__(self, optouts: OptOuts | None, *, knows_countries: bool) -> None:
        self._optouts = optouts
        self._knows_countries = knows_countries
        self._unchecked = 0
        self._anywhere = 0

    def add(self, recipients: Sequence[Recipient | None]) -> None:
        """Take in whom the next rows go to."""
        if self._optouts:
            self._unchecked += self._optouts.unknown(recipients)
        if not self._knows_countries:
            self._anywhere += sum(isinstance(who, int) for who in recipients)

    def remarks(self) -> Iterator[Remark]:
        """What there is to say of them."""
        if self._unchecked:
            yield unchecked(self._unchecked)
        if self._anywhere:
            go = f"{many(self._anywhere, 'row')} {'goes' if self._anywhere == 1 else 'go'}"
            says = f"{go} to contacts, whose country nobody knows before an answer tells their number: they are sent"
            yield Remark(says, Rule.COUNTRY_CONTACT, severity=Severity.PERSON)
