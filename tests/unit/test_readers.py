from __future__ import annotations

import csv
import hashlib
import io
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bulksend.errors import InputError
from bulksend.readers import JsonlReader, RawRow, Source

BOM = b"\xef\xbb\xbf"


def read(path: Path) -> tuple[list[str], list[RawRow]]:
    source = Source(str(path))
    try:
        reader = source.reader()
        rows = [row for batch in reader.batches() for row in batch]
        assert source.digest() == hashlib.sha256(path.read_bytes()).hexdigest()
        return reader.columns, rows
    finally:
        source.close()


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return tmp_path / "campaign.csv"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    return tmp_path / "campaign.jsonl"


def cells(path: Path, content: bytes) -> list[list[str]]:
    path.write_bytes(content)
    _, rows = read(path)
    assert all(not row.fault for row in rows)
    return [row.cells for row in rows]


def fault(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
    return str(error.value)


# ---- CSV ----


@pytest.mark.parametrize("mark", [b"", BOM], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["unix", "windows", "old mac"])
def test_a_header_and_rows_are_read_whatever_ends_their_lines(sheet: Path, mark: bytes, end: bytes) -> None:
    sheet.write_bytes(mark + end.join([b"to,message", b"639171234567,hello", "639181234567,Ñ 😀".encode(), b""]))
    columns, rows = read(sheet)
    assert columns == ["to", "message"]
    assert rows == [RawRow(["639171234567", "hello"], ""), RawRow(["639181234567", "Ñ 😀"], "")]


def test_quoted_cells_hold_commas_quotes_and_line_ends(sheet: Path) -> None:
    content = b'to,message\r\n1,"a, ""b""\r\nc\nd"\r\n"2","plain"\r\n'
    assert cells(sheet, content) == [["1", 'a, "b"\r\nc\nd'], ["2", "plain"]]


def test_a_last_line_needs_no_end(sheet: Path) -> None:
    assert cells(sheet, b"to,message\n1,a\n2,b") == [["1", "a"], ["2", "b"]]


def test_blank_lines_are_no_rows_before_and_after_the_header(sheet: Path) -> None:
    assert cells(sheet, b"\n\r\nto,message\n\n1,a\n\n\n2,b\n\n") == [["1", "a"], ["2", "b"]]


def test_cells_missing_at_a_lines_end_are_empty(sheet: Path) -> None:
    assert cells(sheet, b"to,message,from\n1\n2,b\n3,c,d\n") == [["1", "", ""], ["2", "b", ""], ["3", "c", "d"]]


def test_empty_cells_beyond_the_header_are_left_out(sheet: Path) -> None:
    assert cells(sheet, b"to,message\n1,a,,\n2,b, ,\t\n") == [["1", "a"], ["2", "b"]]


def test_a_row_with_more_cells_than_the_header_is_bad_and_the_rest_goes_on(sheet: Path) -> None:
    sheet.write_bytes(b"to,message\n1,Hello, you\n2,b\n")
    _, (long, good) = read(sheet)
    assert long.cells == ["1", "Hello", " you"]
    assert long.fault == "the row has 3 cells, the header 2: is a comma not within quotes?"
    assert good == RawRow(["2", "b"], "")


def test_cells_are_kept_as_they_stand(sheet: Path) -> None:
    assert cells(sheet, b"to,message\n 1 ,\t a\xc2\xa0\n") == [[" 1 ", "\t a\xa0"]]


def test_column_names_are_kept_as_they_stand_also_twins(sheet: Path) -> None:
    sheet.write_bytes(BOM + b' To ,"First Name",to,,\n1,a,b,c,d\n')
    columns, rows = read(sheet)
    assert columns == [" To ", "First Name", "to", "", ""]
    assert rows == [RawRow(["1", "a", "b", "c", "d"], "")]


def test_only_a_header_gives_no_rows(sheet: Path) -> None:
    sheet.write_bytes(b"to,message\n")
    assert read(sheet) == (["to", "message"], [])


def test_a_line_without_a_comma_is_a_row_of_one_cell(sheet: Path) -> None:
    assert cells(sheet, b"to\n639171234567\n639181234567\n") == [["639171234567"], ["639181234567"]]


def test_a_quote_that_is_never_closed_does_not_swallow_the_rows_after_it(sheet: Path) -> None:
    sheet.write_bytes(b'to,message\n1,"hello\n2,private words to another\n3,more\n')
    try:
        _, rows = read(sheet)
    except InputError as error:
        assert "quote" in str(error)  # noqa: PT017 -- either is right: the input is refused, or the row is
        return
    assert all("private" not in cell for row in rows if not row.fault for cell in row.cells)


def test_a_quote_that_is_closed_rows_later_does_not_make_one_message_of_them(sheet: Path) -> None:
    sheet.write_bytes(b'to,message\n1,"hello\n2,private words to another\n3,"yes, you"\n4,x\n')
    try:
        _, rows = read(sheet)
    except InputError as error:
        assert "quote" in str(error)  # noqa: PT017 -- see above
        return
    assert all("private" not in cell for row in rows if not row.fault for cell in row.cells)


def test_a_cell_of_more_than_a_million_characters_is_refused_in_a_sentence(sheet: Path) -> None:
    says = fault(sheet, b"to,message\n1,a\n2," + b"x" * 1_000_001 + b"\n")
    assert says.endswith("line 3 the file is not CSV: field larger than field limit (1000000)")


def test_a_long_cell_is_kept(sheet: Path) -> None:
    assert cells(sheet, b"to,message\n1," + b"x" * 999_999 + b"\n") == [["1", "x" * 999_999]]


# ---- JSONL ----


def test_json_lines_are_rows_and_their_keys_the_columns(lines: Path) -> None:
    lines.write_bytes(BOM + b'{"to": "1", "message": "a"}\r\n\r\n  \n{"message": "b\\nc", "to": "2"}')
    assert read(lines) == (["to", "message"], [RawRow(["1", "a"], ""), RawRow(["2", "b\nc"], "")])


@pytest.mark.parametrize("ending", ["jsonl", "ndjson", "jsonlines", "JSONL"])
def test_the_ending_tells_json_lines(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"campaign.{ending}"
    path.write_bytes(b'{"to": "1"}\n')
    assert read(path)[0] == ["to"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"to": "1"', "line 2 is not JSON: unexpected end of data"),
        (b"to,message", "line 2 is not JSON: "),
        (b"{'to': 1}", "line 2 is not JSON: "),
        (b'{"to": "a\tb"}', "line 2 is not JSON: "),
        (b'{"to": "\\ud800"}', "line 2 is not JSON: "),
        (b'{"to": NaN}', "line 2 is not JSON: "),
        (b"[" * 10_000, "line 2 is not JSON: "),
        (b'{"to": "1"} {"to": "2"}', "line 2 is not JSON: "),
        (b"[1]", "line 2 is not a JSON object"),
        (b'"639171234567"', "line 2 is not a JSON object"),
        (b"639171234567", "line 2 is not a JSON object"),
        (b"null", "line 2 is not a JSON object"),
    ],
)
def test_a_bad_line_is_a_bad_row_and_the_rest_goes_on(lines: Path, line: bytes, says: str) -> None:
    lines.write_bytes(b'{"to": "1"}\n' + line + b'\n{"to": "2"}\n')
    columns, (first, bad, last) = read(lines)
    assert columns == ["to"]
    assert (first, last) == (RawRow(["1"], ""), RawRow(["2"], ""))
    assert bad.fault.startswith(says)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"639171234567", "639171234567"),
        (b"639171234567.0", "639171234567"),
        (b"18446744073709551615", "18446744073709551615"),
        (b"-7", "-7"),
        (b"0.5", "0.5"),
        (b"6.39e11", "639000000000"),
        (b"null", ""),
        (b"true", "true"),
        (b"false", "false"),
        (b'""', ""),
        (b'{"a": [1, null]}', '{"a":[1,null]}'),
        (b"[]", "[]"),
        ('"Ñ\\u00f1😀"'.encode(), "Ññ😀"),
    ],
)
def test_json_values_become_text(lines: Path, value: bytes, text: str) -> None:
    assert cells(lines, b'{"to": ' + value + b"}\n") == [[text]]


