"""A campaign, as a program wants it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Literal

from bulksend import campaign
from bulksend.campaign import PlanRequest
from bulksend.errors import UsageError
from bulksend.model import Duplicates, Endpoint
from bulksend.planning import FIELDS, PlanOptions, ReadOptions, lint_from
from bulksend.runs import Address, DatabaseRun, Place, files_of, place_of
from bulksend.sms import EXAMPLE_RATES, column_key, phones, read_rates

_FIELDS = {column_key(name): name for name in FIELDS}

PathLike = str | os.PathLike[str]
PlaceLike = PathLike | DatabaseRun
"""A run's place: a file, or the address of one in a database, such as ``postgresql://user@host/db#june``."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """An input, and what becomes of its rows. The same words mean the same run as on the command line.

    Attributes:
        input: a spreadsheet (.csv, .xlsx, .ods, ...) or a JSONL file.
        message: text of rows without one of their own; ``{Column Name}`` is filled in.
        sender: sender id of rows without one of their own.
        columns: which column is ``to``, ``contactId``, ``message`` or ``from``, if it has another name; several are
            tried in their order, and an empty one says that none is it.
        only: send only to rows that have one of these values in this column.
        skip: leave out rows that have one of these values in this column.
        country: whose numbers those without + or 00 are, such as ``PH``.
        countries: leave out numbers of other countries than these; none for all.
        allow_new_prefixes: send also to mobiles whose prefix the numbering plans here do not know.
        encoding: the input's character encoding; None if it is to be found out.
        delimiter: what separates its columns; None if it is to be found out.
        sheet: of a workbook, by name or number; None for the first that has a column for the recipient.
        header_row: the line that names the columns; None if it is to be found out.
        visible_only: leave out the rows that a workbook does not show.
        rates: a file of prices by number prefix.
        gsm: replace typographic characters by plain ones where a text is then GSM-7.
        exclude: lists of numbers, and runs: whoever is on them, or was sent to by them, is left out.
        duplicates: what becomes of rows with number and text of an earlier one; None to send them, and say so.
        one_per_number: of several rows to one phone send the first only.
        endpoint: send to contacts (which knows contactIds) or to bare numbers.
        campaign_id: makes the dedup keys the same on every machine; None for a random one.
        lint: what the house says of itself, as in [lint] of bulksend.toml: by that its texts and senders are looked at.

    Raises:
        UsageError: something of it cannot be.
    """

    input: PathLike
    _: KW_ONLY
    message: str | None = None
    sender: str | None = None
    columns: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    only: Mapping[str, str | Iterable[str]] = field(default_factory=dict)
    skip: Mapping[str, str | Iterable[str]] = field(default_factory=dict)
    country: str | None = None
    countries: Sequence[str] = ()
    allow_new_prefixes: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    visible_only: bool = False
    rates: PathLike | None = None
    gsm: bool = False
    exclude: Sequence[PlaceLike] = ()
    duplicates: Literal["send", "skip", "fail"] | None = None
    one_per_number: bool = False
    endpoint: Literal["contact", "phonenumber"] = "contact"
    campaign_id: str | None = None
    lint: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no campaign can be, before anything is read."""
        for name, text in (("message", self.message), ("sender", self.sender), ("campaign_id", self.campaign_id)):
            if text is not None and not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
                raise UsageError(f"{name} is no text: it holds half a character")
        for field_name, column in _pairs(self.columns):
            if column_key(field_name) not in _FIELDS or (column_key(field_name) == "to" and not column.strip()):
                raise UsageError(f"columns: {field_name!r}={column!r}: name a column for one of {', '.join(FIELDS)}")
        for name, said, known in (("duplicates", self.duplicates, Duplicates), ("endpoint", self.endpoint, Endpoint)):
            if said is not None and said not in set(known):
                raise UsageError(f"{name} is {said!r}: it is one of {', '.join(known)}")

    @property
    def name(self) -> str:
        """The input's name."""
        return os.fspath(self.input)

    @property
    def files(self) -> list[Path]:
        """The files that are read, which nothing may replace."""
        read = [Path(path) for path in (self.input, self.rates) if path is not None]
        return [*read, *files_of(*map(place_from, self.exclude))]

    def request(self, to: Address, check: Callable[[], None]) -> PlanRequest:
        """The same, as it is planned.

        Args:
            to: where it goes.
            check: see `PlanRequest`.

        Raises:
            UsageError: a list or a file of rates cannot be used.
            RunFileError: a run of those to leave out cannot be read.
        """
        return PlanRequest(self.name, self._options(), to, self.campaign_id, check)

    def _options(self) -> PlanOptions:
        country = self.country.upper() if self.country else None
        lists = campaign.exclusions(list(map(place_from, self.exclude)), country, new_prefixes=self.allow_new_prefixes)
        mapping = [(_FIELDS[column_key(name)], column.strip()) for name, column in _pairs(self.columns)]
        return PlanOptions(
            reading=ReadOptions(
                self.encoding, self.delimiter, self.sheet, header_row=self.header_row, visible_only=self.visible_only
            ),
            sender=self.sender,
            message=self.message,
            mapping=tuple(sorted(mapping, key=itemgetter(0))),  # those of a field stay in their order
            only=tuple(sorted(set(_pairs(self.only)))),
            skip=tuple(sorted(set(_pairs(self.skip)))),
            country=country,
            countries=tuple(sorted({phones.check_country(each) for each in self.countries})),
            new_prefixes=self.allow_new_prefixes,
            endpoint=Endpoint(self.endpoint),
            rates=read_rates(Path(self.rates)) if self.rates else EXAMPLE_RATES,
            gsm=self.gsm,
            duplicates=Duplicates(self.duplicates) if self.duplicates else None,
            one_per_number=self.one_per_number,
            exclusions=lists,
            lint=lint_from(self.lint),
        )


def place_from(given: PlaceLike) -> Place:
    """What a program names.

    Raises:
        UsageError: it is an address of a database and not to be used as that of a run.
    """
    return given if isinstance(given, DatabaseRun) else place_of(os.fspath(given))


def _pairs(said: Mapping[str, str | Iterable[str]]) -> list[tuple[str, str]]:
    return [(name, each) for name, some in said.items() for each in ([some] if isinstance(some, str) else some)]
