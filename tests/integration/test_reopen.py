"""A run of the same command again."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from bulksend.planning.planning import Address
from bulksend.runs.sqlite.reader import RunReport
from runfiles import opened

from bulksend.errors import UsageError
from bulksend.planning import planning as plans
from bulksend.planning.planner import PlanOptions
from bulksend.runs.lock import FileLock

ADDRESS = Address(123, "https://api.engagespark.com")


def test_a_run_that_has_begun_goes_on_only_with_the_same_input_and_options(tmp_path: Path) -> None:
    sheet, path = tmp_path / "campaign.csv", tmp_path / "campaign.run"
    sheet.write_text("to,message\n639171234567,hello\n")
    options = PlanOptions()
    assert plans.reopen(path, str(sheet), options, ADDRESS, None) is None
    plans.plan(str(sheet), path, options, ADDRESS).release()
    assert plans.reopen(path, str(sheet), options, ADDRESS, None) is None  # nothing begun: it may be planned anew
    with opened(path) as store:
        store.begin([1], 1_000.0)
    lock = plans.reopen(path, str(sheet), options, ADDRESS, None)
    assert lock is not None
    lock.release()
    with pytest.raises(UsageError, match="another --org-id"):
        plans.reopen(path, str(sheet), options, Address(124, ADDRESS.base_url), None)
    with pytest.raises(UsageError, match="another message"):
        plans.reopen(path, str(sheet), PlanOptions(message="x"), ADDRESS, None)
    sheet.write_text("to,message\n639171234567,hello!\n")
    with pytest.raises(UsageError, match="another content of the input"):
        plans.reopen(path, str(sheet), options, ADDRESS, None)
    FileLock(path).release()  # none of them keeps the lock


def test_the_plan_of_a_bad_input_leaves_no_file(tmp_path: Path) -> None:
    sheet = tmp_path / "campaign.csv"
    for content in ("to,message\n", "message\nhello\n", "to,message\n639171234567,\x00\x01\x02\x03\n"):
        sheet.write_bytes(content.encode("latin-1"))
        with pytest.raises(UsageError):
            plans.plan(str(sheet), tmp_path / "campaign.run", PlanOptions(), ADDRESS)
        assert [file.name for file in tmp_path.iterdir()] == ["campaign.csv"]


def test_a_plan_keeps_its_columns_and_digest(tmp_path: Path) -> None:
    sheet, path = tmp_path / "c.jsonl", tmp_path / "c.run"
    sheet.write_bytes(orjson.dumps({"to": "639171234567", "message": "a", "New": 1}) + b"\n")
    plans.plan(str(sheet), path, PlanOptions(), ADDRESS, "mine").release()
    with RunReport(path) as run:
        assert run.facts.columns == ("to", "message", "New")
        assert run.facts.campaign == "mine"
        assert len(run.facts.input_digest) == 64
