"""The head of an answer, read anew from what came: of most answers nothing but the status and the body matters."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

SWITCHING = 101  # the only status below 200 behind which no other answer comes


class Head:
    """An answer's head, those of hints before it left out.

    Args:
        came: the bytes that came, from the beginning on.

    Attributes:
        status: the HTTP status; of no use before the head is whole.
        is_whole: whether it came to its end.
    """

    __slots__ = ("_fields", "_parser", "is_whole", "status")

    def __init__(self, came: bytes) -> None:
        self.status = 0
        self.is_whole = False
        self._fields: list[tuple[bytes, bytes]] = []
        self._parser = parser_for(self)
        with suppress(HttpParserError, HttpParserUpgrade):
            self._parser.feed_data(came)

    @property
    def size(self) -> int:
        """How many bytes its fields are, about."""
        return sum(len(name) + len(value) + 4 for name, value in self._fields)

    @property
    def ends_with_connection(self) -> bool:
        """Whether nothing but the end of the connection ends its body (RFC 9112, section 6.3)."""
        return not self.field("Content-Length") and "chunked" not in self.field("Transfer-Encoding").lower()

    def field(self, name: str) -> str:
        """A field's value; empty if there is none."""
        key = name.lower().encode()
        return next((value.decode("latin-1").strip() for each, value in self._fields if each.lower() == key), "")

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._fields.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self.status = self._parser.get_status_code()
        if self.status >= 200 or self.status == SWITCHING:
            self.is_whole = True
            raise StopIteration  # reads no further


def parser_for(target: Any) -> HttpResponseParser:
    """A parser of answers, as forgiving as aiohttp's."""
    parser = HttpResponseParser(target)
    parser.set_dangerous_leniencies(
        lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
    )
    return parser
