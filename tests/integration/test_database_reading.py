"""Reading a run in a database: what there is, what is under way and under whose lease, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import psycopg
import pytest
from copied import copied
from databases import Server
from runfiles import CUT_OFF, begin, crowd_of, notes_of, own, pending, planned

from bulksend.errors import RunFileError, UsageError
from bulksend.model import Status
from bulksend.runs import Standing, stand_of
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import PostgresRun, stands_in

HOUR = "interval '1 hour'"


@pytest.fixture
def june(database: str, tmp_path: Path) -> DatabaseRun:
    """A run of three rows, of which somebody has two under way."""
    return sending(database, tmp_path)


def sending(database: str, folder: Path, *, of_account: bool = False) -> DatabaseRun:
    path = planned(folder / "june.run", [pending(row) for row in (1, 2, 3)])
    with own(path) as run:
        run.note_start(1_000.0)
        begin(notes_of(run), [1, 2], 1_000.0)
        return copied(path, DatabaseRun(database, "june"), is_owned=True, of_account=of_account)


def change(database: str, sql: str) -> None:
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("SET search_path = bulksend")
        db.execute(sql)


def test_a_run_that_is_not_there_is_told_with_what_there_is(database: str, june: DatabaseRun) -> None:
    for name, says in (("jun", "there is one named june$"), ("december", "there is one of another name$")):
        with pytest.raises(UsageError, match=f"#{name}: there is no such run in this database; {says}"):
            PostgresRun.open(DatabaseRun(database, name))
    change(database, "DELETE FROM run")
    with pytest.raises(UsageError, match=r"there is none$"):
        PostgresRun.open(june)


def test_a_plan_that_is_not_whole_yet_is_no_run(database: str, june: DatabaseRun) -> None:
    change(database, "UPDATE run SET name = NULL")
    assert stands_in(database) == []
    with pytest.raises(UsageError, match=r"there is none$"):
        PostgresRun.open(june)


def test_a_database_without_tables_has_no_runs(database_server: Server) -> None:
    address = database_server.database()
    with pytest.raises(UsageError, match="has no tables of bulksend yet"):
        PostgresRun.open(DatabaseRun(address, "june"))
    with pytest.raises(UsageError, match="has no tables of bulksend yet"):
        stands_in(address)
    database_server.drop(address)


def test_a_database_that_goes_away_meanwhile_is_told_as_that(database: str, tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "many.run", 5_000)
    with PostgresRun.open(copied(path, DatabaseRun(database, "many"), is_owned=False)) as run:
        rows = run.results()
        next(rows)
        others = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        change(database, f"SELECT pg_terminate_backend(pid) FROM {others}")
        for ask in (lambda: list(rows), run.tally, run.overview, lambda: run.facts, lambda: list(run.results())):
            with pytest.raises(RunFileError, match=r"#many: the database cannot be used"):
                ask()


def test_a_run_that_is_removed_meanwhile_is_told_as_that(database: str, june: DatabaseRun) -> None:
    with PostgresRun.open(june) as run:
        change(database, "DELETE FROM run")
        with pytest.raises(UsageError, match="removed meanwhile"):
            run.tally()


@pytest.mark.parametrize("of_account", [False, True])
@pytest.mark.parametrize(
    "ended",
    [
        f"lease_until = clock_timestamp() - {HOUR}",
        "lease_until = NULL",
        "epoch = epoch + 1",
    ],
)
def test_what_is_under_way_is_in_flight_as_long_as_its_lease_goes_on_and_then_in_doubt(
    database: str, tmp_path: Path, of_account: bool, ended: str
) -> None:
    june = sending(database, tmp_path, of_account=of_account)
    with PostgresRun.open(june) as run:
        assert run.tally().in_flight == 2
        assert [each.state for each in run.told([1, 2, 3])] == ["in flight", "in flight", Status.PENDING]
        assert run.in_doubt() == []
    change(database, f"UPDATE {'shard' if of_account else 'run'} SET {ended}")
    [stand] = stands_in(database)
    with PostgresRun.open(june) as run:
        assert stand == stand_of(run)
        assert (run.tally().in_flight, run.tally().in_doubt) == (0, 2)
        first, _, third = run.told([1, 2, 3])
        assert (first.state, first.error, first.doubt_since) == (Status.UNKNOWN, CUT_OFF, 1_000.0)
        assert third.state == Status.PENDING
        assert [row.row for row in run.in_doubt()] == [1, 2]


def test_whose_lease_has_run_out_has_the_run_no_more_wherever_it_was(database: str, june: DatabaseRun) -> None:
    change(database, """UPDATE fact SET value = '{"pid": 1, "host": "elsewhere", "since": 5.0}' WHERE name = 'owner'""")
    with PostgresRun.open(june) as run:
        assert run.owner is not None
        assert run.owner.host == "elsewhere"
        assert stand_of(run).standing is Standing.SENDING
    change(database, f"UPDATE run SET lease_until = clock_timestamp() - {HOUR}")
    with PostgresRun.open(june) as run:
        assert run.owner is None
        assert stand_of(run).standing is Standing.STOPPED
        assert run.spell.end is not None


def test_rows_come_of_the_moment_when_they_were_asked_for_and_are_kept_no_longer_than_they_are_wanted(
    database: str, tmp_path: Path
) -> None:
    path = crowd_of(tmp_path / "many.run", 5_000)
    many = copied(path, DatabaseRun(database, "many"), is_owned=False)
    with PostgresRun.open(many) as run:
        rows = run.results()
        assert [row for row, *_ in islice(rows, 2)] == [1, 2]
        change(database, "DELETE FROM message WHERE row > 10")
        assert _open_cursors(run) == 1
        assert _length(rows) == 4_998
        assert _open_cursors(run) == 0
        left = run.results()
        next(left)
        assert isinstance(left, Iterator)
        left.close()  # type: ignore[attr-defined]
        assert _open_cursors(run) == 0
        assert _length(run.results()) == 10


def _length(rows: Iterator[object]) -> int:
    return sum(1 for _ in rows)


def _open_cursors(run: PostgresRun) -> int:
    (count,) = run._reader.first("SELECT count(*) FROM pg_cursors WHERE is_holdable")
    return int(count)
