"""What limits a run holds for all of its workers together, as the server sees it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hostile import PRICE_MICRO, Settings
from judging import Row
from teams import Team, ended

from bulksend.runs import DatabaseRun, open_run

RETRY_AFTER_S = 4.0
HEARD_S = 1.5  # so long it may take on a busy machine until all have heard


@pytest.fixture
def team(tmp_path: Path, database: str) -> Iterator[Team]:
    with ExitStack() as stack:
        yield Team(tmp_path, database, stack, Settings(weights={"ok": 1}, latency_s=0.05, knows_dedup=False))


def rows(count: int, which: dict[int, str] | None = None) -> list[Row]:
    return [Row(f"49151{no:08}", f"row {no} {(which or {}).get(no, '')}".strip()) for no in range(1, count + 1)]


def end(team: Team) -> str:
    with open_run(DatabaseRun(team.database, "june")) as run:
        return run.spell.end.reason if run.spell.end else ""


def asked(team: Team, word: str = "") -> list[float]:
    return sorted(record["at"] for record in team.server.records("request") if word in record["text"])


def test_four_workers_never_cost_more_than_the_run_may_though_one_is_killed(team: Team) -> None:
    budget = 120 * PRICE_MICRO
    (team.folder / "rates.csv").write_text(f"prefix,microUSD\n49,{PRICE_MICRO}\n")
    team.plan(rows(400), "--max-cost", f"{budget / 1e6:g}", "--rates", "rates.csv")
    workers = [team.worker() for _ in range(4)]
    team.await_accepted(40)
    workers[0].send_signal(signal.SIGKILL)
    assert [ended(worker) for worker in workers[1:]] == [0, 0, 0], team.said()
    cost = sum(record["price"] for record in team.server.records("accepted"))
    assert 0.8 * budget < cost <= budget
    assert (end(team), team.twice()) == ("budget filled", [])


def test_who_hears_that_there_is_no_money_ends_all_within_moments(team: Team) -> None:
    team.plan(rows(800, {200: "FUNDS"}))
    workers = [team.worker() for _ in range(4)]
    assert [ended(worker) for worker in workers] == [0] * 4, team.said()
    [refused_at] = asked(team, "FUNDS")
    assert asked(team)[-1] < refused_at + 1.2
    assert (end(team), team.twice()) == ("out of funds", [])
    assert set(team.statuses()) == {"sent", "pending"}


@pytest.mark.long
def test_three_workers_together_keep_the_accounts_rate_in_any_second(team: Team) -> None:
    rate = 100
    team.plan(rows(500), "--rate", str(rate))
    workers = [team.worker() for _ in range(3)]
    assert [ended(worker) for worker in workers] == [0] * 3, team.said()
    at = asked(team)
    assert max(sum(1 for each in at if since <= each < since + 1) for since in at) <= 1.1 * rate
    assert len(at) == 500
    assert at[-1] - at[0] < 500 / rate + 4


@pytest.mark.long
def test_while_one_worker_is_asked_for_quiet_the_others_start_nothing(team: Team) -> None:
    team.plan(rows(600, {200: "QUIET"}))
    workers = [team.worker() for _ in range(3)]
    assert [ended(worker) for worker in workers] == [0] * 3, team.said()
    since = asked(team, "QUIET")[0]
    at = asked(team)
    assert [each for each in at if since + HEARD_S < each < since + RETRY_AFTER_S - 0.1] == []
    assert at[-1] > since + RETRY_AFTER_S
    assert (team.statuses(), team.twice()) == ({"sent": 600}, [])


@pytest.mark.long
def test_rows_that_could_not_be_sent_are_counted_across_workers(team: Team) -> None:
    bad: dict[int, Any] = {no: "REJECT" for no in range(1, 601) if no % 3 == 0}
    team.plan(rows(600, bad), "--max-errors", "80")
    workers = [team.worker() for _ in range(4)]
    assert [ended(worker) for worker in workers] == [0] * 4, team.said()
    assert end(team) == "too many errors"
    rejected = team.statuses()["rejected"]
    assert 80 < rejected < 120
    assert len(asked(team, "REJECT")) == rejected
