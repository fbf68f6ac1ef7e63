"""How a plan differs from an earlier one: by message, wherever it stands."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from conftest import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planned import PlannedRow, Rows
from runfiles import bad, number, own, pending, planned

from bulksend.runs.edits import Edits
from bulksend.runs.sqlite.plan import PlanWriter

Message = tuple[int, str]  # whose number, and the text


def rows_of(messages: list[Message | None]) -> list[PlannedRow]:
    """A plan's rows; None is an invalid one."""
    return [
        bad(row) if message is None else pending(row, number(message[0]))._replace(text=message[1])
        for row, message in enumerate(messages, 1)
    ]


def edits(folder: Path, before: list[Message | None], after: list[Message | None]) -> Edits:
    old = folder / "old.run"
    old.unlink(missing_ok=True)
    planned(old, rows_of(before))
    writer = PlanWriter(folder / "new.run")
    writer.add(Rows(rows_of(after)))
    try:
        return writer.edits_since(old)
    finally:
        writer.discard()


A, B, C, D = (1, "Hi"), (2, "Hi"), (3, "Hi"), (4, "Hi")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([A, B, None], [A, B, None], Edits()),
        ([A, B, C], [C, A, B], Edits(moved=3)),
        ([A, B, C], [D, A, B, C], Edits(new=1, moved=3)),
        ([A, B, C], [A, C], Edits(gone=1, moved=1)),
        ([A, B], [A, (2, "Hello")], Edits(corrected=1)),
        ([A, B], [(2, "Hello"), A], Edits(corrected=1, moved=1)),
        ([A, B], [A, C], Edits(corrected=1)),  # the number was
        ([A, None], [A, B], Edits(corrected=1)),
        ([A, B], [A, None], Edits(corrected=1)),
        ([A, A], [A, A, A], Edits(new=1)),
        ([A, A, A], [A], Edits(gone=2)),
        ([A, (1, "Two")], [(1, "Two"), A], Edits(moved=2)),
        ([A, B, C], [A, (2, "Hello"), D, (5, "Hi")], Edits(corrected=2, new=1)),
        ([None, A], [A], Edits(corrected=0, moved=1)),
        ([A], [None, A], Edits(moved=1)),
    ],
)
def test_edits_are_counted_as_people_count_them(
    tmp_path: Path, before: list[Message | None], after: list[Message | None], expected: Edits
) -> None:
    assert edits(tmp_path, before, after) == expected


@given(
    before=st.lists(st.tuples(st.integers(1, 4), st.sampled_from("ab")), max_size=8),
    after=st.lists(st.tuples(st.integers(1, 4), st.sampled_from("ab")), max_size=8),
)
@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_told_only_where_both_send_the_same_and_the_sums_are_right(
    tmp_path: Path, before: list[Message | None], after: list[Message | None]
) -> None:
    found = edits(tmp_path, before, after)
    assert found.is_none == (Counter(before) == Counter(after))
    assert len(after) - len(before) == found.new - found.gone
    assert found.corrected + found.new == (Counter(after) - Counter(before)).total()


def test_a_run_that_is_at_work_can_be_compared_with(tmp_path: Path) -> None:
    with own(planned(tmp_path / "old.run", rows_of([A]))):
        writer = PlanWriter(tmp_path / "new.run")
        writer.add(Rows(rows_of([B])))
        assert writer.edits_since(tmp_path / "old.run") == Edits(corrected=1)
        writer.discard()
