"""Texts of .xlsx workbooks: the shared ones, and what stands for characters that XML cannot hold."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bulksend.planning.reading.books.package import Package

_SPACES = " \t\r\n"  # which XML does not keep unless it says so
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def shared_strings(package: Package, part: str) -> list[str]:
    """A workbook's shared texts; rich text without its looks, without what tells how it is pronounced."""
    strings: list[str] = []
    pieces: list[str] = []
    take = spoken = keeps = False

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal take, spoken, keeps
        if name == "t":
            take = not spoken
            keeps = attributes.get("xml:space") == "preserve"
        elif name == "si":
            pieces.clear()
        elif name == "rPh":
            spoken = True

    def end(name: str) -> None:
        nonlocal take, spoken
        if name == "t":
            take = False
        elif name == "si":
            strings.append(unescaped("".join(pieces)))
        elif name == "rPh":
            spoken = False

    def text(piece: str) -> None:
        if take:
            pieces.append(piece if keeps else piece.strip(_SPACES))

    if part in package:
        package.parse(part, start, end, text)
    return strings


def unescaped(text: str) -> str:
    """A text with the characters that are written as ``_x000D_`` (ECMA-376 part 1, 22.9.2.19); line ends are LF."""
    if "_x" not in text:
        return text
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\r\n", "\n")
