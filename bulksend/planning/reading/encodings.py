"""A text in whatever encoding, as UTF-8."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable
from typing import BinaryIO, cast

from bulksend.errors import Advice, InputError, Remark, Severity
from bulksend.planning.reading.alphabets import NAMES, Alphabet, alphabet_of, example
from bulksend.planning.reading.escaped import Escapes
from bulksend.planning.reading.raw import shown
from bulksend.rules import Rule

_CHUNK = 1 << 16  # bytes
_LINE_MAX = 1 << 24  # bytes: a line is held in memory
_LINE_END = re.compile(rb"\r\n|\r|\n")
_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8"),
)
_EVIDENCE = 1 << 18  # bytes, by which the encoding is told of a text that is not UTF-8
_NOTES = {
    "utf-16": "read as UTF-16 text",
    "utf-16-le": "read as UTF-16 text",
    "utf-16-be": "read as UTF-16 text",
    "utf-32": "read as UTF-32 text",
}


def encoding_of(head: bytes) -> str | None:
    """The encoding that a text's first bytes tell; None if only bytes to come tell it."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    # Without a mark, UTF-16 is told by its NULs: half of the bytes of Latin text, always the same half.
    even, odd = head[::2].count(0), head[1::2].count(0)
    enough = len(head) // 5
    if odd > enough and even * 20 < odd:
        return "utf-16-le"
    if even > enough and odd * 20 < even:
        return "utf-16-be"
    return None


