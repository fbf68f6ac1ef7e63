"""What a store tells of a run, every store tells: a run file is compared with a database that holds its rows."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from random import Random

import orjson
import pytest
from conftest import examples
from copied import copied
from databases import Server
from hypothesis import given, settings
from hypothesis import strategies as st
from made import SAID, WHOM, InFile, Made, Owned, Repeats
from planned import Rows
from runfiles import pending, planned

from bulksend.model import Status
from bulksend.planning import Findings, Lines
from bulksend.runs import Facts, Figures, NotSent, OwnRun, Run, stand_of
from bulksend.runs.places import DatabaseRun
from bulksend.runs.postgres import OwnPostgresRun, PlanWriter, PostgresRun, install, stands_in
from bulksend.runs.receipts import Receipts
from bulksend.runs.sqlite import SqliteRun
from bulksend.runs.times import Times

ROWS = tuple(range(1, 16))
LIMITS = (None, 1, 3, 100)
SINCE_S = (0.0, 1_000.0, 1_003.0, 1_100.0, 3_000.0)


def in_any_order(rows: Iterable[object]) -> list[object]:
    return sorted(rows, key=repr)


def told_alike(rows: Iterable[Sequence[object]]) -> list[list[object]]:
    """Rows whose JSON may be written in different ways."""
    return [[_value(cell) for cell in row] for row in rows]


def _value(cell: object) -> object:
    is_json = isinstance(cell, bytes) or (isinstance(cell, str) and cell.startswith(("{", "[")))
    return orjson.loads(cell) if is_json else cell  # type: ignore[arg-type]


def by_status(found: Iterable[NotSent]) -> list[NotSent]:
    return sorted(found, key=lambda each: each.status)


READS: dict[str, Callable[[Run], object]] = {
    "facts": lambda run: run.facts,
    "shared": lambda run: run.shared,
    "owner": lambda run: None if run.owner is None or run.owner.is_gone else run.owner,
    "spell": lambda run: run.spell,
    "progress": lambda run: run.progress,
    "purge": lambda run: run.purge,
    "results_at": lambda run: run.results_at(),
    "has_begun": lambda run: run.has_begun,
    "is_limited": lambda run: run.is_limited,
    "span": lambda run: run.span,
    "is_keyed": lambda run: run.is_keyed,
    "turn": lambda run: run.turn,
    "plan": lambda run: [run.plan(), run.plan(1, 3), run.plan(3, 0), run.plan(100, 1)],
    "overview": lambda run: list(map(run.overview, LIMITS)),
    "tally": lambda run: run.tally(),
    "complaints": lambda run: [run.complaints(status, limit) for status in Status for limit in (1, 2, 100)],
    "in_doubt": lambda run: list(map(run.in_doubt, LIMITS)),
    "messages_in_doubt": lambda run: in_any_order(run.messages_in_doubt()),
    "dearest_part": lambda run: run.dearest_part(),
    "spent": lambda run: [run.spent(0), run.spent(12_345)],
    "errors": lambda run: in_any_order(run.errors()),
    "recent_sends": lambda run: [in_any_order(run.recent_sends(since, 2_000.0)) for since in SINCE_S],
    "arrived": lambda run: [in_any_order(run.arrived(since)) for since in SINCE_S],
    "knows": lambda run: [run.knows([(row, since) for row in ROWS]) for since in SINCE_S],
    "has_sent": lambda run: (
        [run.has_sent(f"SMS{row}", ()) for row in ROWS] + [run.has_sent("", [str(who)]) for who in WHOM]
    ),
    "numbers": lambda run: in_any_order(run.numbers()),
    "contacts": lambda run: in_any_order(run.contacts()),
    "nameless": lambda run: run.nameless(),
    "reached": lambda run: in_any_order(run.reached()),
    "results": lambda run: told_alike(run.results()),
    "planned": lambda run: told_alike(run.planned()),
    "to_mend": lambda run: told_alike(run.to_mend()),
    "told": lambda run: told_alike(run.told(ROWS)) + told_alike(run.told([3, 1])),
    "rows_to": lambda run: [run.rows_to([who]) for who in WHOM] + [run.rows_to(WHOM), run.rows_to(())],
    "lines": lambda run: [run.lines().beside(row) for row in ROWS],
    "closed_at": lambda run: run.closed_at,
    "charges": lambda run: run.charges(),
    "observed_rates": lambda run: in_any_order(run.observed_rates()),
    "last_charged_at": lambda run: run.last_charged_at(),
}
FIGURES: dict[str, Callable[[Figures], object]] = {
    "stretches": lambda figures: figures.stretches(),
    "slices": lambda figures: [figures.slices(width) for width in (1, 30.0, 600)],
    "sizes": lambda figures: in_any_order(figures.sizes()),
    "crowding": lambda figures: [
        figures.crowding(prefix, most, limit) for prefix, most, limit in (("", 1, 9), ("63", 1, 1), ("63", 3, 9))
    ],
    "complained": lambda figures: [
        figures.complained(status, says, first, limit)
        for status in Status for says, first, limit in ((SAID[0], 1, 9), (SAID[2], 3, 1))
    ],
    "pending": lambda figures: [figures.pending(limit) for limit in (1, 100)],
    "not_sent": lambda figures: [by_status(figures.not_sent(limit, rows)) for limit, rows in ((1, 3), (9, 1))],
}  # fmt: skip
RECEIPTS: dict[str, Callable[[Receipts], object]] = {
    "were_fetched": lambda receipts: receipts.were_fetched,
    "all": lambda receipts: list(receipts.all()),
    "of": lambda receipts: [receipts.of(ROWS), receipts.of([2])],
    "deliveries": lambda receipts: [receipts.deliveries(reasons) for reasons in (0, 1, 9)],
    "verdicts": lambda receipts: in_any_order(receipts.verdicts()),
    "last_sent_at": lambda receipts: receipts.last_sent_at(),
}
TIMES: dict[str, Callable[[Times], object]] = {
    "schedule": lambda times: times.schedule,
    "waits_until": lambda times: times.waits_until,
}


def everything(run: Run) -> dict[str, object]:
    return (
        {name: read(run) for name, read in READS.items()}
        | {f"figures.{name}": read(run.figures) for name, read in FIGURES.items()}
        | {f"receipts.{name}": read(run.receipts) for name, read in RECEIPTS.items()}
        | {f"times.{name}": read(run.times) for name, read in TIMES.items()}
    )


def assert_alike(expected: dict[str, object], found: dict[str, object]) -> None:
    """With nothing in the complaint but what differs."""
    others = {name for name, each in expected.items() if each != found[name]}
    assert {name: found[name] for name in others} == {name: expected[name] for name in others}


@pytest.fixture(scope="session")
def runs_database(database_server: Server) -> Iterator[str]:
    """A database for all these runs, so that each has others beside it that are none of its business."""
    address = database_server.database()
    install(address)
    yield address
    database_server.drop(address)


def test_all_that_a_run_tells_is_compared() -> None:
    asked: dict[type, Collection[str]] = {Run: READS, Figures: FIGURES, Receipts: RECEIPTS, Times: TIMES}
    others = {"place", "close", "figures", "receipts", "times"}  # the parts are compared by themselves
    for protocol, reads in asked.items():
        assert {name for name in dir(protocol) if not name.startswith("_")} - others == set(reads)


@settings(max_examples=examples(60))
@given(seed=st.integers(0, 2**64))
def test_a_database_tells_of_a_run_what_its_run_file_does(
    seed: int, runs_database: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chance = Random(seed)
    path = tmp_path_factory.mktemp("made") / "june.run"
    made = Made(InFile(path), chance)
    named = DatabaseRun(runs_database, uuid.uuid4().hex)
    copied(path, named, is_owned=made.owned is Owned.SENDING, of_account=chance.random() < 0.5)
    with SqliteRun.open(path) as file, PostgresRun.open(named) as database:
        assert_alike(everything(file), everything(database))
        [stand] = [each for each in stands_in(runs_database) if each.place == str(named)]
        assert stand == stand_of(database)
    made.close()


def test_several_readers_of_many_rows_go_on_at_once(runs_database: str, tmp_path: Path) -> None:
    path = planned(tmp_path / "june.run", [pending(row) for row in (1, 2, 3)])
    named = copied(path, DatabaseRun(runs_database, "several"), is_owned=False)
    with PostgresRun.open(named) as run:
        pairs = list(zip(run.results(), run.planned(), strict=True))
        assert [(told[0], plan[0]) for told, plan in pairs] == [(1, 1), (2, 2), (3, 3)]


class InDatabase:
    """A run in a database."""

    def __init__(self, named: DatabaseRun) -> None:
        self.named = named

    def plan(self, rows: Rows, repeats: Repeats, facts: Facts, findings: Findings, lines: Lines | None) -> None:
        writer = PlanWriter(self.named)
        writer.add(rows)
        for recipient, messages in repeats.items():
            writer.add_repeats(recipient, messages, [row for row, _ in messages])
        writer.finish(facts, findings, lines, 1_000.0).close()

    def own(self, now: float) -> OwnRun:
        return OwnPostgresRun.own(self.named, now)

    def kill(self, run: OwnRun) -> None:
        raise NotImplementedError  # a database says itself when that was


ALIVE = (Owned.CLOSED, Owned.SENDING)


@settings(max_examples=examples(60))
@given(seed=st.integers(0, 2**64))
def test_what_is_done_to_a_run_in_a_database_makes_of_it_what_it_makes_of_a_run_file(
    seed: int, runs_database: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path, named = tmp_path_factory.mktemp("made") / "june.run", DatabaseRun(runs_database, uuid.uuid4().hex)
    made = [Made(store, Random(seed), ALIVE) for store in (InFile(path), InDatabase(named))]
    with SqliteRun.open(path) as file, PostgresRun.open(named) as database:
        assert_alike(everything(file), everything(database))
    for each in made:
        each.close()
