"""A plan is written into a database as into a file, and becomes a run in one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from planned import FACTS, PlannedRow, Rows, add_rows, plan_in_database
from runfiles import begin, notes_of

from bulksend.errors import OwnedError, RunFileError, UsageError
from bulksend.model import ContactId, Encoding, Event, MicroUSD, Outcome, PhoneNumber, Recipient, Status
from bulksend.planning import Example, Findings, Lines, Reason
from bulksend.runs.opening import edits_since, finish_plan, new_plan, open_run, replan
from bulksend.runs.owned import OwnRun
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import OwnPostgresRun, PlanWriter, check_replaceable
from bulksend.runs.postgres.notes import Notes
from bulksend.runs.postgres.shards import shard_of
from bulksend.runs.sqlite.owned import OwnSqliteRun

ANA, BEN = PhoneNumber("639171234567"), PhoneNumber("639181234567")
COLUMNS = ("to", "message")


@pytest.fixture
def june(database: str) -> DatabaseRun:
    return DatabaseRun(database, "june")


def row(number: int, recipient: Recipient | None = ANA, text: str = "Hello", **other: Any) -> PlannedRow:
    planned = PlannedRow(
        number, Status.PENDING, recipient, None, text, Encoding.GSM7, 1, MicroUSD(20_000), "", b'["a","b"]'
    )
    return planned._replace(**other)


def count(database: str, table: str) -> int:
    with psycopg.connect(database) as db:
        found = db.execute(f"SELECT count(*) FROM bulksend.{table}").fetchone()
    assert found
    return int(found[0])


# -- A name, and what had it before


def test_a_plan_has_no_name_until_it_is_whole(june: DatabaseRun) -> None:
    writer = PlanWriter(june)
    writer.add(Rows([row(1)]))
    with pytest.raises(UsageError, match="there is no such run"):
        open_run(june)
    with writer.finish(FACTS, Findings(), None, 1_000.0), open_run(june) as run:
        assert [found[0] for found in run.results()] == [1]


def test_a_plan_that_is_thrown_away_leaves_nothing(june: DatabaseRun) -> None:
    writer = PlanWriter(june)
    writer.add(Rows([row(1)]))
    writer.discard()
    assert [count(june.database, table) for table in ("run", "message")] == [0, 0]


def test_what_a_killed_planner_left_is_removed_by_the_next_and_what_a_living_one_has_is_not(june: DatabaseRun) -> None:
    killed, living = PlanWriter(june), PlanWriter(replace(june, name="july"))
    for writer in (killed, living):
        writer.add(Rows([row(1)]))
    killed._lease.close()
    killed._of.db.close()
    with psycopg.connect(june.database) as db:
        db.execute("UPDATE bulksend.run SET lease_until = clock_timestamp() WHERE id = %s", [killed._of.run])
    plan_in_database(june, [row(1)]).close()
    assert count(june.database, "message") == 2
    living.finish(FACTS, Findings(), None, 1_000.0).close()


def test_rows_that_a_planner_wrote_after_it_was_taken_for_dead_are_removed(june: DatabaseRun) -> None:
    slow = PlanWriter(june)
    with psycopg.connect(june.database) as db:
        db.execute("UPDATE bulksend.run SET lease_until = clock_timestamp()")
    plan_in_database(june, [row(1)]).close()
    slow.add(Rows([row(1), row(2)]))
    with pytest.raises(RunFileError):
        slow.finish(FACTS, Findings(), None, 1_000.0)
    slow._lease.close()
    slow._of.db.close()  # killed
    assert count(june.database, "message") == 3
    plan_in_database(replace(june, name="july"), [row(1)]).close()
    assert count(june.database, "message") == 2


def test_a_plan_replaces_one_that_has_not_begun(june: DatabaseRun) -> None:
    plan_in_database(june, [row(1), row(2)]).close()
    check_replaceable(june)
    plan_in_database(june, [row(1, text="Hi")]).close()
    assert [count(june.database, table) for table in ("run", "message")] == [1, 1]
    with open_run(june) as run:
        assert [planned[6] for planned in run.planned()] == ["Hi"]


def test_a_plan_replaces_nothing_that_has_begun_or_that_somebody_has(june: DatabaseRun) -> None:
    with plan_in_database(june, [row(1)]) as run:
        with pytest.raises(OwnedError, match="at work on this run"):
            check_replaceable(june)
        with pytest.raises(OwnedError, match="at work on this run"):
            plan_in_database(june, [row(1)])
        sends(run, [(1, Event.DOUBTED)])
    with pytest.raises(UsageError, match="has begun"):
        check_replaceable(june)
    with pytest.raises(RunFileError, match="has begun meanwhile"):
        plan_in_database(june, [row(1)])


def test_an_account_and_its_shards_are_made_once(june: DatabaseRun) -> None:
    for name, url in (("one", "https://x.test"), ("two", "https://X.test:443/")):
        plan_in_database(replace(june, name=name), [row(1)], base_url=url).close()
    plan_in_database(replace(june, name="three"), [row(1)], base_url="").close()
    assert [count(june.database, table) for table in ("account", "shard", "run WHERE account IS NULL")] == [1, 64, 1]
    with psycopg.connect(june.database) as db:
        assert db.execute("SELECT DISTINCT shard FROM bulksend.message").fetchall() == [(shard_of(ANA),)]


# -- What is kept


def test_a_text_that_a_database_cannot_hold_is_refused_and_a_cell_is_kept(june: DatabaseRun) -> None:
    writer = PlanWriter(june)
    with pytest.raises(UsageError, match="cannot hold"):
        writer.add(Rows([row(1, text="a\0b")]))
    writer.discard()
    with plan_in_database(june, [row(1, cells=b'["a\\u0000b","\\\\t\\n"]'), row(2, text="\\t\t\n\\N")]) as run:
        assert [(planned[6], planned[8]) for planned in run.planned()] == [
            ("Hello", '["a\\u0000b","\\\\t\\n"]'),
            ("\\t\t\n\\N", '["a","b"]'),
        ]


def test_rows_are_left_out_after_all_and_counted_as_that(june: DatabaseRun) -> None:
    writer = PlanWriter(june)
    writer.add(Rows([row(1), row(2), row(3, BEN)]))
    writer.skip([2], "it repeats another")
    with writer.finish(FACTS, Findings(), None, 1_000.0) as run:
        assert [(found[1], found[7]) for found in run.planned()] == [
            ("pending", ""),
            ("skipped", "it repeats another"),
            ("pending", ""),
        ]
        tally = run.tally()
        assert (tally.statuses[Status.PENDING], tally.statuses[Status.SKIPPED]) == (2, 1)


def test_the_lines_come_back(june: DatabaseRun) -> None:
    writer, lines = PlanWriter(june), Lines()
    writer.add(Rows([row(1)]))
    lines.add(1, [5], is_book=True)
    with writer.finish(FACTS, Findings(), lines, 1_000.0) as run:
        assert run.lines().of(1) == 5


# -- Edited inputs: whatever a file tells, a database tells


def sends(run: OwnRun, ends: Sequence[tuple[int, Event]]) -> None:
    """Rows are begun and end so."""
    if isinstance(run, OwnSqliteRun):
        notes: Any = notes_of(run)
        for number, event in ends:
            begin(notes, [number], 1_000.0)
            notes.settle([ended(number, event)], turn=0)
        return
    assert isinstance(run, OwnPostgresRun)
    journal = run.journal()
    theirs = journal._notes
    assert isinstance(theirs, Notes)
    for number, event in ends:
        theirs.begin([number], 1_000.0)
        theirs.committed()
        theirs.settle([ended(number, event)], turn=0)
        theirs.committed()
    journal.close()


def ended(number: int, event: Event) -> Outcome:
    return Outcome(number, event, final=True, ended_at=1_001.0, error="so it was")


WHOM: tuple[Recipient, ...] = (*(PhoneNumber(f"63917000000{i}") for i in range(3)), ContactId(7), ContactId(101))
ENDS = (Event.ACCEPTED, Event.DOUBTED, Event.REJECTED, Event.FAILED, Event.PUT_OFF, Event.KNOWN)


def some_rows(chance: Random) -> list[PlannedRow]:
    found = []
    for number in range(1, chance.randrange(2, 12)):
        if chance.random() < 0.2:
            status = chance.choice([Status.SKIPPED, Status.INVALID])
            who = chance.choice(WHOM) if status is Status.SKIPPED else None
            found.append(row(number, who, "", status=status, encoding=None, parts=0, price=None, error="so planned"))
        else:
            sender = chance.choice([None, "Shop"])
            found.append(row(number, chance.choice(WHOM), chance.choice("xyz"), sender=sender))
    return found


def found_in(planned: Sequence[PlannedRow]) -> Findings:
    """Why rows of a plan are left out."""
    left_out = {
        status: tuple(Example(each.row) for each in planned if each.status == status)
        for status in (Status.SKIPPED, Status.INVALID)
    }
    return Findings(tuple(Reason(status, "so planned", len(rows), rows) for status, rows in left_out.items() if rows))


def is_to_send(planned: PlannedRow) -> bool:
    return planned.status == Status.PENDING


def all_of(run: OwnRun) -> list[Any]:
    """What a run tells of its rows, and by their keys which of several equal messages they are."""
    rows = [(*each[:9], each[9] if isinstance(each[9], str) else each[9].decode()) for each in run.results()]
    why, tally = run.figures.not_sent(9, 99), run.tally()
    for status in (Status.SKIPPED, Status.INVALID):
        theirs = [row for each in why if each.status is status for row in each.first]
        assert sorted(theirs) == [each[0] for each in rows if each[1] == status]
        assert sum(each.rows for each in why if each.status is status) == tally.statuses[status]
    return [rows, run.told(list(range(1, 40))), run.in_doubt(), tally, run.overview().crowds, run.is_limited, why]


@pytest.mark.parametrize("seed", range(12))
def test_a_plan_is_compared_and_takes_over_what_was_sent_as_in_a_file(
    tmp_path: Path, june: DatabaseRun, seed: int
) -> None:
    told: list[list[Any]] = []
    for place in (tmp_path / "june.run", june):
        chance, found = Random(seed), []
        writer = new_plan(place)
        before = some_rows(chance)
        add_rows(writer, before)
        run = finish_plan(writer, FACTS, Findings(), Lines(), 1_000.0)
        for _ in range(3):
            ends = [(each.row, chance.choice(ENDS)) for each in before if is_to_send(each) and chance.random() < 0.6]
            open_rows = {each[0] for each in run.unsent(0, 100)}
            sends(run, [end for end in ends if end[0] in open_rows])
            run.learn([(ContactId(7), PhoneNumber("639170000001"))] if chance.random() < 0.5 else [])
            writer, now, lines = new_plan(place), some_rows(chance), Lines()
            add_rows(writer, now)
            found.append(edits_since(writer, place))
            facts = replace(FACTS, columns=chance.choice([COLUMNS, ("message", "more")]))
            run = replan(run, writer, facts, found_in(now), lines, 2_000.0)
            found += all_of(run)
            before = now
        run.close()
        told.append(found)
    assert told[0] == told[1]
