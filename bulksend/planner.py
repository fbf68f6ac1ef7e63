"""Rows become messages: recipient, sender, text, parts and price, or the reason why not.

All is done column by column over a batch of rows, and row by row only where a row is out of the ordinary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import cast

from bulksend import phones, segments
from bulksend.columns import Columns
from bulksend.errors import UsageError
from bulksend.exclusions import Exclusions
from bulksend.lookalikes import plain
from bulksend.model import (
    Duplicates,
    Encoding,
    Endpoint,
    Fault,
    MicroUSD,
    PhoneNumber,
    PlannedBatch,
    Recipient,
    Status,
)
from bulksend.pricing import EXAMPLE_RATES, Rates
from bulksend.readers import RawBatch, ReadOptions
from bulksend.segments import Segments
from bulksend.template import BoundTemplate, Template

EXCLUDED = "on the list of those to leave out (--exclude)"
_START: Callable[[str], str] = itemgetter(slice(3))
_TWO_RECIPIENTS = "both a number (to) and a contactId are given: leave one of them empty"
_NO_RECIPIENT = "no recipient: neither a number (to) nor a contactId is given"
_NO_CONTACTS = "the phonenumber endpoint takes no contactId: use --endpoint contact"
_NO_TEXT = "no text: its message is empty, and no --message is given"
_FOREIGN_FIELD = "its cell holds {{...}}, which the API would take for one of its own fields: remove the braces"


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What decides how an input becomes messages.

    Attributes:
        reading: how the input is read, where that is not to be found out.
        sender: sender id of rows without one of their own; may hold merge fields.
        message: text of rows without one of their own; may hold merge fields.
        mapping: (field, column name) pairs, where a column has another name than its field.
        country: whose numbers those without dialing code are, such as PH.
        endpoint: which of the API's twins; only CONTACT takes a contactId.
        rates: what a part costs.
        gsm: whether typographic characters are replaced where that makes a text GSM-7.
        duplicates: what to do with a row that repeats number and text of another; None: send it, and say so.
        exclusions: who is left out.
    """

    reading: ReadOptions = field(default_factory=ReadOptions)
    sender: str | None = None
    message: str | None = None
    mapping: tuple[tuple[str, str], ...] = ()
    country: str | None = None
    endpoint: Endpoint = Endpoint.CONTACT
    rates: Rates = EXAMPLE_RATES
    gsm: bool = False
    duplicates: Duplicates | None = None
    exclusions: Exclusions = field(default_factory=Exclusions)


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
        self._options = options
        self._sender = Template.parse(options.sender) if options.sender else None
        self._message = Template.parse(options.message) if options.message else None
        self._columns = Columns(name, options.mapping, fixed=fixed)
        self._next_row = 1
        if options.country:
            phones.check_country(options.country)
        self._bind(columns)

    @property
    def notes(self) -> list[str]:
        """What was guessed of the columns, for people."""
        return self._columns.notes

    def plan(self, raw: RawBatch, columns: Sequence[str]) -> PlannedBatch:
        """Make the next rows ready, in input order."""
        if len(columns) != len(self._columns.names):
            self._bind(columns)
        faults = {index: Fault(Status.INVALID, says) for index, says in raw.faults.items()}
        blank = [""] * len(columns)
        whole = [blank if i in faults else cells for i, cells in enumerate(raw.rows)] if faults else raw.rows
        table = list(zip(*whole, strict=True)) or [()] * len(columns)
        batch = self._planned(table, raw.rows, faults)
        self._next_row += len(raw.rows)
        return batch

    def check(self) -> None:
        """Once all is read: see that there was a recipient's column.

        Raises:
            InputError: there was none.
        """
        self._columns.check()

    def _bind(self, columns: Sequence[str]) -> None:
        self._columns.bind(columns)
        self._text_filler = self._filler(self._message)
        self._sender_filler = self._filler(self._sender)

    def _filler(self, template: Template | None) -> BoundTemplate | UsageError | None:
        if template is None:
            return None
        try:
            return template.bind(self._columns.names)
        except UsageError as error:
            if self._columns.is_fixed:
                raise
            return error  # until its columns have come, a JSONL template can fill no row

    # ---- one batch, column by column ----

    def _planned(self, table: list[tuple[str, ...]], cells: list[list[str]], faults: dict[int, Fault]) -> PlannedBatch:
        size = len(cells)
        recipients, not_mobile = self._recipients(table, size, faults)
        self._leave_out(recipients, faults)
        places = self._columns
        filled = self._filled(table, size, places.sender, self._sender_filler, "from", faults)
        senders = _senders(filled)
        texts = self._filled(table, size, places.message, self._text_filler, "message", faults)
        if not all(map(str.strip, texts)):
            _add(faults, (i for i, text in enumerate(texts) if not text.strip()), _NO_TEXT, places.name_of("message"))
        sizes = segments.count_all(texts)
        made_plain = self._make_plain(texts, sizes) if self._options.gsm else {}
        parts = [size.parts for size in sizes]
        if max(parts, default=0) > segments.MAX_PARTS:
            self._refuse_long(parts, faults)
        encodings: list[Encoding | None] = [size.encoding for size in sizes]
        for i in faults:
            senders[i], texts[i], encodings[i], parts[i] = None, "", None, 0
        codes = _codes(recipients)
        prices = self._prices(recipients, codes, parts)
        for i in faults:
            prices[i] = None
        return PlannedBatch(
            first=self._next_row,
            recipients=recipients,
            senders=senders,
            texts=texts,
            encodings=encodings,
            parts=parts,
            codes=codes,
            prices=prices,
            faults=faults,
            not_mobile=not_mobile,
            made_plain=made_plain,
            cells=cells,
        )

    def _recipients(
        self, table: list[tuple[str, ...]], size: int, faults: dict[int, Fault]
    ) -> tuple[list[Recipient | None], list[int]]:
        places = self._columns
        to = table[places.to] if places.to is not None else ("",) * size
        contacts = table[places.contact] if places.contact is not None else ()
        column = phones.normalise_all(to, self._options.country)
        recipients = cast("list[Recipient | None]", column.numbers)
        if any(map(str.strip, contacts)):
            for i, contact in enumerate(contacts):
                if contact.strip():
                    column.reasons.pop(i, None)
                    recipients[i] = self._contact(i, to[i], contact, faults)
        for i, says in column.reasons.items():
            reason = says if to[i].strip() else _NO_RECIPIENT
            faults.setdefault(i, Fault(Status.INVALID, reason, places.name_of("to"), to[i]))
        return recipients, column.not_mobile

    def _contact(self, index: int, to: str, contact: str, faults: dict[int, Fault]) -> Recipient | None:
        try:
            if to.strip():
                raise ValueError(_TWO_RECIPIENTS)
            if self._options.endpoint is Endpoint.PHONENUMBER:
                raise ValueError(_NO_CONTACTS)
            return phones.normalise_contact_id(contact)
        except ValueError as error:
            column = self._columns.name_of("contactId")
            faults.setdefault(index, Fault(Status.INVALID, str(error), column, contact))
            return None

    def _leave_out(self, recipients: list[Recipient | None], faults: dict[int, Fault]) -> None:
        excluded = self._options.exclusions.recipients
        if excluded:
            for i, recipient in enumerate(recipients):
                if recipient in excluded:
                    faults.setdefault(i, Fault(Status.SKIPPED, EXCLUDED, self._columns.name_of("to"), f"{recipient}"))

    def _filled(
        self,
        table: list[tuple[str, ...]],
        size: int,
        own: int | None,
        filler: BoundTemplate | UsageError | None,
        option: str,
        faults: dict[int, Fault],
    ) -> list[str]:
        """The rows' own texts, and the filled template where they have none."""
        own_cells = table[own] if own is not None else ()
        has_own = list(map(bool, map(str.strip, own_cells)))
        if filler is None or (all(has_own) and has_own):
            return list(own_cells) or [""] * size
        needed = [i for i in range(size) if not has_own[i]] if any(has_own) else range(size)
        if isinstance(filler, UsageError):
            _add(faults, needed, str(filler), "")
            return list(own_cells) or [""] * size
        texts = filler.fill_all(table, size)
        for column, name in zip(filler.columns, filler.names, strict=True):
            self._check_cells(table[column], name, option, needed, faults)
        for i, is_own in enumerate(has_own):
            if is_own:
                texts[i] = own_cells[i]
        return texts

    def _check_cells(
        self, cells: Sequence[str], name: str, option: str, needed: Sequence[int], faults: dict[int, Fault]
    ) -> None:
        """See that a merge field is filled in all rows that need it, and with nothing that the API would fill."""
        if not all(map(str.strip, cells)):
            says = f"{{{name}}} is empty in this row: fill the column in, or give the row its own message"
            _add(faults, (i for i in needed if not cells[i].strip()), f"{says} (in --{option})", name)
        if "{{" in "\n".join(cells):
            _add(faults, (i for i in needed if "{{" in cells[i]), _FOREIGN_FIELD, name, cells)

    def _refuse_long(self, parts: Sequence[int], faults: dict[int, Fault]) -> None:
        for i, count in enumerate(parts):
            if count > segments.MAX_PARTS:
                says = f"the text needs {count} SMS parts; the API takes {segments.MAX_PARTS} at most"
                faults.setdefault(i, Fault(Status.INVALID, says, self._columns.name_of("message")))

    def _make_plain(self, texts: list[str], sizes: list[Segments]) -> dict[int, int]:
        """Replace what has a look-alike in GSM-7, where the whole text then fits."""
        before = {}
        for i, size in enumerate(sizes):
            if size.encoding is Encoding.UCS2 and (text := plain(texts[i])) != texts[i]:
                before[i] = size.parts
                texts[i], sizes[i] = text, segments.count(text)
        return before

    def _prices(
        self, recipients: Sequence[Recipient | None], codes: Sequence[str], parts: Sequence[int]
    ) -> list[MicroUSD | None]:
        rates = self._options.rates
        code, first = codes[0] if codes else "", recipients[0] if recipients else None
        if code and isinstance(first, str) and codes.count(code) == len(codes) and not rates.varies_within(code):
            prices = {count: rates.price(PhoneNumber(first), count) for count in set(parts)}
            return [prices[count] for count in parts]
        return [
            None if recipient is None else rates.price(recipient, count)
            for recipient, count in zip(recipients, parts, strict=True)
        ]


def _codes(recipients: Sequence[Recipient | None]) -> list[str]:
    """The dialing codes of numbers; none is the beginning of another, so three digits tell."""
    if set(map(type, recipients)) <= {str}:
        starts = list(map(_START, cast("Sequence[str]", recipients)))
    else:
        starts = [who[:3] if isinstance(who, str) else "" for who in recipients]
    known = {start: phones.dialing_code(PhoneNumber(start)) if start else "" for start in set(starts)}
    if len(known) == 1:
        return [known[starts[0]]] * len(starts)
    return [known[start] for start in starts]


def _senders(filled: Sequence[str]) -> list[str | None]:
    if filled and filled.count(filled[0]) == len(filled):
        return [filled[0].strip() or None] * len(filled)
    return [sender.strip() or None for sender in filled]


def _add(
    faults: dict[int, Fault], indices: Iterable[int], says: str, column: str, cells: Sequence[str] | None = None
) -> None:
    for i in indices:
        faults.setdefault(i, Fault(Status.INVALID, says, column, cells[i] if cells else ""))
