from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

import pytest
from conftest import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import BOM, cells, read, refusal

from bulksend.errors import Advice, UsageError
from bulksend.planning.reading import ReadOptions


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return tmp_path / "campaign.csv"


@pytest.mark.parametrize("mark", [b"", BOM], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["unix", "windows", "old mac"])
def test_a_header_and_rows_are_read_whatever_ends_their_lines(sheet: Path, mark: bytes, end: bytes) -> None:
    sheet.write_bytes(mark + end.join([b"to,message", b"639171234567,hello", "639181234567,Ñ 😀".encode(), b""]))
    reading = read(sheet)
    assert reading.columns == ["to", "message"]
    assert reading.rows == [["639171234567", "hello"], ["639181234567", "Ñ 😀"]]
    assert (reading.flaws, reading.notes) == ({}, [])


def test_quoted_cells_hold_commas_quotes_and_line_ends(sheet: Path) -> None:
    content = b'to,message\r\n1,"a, ""b""\r\nc\nd"\r\n"2","plain"\r\n'
    assert cells(sheet, content) == [["1", 'a, "b"\r\nc\nd'], ["2", "plain"]]


def test_a_last_line_needs_no_end(sheet: Path) -> None:
    assert cells(sheet, b"to,message\n1,a\n2,b") == [["1", "a"], ["2", "b"]]


def test_blank_lines_are_no_rows_before_and_after_the_header(sheet: Path) -> None:
    assert cells(sheet, b"\n\r\n,,\nto,message\n\n1,a\n,\n\n2,b\n\n") == [["1", "a"], ["2", "b"]]


def test_rows_that_are_all_empty_cells_are_no_rows(sheet: Path) -> None:
    assert cells(sheet, b"to,message\n1,a\n,\n2,b\n") == [["1", "a"], ["2", "b"]]


@pytest.mark.parametrize("blank", [" , ", "\t,", ",\xa0", "\u2003\xa0 , ,  ", '" \n ",'])
def test_rows_of_nothing_but_spaces_are_no_rows(sheet: Path, blank: str) -> None:
    content = f"to,message\n1,a\n{blank}\n ,b\n{blank}\n"
    assert cells(sheet, content.encode()) == [["1", "a"], [" ", "b"]]


def test_cells_missing_at_a_lines_end_are_empty(sheet: Path) -> None:
    assert cells(sheet, b"to,message,from\n1\n2,b\n3,c,d\n") == [["1", "", ""], ["2", "b", ""], ["3", "c", "d"]]


def test_empty_cells_beyond_the_header_are_left_out(sheet: Path) -> None:
    assert cells(sheet, b"to,message\n1,a,,\n2,b, ,\t\n") == [["1", "a"], ["2", "b"]]


@pytest.mark.parametrize(("delimiter", "words"), [(",", "a comma"), (";", "a semicolon"), ("\t", "a tab")])
def test_a_row_with_more_cells_than_the_header_is_bad_and_the_rest_goes_on(
    sheet: Path, delimiter: str, words: str
) -> None:
    sheet.write_text("to,message\n\n1,Hello, you\n2,b\n".replace(",", delimiter))
    reading = read(sheet)
    assert reading.rows == [["1", "Hello", " you"], ["2", "b"]]
    assert reading.flaws == {0: f"the row has 3 cells, the header 2: is {words} not within quotes?"}


def test_cells_are_kept_as_they_stand(sheet: Path) -> None:
    assert cells(sheet, b"to,message\n 1 ,\t a\xc2\xa0\n") == [[" 1 ", "\t a\xa0"]]


def test_column_names_are_kept_as_they_stand_also_twins(sheet: Path) -> None:
    sheet.write_bytes(BOM + b' To ,"First Name",to,,\n1,a,b,c,d\n')
    reading = read(sheet)
    assert reading.columns == [" To ", "First Name", "to", "", ""]
    assert reading.rows == [["1", "a", "b", "c", "d"]]


def test_only_a_header_gives_no_rows(sheet: Path) -> None:
    sheet.write_bytes(b"to,message\n")
    reading = read(sheet)
    assert (reading.columns, reading.rows) == (["to", "message"], [])


def test_a_line_without_a_comma_is_a_row_of_one_cell(sheet: Path) -> None:
    assert cells(sheet, b"to\n639171234567\n639181234567\n") == [["639171234567"], ["639181234567"]]


def test_rows_of_many_batches_come_whole_and_in_order(sheet: Path) -> None:
    rows = [[str(number), "x" if number % 700 else ""] for number in range(5_000)]
    assert cells(sheet, "\n".join(["to,message", *map(",".join, rows)]).encode()) == rows


