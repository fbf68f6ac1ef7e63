from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest
from conftest import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import BOM, Reading, cells, read, refusal

from bulksend.planning.reading import Source

CELL = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\x7f"), max_size=8
)  # DELs make it no text


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    return tmp_path / "campaign.jsonl"


def test_json_lines_are_rows_and_their_keys_the_columns(lines: Path) -> None:
    lines.write_bytes(BOM + b'{"to": "1", "message": "a"}\r\n\r\n  \n{"message": "b\\nc", "to": "2"}')
    reading = read(lines)
    assert reading == Reading(["to", "message"], [["1", "a"], ["2", "b\nc"]], {}, [])


@pytest.mark.parametrize("ending", ["jsonl", "ndjson", "jsonlines", "JSONL"])
def test_the_ending_tells_json_lines(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"campaign.{ending}"
    path.write_bytes(b'{"to": "1"}\n')
    assert read(path).columns == ["to"]


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
    reading = read(lines)
    assert reading.columns == ["to"]
    assert reading.rows == [["1"], [], ["2"]]
    assert list(reading.flaws) == [1]
    assert reading.flaws[1].startswith(says)


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
    reading = read(lines)
    assert reading.columns == ["to", "Name", "City"]
    assert reading.rows == [["1", "", ""], ["2", "Ana", ""], [], ["3", "", "Cebu"]]


def test_a_key_that_stands_twice_in_a_line_has_its_last_value(lines: Path) -> None:
    assert cells(lines, b'{"to": "1", "to": "2"}\n') == [["2"]]


def test_columns_that_come_in_a_later_batch_are_not_in_earlier_ones(lines: Path) -> None:
    lines.write_bytes(b'{"to": "1"}\n' * 1_000 + b'{"to": "2", "Name": "Ana"}\n')
    source = Source(str(lines))
    widths = [len(cells) for batch in source.reader().batches() for cells in batch.rows]
    source.close()
    assert set(widths) == {1, 2}


@pytest.mark.parametrize("text", [b"a\\u0000b", b"a\0b"])
def test_a_nul_in_a_text_is_a_flaw_of_its_row(lines: Path, text: bytes) -> None:
    lines.write_bytes(b'{"to": "1"}\n{"to": "' + text + b'"}\n{"to": "3"}\n')
    assert list(read(lines).flaws) == [1]


def test_a_bad_row_is_told_with_its_line_far_down(lines: Path) -> None:
    lines.write_bytes(b'{"to": "1"}\n' * 3_000 + b"\n{\n")
    assert read(lines).flaws[3_000].startswith("line 3002 is not JSON")


@pytest.mark.parametrize("name", ["campaign.json", "campaign.jsonl", "campaign"])
@pytest.mark.parametrize("content", ['[{"to": "1"}]', '\n [\n  {"to": "1"}\n]\n'])
def test_one_json_array_is_refused_with_what_to_do(tmp_path: Path, name: str, content: str) -> None:
    says = "this is one JSON array; one object a line is needed (JSONL), as jq -c '.[]' writes it"
    assert refusal(tmp_path / name, content.encode()) == says


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_json_lines_in_other_encodings_are_read(lines: Path, encoding: str) -> None:
    lines.write_text(json.dumps({"to": "1", "Name": "Begoña"}, ensure_ascii=False), encoding=encoding)
    assert read(lines).rows == [["1", "Begoña"]]


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(st.dictionaries(CELL, CELL, min_size=1, max_size=4), min_size=1, max_size=8))
def test_json_lines_come_back_by_column_name(tmp_path: Path, records: list[dict[str, str]]) -> None:
    path = tmp_path / "campaign.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(record) for record in records))
    reading = read(path)
    columns = reading.columns
    assert sorted(columns) == sorted({name for record in records for name in record})
    assert [dict(zip(columns, row, strict=True)) for row in reading.rows] == [
        dict.fromkeys(columns, "") | record for record in records
    ]


def test_a_reader_for_json_lines_tells_that_columns_may_still_come(lines: Path) -> None:
    lines.write_bytes(b'{"to": "1"}\n')
    source = Source(str(lines))
    reader = source.reader()
    assert not reader.is_fixed
    assert reader.columns == []
    source.close()


@pytest.mark.parametrize(
    "value", ["[12345678901234567890123]", "[" * 300 + "]" * 300, "[" * 1_000 + "1234567890123456789" + "]" * 1_000]
)
def test_a_json_value_that_is_too_deep_or_too_long_is_a_flaw_of_its_row_at_most(tmp_path: Path, value: str) -> None:
    path = tmp_path / "campaign.jsonl"
    path.write_text('{"to": "1", "x": ' + value + '}\n{"to": "2"}\n')
    reading = read(path)
    assert len(reading.rows) == 2
    assert 1 not in reading.flaws
