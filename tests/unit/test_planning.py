from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from planned import PlannedRow

from bulksend.model import Duplicates, Recipient, Status
from bulksend.planning.planner import PlanOptions
from bulksend.planning.planning import Planned, PlannedRows, plan_into
from bulksend.planning.reading import Source

ANA, BEN = "639171234567", "639181234567"
SHEET = f"to,message\n{ANA},a\n{BEN},b\nx,c\n{ANA},a\n{ANA},d\n"


class Kept:
    """A plan kept in lists."""

    def __init__(self) -> None:
        self.rows: list[PlannedRow] = []
        self.repeats: dict[Recipient, list[tuple[int, int]]] = {}
        self.alike: list[int] = []
        self.skipped: list[tuple[int, str]] = []
        self.counts: Counter[Status] = Counter()

    def add(self, rows: PlannedRows) -> None:
        self.rows += map(PlannedRow._make, rows.columns().records())
        self.counts.update(rows.counts())

    def add_repeats(self, recipient: Recipient, messages: Iterable[tuple[int, int]], alike: Iterable[int]) -> None:
        self.repeats[recipient] = list(messages)
        self.alike += alike

    def skip(self, rows: Iterable[int], says: str) -> None:
        self.skipped += [(row, says) for row in rows]


def planned(path: Path, sink: Kept | None, options: PlanOptions) -> Planned:
    path.write_text(SHEET)
    with closing(Source(str(path))) as source:
        return plan_into(source, options, sink)


def counts_of(found: Planned) -> dict[Status, int]:
    statuses = found.plan.tally.statuses
    return {status: statuses[status] for status in (Status.PENDING, Status.INVALID, Status.SKIPPED)}


def test_a_plan_goes_into_any_sink_and_is_summed_up(tmp_path: Path) -> None:
    sink = Kept()
    found = planned(tmp_path / "c.csv", sink, PlanOptions())
    assert [(row.row, row.status, row.recipient, row.text) for row in sink.rows] == [
        (1, "pending", ANA, "a"), (2, "pending", BEN, "b"), (3, "invalid", None, ""), (4, "pending", ANA, "a"),
        (5, "pending", ANA, "d"),
    ]  # fmt: skip
    assert dict(sink.counts) == {Status.PENDING: 4, Status.INVALID: 1}
    assert (sink.repeats, sink.skipped) == ({ANA: [(1, 1), (4, 1), (5, 1)]}, [])
    assert sink.alike == [1, 4]
    assert counts_of(found) == {Status.PENDING: 4, Status.INVALID: 1, Status.SKIPPED: 0}
    assert (found.columns, found.digest) == (("to", "message"), sha256(SHEET.encode()).hexdigest())
    assert planned(tmp_path / "c.csv", None, PlanOptions()) == found


def test_rows_that_repeat_another_are_taken_back_from_the_sink(tmp_path: Path) -> None:
    sink = Kept()
    found = planned(tmp_path / "c.csv", sink, PlanOptions(duplicates=Duplicates.SKIP))
    assert sink.repeats == {ANA: [(1, 1), (5, 1)]}
    assert sink.skipped == [(4, "the same number and text as an earlier row")]
    assert counts_of(found) == {Status.PENDING: 3, Status.INVALID: 1, Status.SKIPPED: 1}


def test_many_blank_lines_between_json_lines_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"to": "639171234567"}\n' + "\n" * 1_500 + '{"to": "639181234567"}\n')
    options = PlanOptions(message="Hi", sender="ACME")
    with closing(Source(str(path))) as source:
        assert plan_into(source, options, None).plan.tally.rows == 2