# ---- the first line ----


@pytest.mark.parametrize("number", ["639171234567", "+63 917 123-4567", "(02) 8123.4567", "0917\xa0123\xa04567"])
def test_a_first_line_with_a_phone_number_is_a_row_that_lost_its_header(sheet: Path, number: str) -> None:
    says = refusal(sheet, f"{number},Hello\n639181234567,Hello\n".encode())
    assert says.startswith("the first line looks like a row, not like a header: it holds the number ")
    assert says.endswith("; add a header line such as to,message")


@pytest.mark.parametrize("name", ["2024-06-01", "Phone (09)", "1234567890123456", "Ref 639171234567"])
def test_a_name_with_figures_is_a_header(sheet: Path, name: str) -> None:
    assert cells(sheet, f"to,{name}\n1,a\n".encode()) == [["1", "a"]]


@pytest.mark.parametrize("content", [b",,\n,,\n", b'"",\n', b'" "\n'])
def test_a_text_of_empty_cells_is_empty(sheet: Path, content: bytes) -> None:
    assert refusal(sheet, content) == "the input is empty; it needs a header line and rows"


# ---- quotes ----


def test_a_quote_that_is_never_closed_does_not_swallow_the_rows_after_it(sheet: Path) -> None:
    assert refusal(sheet, b'to,message\n1,"a\nb"\n\n2,"hello\n3,private words\n4,more\n') == (
        'the row that begins in line 5 cannot be read: a quote (") in it is not closed, or one within quotes is not '
        "doubled"
    )


def test_a_quote_that_is_closed_rows_later_does_not_make_one_message_of_them(sheet: Path) -> None:
    says = refusal(sheet, b'to,message\n1,"hello\n2,private words to another\n3,"yes, you"\n4,x\n')
    assert says.startswith("the row that begins in line 2 cannot be read: a quote")


def test_a_broken_row_is_told_with_its_line_far_down(sheet: Path) -> None:
    says = refusal(sheet, b"to,message\r\n" + b'1,"a\r\nb"\r\n' * 3_000 + b'2,"hello\r\n3,x\r\n')
    assert says.startswith("the row that begins in line 6002 cannot be read: a quote")


def test_a_quote_that_is_not_closed_in_the_header_is_told(sheet: Path) -> None:
    assert refusal(sheet, b'\nto,"message\n1,a\n').startswith("the row that begins in line 2 cannot be read: a quote")


def test_a_cell_of_more_than_a_million_characters_is_refused_in_a_sentence(sheet: Path) -> None:
    says = refusal(sheet, b"to,message\n1,a\n2," + b"x" * 1_000_001 + b"\n")
    assert says == "the row that begins in line 3 has a cell of more than 1,000,000 characters: is a quote not closed?"


def test_a_long_cell_is_kept(sheet: Path) -> None:
    assert cells(sheet, b"to,message\n1," + b"x" * 999_999 + b"\n") == [["1", "x" * 999_999]]


def test_a_line_without_end_is_refused_before_it_fills_the_memory(sheet: Path) -> None:
    says = refusal(sheet, b"to,message\n1," + b"x," * 9_000_000)
    assert says == "line 2 is too long: more than 16 MB"


# ---- NUL ----


def test_a_stray_nul_is_a_flaw_of_its_row(sheet: Path) -> None:
    sheet.write_bytes(b"to,message\n" + b"1,a\n" * 1_000 + b"2,b\0c\n" + b"3,d\n")
    reading = read(sheet)
    assert reading.flaws == {1_000: "the row has a NUL character in it: it is damaged; write its text anew"}
    assert reading.rows[1_000:] == [["2", "b\0c"], ["3", "d"]]


def test_a_row_with_a_nul_and_too_many_cells_has_one_flaw(sheet: Path) -> None:
    sheet.write_bytes(b"to,message\n1,a\0,c\n2,d\n")
    assert list(read(sheet).flaws) == [0]


# ---- delimiters ----

NOTES = {",": [], ";": ["its columns are separated by ';'"], "\t": ["its columns are separated by tabs"]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "content",
    [
        "to|message\n",
        "to|message\n1|a\n",
        "to|message\n1|Hello, you; there\n2|a,b,c;d;e\n".replace(",", " "),
        'to|message\n1|"Hello, you; and\ttabs"\n2|"a,b;c\td\n\ne,,,,"\n',
        '"to, or whom; and so\t"|message\n1|a\n',
        "to|Amount|message\n1|2.50|a\n2|3|\n3\n",
        "to|message|\n1|a|\n2|b|\n",
    ],
)
def test_the_delimiter_is_told_by_the_header_and_the_lines_after_it(sheet: Path, delimiter: str, content: str) -> None:
    if delimiter == ";":
        content = content.replace("; there", "").replace("c;d;e", "c")
    sheet.write_text(content.replace("|", delimiter))
    reading = read(sheet)
    with sheet.open(newline="") as file:
        first, *rows = csv.reader(file, delimiter=delimiter)
    assert reading.columns == first
    assert reading.rows == [row + [""] * (len(first) - len(row)) for row in rows]
    assert reading.notes == NOTES[delimiter]


