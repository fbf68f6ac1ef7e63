# ruff: noqa: RUF001 -- what is told apart looks alike

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from conftest import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import BOM, cells, read, refusal

from bulksend.errors import Advice, InputError, Severity, UsageError
from bulksend.planning.reading import ReadOptions, Source
from bulksend.planning.reading.encodings import Utf8Stream

CP1252 = "read as Windows-1252 (cp1252) text: it is not UTF-8"


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return tmp_path / "campaign.csv"


@pytest.mark.parametrize(
    ("encoding", "mark", "note"),
    [
        ("utf-8", "", ""),
        ("utf-8-sig", "", ""),
        ("utf-16", "", "read as UTF-16 text"),
        ("utf-16-be", "\ufeff", "read as UTF-16 text"),
        ("utf-16-le", "", "read as UTF-16 text"),
        ("utf-16-be", "", "read as UTF-16 text"),
        ("utf-32", "", "read as UTF-32 text"),
        ("utf-32-be", "\ufeff", "read as UTF-32 text"),
        ("cp1252", "", CP1252),
    ],
)
@pytest.mark.parametrize("before", [0, 20_000], ids=["at once", "far down"])
def test_the_encoding_is_detected_and_told(sheet: Path, encoding: str, mark: str, note: str, before: int) -> None:
    text = mark + "to,message\r\n" + "639171234567,hello\r\n" * before + "639171234567,Begoña costs €5 — Ñ\r\n" * 5_000
    reading_of = cells(sheet, text.encode(encoding))
    assert reading_of[:before] == [["639171234567", "hello"]] * before
    assert reading_of[before:] == [["639171234567", "Begoña costs €5 — Ñ"]] * 5_000
    reading = read(sheet)
    assert (reading.columns, reading.notes) == (["to", "message"], [note] if note else [])


def test_unicode_text_of_excel_is_read(sheet: Path) -> None:
    sheet.write_bytes("to\tmessage\r\n639171234567\tHello, Begoña\r\n".encode("utf-16"))
    reading = read(sheet)
    assert reading.rows == [["639171234567", "Hello, Begoña"]]
    assert reading.notes == ["read as UTF-16 text", "its columns are separated by tabs"]


def test_a_text_of_ascii_alone_needs_no_word(sheet: Path) -> None:
    sheet.write_bytes(b"to,message\n1,a\n")
    assert read(sheet).notes == []


def test_an_encoding_that_is_given_is_taken_and_not_told(sheet: Path) -> None:
    sheet.write_bytes("to,message\n1,Łódź\n".encode("cp1250"))
    reading = read(sheet, ReadOptions(encoding="cp1250"))
    assert (reading.rows, reading.notes) == ([["1", "Łódź"]], [])


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf-8-sig"])
@pytest.mark.parametrize("mark", [b"", BOM])
def test_utf8_may_be_given_with_and_without_its_mark(sheet: Path, encoding: str, mark: bytes) -> None:
    sheet.write_bytes(mark + "to\nñ\n".encode())
    reading = read(sheet, ReadOptions(encoding=encoding))
    assert (reading.columns, reading.rows) == (["to"], [["ñ"]])


@pytest.mark.parametrize("encoding", ["klingon", "", "base64", "rot13", "idna", "undefined", "utf-8\0"])
def test_an_encoding_that_is_none_is_refused(encoding: str) -> None:
    with pytest.raises(UsageError, match=r"the encoding .* is not known; some that are: utf-8, cp1252"):
        ReadOptions(encoding=encoding)


# ---- text without a mark that is not UTF-8 ----