def test_a_number_of_many_digits_keeps_them_all(lines: Path) -> None:
    assert cells(lines, b'{"to": "1", "Account": 12345678901234567890123}\n') == [["1", "12345678901234567890123"]]


def test_columns_that_come_later_are_empty_in_earlier_rows_of_their_batch(lines: Path) -> None:
    lines.write_bytes(b'{"to": "1"}\n{"to": "2", "Name": "Ana"}\nnonsense\n{"City": "Cebu", "to": "3"}\n')
    columns, rows = read(lines)
    assert columns == ["to", "Name", "City"]
    assert [row.cells for row in rows if not row.fault] == [["1", "", ""], ["2", "Ana", ""], ["3", "", "Cebu"]]


def test_a_key_that_stands_twice_in_a_line_has_its_last_value(lines: Path) -> None:
    assert cells(lines, b'{"to": "1", "to": "2"}\n') == [["2"]]


# ---- what is no input ----


@pytest.mark.parametrize("name", ["campaign.csv", "campaign.jsonl", "campaign"])
@pytest.mark.parametrize("content", [b"", BOM, b"\n", b" \r\n\t\n  ", BOM + b"\n\n"])
def test_an_empty_input_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    assert fault(tmp_path / name, content).endswith("the input is empty; it needs a header line and rows")


