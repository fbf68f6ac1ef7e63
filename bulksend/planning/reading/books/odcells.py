"""A cell of an .ods workbook: what it holds, and what it shows."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bulksend.planning.reading.books.cells import Cell
from bulksend.planning.reading.books.plain import plain
from bulksend.planning.reading.marks import Mark, MarkKind

_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!)|Err:[0-9]{3}")
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,]\d+)?S)?")
_FRACTION = re.compile(r"[.,][0-9]+$")
_NUMBERS = {"float", "percentage", "currency"}


def cell_of(attributes: Mapping[str, str], shown: str | None) -> Cell:
    """The cell.

    Args:
        attributes: its element's.
        shown: its paragraphs, a line each; None if it has none.
    """
    kind = attributes.get("office:value-type", "")
    is_formula = "table:formula" in attributes
    if attributes.get("calcext:value-type") == "error" or (is_formula and shown and _ERROR.fullmatch(shown)):
        return Cell("", None, Mark(MarkKind.ERROR, shown or "an error"))
    if kind in {"", "string", "void"}:
        if is_formula and not kind and not shown:
            return Cell("", None, Mark(MarkKind.UNCALCULATED))
        return Cell(attributes.get("office:string-value", "") if shown is None else shown)
    value = _value(kind, attributes)
    if not shown or not shown.strip("#"):  # a column too narrow for its number
        return Cell(value)
    return Cell(shown, None if shown == value else value)


def _value(kind: str, attributes: Mapping[str, str]) -> str:
    if kind in _NUMBERS:
        return plain(float(attributes["office:value"]))
    if kind == "date":
        return _FRACTION.sub("", attributes["office:date-value"]).replace("T", " ").removesuffix(" 00:00:00")
    if kind == "boolean":
        return attributes["office:boolean-value"].upper()
    said = attributes.get("office:time-value", "")
    found = _DURATION.fullmatch(said)
    if not found:
        return said
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    hours += 24 * days
    return f"{found[1]}{hours:02}:{minutes:02}:{seconds:02}"
