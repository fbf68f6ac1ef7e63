"""Rows become messages: recipient, sender, text, parts and price, or the reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from bulksend import phones, segments
from bulksend.errors import InputError, UsageError
from bulksend.model import Encoding, Endpoint, PlannedRow, Recipient, Status
from bulksend.pricing import EXAMPLE_RATES, Rates
from bulksend.readers import RawBatch, shown
from bulksend.template import BoundTemplate, EmptyField, Template, column_key

FIELDS = ("to", "contactId", "message", "from")
"""What a column can be, beside a merge field; these names are found whatever their case, spaces and ``_``."""


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What decides how rows become messages.

    Attributes:
        sender: sender id of rows without one of their own; may hold merge fields.
        message: text of rows without one of their own; may hold merge fields.
        mapping: (field, column name) pairs, where a column has another name than its field.
        country: whose numbers those without dialing code are, such as PH.
        endpoint: which of the API's twins; only CONTACT takes a contactId.
        rates: what a part costs.
    """

    sender: str | None = None
    message: str | None = None
    mapping: tuple[tuple[str, str], ...] = ()
    country: str | None = None
    endpoint: Endpoint = Endpoint.CONTACT
    rates: Rates = EXAMPLE_RATES


class Planner:
    """Makes messages of one input's rows.

    Args:
        name: the input's name, for errors.
        options: what decides.
        columns: the input's columns; a JSONL reader may add some while it is read.
        fixed: whether no more columns can come, so that a missing one is an error of the input as a whole.

    Raises:
        UsageError: a template or a mapping cannot be used.
        InputError: the columns do not fit.
    """

    def __init__(self, name: str, options: PlanOptions, columns: Sequence[str], *, fixed: bool) -> None:
        self._name = name
        self._options = options
        self._sender = Template.parse(options.sender) if options.sender else None
        self._message = Template.parse(options.message) if options.message else None
        self._fixed = fixed
        self._next_row = 1
        if options.country:
            phones.check_country(options.country)
        self._bind(columns)

    def plan(self, batch: RawBatch, columns: Sequence[str]) -> list[PlannedRow]:
        """Make the next rows ready, in input order."""
        if len(columns) != self._width:
            self._bind(columns)
        first = self._next_row
        self._next_row += len(batch.rows)
        return [
            self._plan_row(first + place, cells, batch.faults.get(place, "")) for place, cells in enumerate(batch.rows)
        ]

    def check(self) -> None:
        """Once all is read: see that there was a recipient's column.

        Raises:
            InputError: there was none.
        """
        if self._to is None and self._contact is None:
            seen = ", ".join(repr(name) for name in self._columns[:20]) or "none"
            raise InputError(
                f"{shown(self._name)}: there is no column for the recipient: name it 'to' (or 'contactId'), or say "
                f"which it is with --map to=COLUMN; the columns are {seen}"
            )

    def _bind(self, columns: Sequence[str]) -> None:
        self._columns = list(columns)
        self._width = len(columns)
        self._keys = [column_key(name) for name in columns]
        mapped = {field: self._mapped(column) for field, column in self._options.mapping}
        self._to, self._contact, self._own_message, self._own_sender = (
            mapped[field] if field in mapped else self._place(column_key(field), set(mapped.values()))
            for field in FIELDS
        )
        if self._fixed:
            self.check()
        # Until its columns have come, a JSONL template can fill no row.
        self._text_filler = self._filler(self._message)
        self._sender_filler = self._filler(self._sender)

    def _place(self, key: str, taken: set[int | None]) -> int | None:
        places = [i for i, its_key in enumerate(self._keys) if its_key == key and i not in taken]
        if len(places) > 1:
            names = " and ".join(repr(self._columns[i]) for i in places)
            raise InputError(
                f"{shown(self._name)}: the header names a needed column twice: {names}; rename or remove one"
            )
        return places[0] if places else None

    def _mapped(self, column: str) -> int | None:
        place = self._place(column_key(column), set())
        if place is None and self._fixed:
            seen = ", ".join(repr(name) for name in self._columns[:20])
            raise UsageError(f"--map names the column {column!r}, which is not there; the columns are {seen}")
        return place

    def _filler(self, template: Template | None) -> BoundTemplate | UsageError | None:
        if template is None:
            return None
        try:
            return template.bind(self._columns)
        except UsageError as error:
            if self._fixed:
                raise
            return error

    def _plan_row(self, number: int, cells: Sequence[str], bad: str) -> PlannedRow:
        packed = orjson.dumps(cells)
        recipient: Recipient | None = None
        try:
            if bad:
                return _invalid(number, bad, None, packed)
            recipient = self._recipient(cells)
            sender = self._fill(cells, self._own_sender, self._sender_filler, "from").strip() or None
            text = self._fill(cells, self._own_message, self._text_filler, "message")
        except ValueError as error:
            return _invalid(number, str(error), recipient, packed)
        if not text.strip():
            return _invalid(number, "no text: its message is empty, and no --message is given", recipient, packed)
        size = segments.count(text)
        if size.parts > segments.MAX_PARTS:
            fault = f"the text needs {size.parts} SMS parts; the API takes {segments.MAX_PARTS} at most"
            return _invalid(number, fault, recipient, packed)
        price = self._options.rates.price(recipient, size.parts)
        return PlannedRow(
            number, Status.PENDING, recipient, sender, text, size.encoding, size.parts, price, "", packed
        )  # fmt: skip

    def _recipient(self, cells: Sequence[str]) -> Recipient:
        to = "" if self._to is None else cells[self._to].strip()
        contact = "" if self._contact is None else cells[self._contact].strip()
        if to and contact:
            raise ValueError("both a number (to) and a contactId are given: leave one of them empty")
        if contact:
            if self._options.endpoint is Endpoint.PHONENUMBER:
                raise ValueError("the phonenumber endpoint takes no contactId: use --endpoint contact")
            return phones.normalise_contact_id(contact)
        if not to:
            raise ValueError("no recipient: neither a number (to) nor a contactId is given")
        return phones.normalise(to, self._options.country)

    def _fill(
        self, cells: Sequence[str], own: int | None, filler: BoundTemplate | UsageError | None, field: str
    ) -> str:
        if own is not None and (text := cells[own]).strip():
            return text
        if filler is None:
            return ""
        if isinstance(filler, UsageError):
            raise ValueError(str(filler))  # noqa: TRY004 -- not a type fault: the row came before the column did
        try:
            return filler.fill(cells)
        except EmptyField as error:
            raise ValueError(f"{error} (in --{field})") from error


def _invalid(number: int, fault: str, recipient: Recipient | None, packed: bytes) -> PlannedRow:
    no_encoding: Encoding | None = None
    return PlannedRow(number, Status.INVALID, recipient, None, "", no_encoding, 0, None, fault, packed)