class Utf8Stream(io.BufferedIOBase):
    """A text's bytes, made UTF-8 without a byte order mark.

    Whether a text is UTF-8 is decided by its first character that is not ASCII, and if it is not, what else by what
    follows, however its bytes come in. That holds for all of it: what contradicts it later is an error, as guessing
    anew would garble messages.

    Args:
        name: the input's name, for errors.
        encoding: the encoding if it is known.
        head: the bytes read so far.
        more: reads some more of them, at most so many.

    Attributes:
        encoding: the encoding if it is known by now.
        has_nul: whether there was a NUL character.
        escapes: whether there may have been cells that mean another text than they are.
        lines_taken: how many lines of its text were taken, for errors: whoever reads it knows, and counting here too
            would be a tenth of all reading.
    """

    def __init__(self, name: str, encoding: str | None, head: bytes, more: Callable[[int], bytes]) -> None:
        self.encoding = encoding and codecs.lookup(encoding).name.removesuffix("-sig")
        self.has_nul = False
        self.escapes = Escapes()
        self.lines_taken: Callable[[], int] = lambda: 0
        self._name = name
        self._is_told = encoding is not None
        self._head = head
        self._more = more
        self._line_size = 0  # of the line not ended yet
        self._cut = b""  # a character's first bytes
        self._before = b""  # the last two before what comes
        self._guesses: list[Remark] = []
        self._mark = codecs.BOM_UTF8
        self._decoder: codecs.IncrementalDecoder | None = None
        if self.encoding and self.encoding != "utf-8":
            self._decoder = codecs.getincrementaldecoder(self.encoding)()

    @property
    def notes(self) -> list[Remark]:
        """The encoding that was detected, if it is not UTF-8."""
        return [Remark(_NOTES[self.encoding], Rule.READ_TEXT)] if self.encoding in _NOTES else self._guesses

    def as_text(self) -> io.TextIOWrapper:
        """The text, its line ends as they stand."""
        return io.TextIOWrapper(cast("BinaryIO", self), encoding="utf-8", newline="")

    def readable(self) -> bool:
        """It is: a TextIOWrapper asks."""
        return True

    def read1(self, _size: int = -1) -> bytes:
        """Some more bytes as they come; none at the end.

        Raises:
            InputError: a byte is not of the encoding, or a line does not end.
        """
        text = b""
        while not text:
            chunk = self._head or self._more(_CHUNK)
            self._head = b""
            text = self._utf8(chunk).removeprefix(self._mark)
            if not chunk:
                break
        self._mark = b""
        self._look_at(text)
        return text

    def _look_at(self, text: bytes) -> None:
        self.has_nul = self.has_nul or b"\0" in text
        self.escapes.look_at(text)
        last_end = max(text.rfind(b"\n"), text.rfind(b"\r"))
        self._line_size = len(text) - last_end + (self._line_size if last_end < 0 else 0)
        if self._line_size > _LINE_MAX:
            raise InputError(f"{shown(self._name)}: line {self.lines_taken() + 1} is too long: more than 16 MB")

    def _utf8(self, chunk: bytes) -> bytes:
        if self._decoder:
            return self._decoded(self._decoder, chunk)
        is_last = not chunk
        chunk = self._cut + chunk
        self._cut = b""
        if chunk.isascii():
            self._before = (self._before + chunk[-2:])[-2:]
            return chunk
        try:
            end = codecs.utf_8_decode(chunk, "strict", is_last)[1]
        except UnicodeDecodeError as error:
            if self.encoding is None and chunk[: error.start].isascii():
                return self._guessed(chunk, error)
            raise self._undecodable(error) from error
        self._cut = chunk[end:]
        chunk = chunk[:end]
        if chunk.isascii():
            self._before = (self._before + chunk[-2:])[-2:]
        else:
            self.encoding = "utf-8"
        return chunk

    def _guessed(self, chunk: bytes, error: UnicodeDecodeError) -> bytes:
        """The first bytes that are not ASCII are not UTF-8: what stands between what tells what they are."""
        start = error.start
        while len(chunk) - start < _EVIDENCE and (more := self._more(_CHUNK)):
            chunk += more
        begin = max(start - 2, -len(self._before))
        evidence = (self._before + chunk[: start + _EVIDENCE])[len(self._before) + begin :]
        if _is_mostly_utf8(evidence):
            raise self._undecodable(error, "that is not UTF-8, but the text after it is")
        told = alphabet_of(evidence)
        self.encoding = told.encoding
        self._guesses = [self._guess(told, chunk, begin + told.at)]
        decoder = self._decoder = codecs.getincrementaldecoder(told.encoding)()
        return self._decoded(decoder, chunk)

    def _guess(self, told: Alphabet, chunk: bytes, at: int) -> Remark:
        read = f"read as {NAMES[told.encoding]} ({told.encoding}) text"
        if not told.other:
            return Remark(f"{read}: it is not UTF-8", Rule.READ_TEXT, about={"encoding": NAMES[told.encoding]})
        line = self.lines_taken() + 1 + len(_LINE_END.findall(chunk, 0, at))
        seen, other = (example(chunk, at, encoding) for encoding in (told.encoding, told.other))
        return Remark(
            f"{read}, which few letters prove: line {line} has {seen!r}, which would be {other!r} in "
            f"{NAMES[told.other]} ({told.other})",
            Rule.READ_TEXT,
            Advice.SAY_ENCODING,
            Severity.TEXT,
            quotes=(f"{seen!r}", f"{other!r}"),
        )

    def _decoded(self, decoder: codecs.IncrementalDecoder, chunk: bytes) -> bytes:
        try:
            return decoder.decode(chunk, final=not chunk).encode()
        except UnicodeError as error:
            raise self._undecodable(error) from error

    def _undecodable(self, error: UnicodeError, seen_around: str = "") -> InputError:
        line, seen = self.lines_taken() + 1, "something"
        if isinstance(error, UnicodeDecodeError):
            line += len(_LINE_END.findall(error.object, 0, error.start))
            seen = f"a byte (0x{error.object[error.start]:02X})"
        if self._is_told:
            what, advice = f"that is not {self.encoding} text", Advice.SAY_ENCODING
        elif self.encoding in NAMES:
            what, advice = f"that is neither UTF-8 nor {NAMES[self.encoding]}", Advice.SAY_ENCODING
        else:
            what, advice = seen_around or "that is not UTF-8, but the text before it is", Advice.CORRECT_LINE
        return InputError(f"{shown(self._name)}: line {line} has {seen} {what}", advice)


def _is_mostly_utf8(text: bytes) -> bool:
    """Whether a text that is not UTF-8 would be but for a few bytes."""
    odd = [character for character in text.decode("utf-8", "surrogateescape") if not character.isascii()]
    broken = sum("\udc80" <= character <= "\udcff" for character in odd)
    return len(odd) > 2 * broken
