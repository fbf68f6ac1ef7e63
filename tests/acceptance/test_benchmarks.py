"""The benchmarks run, and count what they measure; their figures are nobody's business here, for machines differ."""

from __future__ import annotations

import shutil
from pathlib import Path

import latency
import makespan
import measure
import overhead
import pytest
import servers
import startup
import watched

pytestmark = pytest.mark.skipif(shutil.which("taskset") is None, reason="clients are pinned to a core by util-linux")


def test_what_a_message_costs_is_measured() -> None:
    with servers.slow_server(0, 0) as url:
        found = overhead.compare(url, 20, rounds=1)
    assert found["ratio_cpu"] > 0
    assert set(found["cpu_us_per_send"]) == {"bare", "bulksend", "floor"}


@pytest.mark.long
def test_what_starting_costs_is_measured() -> None:
    with servers.slow_server(0, 0) as url:
        found = startup.compare(url, 1)
    assert found["ratio_send"] > found["ratio_help"] > 1


@pytest.mark.long
def test_what_a_log_and_metrics_cost_is_measured() -> None:
    with servers.slow_server(0, 0) as url:
        found = watched.compare(url, 20, rounds=1)
    assert found["ratio_log"] > 0
    assert found["ratio_metrics"] > 0


def test_the_pace_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "MEAN_S", 0.002)
    monkeypatch.setattr(latency, "JITTER_S", 0.001)
    assert latency.compare(20)["ratio"] > 0


def test_the_makespan_is_measured() -> None:
    found = makespan.compare([*measure.numbers(3)] * 6, window_s=0.1)
    assert found["rows"] == 18
    assert found["seconds"] >= found["bound_s"] * 0.5


def test_a_sheet_is_sent_anew_each_time(tmp_path: Path) -> None:
    sheet = measure.write_sheet(tmp_path / "campaign.csv", measure.numbers(3))
    with servers.slow_server(0, 0) as url:
        sent = [measure.send(sheet, url)[1]["sent"] for _ in range(2)]
    assert sent == [3, 3]
