"""A workbook's zip file: its parts by their names, and XML in pieces."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO
from xml.parsers import expat

from bulksend.planning.reading.books.book import BrokenBookError

_CHUNK = 1 << 16  # bytes
BROKEN = (
    "the file is broken or cut short: it begins as an Excel or zip file does, but cannot be opened; save or download "
    "it again"
)
LOCKED = "the workbook is protected by a password; save a copy without one and send that"
_Start = Callable[[str, Mapping[str, str]], None]
_End = Callable[[str], None]
_Text = Callable[[str], None]


class Package:
    """A zip file.

    Its parts' names are compared without case; a backslash in one, as some programs for Windows write it, is a slash.

    Args:
        file: the whole file.
        tick: called every now and then while a part is read.

    Raises:
        BrokenBookError: it is no zip file, or not all of one.
    """

    def __init__(self, file: BinaryIO, tick: Callable[[], None]) -> None:
        self._tick = tick
        with explained():
            self._archive = zipfile.ZipFile(file)
        self._parts = {normal(part.filename): part for part in self._archive.infolist()}

    def __contains__(self, name: str) -> bool:
        return normal(name) in self._parts

    @property
    def names(self) -> list[str]:
        """The parts' names, as they are compared."""
        return list(self._parts)

    def chunks(self, name: str) -> Iterator[bytes]:
        """A part, in pieces; none if there is no such part."""
        part = self._parts.get(normal(name))
        if part is None:
            return
        with explained(), self._archive.open(part) as file:
            while chunk := file.read(_CHUNK):
                self._tick()
                yield chunk

    def parse(self, name: str, start: _Start, end: _End | None = None, text: _Text | None = None) -> None:
        """Hand a part's XML to handlers; names come without their prefixes."""
        for _ in self.parsed(name, start, end, text):
            pass

    def parsed(
        self, name: str, start: _Start, end: _End | None = None, text: _Text | None = None
    ) -> Iterator[expat.XMLParserType]:
        """The same piece by piece; yields the parser after each."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.buffer_size = _CHUNK
        parser.EntityDeclHandler = _refuse_entities
        parser.StartElementHandler = _unprefixed_start(parser, start, end)
        if text:
            parser.CharacterDataHandler = text
        with explained():
            for chunk in self.chunks(name):
                parser.Parse(chunk)
                yield parser
            parser.Parse(b"", True)
        yield parser


def normal(name: str) -> str:
    """A part's name as it is compared."""
    return name.replace("\\", "/").lstrip("/").lower()


@contextmanager
def explained() -> Iterator[None]:
    """Make what is wrong with a zip file or its XML one sentence."""
    try:
        yield
    except RuntimeError as error:
        raise BrokenBookError(LOCKED if "password" in str(error) else BROKEN) from error
    except (
        expat.ExpatError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        IndexError,
        KeyError,
    ) as error:
        raise BrokenBookError(BROKEN) from error


class _ShortNames(dict[str, str]):
    """Names without their prefixes."""

    def __missing__(self, name: str) -> str:
        short = self[name] = name.rpartition(":")[2]
        return short


def _refuse_entities(*_declaration: object) -> None:
    raise BrokenBookError("the workbook declares XML entities, which no spreadsheet program does; it is not read")


def _unprefixed_start(parser: expat.XMLParserType, start: _Start, end: _End | None) -> _Start:
    """Set the handlers by the first element: prefixes are cut off only if it has one, for that takes time."""

    def first(name: str, attributes: Mapping[str, str]) -> None:
        if ":" in name:
            short = _ShortNames()
            parser.StartElementHandler = lambda name, attributes: start(short[name], attributes)
            if end:
                parser.EndElementHandler = lambda name: end(short[name])
        else:
            parser.StartElementHandler = start
            if end:
                parser.EndElementHandler = end
        start(name.rpartition(":")[2], attributes)

    return first
