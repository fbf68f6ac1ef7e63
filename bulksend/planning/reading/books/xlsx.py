"""Workbooks of Excel: .xlsx and .xlsm (ECMA-376 part 1), both the transitional and the strict kind."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from bulksend.planning.reading.books.book import BrokenBookError, Line, SheetName, first_lines
from bulksend.planning.reading.books.cells import Cells
from bulksend.planning.reading.books.package import BROKEN, Package
from bulksend.planning.reading.books.shown import BUILT_IN, LOCAL, Format
from bulksend.planning.reading.books.strings import shared_strings
from bulksend.planning.reading.books.worksheet import Worksheet


class XlsxBook:
    """A workbook of Excel.

    Args:
        package: its zip file.
        main: the name of the part that lists its sheets.

    Raises:
        BrokenBookError: it is broken.
    """

    is_seen = True

    def __init__(self, package: Package, main: str) -> None:
        self._package = package
        related = relations(package, main)
        self._parts: list[str | None] = []
        self.sheets: list[SheetName] = []
        self._since_1904 = False
        found: list[Mapping[str, str]] = []

        def start(name: str, attributes: Mapping[str, str]) -> None:
            if name == "sheet":
                found.append(attributes)
            elif name == "workbookPr":
                self._since_1904 = attributes.get("date1904") in {"1", "true"}

        package.parse(main, start)
        for attributes in found:
            key = next((value for key, value in attributes.items() if key == "id" or key.endswith(":id")), "")
            kind, target = related.get(key, ("worksheet", f"{posixpath.dirname(main)}/worksheets/{key}.xml"))
            self._parts.append(target if kind == "worksheet" else None)
            self.sheets.append(SheetName(attributes.get("name", ""), attributes.get("state", "visible") == "visible"))
        if not self.sheets:
            raise BrokenBookError(BROKEN)
        by_kind = dict(related.values())
        folder = posixpath.dirname(main)
        strings = by_kind.get("sharedStrings", posixpath.join(folder, "sharedStrings.xml"))
        styles = by_kind.get("styles", posixpath.join(folder, "styles.xml"))
        self._cells = Cells(shared_strings(package, strings), _formats(package, styles), since_1904=self._since_1904)

    def top(self, place: int, count: int) -> list[Line]:
        """See `Book.top`."""
        return first_lines(self.sheet(place), count)

    def sheet(self, place: int) -> Worksheet:
        """See `Book.sheet`."""
        return Worksheet(self._package, self._parts[place], self._cells)


def main_part(package: Package) -> str | None:
    """The name of the part that lists a workbook's sheets; None if this is none of Excel's."""
    for kind, target in relations(package, "").values():
        if kind == "officeDocument" and target in package:
            return target
    return next((name for name in package.names if posixpath.basename(name) in {"workbook.xml", "workbook.bin"}), None)


def relations(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """What a part refers to: kind and part's name, by the reference's id."""
    folder, base = posixpath.split(part)
    found: dict[str, tuple[str, str]] = {}

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "").replace("\\", "/")
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = (kind, posixpath.normpath(posixpath.join("/", folder, target)))

    name = posixpath.join(folder, "_rels", f"{base}.rels")
    if name in package:
        package.parse(name, start)
    return found


def _formats(package: Package, part: str) -> list[Format | None]:
    """Each style's format; None where numbers are written plainly."""
    codes = dict(BUILT_IN)
    spelt: set[int] = set()
    ids: list[int] = []
    within = False

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal within
        if name == "numFmt":
            number = int(attributes.get("numFmtId", 0))
            codes[number] = attributes.get("formatCode", "General")
            spelt.add(number)
        elif name == "xf" and within:
            ids.append(int(attributes.get("numFmtId", 0)))
        elif name == "cellXfs":
            within = True

    def end(name: str) -> None:
        nonlocal within
        if name == "cellXfs":
            within = False

    if part in package:
        package.parse(part, start, end)
    made: dict[int, Format | None] = {}
    for number in set(ids):
        code = codes.get(number, "General")
        is_local = number in LOCAL and (number in {14, 22} or number not in spelt)
        made[number] = None if code.lower() in {"general", "@", ""} else Format(code, is_local=is_local)
    return [made[number] for number in ids]
