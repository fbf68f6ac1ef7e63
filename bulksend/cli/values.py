"""What an option's text becomes."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import click

from bulksend.errors import UsageError
from bulksend.model import MicroUSD
from bulksend.planning import FIELDS
from bulksend.runs import database_of, place_of, shelf_of
from bulksend.sending import Cap, ErrorLimit
from bulksend.sms import column_key, parse_dollars, phones
from bulksend.words import printable

T = TypeVar("T")

MANY = click.IntRange(1, 10_000)
"""How many requests may be under way at once."""
_NAME = re.compile(r"(?:\w+://[^#]*)?[^,]+")  # in an address commas stand between hosts, up to the # before a run
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class _Parsed(click.ParamType[T]):
    """An option whose text the core itself knows how to read."""

    envvar_list_splitter = ","

    def __init__(self, name: str, kind: type[T], parse: Callable[[str], T]) -> None:
        self.name = name
        self._kind = kind
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> T:
        try:
            return value if isinstance(value, self._kind) else self._parse(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class _AutoType(click.ParamType["int | None"]):
    """How many requests at once, or that this is to be found out: None, or ``auto``."""

    name = "auto|n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        text = str(value).strip()  # of a number from the file as well, or 1.5 were 1
        if text.lower() == "auto":
            return None
        if not text.isdecimal():
            self.fail(f"{printable(text)}: say a whole number, or auto", param, ctx)
        return MANY.convert(int(text), param, ctx)


class _MapType(click.ParamType[tuple[str, str]]):
    name = "field=column"
    envvar_list_splitter = ","

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        field, equals, column = str(value).partition("=")
        known = {column_key(name): name for name in FIELDS}
        name = known.get(column_key(field))
        if not equals or name is None or (name == "to" and not column.strip()):
            self.fail(f"{value!r}: write FIELD=COLUMN, with one of the fields {', '.join(FIELDS)}", param, ctx)
        return name, column.strip()


class _ChoiceType(click.ParamType[tuple[tuple[str, str], ...]]):
    """A column and the values by which rows are chosen, which are separated by commas as a CSV's cells are."""

    name = "column=value"

    def split_envvar_value(self, rv: str) -> list[str]:
        """One a line, for values are separated by commas."""
        return [line for line in rv.splitlines() if line.strip()]

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[tuple[str, str], ...]:
        if isinstance(value, tuple):
            return value
        column, equals, values = str(value).partition("=")
        if not equals or not column_key(column):
            self.fail(f"{value!r}: write COLUMN=VALUE, or COLUMN=VALUE,VALUE", param, ctx)
        try:
            (cells,) = csv.reader([values], skipinitialspace=True, strict=True)
        except (csv.Error, ValueError):
            self.fail(f"{value!r}: a quote in it is not closed, or there is a line break", param, ctx)
        return tuple((column.strip(), cell.strip()) for cell in cells or [""])


class _CountriesType(click.ParamType[tuple[str, ...]]):
    """Countries by their ISO codes."""

    name = "countries"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        try:
            found = {phones.check_country(each) for each in str(value).split(",")}
        except UsageError as error:
            self.fail(str(error), param, ctx)
        return tuple(sorted(found))


class _UsdType(click.ParamType[MicroUSD]):
    name = "dollars"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> MicroUSD:
        try:
            return parse_dollars(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class _DurationType(click.ParamType[float]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        number, unit = str(value).strip()[:-1], str(value).strip()[-1:]
        if not (number.isascii() and number.isdecimal() and len(number) < 7) or unit not in _SECONDS:
            self.fail(f"{value!r} is no duration: write one such as 90s, 10m, 1h or 7d", param, ctx)
        return int(number) * _SECONDS[unit]


class _NamedType(click.Path, Generic[T]):
    """What people name by a file's path, or else by the address of a database; a shell completes the former."""

    def __init__(self, parse: Callable[[str], T]) -> None:
        super().__init__(readable=False)
        self._parse = parse

    def split_envvar_value(self, rv: str) -> list[str]:
        """By commas, but for those in the address of a database."""
        return _NAME.findall(rv)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str | bytes):
            return value
        try:
            return self._parse(os.fsdecode(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class _DatabaseType(click.ParamType[str]):
    """The address of a database."""

    name = "database"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return database_of(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


AT_ONCE = _AutoType()
CAP = _Parsed("prefix=count/seconds", Cap, Cap.parse)
ERROR_LIMIT = _Parsed("number or share", ErrorLimit, ErrorLimit.parse)
USD = _UsdType()
DURATION = _DurationType()
MAP = _MapType()
CHOICE = _ChoiceType()
COUNTRIES = _CountriesType()
PLACE = _NamedType(place_of)
SHELF = _NamedType(shelf_of)
DATABASE = _DatabaseType()
NAME = click.Path(readable=False)  # whether it can be read is told where it is read; a shell completes it