SAYS = {
    "mac-roman": "read as Mac Roman (mac-roman) text: it is not UTF-8",
    "cp850": "read as DOS (cp850) text: it is not UTF-8",
    "iso8859-15": "read as Latin-9 (iso8859-15) text: it is not UTF-8",
    "cp1250": "read as Windows-1250 (cp1250) text: it is not UTF-8",
    "cp1252": CP1252,
}
WORDS = {
    "Filipino": "Parañaque|Las Piñas|Biñan|PEÑA|MUÑOZ|Sto. Niño|Doña Ana|Los Baños|Cañete",
    "Spanish": "José|García|Núñez|¿Qué tal?|¡Hola!|también|ÁNGEL|corazón|Mª José|aquí está",
    "French": "François|Benoît|Hélène|château|forêt|août|déjà|où|reçu|l’été|HÉLÈNE|À bientôt",
    "German": "Müller|Größe|Straße|Köln|Übung|Ärzte|schön|MÜLLER|früh|Weiß",
    "Portuguese": "João|São Paulo|Conceição|promoção|não|PROMOÇÃO|Antônio|coração",
    "English": "don’t|it’s|O’Brien|“Hi”|café|wait…|5 – 10|John’s|£5",
    "Polish": "Łódź|Kraków|Gdańsk|Małgorzata|Święta|Żaneta|Stanisław|Jędrzej",
}
WRITTEN = [
    *((language, "cp1252") for language in ("Filipino", "Spanish", "French", "German", "Portuguese", "English")),
    *((language, "mac-roman") for language in ("Filipino", "Spanish", "French", "German", "Portuguese", "English")),
    *((language, "cp850") for language in ("Filipino", "Spanish", "German", "Portuguese")),
    ("Polish", "cp1250"),
]


@pytest.mark.parametrize(("language", "encoding"), WRITTEN)
def test_letters_prove_the_encoding(sheet: Path, language: str, encoding: str) -> None:
    words = WORDS[language].replace("’", "'" if encoding == "cp850" else "’").split("|")
    sheet.write_bytes("\n".join(["to,Name", *(f"1,{word}" for word in words)]).encode(encoding))
    reading = read(sheet)
    assert [name for _, name in reading.rows] == words
    assert reading.notes == [SAYS[encoding]]


@pytest.mark.parametrize(("language", "encoding"), WRITTEN)
def test_one_word_is_read_right_or_its_doubt_is_told_or_it_is_refused(
    sheet: Path, language: str, encoding: str
) -> None:
    wrong = []
    for word in WORDS[language].replace("’", "'" if encoding == "cp850" else "’").split("|"):
        if not word.isascii():
            sheet.write_bytes(f"to,Name\n1,{word}\n".encode(encoding))
            try:
                reading = read(sheet)
            except InputError:  # an apostrophe and an accent of a Mac are a letter of UTF-8
                continue
            if reading.rows[0][1] != word and "few letters prove" not in reading.notes[0]:
                wrong.append((word, reading.rows[0][1]))
    assert wrong == []


