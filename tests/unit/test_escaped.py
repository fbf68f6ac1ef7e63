"""Cells that a spreadsheet would run or take for a number, and what they mean."""

from __future__ import annotations

import csv
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from planned import PlannedRow, write_plan
from reading import cells, read

from bulksend.model import Encoding, MicroUSD, PhoneNumber, Status
from bulksend.planning.reading.escaped import Escapes, as_meant, harmless
from bulksend.reports import write_results
from bulksend.runs.sqlite import SqliteRun

MEANT = [
    ('="00123"', "00123"),
    (' ="00456" ', "00456"),
    ('="a ""b"" c"', 'a "b" c'),
    ('=""', ""),
    ("'-50% today only, Ben!", "-50% today only, Ben!"),
    ("'=1+1", "=1+1"),
    ("''=1+1", "'=1+1"),
    ("'@home", "@home"),
    ("'\u2003=1", "\u2003=1"),
    ('\'="00123"', '="00123"'),
]
SO_IT_STANDS = ["00123", "=A1", '="a"&"b"', "'t Hooft", "'+63 917 123 4567", "'-5", "rock 'n' roll", "'", "", "don't -"]


@pytest.mark.parametrize(("cell", "text"), [*MEANT, *((cell, cell) for cell in SO_IT_STANDS)])
def test_a_cell_is_read_as_it_is_meant(cell: str, text: str) -> None:
    assert as_meant(cell) == text


@pytest.mark.parametrize("column", ["to", "Code", "message", "from", "contactId"])
def test_a_formula_that_is_a_text_is_that_text_in_every_column(tmp_path: Path, column: str) -> None:
    content = f'{column},x\r\n"=""00123""",a\r\n="00456",\'-b\r\n'
    assert cells(tmp_path / "c.csv", content.encode()) == [["00123", "a"], ["00456", "-b"]]


def test_a_header_is_read_as_it_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text('to,"=""Name""",\'-x\n1,a,b\n')
    assert read(path).columns == ["to", "Name", "-x"]


def test_a_json_string_keeps_its_apostrophe_for_results_put_none_there(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"to": "=\\"00123\\"", "x": "\'-50%, Ben"}\n')
    assert read(path).rows == [["00123", "'-50%, Ben"]]


TEXTS = st.text(st.sampled_from("'\"=+-@|\t\r\n \u2003ñ1a,."), max_size=6)


@given(text=TEXTS | st.text())
def test_what_was_made_harmless_is_read_as_it_was(text: str) -> None:
    assert as_meant(harmless(text)) == text


@given(rows=st.lists(TEXTS, min_size=1, max_size=5), size=st.integers(1, 9))
@example(rows=["' ="], size=1)
def test_no_cell_that_means_something_else_gets_by_however_its_bytes_come_in(rows: list[str], size: int) -> None:
    content, escapes = "\n".join(rows).encode(), Escapes()
    for start in range(0, len(content), size):
        escapes.look_at(content[start : start + size])
    assert escapes.seen or list(map(as_meant, rows)) == rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(names=["1"], texts=[" \r1@"])
@given(
    names=st.lists(TEXTS.filter(str.strip), min_size=1, max_size=3, unique=True),
    texts=st.lists(TEXTS.filter(str.strip), min_size=1, max_size=3),
)
def test_results_come_back_as_the_cells_they_were_made_of(tmp_path: Path, names: list[str], texts: list[str]) -> None:
    own = [(texts * 3)[: len(names)]]
    (tmp_path / "c.run").unlink(missing_ok=True)
    rows = [_planned(number, each) for number, each in enumerate(own, 1)]
    write_plan(tmp_path / "c.run", rows, columns=tuple(names)).release()
    with SqliteRun.open(tmp_path / "c.run") as run:
        write_results(run, tmp_path / "c.csv")
    reading = read(tmp_path / "c.csv")
    assert [cells[-len(names) :] for cells in reading.rows] == own
    assert [name.removeprefix("input_") for name in reading.columns[-len(names) :]] == names


def _planned(row: int, own: list[str]) -> PlannedRow:
    number, kept = PhoneNumber("639171234567"), orjson.dumps(own)
    return PlannedRow(row, Status.PENDING, number, None, "t", Encoding.GSM7, 1, MicroUSD(1), "", kept)


def test_results_are_still_safe_to_open(tmp_path: Path) -> None:
    write_plan(tmp_path / "c.run", [_planned(1, ["''=1", "'t"])], columns=("a", "b")).release()
    with SqliteRun.open(tmp_path / "c.run") as run:
        write_results(run, tmp_path / "c.csv")
    with (tmp_path / "c.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1][-2:] == ["'''=1", "'t"]
