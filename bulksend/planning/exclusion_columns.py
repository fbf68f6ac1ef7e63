"""The columns of a list of those to be left out: which hold numbers, and what stands there that is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from bulksend.errors import Why
from bulksend.model import PhoneNumber
from bulksend.planning.remarks import Noted
from bulksend.planning.usual import is_usual, usual_key
from bulksend.sms import phones
from bulksend.words import printable

IS_FOREIGN = "read as foreign, but may be Philippine without the dialing code, so that both numbers are left out"
_CONTACT_KEYS = frozenset({"contactid", "contactids"})
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_]+")
_FOR_NUMBERS = frozenset(
    ("phone", "phones", "mobile", "mobiles", "cell", "cellphone", "celphone", "handphone", "handy", "tel", "telephone",
     "fax", "sms", "msisdn", "gsm", "whatsapp", "viber", "celular", "movil", "móvil", "telefono", "teléfono", "telefon")
)  # fmt: skip
_FOR_OTHER_THINGS = frozenset(
    ("id", "ids", "uid", "uuid", "guid", "sid", "key", "leid", "euid", "hash", "token", "ip", "zip", "zipcode",
     "postal", "postcode", "date", "time", "timestamp", "created", "updated", "amount", "total", "spent", "balance",
     "price", "revenue", "lat", "latitude", "lng", "longitude", "account", "order", "orders", "invoice", "ticket",
     "ref", "reference", "url", "link", "count", "rating", "type", "label", "status", "provider", "carrier", "network",
     "consent", "timezone")
)  # fmt: skip
_FEW_DIGITS = re.compile(r"#|[+(]?\d[\d ()]*$")
_NO_VALUE = frozenset({"n/a", "na", "none", "null", "nil", "nan", "\\n", "(null)", "(none)"})


class Unread(NamedTuple):
    """A cell that says something, and is no number.

    Attributes:
        row: its row's number; 0 is the header.
        cell: what it says.
        why: the reason.
    """

    row: int
    cell: str
    why: Why


class ListedColumn:
    """One column, while it is read.

    Args:
        header: its name.
        place: which it is, from 1.
        country: whose numbers those without "+" or "00" are.
        new_prefixes: whether numbers count whose prefix no numbering plan here knows.

    Attributes:
        name: how it is called, fit to show.
        numbers: what was read.
        unread: the first cell that is none, whatever it says; None if there is none.
        damaged: the first that resembles one and is none; None if there is none.
        damaged_rows: how many do.
        foreign: those that may be Philippine without a dialing code.
        valueless: those whose words say that there is no value.
        doubtful: those with an error or a few digits, where the column's name says that it holds numbers.
    """

    def __init__(self, header: str, place: int, country: str | None, *, new_prefixes: bool) -> None:
        self.place = place
        self.numbers: set[PhoneNumber] = set()
        self.unread: Unread | None = None
        self.damaged: Unread | None = None
        self.damaged_rows = 0
        self.foreign, self.valueless, self.doubtful = Noted(), Noted(), Noted()
        self._header = header
        self._read_rows = self._other_rows = 0
        self._country = country
        self._new_prefixes = new_prefixes
        key, words = usual_key(header), {word.casefold() for word in _WORD.findall(header)}
        self.holds_contacts = key in _CONTACT_KEYS
        self.is_usual = key == "to" or is_usual(header)
        self.is_for_other_things = not self.is_usual and bool(words & _FOR_OTHER_THINGS)
        self._is_meant_for_numbers = bool(words & _FOR_NUMBERS) and not self.is_for_other_things

    @property
    def name(self) -> str:
        """How it is called, fit to show; a header that holds digits may be somebody's number."""
        is_name = self._header.strip() and not phones.resembles(self._header)
        return f"column {printable(self._header, 60)!r}" if is_name else f"column {self.place}"

    @property
    def is_named(self) -> bool:
        """Whether its name says that it holds numbers."""
        return self.is_usual or (self._is_meant_for_numbers and bool(self._read_rows))

    @property
    def must_be_read(self) -> bool:
        """Whether every cell must be a number, by its name or by what most of its cells are."""
        alike = self._read_rows + self.damaged_rows
        if self.is_usual or (self._is_meant_for_numbers and alike):
            return True
        return bool(self._read_rows) and alike > self._other_rows and not self.is_for_other_things

    def add(self, cells: Sequence[str], first: int) -> set[int]:
        """Take the next cells in, from this row on; the places of those that are numbers."""
        asked = [place for place, cell in enumerate(cells) if cell and not cell.isspace()]
        if not self.is_usual:
            others = [place for place in asked if not phones.resembles(cells[place])]
            self._add_others(others, cells, first)
            asked = sorted({*asked}.difference(others))
        column = phones.normalise_all([cells[i] for i in asked], self._country, new_prefixes=self._new_prefixes)
        having = set()
        for place, number in zip(asked, column.numbers, strict=True):
            if number is not None:
                having.add(place)
                self._add_number(number, cells[place], first + place)
        for i, why in column.reasons.items():
            self._add_unread(Unread(first + asked[i], cells[asked[i]].strip(), why))
        return having

    def _add_others(self, places: Sequence[int], cells: Sequence[str], first: int) -> None:
        """Take in cells that are surely no numbers."""
        for place in places if first else ():  # a header's are names
            cell = cells[place].strip()
            if self._says_something(cell, first + place):
                self._other_rows += 1
                self.unread = self.unread or Unread(first + place, cell, self._why_not(cell))
                if self._is_meant_for_numbers and _FEW_DIGITS.match(cell):
                    self.doubtful.note(first + place, value=cell)

    def _why_not(self, cell: str) -> Why:
        found = phones.normalise_all([cell], self._country, new_prefixes=self._new_prefixes)
        return found.reasons.get(0, Why("it has few digits, and no other cell there is a number"))

    def _add_number(self, number: PhoneNumber, cell: str, row: int) -> None:
        self._read_rows += 1
        self.numbers.add(number)
        if self._country is None and phones.read_abroad(number) and not cell.strip("' (").startswith(("+", "00")):
            self.numbers.add(PhoneNumber(f"63{number}"))
            self.foreign.note(row, value=cell)

    def _add_unread(self, unread: Unread) -> None:
        if not self._says_something(unread.cell, unread.row):
            return
        if phones.resembles(unread.cell):
            self.damaged_rows += 1
            self.damaged = self.damaged or unread
        else:
            self._other_rows += 1
        self.unread = self.unread or unread

    def _says_something(self, cell: str, row: int) -> bool:
        if cell.casefold() in _NO_VALUE:
            self.valueless.note(row, value=cell)
            return False
        return cell.startswith("#") or any(map(str.isalnum, cell))  # a dash says nothing