@pytest.mark.parametrize("name", ["campaign.csv", "campaign.jsonl", "campaign.xlsx"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04rest", "this is an Excel or zip file; save the sheet as CSV (UTF-8) and send that"),
        (b"\x1f\x8b\x08rest", "this is a gzip file; save the sheet as CSV (UTF-8) and send that"),
        (b"%PDF-1.7", "this is a PDF file; save the sheet as CSV (UTF-8) and send that"),
        ("to,message\n".encode("utf-16"), "this is UTF-16 text; save it as CSV (UTF-8) and send that"),
        (b"\xfe\xff" + "to\n".encode("utf-16-be"), "this is UTF-16 text; save it as CSV (UTF-8) and send that"),
        ("to,message\n".encode("utf-16-le"), "this is no text file; bulksend reads CSV and JSONL"),
        (b"to,message\n1,\0\n", "this is no text file; bulksend reads CSV and JSONL"),
        (b"\x89PNG\r\n\x1a\n\0\0", "this is no text file; bulksend reads CSV and JSONL"),
    ],
)
def test_what_is_no_text_is_refused_by_its_kind(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    assert fault(tmp_path / name, content) == f"{tmp_path / name}: {says}"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        Source(str(tmp_path / "none.csv"))
    with pytest.raises(InputError, match="this is a folder, not a file"):
        Source(str(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be read: Not a directory"):
        Source(str(tmp_path / "file" / "campaign.csv"))


@pytest.mark.parametrize("before", [0, 1, 5_000])
def test_a_byte_that_is_not_utf8_is_told_with_its_line_in_csv(sheet: Path, before: int) -> None:
    says = fault(sheet, b"to,message\n" + b"639171234567,hello\n" * before + b"1,caf\xe9\n2,b\n")
    assert f"line {before + 2} " in says
    assert "0xE9" in says


@pytest.mark.parametrize("before", [0, 1, 5_000])
def test_a_byte_that_is_not_utf8_is_told_with_its_line_in_json_lines(lines: Path, before: int) -> None:
    says = fault(lines, b'{"to": "639171234567"}\n' * before + b'{"to": "caf\xe9"}\n{}\n')
    assert f"line {before + 1} " in says
    assert "0xE9" in says


def test_a_character_cut_off_at_the_end_is_told(sheet: Path) -> None:
    assert "0xC3" in fault(sheet, b"to,message\n1,caf\xc3")


# ---- standard input ----


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.BufferedWriter]:
    """A pipe to standard input."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, encoding="utf-8") as reading, os.fdopen(write_end, "wb") as writing:
        monkeypatch.setattr(sys, "stdin", reading)
        yield writing


def read_stdin(content: bytes, stdin: io.BufferedWriter) -> tuple[list[str], list[RawRow], str]:
    stdin.write(content)
    stdin.close()
    source = Source("-")
    reader = source.reader()
    rows = [row for batch in reader.batches() for row in batch]
    source.close()
    assert not sys.stdin.closed
    return reader.columns, rows, source.digest()


@pytest.mark.parametrize("content", [b"to,message\n1,a\n", BOM + b"to,message\n1,a\n", b"\nto,message\n1,a\n"])
def test_standard_input_is_csv_unless_it_looks_like_json(content: bytes, stdin: io.BufferedWriter) -> None:
    columns, rows, digest = read_stdin(content, stdin)
    assert (columns, rows) == (["to", "message"], [RawRow(["1", "a"], "")])
    assert digest == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("content", [b'{"to": "1"}\n', BOM + b'{"to": "1"}\n', b'\n  {"to": "1"}\n'])
def test_standard_input_is_json_lines_if_it_starts_with_a_brace(content: bytes, stdin: io.BufferedWriter) -> None:
    columns, rows, digest = read_stdin(content, stdin)
    assert (columns, rows) == (["to"], [RawRow(["1"], "")])
    assert digest == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_empty_standard_input_is_refused_by_its_name(content: bytes, stdin: io.BufferedWriter) -> None:
    with pytest.raises(InputError, match="standard input: the input is empty"):
        read_stdin(content, stdin)


def test_standard_input_that_comes_in_pieces_is_read_to_its_end(stdin: io.BufferedWriter) -> None:
    pieces = [b"t", b"o,mes", b"sage\n1,", b'"a\n', b'b"\n']

    def write() -> None:
        for piece in pieces:
            stdin.write(piece)
            stdin.flush()
            time.sleep(0.01)
        stdin.close()

    writer = threading.Thread(target=write)
    writer.start()
    source = Source("-")
    rows = [row for batch in source.reader().batches() for row in batch]
    writer.join()
    assert rows == [RawRow(["1", "a\nb"], "")]
    assert source.digest() == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_a_first_piece_of_blank_lines_does_not_make_standard_input_empty(stdin: io.BufferedWriter) -> None:
    def write() -> None:
        stdin.write(b"\n")
        stdin.flush()
        time.sleep(0.05)
        stdin.write(b"to\n1\n")
        stdin.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        source = Source("-")
        assert [row for batch in source.reader().batches() for row in batch] == [RawRow(["1"], "")]
    finally:
        writer.join()


def test_no_standard_input_at_all_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)  # as `bulksend send - <&-` has it
    with pytest.raises(InputError):
        Source("-")


# ---- digest and streaming ----


@pytest.mark.parametrize("rows_read", [None, 0, 1, 3])
@pytest.mark.parametrize("name", ["campaign.csv", "campaign.jsonl"])
def test_the_digest_is_of_all_bytes_however_much_was_read(tmp_path: Path, name: str, rows_read: int | None) -> None:
    path = tmp_path / name
    line = b"639171234567,hello\n" if name.endswith("csv") else b'{"to": "639171234567"}\n'
    path.write_bytes((b"to,message\n" if name.endswith("csv") else b"") + line * 50_000)
    source = Source(str(path))
    if rows_read is not None:
        batches = source.reader().batches()
        for _ in range(rows_read):
            next(batches)
    assert source.digest() == hashlib.sha256(path.read_bytes()).hexdigest()
    source.close()


@pytest.mark.parametrize("name", ["campaign.csv", "campaign.jsonl"])
def test_batches_are_read_only_as_they_are_asked_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    line = b"639171234567,hello\n" if name.endswith("csv") else b'{"to": "639171234567"}\n'
    path.write_bytes((b"to,message\n" if name.endswith("csv") else b"") + line * 300_000)
    source = Source(str(path))
    batches = source.reader().batches()
    assert 0 < len(next(batches)) <= 10_000
    assert source._file.tell() < path.stat().st_size // 4
    assert sum(map(len, batches)) + 2_000 == 300_000
    source.close()


# ---- whatever comes ----


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from([b"to", b",", b'"', b"\n", b"\r", b" ", b"{", b"}", b":", b'"a"', b"\xff", b"\0", b"1"])
        ).map(b"".join),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers(-(2**70), 2**70) | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
            max_leaves=5,
        ).map(lambda value: orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME) if fits(value) else b"{}"),
    ),
    ending=st.sampled_from(["csv", "jsonl"]),
)
@example(content=b'\xef\xbb\xbf"', ending="csv")
@example(content=b"{" * 2_000, ending="jsonl")
def test_whatever_bytes_come_nothing_but_input_error_is_raised(tmp_path: Path, content: bytes, ending: str) -> None:
    path = tmp_path / f"campaign.{ending}"
    path.write_bytes(content)
    try:
        columns, rows = read(path)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 -- any sentence will do, but on one line
        return
    assert all(len(row.cells) == len(columns) for row in rows if not row.fault)
    orjson.dumps([row.cells for row in rows])  # they go into the run file as JSON


def fits(value: object) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6)
    ),
    end=st.sampled_from(["\r\n", "\n"]),
    mark=st.booleans(),
)
def test_what_csv_writer_wrote_comes_back_cell_by_cell(
    tmp_path: Path, table: list[list[str]], end: str, *, mark: bool
) -> None:
    columns = [f"column {place}" for place in range(len(table[0]))]
    path = tmp_path / "campaign.csv"
    with path.open("w", encoding="utf-8-sig" if mark else "utf-8", newline="") as file:
        # Quoted throughout where it would leave a lone \\r unquoted.
        lines = csv.writer(file) if end == "\r\n" else csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL)
        lines.writerows([columns, *table])
    assert read(path) == (columns, [RawRow(row, "") for row in table if any(row)])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(st.dictionaries(CELL, CELL, min_size=1, max_size=4), min_size=1, max_size=8))
def test_json_lines_come_back_by_column_name(tmp_path: Path, records: list[dict[str, str]]) -> None:
    path = tmp_path / "campaign.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(record) for record in records))
    columns, rows = read(path)
    assert sorted(columns) == sorted({name for record in records for name in record})
    assert [dict(zip(columns, row.cells, strict=True)) for row in rows] == [
        dict.fromkeys(columns, "") | record for record in records
    ]


def test_a_reader_for_json_lines_tells_that_columns_may_still_come(lines: Path) -> None:
    lines.write_bytes(b'{"to": "1"}\n')
    source = Source(str(lines))
    reader = source.reader()
    assert isinstance(reader, JsonlReader)
    assert reader.columns == []
    source.close()


@pytest.mark.parametrize(
    "value", ["[12345678901234567890123]", "[" * 300 + "]" * 300, "[" * 1_000 + "1234567890123456789" + "]" * 1_000]
)
def test_a_json_value_that_is_too_deep_or_too_long_is_a_fault_of_its_row_at_most(tmp_path: Path, value: str) -> None:
    path = tmp_path / "campaign.jsonl"
    path.write_text('{"to": "1", "x": ' + value + '}\n{"to": "2"}\n')
    _, rows = read(path)
    assert len(rows) == 2
    assert not rows[1].fault
