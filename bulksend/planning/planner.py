"""Rows become messages: recipient, sender, text, parts and price, or the reason why not.

All is done column by column over a batch of rows, and row by row only where a row is out of the ordinary.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

from bulksend.errors import Advice, Remark, UsageError
from bulksend.model import (
    ContactId,
    Duplicates,
    Encoding,
    Endpoint,
    MicroUSD,
    PhoneNumber,
    Recipient,
    Status,
)
from bulksend.planning.batch import Flaw, PlannedBatch
from bulksend.planning.columns import Columns
from bulksend.planning.exclusions import Exclusions
from bulksend.planning.reading import RawBatch, ReadOptions
from bulksend.planning.values import ValueCheck
from bulksend.sms import EXAMPLE_RATES, BoundTemplate, Rates, Template, lookalikes, phones, segments

EXCLUDED = "on the list of those to leave out"
_TWO_RECIPIENTS = Remark("both a number (to) and a contactId are given: leave one of them empty")
_NO_RECIPIENT = Remark("no recipient: neither a number (to) nor a contactId is given")
_NO_CONTACTS = Remark("the phonenumber endpoint takes no contactId", Advice.USE_CONTACT_ENDPOINT)
_NO_TEXT = Remark("no text: its message is empty, and there is none for all rows", Advice.GIVE_MESSAGE)
_NO_COLUMN = Remark("no text: there is no column 'message', and no message for all rows", Advice.GIVE_MESSAGE_OR_COLUMN)


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
        one_per_number: whether of several rows with the same recipient only the first is sent.
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
    one_per_number: bool = False
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
    def notes(self) -> list[Remark]:
        """What was guessed of the columns, and what is odd in the texts for all rows."""
        odd = [
            remark
            for template, kind in ((self._message, "message"), (self._sender, "sender id"))
            for remark in (self._values.template(template.literals, kind) if template else ())
        ]
        return [*odd, *self._columns.notes]

    def plan(self, raw: RawBatch, columns: Sequence[str]) -> PlannedBatch:
        """Make the next rows ready, in input order."""
        if len(columns) != len(self._columns.names):
            self._bind(columns)
        flaws = {index: Flaw(Status.INVALID, says) for index, says in raw.flaws.items()}
        blank = [""] * len(columns)
        whole = [blank if i in flaws else cells for i, cells in enumerate(raw.rows)] if flaws else raw.rows
        table = list(zip(*whole, strict=True)) or [()] * len(columns)
        batch = self._planned(table, raw.rows, flaws)
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
        self._values = ValueCheck(columns)

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

    def _planned(self, table: list[tuple[str, ...]], cells: list[list[str]], flaws: dict[int, Flaw]) -> PlannedBatch:
        size = len(cells)
        recipients, codes, not_mobile = self._recipients(table, size, flaws)
        self._leave_out(recipients, flaws)
        places = self._columns
        filled = self._filled(table, size, places.sender, self._sender_filler, "sender id", flaws)
        senders = _senders(filled)
        texts = self._filled(table, size, places.message, self._text_filler, "message", flaws)
        if "" in texts or any(map(str.isspace, texts)):
            why, column = (_NO_TEXT, places.name_of("message")) if places.message is not None else (_NO_COLUMN, "")
            _add(flaws, (i for i, text in enumerate(texts) if not text.strip()), why, column)
        needed, parts = segments.count_all(texts)
        encodings = cast("list[Encoding | None]", needed)
        made_plain = _make_plain(texts, encodings, parts) if self._options.gsm else {}
        if max(parts, default=0) > segments.MAX_PARTS:
            self._refuse_long(parts, flaws)
        for i in flaws:
            senders[i], texts[i], encodings[i], parts[i] = None, "", None, 0
        prices = self._prices(recipients, codes, parts)
        for i in flaws:
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
            flaws=flaws,
            not_mobile=not_mobile,
            made_plain=made_plain,
            oddities=self._values.taken(),
            cells=cells,
        )

    def _recipients(
        self, table: list[tuple[str, ...]], size: int, flaws: dict[int, Flaw]
    ) -> tuple[list[Recipient | None], list[str], list[int]]:
        places = self._columns
        to = table[places.to] if places.to is not None else ("",) * size
        contacts = table[places.contact] if places.contact is not None else ()
        column = phones.normalise_all(to, self._options.country)
        recipients = cast("list[Recipient | None]", column.numbers)
        if any(map(str.strip, contacts)):
            for i, contact in enumerate(contacts):
                if contact.strip():
                    column.reasons.pop(i, None)
                    found = self._contact(to[i], contact)
                    recipients[i], column.codes[i] = None if isinstance(found, Remark) else found, ""
                    if isinstance(found, Remark):
                        _add(flaws, [i], found, places.name_of("contactId"), contacts)
        for i, reason in column.reasons.items():
            why = reason if to[i].strip() else _NO_RECIPIENT
            _add(flaws, [i], why, places.name_of("to"), to)
        return recipients, column.codes, column.not_mobile

    def _contact(self, to: str, contact: str) -> ContactId | Remark:
        """The contact of a row, or why it has none."""
        if to.strip():
            return _TWO_RECIPIENTS
        if self._options.endpoint is Endpoint.PHONENUMBER:
            return _NO_CONTACTS
        try:
            return phones.normalise_contact_id(contact)
        except phones.BadNumber as error:
            return error.why

    def _leave_out(self, recipients: list[Recipient | None], flaws: dict[int, Flaw]) -> None:
        excluded = self._options.exclusions.recipients
        if excluded:
            for i, recipient in enumerate(recipients):
                if recipient in excluded:
                    flaws.setdefault(i, Flaw(Status.SKIPPED, EXCLUDED, self._columns.name_of("to"), f"{recipient}"))

    def _filled(
        self,
        table: list[tuple[str, ...]],
        size: int,
        own: int | None,
        filler: BoundTemplate | UsageError | None,
        kind: str,
        flaws: dict[int, Flaw],
    ) -> list[str]:
        """The rows' own texts, and the filled template where they have none."""
        own_cells = table[own] if own is not None else ()
        own_values = list(map(str.strip, own_cells))
        has_own = list(map(bool, own_values))
        if any(has_own):
            rows = range(size) if all(has_own) else [i for i in range(size) if has_own[i]]
            self._values.own(own_values, kind, self._columns.names[own or 0], rows, flaws)
        if filler is None or (all(has_own) and has_own):
            return list(own_cells) or [""] * size
        needed = [i for i in range(size) if not has_own[i]] if any(has_own) else range(size)
        if isinstance(filler, UsageError):
            _add(flaws, needed, Remark(str(filler), filler.advice), "")
            return list(own_cells) or [""] * size
        values = [
            self._values.merged(table[column], name, kind, needed, flaws)
            for column, name in zip(filler.columns, filler.names, strict=True)
        ]
        texts = filler.fill(values, size)
        for i, is_own in enumerate(has_own):
            if is_own:
                texts[i] = own_cells[i]
        return texts

    def _refuse_long(self, parts: Sequence[int], flaws: dict[int, Flaw]) -> None:
        for i, count in enumerate(parts):
            if count > segments.MAX_PARTS:
                says = f"the text needs {count} SMS parts; the API takes {segments.MAX_PARTS} at most"
                flaws.setdefault(i, Flaw(Status.INVALID, says, self._columns.name_of("message")))

    def _prices(
        self, recipients: Sequence[Recipient | None], codes: Sequence[str], parts: Sequence[int]
    ) -> list[MicroUSD | None]:
        """By dialing code and size where that decides, as it does unless the rates tell a country's networks apart."""
        rates, size = self._options.rates, len(parts)
        keys = list(zip(codes, parts, strict=True))
        is_uniform = codes.count(codes[0]) == size == parts.count(parts[0]) if size else False
        known = {
            (code, count): rates.price(PhoneNumber(code), count)
            for code, count in (keys[:1] if is_uniform else set(keys))
            if not rates.varies_within(code)
        }
        if is_uniform and known:
            return [*known.values()] * size
        return [
            known[key] if key in known else None if who is None else rates.price(who, key[1])
            for key, who in zip(keys, recipients, strict=True)
        ]


def _make_plain(texts: list[str], encodings: list[Encoding | None], parts: list[int]) -> dict[int, int]:
    """Replace what has a look-alike in GSM-7, where the whole text then fits; the parts needed before, by index."""
    before = {}
    for i, encoding in enumerate(encodings):
        if encoding is Encoding.UCS2 and (text := lookalikes.plain(texts[i])) != texts[i]:
            before[i] = parts[i]
            texts[i], encodings[i], parts[i] = text, Encoding.GSM7, segments.count(text).parts
    return before


def _senders(filled: Sequence[str]) -> list[str | None]:
    if filled and filled.count(filled[0]) == len(filled):
        return [filled[0].strip() or None] * len(filled)
    return [sender.strip() or None for sender in filled]


def _add(
    flaws: dict[int, Flaw], indices: Iterable[int], why: Remark, column: str, cells: Sequence[str] | None = None
) -> None:
    for i in indices:
        flaws.setdefault(i, Flaw(Status.INVALID, why.says, column, cells[i] if cells else "", why.advice))
