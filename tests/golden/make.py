"""Makes the spreadsheets of this folder anew, with openpyxl, LibreOffice (soffice) and msoffcrypto-tool."""

from __future__ import annotations

import datetime as dt
import subprocess
import tempfile
from pathlib import Path

from msoffcrypto.format.ooxml import OOXMLFile
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

HERE = Path(__file__).parent
CSV = "csv:Text - txt - csv (StarCalc):"
# delimiter, quote, character set, first line, formats, language, quote all text, as shown, with formulas, ...
CONVERSIONS = {
    "libreoffice.xlsx": "xlsx:Calc MS Excel 2007 XML",
    "libreoffice.xlsm": "xlsm:Calc MS Excel 2007 VBA XML",
    "libreoffice.ods": "ods:calc8",
    "libreoffice.xls": "xls:MS Excel 97",
    "utf8.csv": CSV + "44,34,76,1,,0,false,true,false",
    "cp1252-semicolon.csv": CSV + "59,34,1,1,,0,false,true,false",
    "utf16-tab.csv": CSV + "9,34,65535,1,,0,false,true,false",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        campaign = Path(folder) / "campaign.xlsx"
        book = Workbook()
        fill(book.active)
        others(book)
        book.save(campaign)
        book.save(HERE / "openpyxl.xlsx")
        for name, to in CONVERSIONS.items():
            convert(campaign, to, HERE / name)
    text = (HERE / "utf8.csv").read_text(encoding="utf-8")
    (HERE / "utf8-mark.csv").write_bytes(text.encode("utf-8-sig"))  # as Excel writes "CSV UTF-8"
    shifted()
    locked()


def fill(sheet: Worksheet) -> None:
    """One campaign, with what people's sheets have in them."""
    sheet.title = "June"
    sheet.append(["to", "First Name", "message", "Due", "At", "Amount", "Paid", "Lookup"])
    sheet.append([639171234567, "Ana", "Hello", dt.date(2024, 6, 1), dt.time(9, 30), 1250.5, True, "=1+1"])
    sheet.append(["+63 918 123 4567", "Begoña", "Line one\nline two", dt.date(2024, 6, 2), None, 0.1, False, "=NA()"])
    sheet.append([])
    sheet.append(["09191234567", 'José "Pepe"', "Commas, and; semicolons", None, dt.time(18, 0), 3, None, None])
    sheet.append(["639201234567", "", "Merged", dt.date(2024, 12, 31), None, "=0.1+0.2", None, "x"])
    sheet["A5"].quotePrefix = True  # as an apostrophe before a number makes it text
    sheet["D2"].number_format = sheet["D3"].number_format = sheet["D6"].number_format = "yyyy-mm-dd"
    sheet["E2"].number_format = sheet["E5"].number_format = "hh:mm:ss"
    sheet["A2"].number_format = "0"
    sheet.merge_cells("C6:C7")


def others(book: Workbook) -> None:
    book.create_sheet("July").append(["to", "message"])
    book["July"].append([639171234567, "July's text"])
    book.create_sheet("Notes")["B2"] = "call Ana"


def shifted() -> None:
    """An empty sheet first, a hidden one, and a table that begins elsewhere than at A1."""
    book = Workbook()
    book.active.title = "Empty"
    hidden = book.create_sheet("Old")
    hidden.append(["to"])
    hidden.append([639990000000])
    hidden.sheet_state = "hidden"
    sheet = book.create_sheet("Campaign")
    for row in (["to", None, "message"], [639171234567, None, "first"], [], [639181234567, "note", "second"]):
        sheet.append([None, None, *row])
    sheet.insert_rows(1, 3)
    book.save(HERE / "shifted.xlsx")
    convert(HERE / "shifted.xlsx", "ods:calc8", HERE / "shifted.ods")


def locked() -> None:
    with (HERE / "shifted.xlsx").open("rb") as plain, (HERE / "password.xlsx").open("wb") as out:
        OOXMLFile(plain).encrypt("secret", out)


def convert(source: Path, to: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        profile = f"-env:UserInstallation={Path(folder, 'profile').as_uri()}"
        command = ["soffice", profile, "--headless", "--convert-to", to, "--outdir", folder, str(source)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        made = Path(folder, source.stem + "." + to.partition(":")[0])
        target.write_bytes(made.read_bytes())


if __name__ == "__main__":
    main()
