"""Which messages are shown before they are sent: the first, the longest and the dearest; and any that is asked for."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulksend import campaign, cli
from bulksend.campaign import PlanRequest
from bulksend.cli.codes import ExitCode
from bulksend.planning import Plan, PlanOptions
from bulksend.runs import Address, open_run

NUMBERS = [f"63917{number:07}" for number in (1_000_000, 1_000_005, 1_000_003, 1_000_009, 1_000_004, 1_000_012)]
HERE = Address(1, "https://x.test")
TEXTS = ["a", "b", "c", "d" * 30, "e" * 200, "f"]


def sheet(folder: Path, texts: Sequence[str], numbers: Sequence[str] = NUMBERS) -> str:
    path = folder / "in.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("to", "message"), *zip(numbers, texts, strict=False)])
    return str(path)


def both(folder: Path, texts: Sequence[str], previews: int = 3, numbers: Sequence[str] = NUMBERS) -> Plan:
    """A plan as it is counted only, which is the same as it is read from a run."""
    options = PlanOptions(sender="ACME", previews=previews)
    request = PlanRequest(sheet(folder, texts, numbers), options, HERE)
    counted = campaign.survey(request)
    with campaign.plan(request, folder / "in.run") as run:
        kept = run.plan(previews=previews)
    assert (counted.previews, counted.extremes) == (kept.previews, kept.extremes)
    return kept


def marks(plan: Plan) -> list[tuple[int, bool, bool]]:
    return [(each.preview.row, each.is_longest, each.is_dearest) for each in plan.extremes]


def test_as_many_are_shown_as_is_said_and_beside_them_the_longest_and_the_dearest(tmp_path: Path) -> None:
    plan = both(tmp_path, TEXTS)
    assert [each.row for each in plan.previews] == [1, 2, 3]
    assert marks(plan) == [(5, True, True)]
    (extreme,) = plan.extremes
    assert (extreme.parts, extreme.price, extreme.preview.text) == (2, 40_000, "e" * 200)
    assert marks(both(tmp_path, TEXTS, previews=1)) == [(5, True, True)]
    assert marks(both(tmp_path, TEXTS, previews=6)) == []


def test_none_is_shown_where_that_is_said(tmp_path: Path) -> None:
    plan = both(tmp_path, TEXTS, previews=0)
    assert (plan.previews, plan.extremes) == ((), ())


def test_the_dearest_may_be_another_than_the_longest(tmp_path: Path) -> None:
    numbers = [*NUMBERS[:4], "12025550123", NUMBERS[4], NUMBERS[5]]
    plan = both(tmp_path, ["a", "b", "c", "x" * 320, "y" * 400, "d", "z"], numbers=numbers)
    longest, dearest = plan.extremes
    assert (longest.preview.row, longest.is_longest, longest.is_dearest) == (5, True, False)
    assert (dearest.preview.row, dearest.is_longest, dearest.is_dearest) == (4, False, True)


def test_of_equal_ones_the_first_stands_for_all(tmp_path: Path) -> None:
    assert marks(both(tmp_path, ["a", "b", "c", "dd", "ee", "f"])) == [(4, True, False)]
    assert marks(both(tmp_path, ["aa", "bb", "cc", "dd", "e", "f"])) == []


def test_the_longest_is_found_wherever_it_stands_in_a_long_list(tmp_path: Path) -> None:
    numbers = [f"63917{row * 7919 % 10**7:07}" for row in range(1_200)]
    texts = ["a" * (10 + (row == 7) + 2 * (row == 900)) for row in range(1_200)]
    assert marks(both(tmp_path, texts, numbers=numbers)) == [(901, True, False)]


def test_what_is_sent_or_beyond_the_limit_is_shown_no_more(tmp_path: Path) -> None:
    both(tmp_path, TEXTS)
    with open_run(tmp_path / "in.run") as run:
        assert marks(run.plan(4)) == []
        assert marks(run.plan(5)) == [(5, True, True)]
    with closing(sqlite3.connect(tmp_path / "in.run")) as db, db:
        db.execute("INSERT INTO sends (row, state, attempts, started_at) VALUES (5, 'sent', 1, 1.0)")
    with open_run(tmp_path / "in.run") as run:
        assert marks(run.plan()) == []


@given(st.lists(st.integers(0, 400), min_size=1, max_size=6), st.integers(1, 6))
def test_whatever_the_lengths_the_longest_is_among_those_shown(sizes: list[int], previews: int) -> None:
    rows = [{"to": to, "message": "x" * (size + 1)} for to, size in zip(NUMBERS, sizes, strict=False)]
    import tempfile  # noqa: PLC0415 -- hypothesis runs many in one folder

    with tempfile.TemporaryDirectory() as folder:
        name = sheet(Path(folder), [row["message"] for row in rows])
        plan = campaign.survey(PlanRequest(name, PlanOptions(previews=previews), HERE))
    shown = [*plan.previews, *(each.preview for each in plan.extremes)]
    assert max(len(each.text) for each in shown) == max(sizes) + 1
    assert len({each.row for each in shown}) == len(shown)


def estimate(folder: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, str]:
    code = cli.run(["estimate", str(folder / "in.csv"), "--from", "ACME", "-v", *flags])
    return code, capsys.readouterr().err


def test_the_terminal_marks_them_with_row_line_parts_and_price(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(sheet(tmp_path, TEXTS))
    path.write_text(path.read_text().replace("\n", "\n\n", 2))
    _, said = estimate(tmp_path, capsys, "--preview", "1")
    assert "\nrow 1 to 639171000000 from ACME\n  a\n" in said
    assert (
        "\nthe longest and dearest: row 5 (line 8) to 639171000004 from ACME: 2 SMS parts, $0.04 estimated\n  eee"
    ) in said
    assert "row 2 to" not in said
    assert " to 63917" not in estimate(tmp_path, capsys, "--preview", "0")[1]


def test_a_log_is_told_of_them_without_numbers_and_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet(tmp_path, TEXTS)
    cli.run(["estimate", str(tmp_path / "in.csv"), "--from", "ACME", "--row", "2"])
    said = capsys.readouterr().err
    assert "the longest and dearest: row 5 to " in said
    assert not any(number in said for number in NUMBERS)
    assert "eee" not in said
    assert "\n  b\n" not in said


def test_any_row_is_shown_that_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet(tmp_path, [*TEXTS[:3], ""])
    code, said = estimate(tmp_path, capsys, "--preview", "0", "--row", "2")
    assert "\nrow 2 to 639171000005 from ACME: 1 SMS part, $0.02 estimated\n  b\n" in said
    assert "row 4 is not sent: no text: its message is empty" in estimate(tmp_path, capsys, "--row", "4")[1]
    code, said = estimate(tmp_path, capsys, "--row", "9")
    assert (code, "there is no row 9: the input has 4" in said) == (ExitCode.USAGE, True)
