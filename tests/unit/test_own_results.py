from __future__ import annotations

from pathlib import Path

import pytest
from sheets import planned, xlsx

from bulksend.errors import InputError
from bulksend.planning import PlanOptions
from bulksend.planning.own_results import _TOLD
from bulksend.reports.columns import COLUMNS, ESTIMATE_COLUMNS


def test_results_have_the_columns_by_which_they_are_known_and_estimates_have_not() -> None:
    assert set(_TOLD) <= set(COLUMNS)
    assert not set(_TOLD) <= set(ESTIMATE_COLUMNS)


@pytest.mark.parametrize(
    ("name", "run"), [("june.results.xlsx", "june.run"), ("june.xlsx", "june.run"), ("renamed.xlsx", "RUN")]
)
def test_results_that_were_saved_as_a_workbook_are_no_input(tmp_path: Path, name: str, run: str) -> None:
    (tmp_path / "june.run").touch()
    path = tmp_path / name
    path.write_bytes(xlsx([*COLUMNS, "input_to"], [1, "sent", "639171234567"]))
    with pytest.raises(InputError, match="these are the results of a run") as refused:
        planned(path, PlanOptions(message="Hi"))
    assert Path(str(refused.value.about["run"])).name == run


def test_a_sheet_with_some_of_these_columns_is_one(tmp_path: Path) -> None:
    path = tmp_path / "june.csv"
    path.write_text("row,status,messageId,to\n1,new,7,639171234567\n")
    plan, _ = planned(path, PlanOptions(message="Hi"))
    assert plan.overview.rows == 1
