"""Rows become messages: recipient, sender, text, parts and price, or the reason why not.

All is done column by column over a batch of rows, and row by row only where a row is out of the ordinary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import cast

from bulksend.errors import Advice, Remark, UsageError, Why
from bulksend.model import (
    Duplicates,
    Encoding,
    Endpoint,
    Recipient,
    Status,
)
from bulksend.planning import looks
from bulksend.planning.addressing import Addressing
from bulksend.planning.batch import Flaw, PlannedBatch, refuse
from bulksend.planning.columns import Columns
from bulksend.planning.countries import Countries
from bulksend.planning.exclusions import Exclusions
from bulksend.planning.fallbacks import Fallbacks
from bulksend.planning.filters import Filters, Pairs
from bulksend.planning.leaving_out import LeavingOut, UnknownContacts
from bulksend.planning.lint import Lint
from bulksend.planning.optouts import OptOuts
from bulksend.planning.overview import PREVIEWS
from bulksend.planning.pricing import priced
from bulksend.planning.reading import Looks, RawBatch, ReadOptions
from bulksend.planning.seen import TextLook
from bulksend.planning.values import ValueCheck, barred
from bulksend.sms import EXAMPLE_RATES, BoundTemplate, Rates, Template, lookalikes, phones, segments

_NO_TEXT = Why("no text: its message is empty, and there is none for all rows", Advice.GIVE_MESSAGE)
_NO_TEXTS = "there is no text to send: none is given for all rows, and there is no column 'message'"
_NO_COLUMN = Why("no text: there is no column 'message', and no message for all rows", Advice.GIVE_MESSAGE_OR_COLUMN)


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What decides how an input becomes messages.

    Attributes:
        reading: how the input is read, where that is not to be found out.
        sender: sender id of rows without one of their own; may hold merge fields.
        message: text of rows without one of their own; may hold merge fields.
        mapping: (field, column name) pairs, where a column has another name than its field; see `Columns`.
        only: (column, value) pairs of the rows that are not left out; see `Filters`.
        skip: (column, value) pairs of the rows that are left out.
        country: whose numbers those without dialing code are, such as PH.
        new_prefixes: whether numbers count whose prefix the numbering plans here do not know.
        endpoint: which of the API's twins; only CONTACT takes a contactId.
        rates: what a part costs.
        gsm: whether typographic characters are replaced where that makes a text GSM-7.
        duplicates: what to do with a row that repeats number and text of another; None: send it, and say so.
        one_per_number: whether of several rows with the same recipient only the first is sent.
        exclusions: who is left out.
        optouts: who opted out, and is left out as well; None if that is nobody.
        countries: ISO codes of those that may be texted; none for all.
        lint: what the house says of itself, by which its texts and senders are looked at.
        previews: how many of the first messages are kept to be shown.
    """

    reading: ReadOptions = field(default_factory=ReadOptions)
    sender: str | None = None
    message: str | None = None
    mapping: tuple[tuple[str, str], ...] = ()
    only: Pairs = ()
    skip: Pairs = ()
    country: str | None = None
    new_prefixes: bool = False
    endpoint: Endpoint = Endpoint.CONTACT
    rates: Rates = EXAMPLE_RATES
    gsm: bool = False
    duplicates: Duplicates | None = None
    one_per_number: bool = False
    exclusions: Exclusions = field(default_factory=Exclusions)
    optouts: OptOuts | None = None
    countries: tuple[str, ...] = ()
    lint: Lint = field(default_factory=Lint)
    previews: int = PREVIEWS


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
        self._message = Template.parse(options.message) if options.message and options.message.strip() else None
        self.columns = Columns(name, options.mapping, fixed=fixed)
        self._fallbacks = Fallbacks(self.columns)
        self._addressing = Addressing(
            self.columns, self._fallbacks, options.country, options.endpoint, new_prefixes=options.new_prefixes
        )
        self._filters = Filters(self.columns, options.only, options.skip)
        self._look = TextLook(options.lint)
        self._leaving_out = LeavingOut(options.exclusions, options.optouts, Countries(options.countries))
        self._unknown = UnknownContacts(options.optouts, knows_countries=not options.countries)
        self._next_row = 1
        if options.country:
            phones.check_country(options.country)
        self._bind(columns)

    @property
    def notes(self) -> list[Remark]:
        """What was guessed of the columns and which were used, and what is odd in the texts for all rows."""
        odd = [
            remark
            for template, values in ((self._message, self._texts), (self._sender, self._senders))
            for remark in (values.template(template.literals) if template else ())
        ]
        fillers = (self._text_filler, self._sender_filler)
        named = barred(name for each in fillers if isinstance(each, BoundTemplate) for name in each.names)
        return [*odd, *named, *self.columns.notes, *self._fallbacks.notes(), *self._addressing.notes()]

    @property
    def warnings(self) -> list[Remark]:
        """What may not have been meant of what was said of columns."""
        return [*self._filters.remarks(), *self._unknown.remarks()]

    def plan(self, raw: RawBatch, columns: Sequence[str]) -> PlannedBatch:
        """Make the next rows ready, in input order."""
        if len(columns) != len(self.columns.names):
            self._bind(columns)
        rows = looks.held(raw, self.columns.of_recipients)
        flaws = {index: Flaw(Status.INVALID, says) for index, says in raw.flaws.items()}
        blank = [""] * len(columns)
        whole = [blank if i in flaws else cells for i, cells in enumerate(rows)] if flaws else rows
        table = list(zip(*whole, strict=True)) or [()] * len(columns)
        visible_only = self._options.reading.visible_only
        flaws |= looks.flaws(raw, self.columns.of_rows_own, columns, visible_only=visible_only)
        batch = self._planned(raw.looks, table, rows, flaws)
        looks.explain(flaws, raw.looks, self.columns.of_recipients, columns)
        self._next_row += len(rows)
        if not (raw.looks and raw.looks.marks):
            return batch
        fillers = (self._text_filler, self._sender_filler)
        filled = (each.columns for each in fillers if isinstance(each, BoundTemplate))
        used = [*self.columns.of_rows_own, *chain(*filled)]
        return batch._replace(unsure=looks.unsure(raw, used, columns, flaws))

    def check(self) -> None:
        """Once all columns are known: see that there is one for the recipient, and texts.

        Raises:
            InputError: there was none.
            UsageError: there is no text for any row, or no column that rows are chosen by.
        """
        self.columns.check()
        self._filters.check()
        if self._message is None and not self.columns.places["message"]:
            raise UsageError(_NO_TEXTS, Advice.GIVE_MESSAGE_OR_COLUMN)

    def _bind(self, columns: Sequence[str]) -> None:
        self.columns.bind(columns)
        self._text_filler = self._filler(self._message)
        self._sender_filler = self._filler(self._sender)
        self._texts = ValueCheck(columns, "message", self._look.may_matter)
        self._senders = ValueCheck(columns, "sender id", lambda _: False)
        self._filters.bind()
        if self.columns.is_fixed:
            self.check()

    def _filler(self, template: Template | None) -> BoundTemplate | UsageError | None:
        if template is None:
            return None
        try:
            return template.bind(self.columns.names)
        except UsageError as error:
            if self.columns.is_fixed:
                raise
            return error  # until its columns have come, a JSONL template can fill no row

    # ---- one batch, column by column ----

    def _planned(
        self, seen: Looks | None, table: list[tuple[str, ...]], cells: list[list[str]], flaws: dict[int, Flaw]
    ) -> PlannedBatch:
        size = len(cells)
        self._filters.leave_out(table, size, flaws)
        recipients, codes, not_mobile, has_odd_tails = self._addressing.address(table, size, flaws)
        self._leave_out(recipients, codes, flaws)
        senders = _senders(self._filled(table, size, "from", self._sender_filler, self._senders, flaws))
        texts = self._filled(table, size, "message", self._text_filler, self._texts, flaws)
        if "" in texts or any(map(str.isspace, texts)):
            why, column = (_NO_TEXT, self.columns.name_of("message"))
            if not self.columns.places["message"]:
                why, column = _NO_COLUMN, ""
            refuse(flaws, (i for i, text in enumerate(texts) if not text.strip()), why, column)
        needed, parts = segments.count_all(texts)
        encodings = cast("list[Encoding | None]", needed)
        made_plain = _make_plain(texts, encodings, parts) if self._options.gsm else {}
        if max(parts, default=0) > segments.MAX_PARTS:
            self._refuse_long(parts, flaws)
        for i in flaws:
            senders[i], texts[i], encodings[i], parts[i] = None, "", None, 0
        prices = priced(self._options.rates, recipients, codes, parts)
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
            has_odd_tails=has_odd_tails,
            made_plain=made_plain,
            oddities=list(dict.fromkeys([*self._senders.taken(), *self._texts.taken()])),
            filled_in=list(dict.fromkeys([*self._senders.filled_in(), *self._texts.filled_in()])),
            singular=self._texts.singular(),
            looks=seen,
            cells=cells,
        )

    def _leave_out(self, recipients: list[Recipient | None], codes: list[str], flaws: dict[int, Flaw]) -> None:
        for i, says in self._leaving_out.among(recipients, codes).items():
            self._skip(i, recipients[i], says, flaws)
        if self.columns.places["contactId"]:
            left = [who for i, who in enumerate(recipients) if i not in flaws]
            self._unknown.add(left)

    def _skip(self, index: int, recipient: Recipient | None, says: str, flaws: dict[int, Flaw]) -> None:
        column = self._addressing.column_of(recipient, index)
        flaws.setdefault(index, Flaw(Status.SKIPPED, says, column, f"{recipient}"))

    def _filled(
        self,
        table: list[tuple[str, ...]],
        size: int,
        field: str,
        filler: BoundTemplate | UsageError | None,
        values: ValueCheck,
        flaws: dict[int, Flaw],
    ) -> list[str]:
        """The rows' own texts, and the filled template where they have none."""
        own_cells = self._fallbacks.cells(field, table, size, flaws) if self.columns.places[field] else ()
        own_values = list(map(str.strip, own_cells))
        has_own = list(map(bool, own_values))
        if any(has_own):
            rows = range(size) if all(has_own) else [i for i in range(size) if has_own[i]]
            values.own(own_values, self.columns.name_of(field), rows, flaws)
        if filler is None or (all(has_own) and has_own):
            return list(own_cells) or [""] * size
        needed = [i for i in range(size) if not has_own[i]] if any(has_own) else range(size)
        if isinstance(filler, UsageError):
            refuse(flaws, needed, Why(str(filler), filler.advice), "")
            return list(own_cells) or [""] * size
        merged = [
            values.merged(table[column], name, needed, flaws, fallback)
            for column, name, fallback in zip(filler.columns, filler.names, filler.fallbacks, strict=True)
        ]
        texts = filler.fill(merged, size)
        for i, is_own in enumerate(has_own):
            if is_own:
                texts[i] = own_cells[i]
        return texts

    def _refuse_long(self, parts: Sequence[int], flaws: dict[int, Flaw]) -> None:
        for i, count in enumerate(parts):
            if count > segments.MAX_PARTS:
                says = f"the text needs {count} SMS parts; the API takes {segments.MAX_PARTS} at most"
                flaws.setdefault(i, Flaw(Status.INVALID, says, self.columns.name_of("message")))


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