def test_a_euro_sign_of_latin_9_is_read_and_the_doubt_is_told_with_both_readings(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_bytes("to,Price\n639171234567,from 5 € today\n".encode("iso8859-15"))
    with closing(Source(str(path))) as source:
        rows = [row for batch in source.reader().batches() for row in batch.rows]
        (note,) = source.notes
    assert rows == [["639171234567", "from 5 € today"]]
    assert (note.advice, note.severity) == (Advice.SAY_ENCODING, Severity.TEXT)
    assert note.says == (
        "read as Latin-9 (iso8859-15) text, which few letters prove: line 2 has 'from 5 € today', which would be "
        "'from 5 ¤ today' in Windows-1252 (cp1252)"
    )


@pytest.mark.parametrize("before", [0, 1, 30_000])
def test_the_line_of_a_doubt_is_told_however_far_down(sheet: Path, before: int) -> None:
    sheet.write_bytes(b"to,Price\n" + b"1,a\n" * before + "1,5 €\n".encode("iso8859-15"))
    assert f": line {before + 2} has '5 €', which would be '5 ¤' in " in read(sheet).notes[0]


def test_utf8_with_a_broken_byte_in_front_is_no_other_encoding(sheet: Path) -> None:
    content = b"to,Name\n1,caf\xe9\n" + "1,Peña\n1,Nuñez\n1,José\n".encode()
    assert refusal(sheet, content) == (
        "line 2 has a byte (0xE9) that is not UTF-8, but the text after it is: correct that line, or say what the text "
        "is with --encoding, such as --encoding cp1252"
    )


# ---- what contradicts the encoding ----


@pytest.mark.parametrize("before", [1, 5_000, 50_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_byte_that_is_not_utf8_after_text_that_is_is_told_with_its_line(sheet: Path, before: int, end: bytes) -> None:
    content = end.join([b"to,message", *["639171234567,Ñandú".encode()] * before, b"1,caf\xe9", b"2,b", b""])
    assert refusal(sheet, content) == (
        f"line {before + 2} has a byte (0xE9) that is not UTF-8, but the text before it is: correct that line, or say "
        "what the text is with --encoding, such as --encoding cp1252"
    )


@pytest.mark.parametrize("before", [1, 50_000])
def test_such_a_byte_is_told_with_its_line_in_json_lines_too(tmp_path: Path, before: int) -> None:
    content = '{"to": "Ñ"}\n'.encode() * before + b'{"to": "caf\xe9"}\n{}\n'
    assert refusal(tmp_path / "campaign.jsonl", content).startswith(f"line {before + 1} has a byte (0xE9) ")


@pytest.mark.parametrize("before", [0, 50_000])
def test_a_byte_that_is_neither_utf8_nor_cp1252_is_told_with_its_line(sheet: Path, before: int) -> None:
    content = b"to,message\n" + b"639171234567,caf\xe9\n" * before + b"1,\x81\n2,b\n"
    assert refusal(sheet, content) == (
        f"line {before + 2} has a byte (0x81) that is neither UTF-8 nor Windows-1252: say what the text is with "
        "--encoding, or save it as CSV UTF-8"
    )


def test_bytes_that_are_not_of_the_encoding_given_are_told_with_their_line(sheet: Path) -> None:
    content = b"to,message\n1,a\n2,caf\xe9\n"
    assert refusal(sheet, content, ReadOptions(encoding="ascii")) == (
        "line 3 has a byte (0xE9) that is not ascii text: say what the text is with --encoding, or save it as CSV UTF-8"
    )
    assert "line 3 has a byte (0xE9) that is not utf-8 text" in refusal(sheet, content, ReadOptions(encoding="utf-8"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_text_cut_within_a_character_is_refused(sheet: Path, encoding: str) -> None:
    assert "line 2 has a byte" in refusal(sheet, "to,message\n1,añ\n".encode(encoding)[:-1])


def test_utf8_text_cut_within_a_character_is_refused(sheet: Path) -> None:
    assert "line 3 has a byte (0xC3)" in refusal(sheet, "to,message\n1,ñ\n1,ñ".encode()[:-1])


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.sampled_from("a\nñ™€é"), max_size=12),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "mac-roman"]),
    sizes=st.lists(st.integers(1, 4), min_size=1),
)
def test_it_does_not_matter_how_the_bytes_come_in(text: str, encoding: str, sizes: list[int]) -> None:
    content = text.encode(encoding)

    def outcome(pieces: list[bytes]) -> tuple[bytes, str | None] | str:
        rest = iter(pieces)
        stream = Utf8Stream("x", known, next(rest, b""), lambda _: next(rest, b""))
        try:
            return b"".join(iter(stream.read1, b"")), stream.encoding
        except UsageError as error:
            return str(error).partition(" has ")[2]

    known = encoding if encoding in {"utf-16", "utf-32"} else None
    pieces = []
    left = content
    for size in sizes * (len(content) + 1):
        pieces.append(left[:size])
        left = left[size:]
    whole = outcome([content])
    assert outcome([piece for piece in pieces if piece]) == whole
    if encoding not in {"cp1252", "mac-roman"}:
        assert whole == (text.encode(), known or (None if content.isascii() else "utf-8"))
