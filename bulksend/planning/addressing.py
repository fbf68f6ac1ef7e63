"""Whom rows go to: a number, or one of the API's contacts by its id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from bulksend.errors import Advice, Remark, Severity, Why
from bulksend.model import ContactId, Endpoint, Recipient, Status
from bulksend.planning.batch import Flaw
from bulksend.planning.columns import Columns
from bulksend.planning.fallbacks import Fallbacks
from bulksend.rules import Rule
from bulksend.sms import phones
from bulksend.words import many

_TWO_RECIPIENTS = Why("both a number (to) and a contactId are given: leave one of them empty")
_NO_RECIPIENT = Why("no recipient: neither a number (to) nor a contactId is given")
_NO_CONTACTS = Why("the phonenumber endpoint takes no contactId", Advice.USE_CONTACT_ENDPOINT)


class Addressed(NamedTuple):
    """Whom rows that follow one another go to; as in `PlannedBatch`."""

    recipients: list[Recipient | None]
    codes: list[str]
    not_mobile: list[int]
    has_odd_tails: bool


class Addressing:
    """Finds the rows' recipients.

    Args:
        columns: where in a row they are.
        fallbacks: takes them from there.
        country: whose numbers those without dialing code are.
        new_prefixes: whether numbers count whose prefix no numbering plan here knows.
        endpoint: which of the API's twins; only CONTACT takes a contactId.
    """

    def __init__(
        self, columns: Columns, fallbacks: Fallbacks, country: str | None, endpoint: Endpoint, *, new_prefixes: bool
    ) -> None:
        self._columns = columns
        self._fallbacks = fallbacks
        self._country = country
        self._new_prefixes = new_prefixes
        self._endpoint = endpoint
        self._to_contacts = 0
        self._is_sure = False

    def address(self, table: Sequence[Sequence[str]], size: int, flaws: dict[int, Flaw]) -> Addressed:
        """The recipients of a table given by columns; where a row has none that can be used, ``flaws`` says why.

        Raises:
            InputError: the ids seem to be another program's: numbers stand beside them.
        """
        if self._columns.is_alike and not self._is_sure:
            self._be_sure(table, size)
        to = self._fallbacks.cells("to", table, size, flaws)
        contacts = self._fallbacks.cells("contactId", table, size, flaws)
        column = phones.normalise_all(to, self._country, new_prefixes=self._new_prefixes)
        recipients = cast("list[Recipient | None]", column.numbers)
        if self._columns.places["contactId"] and any(map(str.strip, contacts)):
            for i, contact in enumerate(contacts):
                if contact.strip() and not (self._columns.number_wins and to[i].strip()):
                    column.reasons.pop(i, None)
                    found = self._contact(to[i], contact)
                    recipients[i], column.codes[i] = None if isinstance(found, Why) else found, ""
                    if isinstance(found, Why):
                        self._refuse(flaws, i, found, "contactId", contact)
                    elif i not in flaws:
                        self._to_contacts += 1
        for i, reason in column.reasons.items():
            self._refuse(flaws, i, reason if to[i].strip() else _NO_RECIPIENT, "to", to[i])
        return Addressed(recipients, column.codes, column.not_mobile, column.has_odd_tails)

    def column_of(self, recipient: Recipient | None, index: int) -> str:
        """The column that a row's recipient stands in, in the table that was last looked at."""
        return self._fallbacks.column_of("contactId" if isinstance(recipient, int) else "to", index)

    def notes(self) -> list[Remark]:
        """How many go to contacts, and which numbers are passed over for them."""
        contact = self._columns.name_of("contactId")
        others = self._columns.passed_over() if self._columns.to is None else ""
        advice = Advice.MAP_OTHER if others or self._columns.is_alike else None
        beside = f", not to the numbers in {others}" if others else ""
        go = "rows go"
        if self._to_contacts:
            go = f"{many(self._to_contacts, 'row')} {'goes' if self._to_contacts == 1 else 'go'}"
        elif not others:
            return []
        whose = "whose ids stand in" if self._to_contacts else "in"
        says = f"{go} to the engageSPARK contacts {whose} {contact!r}{beside}"
        return [Remark(says, Rule.COLUMN_CONTACT, advice, Severity.PERSON)]

    def _be_sure(self, table: Sequence[Sequence[str]], size: int) -> None:
        """See that no other column holds numbers, where that of the contacts only looks like the API's own."""
        self._is_sure = size > 0
        fields = {place for places in self._columns.places.values() for place in places}
        for place, cells in enumerate(table):
            said = [] if place in fields else list(filter(str.strip, cells))
            numbers = phones.normalise_all(said, self._country, new_prefixes=self._new_prefixes).numbers
            if said and 2 * (len(numbers) - numbers.count(None)) > len(said):
                raise self._columns.doubt(place, self._columns.places["contactId"][0])

    def _contact(self, to: str, contact: str) -> ContactId | Why:
        """The contact of a row, or why it has none."""
        if to.strip():
            return _TWO_RECIPIENTS
        if self._endpoint is Endpoint.PHONENUMBER:
            return _NO_CONTACTS
        try:
            return phones.normalise_contact_id(contact)
        except phones.BadNumber as error:
            return error.why

    def _refuse(self, flaws: dict[int, Flaw], index: int, why: Why, field: str, cell: str) -> None:
        if index not in flaws:
            column = self._fallbacks.column_of(field, index)
            flaws[index] = Flaw(Status.INVALID, why.says, column, cell, why.advice)
