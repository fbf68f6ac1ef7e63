"""Small workbooks, written part by part."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from planned import PlannedRow

from bulksend.model import Recipient
from bulksend.planning import Plan, PlanOptions
from bulksend.planning.planning import PlannedRows, plan_into
from bulksend.planning.reading import Source

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
ODS = "application/vnd.oasis.opendocument.spreadsheet"


def zipped(parts: Mapping[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def xlsx_parts(
    sheets: Mapping[str, str], formats: Sequence[str] = (), *, folder: str = "xl/", hidden: Sequence[str] = ()
) -> dict[str, str]:
    """The parts of an .xlsx; its sheets by name, as XML below ``worksheet``; style n is the format n, from 1."""
    states = {name: "hidden" if name in hidden else "visible" for name in sheets}
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{i}" state="{states[name]}" r:id="s{i}"/>'
        for i, name in enumerate(sheets, 1)
    )
    links = "".join(
        f'<Relationship Id="s{i}" Type="{LINK}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    codes = "".join(
        f'<numFmt numFmtId="{164 + i}" formatCode={quoteattr(code)}/>'
        for i, code in enumerate(formats)
        if not code.isdigit()
    )
    styles = "".join(f'<xf numFmtId="{code if code.isdigit() else 164 + i}"/>' for i, code in enumerate(formats))
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="a" Type="{LINK}/officeDocument" '
        f'Target="{folder}workbook.xml"/></Relationships>',
        f"{folder}workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINK}"><sheets>{listed}</sheets></workbook>',
        f"{folder}_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{links}<Relationship Id="t" '
        f'Type="{LINK}/styles" Target="styles.xml"/></Relationships>',
        f"{folder}styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts><cellXfs><xf numFmtId="0"/>'
        f"{styles}</cellXfs></styleSheet>",
    }
    for i, sheet in enumerate(sheets.values(), 1):
        parts[f"{folder}worksheets/sheet{i}.xml"] = f'<worksheet xmlns="{MAIN}">{sheet}</worksheet>'
    return parts


def rows(*lines: Sequence[object], first: int = 1, hidden: Sequence[int] = ()) -> str:
    """Lines as XML: texts, numbers, (number, style) pairs; None for no cell; what begins with ``<c`` as it is."""
    made = ""
    for number, line in enumerate(lines, first):
        cells = "".join(_cell(f"{chr(65 + place)}{number}", value) for place, value in enumerate(line))
        made += f'<row r="{number}" hidden="{int(number in hidden)}">{cells}</row>'
    return f"<sheetData>{made}</sheetData>"


def xlsx(*lines: Sequence[object], formats: Sequence[str] = (), hidden: Sequence[int] = ()) -> bytes:
    """An .xlsx with one sheet."""
    return zipped(xlsx_parts({"S": rows(*lines, hidden=hidden)}, formats))


def ods_parts(tables: Mapping[str, str]) -> dict[str, str]:
    """The parts of an .ods; its sheets by name, as XML below ``table:table``."""
    spaces = (
        "".join(
            f' xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"'
            for prefix in ("office", "table", "text", "style")
        )
        + ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    )
    inner = "".join(
        f"<table:table table:name={quoteattr(name)}>{table}</table:table>" for name, table in tables.items()
    )
    return {
        "mimetype": ODS,
        "content.xml": f"<office:document-content{spaces}><office:body><office:spreadsheet>{inner}"
        "</office:spreadsheet></office:body></office:document-content>",
    }


def ods_row(*cells: str, more: str = "") -> str:
    """A line of an .ods; its cells are texts, or XML if they begin with ``<``."""
    inner = "".join(cell if cell.startswith("<") else _ods_text(cell) for cell in cells)
    return f"<table:table-row{more}>{inner}</table:table-row>"


class Kept:
    """A plan's rows in a list."""

    def __init__(self) -> None:
        self.rows: list[PlannedRow] = []

    def add(self, rows: PlannedRows) -> None:
        self.rows += map(PlannedRow._make, rows.columns().records())

    def add_repeats(self, recipient: Recipient, messages: Iterable[tuple[int, int]], alike: Iterable[int]) -> None:
        pass

    def skip(self, rows: Iterable[int], says: str) -> None:
        pass


def planned(path: Path, options: PlanOptions) -> tuple[Plan, list[PlannedRow]]:
    """An input's plan, and its rows as they are kept."""
    source = Source(str(path), options.reading)
    kept = Kept()
    try:
        return plan_into(source, options, kept).plan, kept.rows
    finally:
        source.close()


def _ods_text(text: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{escape(text)}</text:p></table:table-cell>'


def _cell(place: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return f'<c r="{place}" s="{value[1]}"><v>{value[0]}</v></c>'
    if isinstance(value, str):
        if value.startswith("<c"):
            return value.replace("<c", f'<c r="{place}"', 1)
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'
