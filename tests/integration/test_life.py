"""A row's life in SQLite: for every state, doubt, decision and event, what the one table says is what happens."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from runfiles import ANSWER, CUT_OFF, crowd_of, killed_after, notes_of, own

from bulksend.errors import RunFileError
from bulksend.model import Event, Outcome, Status
from bulksend.runs import life as sql
from bulksend.runs.sqlite.notes import Notes
from bulksend.runs.sqlite.owned import OwnSqliteRun
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.runs.states import Decision, Life, State

LIVES = [
    Life(state, in_doubt, decision) for state, in_doubt, decision in product(State, (False, True), (None, *Decision))
]
STARTED_AT, DOUBT_SINCE = 500.0, 400.0
ENDS = (
    Event.ACCEPTED, Event.KNOWN, Event.REJECTED, Event.FAILED, Event.PUT_OFF, Event.CALLED_OFF, Event.DOUBTED,
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A run with a row for each life, of two attempts."""
    path = crowd_of(tmp_path / "campaign.run", len(LIVES))
    with own(path):
        pass
    with closing(sqlite3.connect(path)) as db, db:
        for row, life in numbered():
            doubt = DOUBT_SINCE if life.in_doubt else None
            db.execute(
                """INSERT INTO sends (row, state, attempts, started_at, ended_at, doubt_since, decision, ticket, error)
                   VALUES (?, ?, 2, ?, NULL, ?, ?, ?, 'said')""",
                [row, life.state, STARTED_AT, doubt, life.decision, row],
            )
    return path


def numbered() -> Iterator[tuple[int, Life]]:
    return enumerate(LIVES, 1)


def sends(db: sqlite3.Connection) -> dict[int, tuple[object, ...]]:
    return {row: rest for row, *rest in db.execute("SELECT * FROM sends")}


def lives(db: sqlite3.Connection) -> dict[int, Life]:
    sql = "SELECT row, state, doubt_since IS NOT NULL, decision FROM sends"
    return {
        row: Life(State(state), bool(in_doubt), Decision(decision) if decision else None)
        for row, state, in_doubt, decision in db.execute(sql)
    }


def doubts(db: sqlite3.Connection) -> dict[int, float]:
    return dict(db.execute("SELECT row, doubt_since FROM sends WHERE doubt_since IS NOT NULL"))


def happen(run: OwnSqliteRun, notes: Notes, event: Event, rows: Sequence[int]) -> None:
    if event in ENDS:
        answer = ANSWER if event is Event.ACCEPTED else None
        notes.settle([Outcome(row, event, True, 1_001.0, answer=answer) for row in rows], turn=0)
    elif event is Event.FOUND:
        notes.found(dict.fromkeys(rows, ANSWER), 1_001.0)
    elif event in {Event.RESENT, Event.LEFT}:
        run.decide(rows, resend=event is Event.RESENT)
    elif event in {Event.LEFT_OUT, Event.TAKEN_OVER, Event.EXCLUDED}:
        run.leave_out([(row, "sent before") for row in rows], event, 1_001.0)
    elif event is Event.TAKEN_UP:
        run.take_up()
    elif event is Event.CLOSED:
        run.close_rows("closed", 1_001.0)
    else:
        assert event is Event.BEGUN
        for row in rows:
            begin_or_be_refused(run, notes, row)


def begin_or_be_refused(run: OwnSqliteRun, notes: Notes, row: int) -> None:
    before = sends(run._db)
    run._db.execute("BEGIN IMMEDIATE")
    try:
        notes.begin([row], 1_000.0)
        run._db.execute("COMMIT")
    except RunFileError:
        run._db.execute("ROLLBACK")
        assert sends(run._db) == before


def after(life: Life, event: Event) -> Life:
    """What follows, also where nothing does."""
    try:
        return life.after(event)
    except ValueError:
        return life


