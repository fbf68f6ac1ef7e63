"""A plan on a real disk: whole or not there, and never in place of a run that has begun."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from planned import Rows
from runfiles import (
    ANA,
    BEN,
    bad,
    begin,
    crowd_of,
    facts,
    killed_after,
    mode,
    notes_of,
    number,
    opened,
    outcome,
    own,
    pending,
    planned,
    settle,
)

from bulksend.errors import OwnedError, RunFileError, UsageError
from bulksend.model import (
    Duplicates,
    Status,
)
from bulksend.planning.overview import Findings
from bulksend.planning.planner import PlanOptions
from bulksend.planning.planning import plan_into
from bulksend.planning.reading import Source
from bulksend.runs.opening import check_replaceable
from bulksend.runs.sqlite.loading import FEW
from bulksend.runs.sqlite.plan import PlanWriter
from bulksend.runs.sqlite.run import SqliteRun


def test_a_plan_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "campaign.run"
    writer = PlanWriter(path)
    writer.add(Rows([pending(1), bad(2)]))
    assert [file.name for file in tmp_path.iterdir()] == ["campaign.run.planning"]
    writer.finish(facts(), Findings()).release()
    assert [file.name for file in tmp_path.iterdir()] == ["campaign.run"]
    with SqliteRun.open(path) as run:
        assert run.facts == facts()
        assert run.tally().rows == 2
        assert not run.has_begun
        assert run.owner is None


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to tell which file is synced")
def test_a_plan_is_closed_and_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "campaign.run"
    order: list[str] = []
    real_fsync, real_rename = os.fsync, Path.rename

    def fsync(fd: int) -> None:
        order.append("fsync " + Path(f"/proc/self/fd/{fd}").readlink().name)
        real_fsync(fd)

    def rename(self: Path, target: Path) -> Path:
        order.append(f"rename to {target.name}")
        with closing(sqlite3.connect(f"{self.as_uri()}?mode=ro", uri=True)) as db:
            assert db.execute("SELECT count(*) FROM facts").fetchone() == (3,)
            assert db.execute("SELECT count(*) FROM messages").fetchone() == (3,)
        return real_rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    planned(path, [pending(1), pending(2), bad(3)])
    assert order == ["fsync campaign.run.planning", "rename to campaign.run", f"fsync {tmp_path.name}"]


def test_a_discarded_plan_leaves_nothing_and_its_name_is_free_again(tmp_path: Path) -> None:
    path = tmp_path / "campaign.run"
    writer = PlanWriter(path)
    writer.add(Rows([pending(1)]))
    writer.discard()
    assert list(tmp_path.iterdir()) == []
    crowd_of(path, 1)


def test_what_a_killed_planner_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "campaign.run"
    killed_after(
        """
        writer = PlanWriter(path)
        writer.add(Rows([pending(row, number(row)) for row in range(1, 50_001)]))
        """,
        path,
    )
    assert not path.exists()
    assert (tmp_path / "campaign.run.planning").stat().st_size > 0
    crowd_of(path, 2)
    with SqliteRun.open(path) as run:
        assert run.tally().rows == 2
    assert [file.name for file in tmp_path.iterdir()] == ["campaign.run"]


def test_an_unfinished_plan_is_no_run_to_be_sent(tmp_path: Path) -> None:
    writer = PlanWriter(tmp_path / "campaign.run")
    writer.add(Rows([pending(1)]))
    draft = tmp_path / "campaign.run.planning"
    with pytest.raises((UsageError, RunFileError)), SqliteRun.open(draft) as run:
        _ = run.facts
    writer.discard()


def test_two_planners_of_one_run_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "campaign.run"
    first = PlanWriter(path)
    with pytest.raises(OwnedError, match="another bulksend process is at work"):
        PlanWriter(path)
    first.discard()


def test_a_plan_never_replaces_a_run_that_somebody_is_sending(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    writer = PlanWriter(path)
    writer.add(Rows([pending(1, BEN)]))
    with opened(path) as notes:
        begin(notes, [1], 1_000.0)
        with pytest.raises(OwnedError):
            writer.finish(facts("other"), Findings())
        settle(notes, outcome(1, Status.SENT))
    writer.discard()
    with SqliteRun.open(path) as run:
        assert run.tally().statuses[Status.SENT] == 1


def test_a_plan_never_replaces_a_run_that_began_while_it_was_made(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    writer = PlanWriter(path)
    writer.add(Rows([pending(1, BEN)]))
    with opened(path) as notes:
        begin(notes, [1], 1_000.0)
        settle(notes, outcome(1, Status.SENT))
    with pytest.raises((OwnedError, RunFileError, UsageError)):
        writer.finish(facts("other"), Findings())
    writer.discard()
    with SqliteRun.open(path) as run:
        assert run.tally().statuses[Status.SENT] == 1


def test_a_plan_replaces_a_run_of_which_nothing_left_before_its_owner_was_killed(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3)
    killed_after("notes_of(own(path)).begin([1, 2], 1_000.0)", path)
    check_replaceable(path)
    planned(path, [pending(1, BEN)], "new")
    with SqliteRun.open(path) as run:
        assert run.facts.campaign == "new"


def test_a_plan_never_replaces_a_run_of_which_something_left_before_its_owner_was_killed(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3)
    killed_after(
        """
        notes = notes_of(own(path))
        notes.leaves(notes.begin([1, 2], 1_000.0)[0])
        """,
        path,
    )
    with pytest.raises(UsageError, match="this run has begun"):
        check_replaceable(path)
    with pytest.raises(RunFileError, match="this run has begun meanwhile"):
        planned(path, [pending(1, BEN)], "new")


def test_what_a_killed_sender_left_beside_a_run_does_not_leak_into_the_next_plan(tmp_path: Path) -> None:
    path = planned(tmp_path / "campaign.run", [pending(row, number(row)) for row in range(1, 500)], "old")
    killed_after("run = own(path)", path)
    assert (tmp_path / "campaign.run-wal").stat().st_size > 0
    with SqliteRun.open(path) as run:
        assert not run.has_begun  # so it may be planned anew
    planned(path, [pending(1, ANA), pending(2, BEN)], "new")
    with SqliteRun.open(path) as run:
        assert run.facts.campaign == "new"
        assert run.owner is None
        assert run.tally().rows == 2
    with own(path) as run:
        notes = notes_of(run)
        assert run.facts.campaign == "new"
        assert [item.recipient for item in notes.claim(0, 10)] == [ANA, BEN]
        assert notes.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_run_files_and_their_logs_are_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "campaign.run"
    before = os.umask(0)
    try:
        writer = PlanWriter(path)
        writer.add(Rows([pending(1)]))
        assert mode(tmp_path / "campaign.run.planning") == 0o600
        writer.finish(facts(), Findings()).release()
        assert mode(path) == 0o600
        with opened(path) as notes:
            begin(notes, [1], 1_000.0)
            names = {file.name: mode(file) for file in tmp_path.iterdir()}
            assert names == {"campaign.run": 0o600, "campaign.run-wal": 0o600, "campaign.run-shm": 0o600}
    finally:
        os.umask(before)


@pytest.mark.parametrize("name", ["nowhere/campaign.run", "file/campaign.run"])
def test_a_run_file_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFileError, match=r"cannot be opened for writing: (No such file|Not a dir)"):
        PlanWriter(tmp_path / name)


def test_equal_messages_of_a_plan_are_counted_by_recipient_sender_and_text(tmp_path: Path) -> None:
    same = pending(1, ANA)
    rows = [same, same._replace(row=2), same._replace(row=3, sender="X"), same._replace(row=4, recipient=BEN)]
    rows += [same._replace(row=5), pending(6, ANA), same._replace(row=7, sender="X")]
    path = planned(tmp_path / "c.run", rows)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT row, copy FROM copies ORDER BY row").fetchall() == [(2, 1), (5, 2), (7, 1)]


def test_a_large_plan_is_the_same_bit_by_bit_whether_a_process_of_its_own_writes_it_or_not(tmp_path: Path) -> None:
    sheet = tmp_path / "campaign.csv"
    lines = (
        f"{'x' if row % 1_013 == 0 else f'63917{row % 22_000:07}'},{'ñandú' * (row % 9)},"
        f"{'' if row % 7 else 'Own text'},{'Shop' if row % 5_000 < 2_500 else ''}\n"
        for row in range(FEW + 5_432)
    )
    sheet.write_text("to,name,message,from\n" + "".join(lines), encoding="utf-8")
    options = PlanOptions(message="Hi {name|you}", duplicates=Duplicates.SKIP)
    dumps = []
    for name, few in (("beside", FEW), ("here", sys.maxsize)):
        writer = PlanWriter(tmp_path / name, few)
        with closing(Source(str(sheet))) as source:
            found = plan_into(source, options, writer)
        writer.finish(facts(), found.plan.findings, found.lines).release()
        with closing(sqlite3.connect(tmp_path / name)) as db:
            dumps.append(list(db.iterdump()))
    assert len(dumps[0]) > FEW
    assert dumps[0] == dumps[1]
