"""Which countries may be texted at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bulksend.model import PhoneNumber, Recipient
from bulksend.sms import phones


class Countries:
    """Tells whose numbers are of other countries than those that may be texted.

    A contact's country nobody knows before an answer tells its number: none is left out for that.

    Args:
        allowed: their ISO codes; none for all countries.

    Raises:
        UsageError: one is no country's.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(map(phones.check_country, allowed))
        self._says = f"and only {', '.join(sorted(self._allowed))} may be texted"

    def others_among(self, recipients: Sequence[Recipient | None], codes: Sequence[str]) -> Mapping[int, str]:
        """Those of some recipients with these dialing codes who are in other countries: by place, the reason."""
        if not self._allowed:
            return {}
        others = {code for code in set(codes) if code and not self._allowed.issuperset(phones.countries_of(code))}
        if not others:
            return {}
        found = ((i, self.why(who)) for i, who in enumerate(recipients) if codes[i] in others)
        return {i: says for i, says in found if says}

    def why(self, recipient: Recipient | None) -> str:
        """Why nothing may be sent to somebody, for people; empty if it may, or if nobody knows the country."""
        if not self._allowed or not isinstance(recipient, str):
            return ""
        country = phones.country_of_number(PhoneNumber(recipient))
        return "" if country in self._allowed else f"it is a number of {country or 'no country'}, {self._says}"
