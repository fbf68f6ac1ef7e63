"""Files of rates: the price of an SMS part by the beginning of the number, as CSV or TOML."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, NamedTuple

from bulksend.errors import UsageError
from bulksend.files import replacing
from bulksend.model import MicroUSD
from bulksend.sms.rates.learning import LearnedRate
from bulksend.sms.rates.table import Rates, dollars
from bulksend.sms.template import column_key
from bulksend.words import printable

COLUMNS = ("prefix", "microUSD", "source", "date")
"""Of a CSV file; case, spaces and ``_`` do not matter, the last two may be missing, others are not read."""

_LONGEST = 15  # digits of a number (ITU-T E.164)
_DEAREST = 1_000_000_000  # micro-USD; more is a number in the wrong column
_DOLLARS_MAX = 100  # what has decimals and is less is taken for dollars


class _Line(NamedTuple):
    """A rate as it stands in a file.

    Attributes:
        place: where, for people.
        source: where it comes from and of when, for people; empty if it does not say.
    """

    place: str
    prefix: str
    micro: str
    source: str


def read_rates(path: Path) -> Rates:
    """Read a file of rates, as its ending says.

    Raises:
        UsageError: it is none: missing, of another format, or a line of it is wrong.
    """
    read = {".csv": _read_csv, ".toml": _read_toml}[_ending(path)]
    rates: dict[str, MicroUSD] = {}
    sources: dict[str, None] = {}
    for line in read(path, _text_of(path)):
        prefix = _prefix(line)
        if prefix in rates:
            raise UsageError(f"{line.place}: the prefix {prefix} has a rate already: keep one of the two")
        rates[prefix] = _micro(line)
        sources[line.source] = None
    if not rates:
        raise UsageError(f"{path}: there are no rates in it: give each prefix its price, such as 63 and 20000")
    source = next(iter(sources)) if len(sources) == 1 else "several sources"
    return Rates(rates, f"{printable(path.name)} ({printable(source)})" if source else printable(path.name))


def write_rates(path: Path, rates: Sequence[LearnedRate], source: str, date: str) -> None:
    """Write a file of rates, as its ending says; it is replaced when the new one is whole.

    Args:
        path: where to.
        rates: its lines.
        source: where they come from, for people.
        date: of when they are, such as 2026-11-01.

    Raises:
        UsageError: the ending is of no format, or the file cannot be written.
    """
    write = writer_for(path)
    with replacing(path) as file:
        write(file, rates, printable(source), date)


def writer_for(path: Path) -> Callable[[IO[str], Sequence[LearnedRate], str, str], None]:
    """The format that a file's ending asks for.

    Raises:
        UsageError: it asks for none.
    """
    return {".csv": _write_csv, ".toml": _write_toml}[_ending(path)]


def _ending(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in {".csv", ".toml"}:
        raise UsageError(f"{path}: rates are in a .csv or a .toml file; give the file one of these endings")
    return ending


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file of rates") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: this is not UTF-8 text: save it as {path.suffix[1:].upper()} (UTF-8)") from error
    except OSError as error:
        raise UsageError(f"{path}: the rates cannot be read: {error.strerror or error}") from error


# ---- the two formats ----


def _read_csv(path: Path, text: str) -> Iterator[_Line]:
    first = text.lstrip().partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","  # as Excel writes it where 0,02 is a number
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        places = _places(path, next((cells for cells in lines if any(cells)), []))
        for cells in lines:
            if any(cell.strip() for cell in cells):
                found = {name: cells[place].strip() for name, place in places.items() if place < len(cells)}
                source = ", ".join(filter(None, (found.get("source"), found.get("date"))))
                yield _Line(
                    f"{path}, line {lines.line_num}", found.get("prefix", ""), found.get("microUSD", ""), source
                )
    except csv.Error as error:
        raise UsageError(f"{path}, line {lines.line_num}: this is not CSV: {error}") from error


def _places(path: Path, header: Sequence[str]) -> dict[str, int]:
    """Which column is what."""
    simple = [column_key(name) for name in header]
    for name in COLUMNS:
        if simple.count(name.lower()) > 1:
            raise UsageError(f"{path}: the header names the column {name} twice: remove one of the two")
    for name in COLUMNS[:2]:
        if name.lower() not in simple:
            found = ", ".join(header) or "nothing"
            raise UsageError(
                f"{path}: there is no column {name} in the header, which has {printable(found)}: it must begin with "
                f"{','.join(COLUMNS[:2])}, and may name {' and '.join(COLUMNS[2:])}"
            )
    return {name: simple.index(name.lower()) for name in COLUMNS if name.lower() in simple}


def _read_toml(path: Path, text: str) -> Iterator[_Line]:
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: this is not TOML: {error}") from error
    rates = found.pop("rates", None)
    if not isinstance(rates, Mapping):
        raise UsageError(
            f"{path}: there is no table [rates] in it: write [rates], and below it lines such as 63 = 20000"
        )
    source = ", ".join(str(found.pop(name)) for name in ("source", "date") if name in found)
    if found:
        raise UsageError(
            f"{path}: {printable(next(iter(found)))!r} is not known there: only source and date stand above [rates], "
            "and prefixes below it"
        )
    for prefix, micro in rates.items():
        # A boolean is an int to Python, and a table is what TOML makes of 63.9 = 1.
        yield _Line(
            f"{path}, {printable(prefix)!r}", prefix, str(micro) if type(micro) in {int, float, str} else "?", source
        )


def _write_csv(file: IO[str], rates: Sequence[LearnedRate], source: str, date: str) -> None:
    lines = csv.writer(file)
    lines.writerow(COLUMNS)
    lines.writerows((rate.prefix, rate.micro, source, date) for rate in rates)


def _write_toml(file: IO[str], rates: Sequence[LearnedRate], source: str, date: str) -> None:
    file.write(
        f"source = {json.dumps(source, ensure_ascii=False)}\ndate = {date}\n\n[rates]  # micro-USD per SMS part\n"
    )
    file.writelines(f"{rate.prefix} = {rate.micro}\n" for rate in rates)


# ---- a line ----


def _prefix(line: _Line) -> str:
    digits = line.prefix.strip().removeprefix("+")
    shown = printable(line.prefix, 40)
    if not (digits.isascii() and digits.isdecimal()):
        raise UsageError(
            f"{line.place}: {shown!r} is no prefix: write the digits that numbers begin with, such as 63917"
        )
    if digits.startswith("0"):
        raise UsageError(
            f"{line.place}: the prefix {shown} begins with 0: write it with its dialing code, such as 63917"
        )
    if len(digits) > _LONGEST:
        raise UsageError(f"{line.place}: the prefix {shown} has over {_LONGEST} digits, more than any number has")
    return digits


def _micro(line: _Line) -> MicroUSD:
    text, shown = line.micro.strip(), printable(line.micro, 40)
    if text.isascii() and text.isdecimal():
        if len(text) < _LONGEST and int(text) <= _DEAREST:
            return MicroUSD(int(text))
        raise UsageError(
            f"{line.place}: {shown} is over {dollars(_DEAREST)} for one SMS part: write its price in micro-USD, "
            "such as 20000 for $0.02"
        )
    if text.startswith("-"):
        raise UsageError(f"{line.place}: {shown} is below zero: write a price of 0 or more, in micro-USD")
    hint = "20000 for $0.02"
    if micro := _meant_as_dollars(text):
        hint = f"{micro} for {dollars(micro)}"
    raise UsageError(
        f"{line.place}: {shown!r} is no whole number of micro-USD, of which a dollar has 1000000: write {hint}"
    )


def _meant_as_dollars(text: str) -> int | None:
    """What a price written in dollars is in micro-USD, None if it is not written so."""
    try:
        price = Decimal(text.removeprefix("$").replace(",", "."))
        return int(price * 1_000_000) if price < _DOLLARS_MAX else None
    except (InvalidOperation, ValueError, OverflowError):
        return None
