"""What a file is, by its first bytes: text, a workbook, or nothing that can be read."""

from __future__ import annotations

import re

WORKBOOK = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""What a zip (.xlsx, .ods), an empty one, and OLE2 (.xls; .xlsx with a password) begin with."""

_SAVE = "save the sheet as .xlsx or CSV and send that"
_UNPACK = "unpack it and send what is in it"
_FOREIGN = (
    (re.compile(rb"%PDF"), f"this is a PDF file; {_SAVE}"),
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8[79]a"), "this is a picture, not a table"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), f"this is a zstd file; {_UNPACK}"),
    (re.compile(rb"BZh[1-9]1AY&SY"), f"this is a bzip2 file; {_UNPACK}"),
    (re.compile(rb"\xfd7zXZ\0"), f"this is an xz file; {_UNPACK}"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07"), f"this is a packed archive; {_UNPACK}"),
    (re.compile(rb"SQLite format 3\0"), "this is a SQLite database, not a table"),
    (re.compile(rb"\{\\rtf"), f"this is a text document (RTF); {_SAVE}"),
    (
        re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|table|meta|head)", re.IGNORECASE),
        f"this is a web page or XML, whatever its name says; open it in a spreadsheet program, {_SAVE}",
    ),
)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_FEW_CONTROLS = 3


def foreign(head: bytes) -> str:
    """What a file that cannot be read is, and what to do; empty if its first bytes do not tell that."""
    return next((says for magic, says in _FOREIGN if magic.match(head)), "")


def is_binary(head: str) -> bool:
    """Whether this is no text: one character in fifty is a control character; a stray NUL does not make it so."""
    return len(_CONTROLS.findall(head)) > max(_FEW_CONTROLS, len(head) // 50)
