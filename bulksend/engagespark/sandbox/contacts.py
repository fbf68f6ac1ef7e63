"""The organization's contacts."""

from __future__ import annotations

PRELOADED = {1001 + i: f"{639_170_001_001 + i}" for i in range(50)}
"""Contacts that every sandbox begins with: 1001 is 639170001001, and so on to 1050, 639170001050."""

NO_CONTACT_SUFFIX = "0000"
"""No contact can be made for a number that ends so: the message is sent, with contactId 0."""

_FIRST_NEW_ID = 100_001


class Contacts:
    """Contacts by id, and the most recently created contact of each number."""

    __slots__ = ("_newest", "_next_id", "_numbers")

    def __init__(self) -> None:
        self._numbers = dict(PRELOADED)
        self._newest = {number: contact_id for contact_id, number in PRELOADED.items()}
        self._next_id = _FIRST_NEW_ID

    def number(self, contact_id: int) -> str | None:
        """Look up a contact's number."""
        return self._numbers.get(contact_id)

    def create(self, number: str) -> int:
        """Create one more contact for a number, or return 0 where none can be created."""
        if number.endswith(NO_CONTACT_SUFFIX):
            return 0
        contact_id = self._next_id
        self._next_id += 1
        self._numbers[contact_id] = number
        self._newest[number] = contact_id
        return contact_id

    def find_or_create(self, number: str) -> int:
        """Return the most recently created contact of a number; create it if there is none."""
        return self._newest.get(number) or self.create(number)
