from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bulksend.planning.lines import Lines


def test_a_row_of_a_text_has_its_line_beside_it_only_where_something_was_left_out() -> None:
    lines = Lines()
    lines.add(1, range(2, 4), is_book=False)
    lines.add(3, [4, 7], is_book=False)
    assert [lines.beside(row) for row in (1, 3, 4)] == ["", "", " (line 7)"]


def test_a_row_of_a_workbook_has_its_line_beside_it() -> None:
    lines = Lines()
    lines.add(1, range(2, 4), is_book=True)
    assert lines.beside(2) == " (line 3)"


def test_a_row_of_what_is_no_sheet_has_none() -> None:
    assert Lines().beside(5) == ""


@given(st.lists(st.lists(st.integers(1, 3), min_size=1)))
def test_every_row_finds_its_line(steps: list[list[int]]) -> None:
    lines, line, row = Lines(), 1, 1
    known: dict[int, int] = {}
    for batch in steps:
        numbers = [line := line + step for step in batch]
        lines.add(row, numbers, is_book=True)
        known |= dict(enumerate(numbers, row))
        row += len(numbers)
    assert {row: lines.beside(row) for row in known} == {row: f" (line {line})" for row, line in known.items()}


@given(st.lists(st.integers(1, 3), min_size=1), st.booleans())
def test_lines_are_kept_whole(steps: list[int], is_book: bool) -> None:
    lines, line = Lines(), 1
    numbers = [line := line + step for step in steps]
    lines.add(1, numbers, is_book=is_book)
    kept = Lines.unpacked(lines.packed())
    assert [kept.of(row) for row in range(1, len(steps) + 1)] == numbers
    assert [kept.beside(row) for row in range(1, 9)] == [lines.beside(row) for row in range(1, 9)]
    assert Lines.unpacked(Lines().packed()).of(1) is None