def test_bars_are_told_too(sheet: Path) -> None:
    sheet.write_bytes(b"to|message\n1|a, b\n2|c, d\n")
    reading = read(sheet)
    assert reading.rows == [["1", "a, b"], ["2", "c, d"]]
    assert reading.notes == ["its columns are separated by '|'"]


def test_decimal_commas_do_not_make_a_semicolon_file_one_of_commas(sheet: Path) -> None:
    assert cells(sheet, b"to;Amount;Fee\n1;2,50;3,00\n2;4,50;0,25\n") == [["1", "2,50", "3,00"], ["2", "4,50", "0,25"]]


def test_semicolons_in_texts_do_not_make_a_comma_file_one_of_semicolons(sheet: Path) -> None:
    assert cells(sheet, b"to,message\n1,a; b\n2,c; d\n") == [["1", "a; b"], ["2", "c; d"]]


def test_bars_in_a_columns_name_do_not_make_a_comma_file_one_of_bars(sheet: Path) -> None:
    assert cells(sheet, b"to,Size (S|M|L)\n1,S\n2,M\n") == [["1", "S"], ["2", "M"]]


def test_a_file_of_one_column_is_one_of_commas(sheet: Path) -> None:
    sheet.write_bytes(b"to\n1;2\n3;4\n")
    reading = read(sheet)
    assert (reading.columns, reading.rows, reading.notes) == (["to"], [["1;2"], ["3;4"]], [])


def test_a_delimiter_that_is_given_is_taken_and_not_told(sheet: Path) -> None:
    sheet.write_bytes(b"to,x;message\n1,2;a\n")
    reading = read(sheet, ReadOptions(delimiter=";"))
    assert (reading.columns, reading.rows, reading.notes) == (["to,x", "message"], [["1,2", "a"]], [])
    assert cells(sheet, b"to#message\n1#a,b;c\n", ReadOptions(delimiter="#")) == [["1", "a,b;c"]]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_first_line_for_excel_names_the_delimiter_and_is_no_header(
    sheet: Path, line: str, end: str, mark: str
) -> None:
    sheet.write_bytes((mark + end.join([line, "to;a,b", "1;x", "2;y"])).encode())
    reading = read(sheet)
    assert (reading.columns, reading.rows) == (["to", "a,b"], [["1", "x"], ["2", "y"]])
    assert reading.notes == ["its columns are separated by ';'"]


def test_lines_are_counted_with_the_one_for_excel(sheet: Path) -> None:
    assert "begins in line 4 " in refusal(sheet, b'sep=;\nto;message\n1;a\n2;"b\n')
    assert "line 4 has a byte" in refusal(sheet, b"sep=;\nto;message\n1;\xc3\xb1\n2;\xe9\n")


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n"])
def test_what_cannot_separate_cells_is_refused(delimiter: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be used$") as error:
        ReadOptions(delimiter=delimiter)
    assert error.value.advice is Advice.SAY_DELIMITER


# ---- round trips ----

CONTROLS = "".join(chr(code) for code in range(32) if chr(code) not in "\t\n\r")  # many of them are no text
PLAIN = st.characters(exclude_categories=["Cs"], exclude_characters=CONTROLS + "\x7f'=")  # these two are taken off
CELL = st.text(PLAIN, max_size=8)


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6)
    ),
    end=st.sampled_from(["\r\n", "\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    delimiter=st.sampled_from(",;\t|"),
)
def test_what_csv_writer_wrote_comes_back_cell_by_cell(
    tmp_path: Path, table: list[list[str]], end: str, encoding: str, delimiter: str
) -> None:
    columns = [f"column {place}" for place in range(len(table[0]))]
    path = tmp_path / "campaign.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        # Quoted throughout where it would leave a lone \\r unquoted.
        quoting: Literal[0, 1] = csv.QUOTE_MINIMAL if end == "\r\n" else csv.QUOTE_ALL
        csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows([columns, *table])
    reading = read(path)
    assert (reading.columns, reading.rows) == (columns, [row for row in table if any(map(str.strip, row))])
