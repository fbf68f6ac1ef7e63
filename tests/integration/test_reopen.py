"""A run of the same command again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from runfiles import begin, opened

from bulksend import campaign
from bulksend.campaign import PlanRequest
from bulksend.errors import UsageError
from bulksend.planning import PlanOptions
from bulksend.runs import Address, open_run
from bulksend.runs.lock import FileLock

ADDRESS = Address(123, "https://api.engagespark.com")


def test_a_run_that_has_begun_goes_on_only_with_the_same_input_and_options(tmp_path: Path) -> None:
    sheet, path = tmp_path / "campaign.csv", tmp_path / "campaign.run"
    sheet.write_text("to,message\n639171234567,hello\n")
    request = PlanRequest(str(sheet), PlanOptions(), ADDRESS)
    assert campaign.reopen(request, path) is None
    campaign.plan(request, path).close()
    assert campaign.reopen(request, path) is None  # nothing begun: it may be planned anew
    with opened(path) as notes:
        begin(notes, [1], 1_000.0)
    run = campaign.reopen(request, path)
    assert run is not None
    run.close()
    with pytest.raises(UsageError, match="another organization"):
        campaign.reopen(replace(request, address=Address(124, ADDRESS.base_url)), path)
    with pytest.raises(UsageError, match="another message"):
        campaign.reopen(replace(request, options=PlanOptions(message="x")), path)
    sheet.write_text("to,message\n639171234567,hello!\n")
    with pytest.raises(UsageError, match="another content of the input"):
        campaign.reopen(request, path)
    FileLock(path).release()  # none of them keeps the lock


def test_the_plan_of_a_bad_input_leaves_no_file(tmp_path: Path) -> None:
    sheet = tmp_path / "campaign.csv"
    for content in ("to,message\n", "message\nhello\n", "to,message\n639171234567,\x00\x01\x02\x03\n"):
        sheet.write_bytes(content.encode("latin-1"))
        with pytest.raises(UsageError):
            campaign.plan(PlanRequest(str(sheet), PlanOptions(), ADDRESS), tmp_path / "campaign.run")
        assert [file.name for file in tmp_path.iterdir()] == ["campaign.csv"]


def test_a_plan_keeps_its_columns_and_digest(tmp_path: Path) -> None:
    sheet, path = tmp_path / "c.jsonl", tmp_path / "c.run"
    sheet.write_bytes(orjson.dumps({"to": "639171234567", "message": "a", "New": 1}) + b"\n")
    campaign.plan(PlanRequest(str(sheet), PlanOptions(), ADDRESS, "mine"), path).close()
    with open_run(path) as run:
        assert run.facts.columns == ("to", "message", "New")
        assert run.facts.campaign == "mine"
        assert len(run.facts.input_digest) == 64