def since(life: Life, event: Event, started_at: float = STARTED_AT) -> float | None:
    if life.in_doubt:
        return DOUBT_SINCE
    return started_at if after(life, event).in_doubt else None


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.CUT_OFF])
def test_what_an_event_makes_of_every_life_and_that_it_leaves_alone_what_it_cannot_happen_to(
    path: Path, event: Event
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db, held(path) as run:
        notes = notes_of(run)
        before = sends(db)
        happen(run, notes, event, [row for row, _ in numbered()])
        assert lives(db) == {row: after(life, event) for row, life in numbered()}
        expected = {row: since(life, event) for row, life in numbered()}
        assert doubts(db) == {row: at for row, at in expected.items() if at is not None}
        untouched = {row for row, life in numbered() if not is_possible(life, event)}
        assert untouched
        assert {row: sends(db)[row] for row in untouched} == {row: before[row] for row in untouched}


def is_possible(life: Life, event: Event) -> bool:
    try:
        life.after(event)
    except ValueError:
        return False
    return True


def held(path: Path) -> OwnSqliteRun:
    """The run as its owner has it; what it takes over stands as it was."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        kept = db.execute("SELECT * FROM sends").fetchall()
        run = own(path)
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM sends")
        db.executemany(f"INSERT INTO sends VALUES ({', '.join('?' * len(kept[0]))})", kept)
        db.execute("COMMIT")
    return run


@pytest.mark.parametrize("some", [(*ENDS[:-1], *[Event.EXCLUDED] * 2), (*[Event.EXCLUDED] * 2, *ENDS[1:])])
def test_the_events_of_one_group_each_happen_to_their_own_row(path: Path, some: Sequence[Event]) -> None:
    rows = [row for row, life in numbered() if life.state is State.IN_FLIGHT]
    events = dict(zip(rows, some, strict=True))
    with held(path) as run:
        outcomes = [Outcome(row, event, True, 1_001.0) for row, event in events.items()]
        notes_of(run).settle(outcomes, turn=0)
        assert lives(run._db) == {row: life.after(events[row]) if row in events else life for row, life in numbered()}


@pytest.mark.parametrize("left_to", [None, 0, 10, len(LIVES)])
def test_a_take_over_calls_off_what_never_left_cuts_off_the_rest_and_readers_see_it_before(
    path: Path, left_to: int | None
) -> None:
    def expected(row: int, life: Life) -> Life:
        if life.state is not State.IN_FLIGHT:
            return life
        return life.after(Event.CALLED_OFF if left_to is not None and row > left_to else Event.CUT_OFF)

    killed_after(
        f"""
        import sqlite3
        kept = sqlite3.connect(path).execute("SELECT * FROM sends").fetchall()
        run = own(path)
        run._db.execute("DELETE FROM sends")
        run._db.executemany(f"INSERT INTO sends VALUES ({{', '.join('?' * len(kept[0]))}})", kept)
        run._departures.issue(len(kept))
        run._departures.reach({left_to or 0})
        {"run._departures.close(remove=True)" if left_to is None else ""}
        """,
        path,
    )
    with SqliteRun.open(path) as reader:
        seen, told = lives(reader._db), all_told(reader)
    with own(path, 2_000.0) as run:
        assert lives(run._db) == {row: expected(row, life) for row, life in numbered()}
        assert all_told(run) == told
        attempts = dict(run._db.execute("SELECT row, attempts FROM sends"))
        errors = dict(run._db.execute("SELECT row, error FROM sends"))
    assert seen == {row: expected(row, life) for row, life in numbered()}
    for row, life in numbered():
        is_cut_off = life.state is State.IN_FLIGHT
        never_left = is_cut_off and left_to is not None and row > left_to
        assert attempts[row] == (1 if never_left else 2)
        assert errors[row] == (CUT_OFF if is_cut_off and not never_left else "said")


def all_told(run: SqliteRun) -> list[object]:
    return [
        list(run.results()),
        run.tally(),
        run.in_doubt(),
        run.overview(),
        run.has_begun,
        [run.complaints(status, 100) for status in Status],
        list(run.recent_sends(0.0, 2_000.0)),
        list(run.messages_in_doubt()),
    ]


def test_what_is_said_of_a_row_in_sql_is_what_its_life_says(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        conditions: list[tuple[str, Callable[[Life], bool]]] = [
            (sql.is_to_send(), lambda life: life.is_to_send),
            (sql.is_unsettled(), lambda life: life.is_unsettled),
            (
                sql.may_have_arrived(),
                lambda life: life.in_doubt or life.state in {State.SENT, State.UNKNOWN, State.IN_FLIGHT},
            ),
            *((sql.can_be(event), partial(is_possible, event=event)) for event in Event),
        ]
        for condition, holds in conditions:
            found = {row for (row,) in db.execute(f"SELECT row FROM sends WHERE {condition}")}
            assert found == {row for row, life in numbered() if holds(life)}, condition
