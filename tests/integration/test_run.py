"""A run file read, also while it is written."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planned import EVENT_OF
from runfiles import (
    ANA,
    ANSWER,
    BEN,
    bad,
    begin,
    crowd_of,
    journal_of,
    killed_after,
    notes_of,
    number,
    opened,
    outcome,
    own,
    pending,
    planned,
    settle,
)

from bulksend.campaign import SendOptions
from bulksend.campaign.limits import budget_of, errors_of, repeats_max
from bulksend.model import (
    Answer,
    ContactId,
    Encoding,
    Event,
    Message,
    MicroUSD,
    Outcome,
    Recipient,
    Status,
)
from bulksend.planning.overview import Crowd, Preview
from bulksend.runs.sqlite import kept
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.runs.states import State
from bulksend.sending import Caps, ErrorLimit, Pace
from bulksend.sending.budget import Room


async def test_a_run_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 400)
    seen: list[int] = []
    with journal_of(path) as (_, journal), SqliteRun.open(path) as kept_open:
        for row in range(1, 401, 20):
            rows = list(range(row, row + 20))
            await journal.begin(rows, 1_000.0)
            with SqliteRun.open(path) as run:
                assert run.tally().in_flight == 20
                assert run.owner is not None
                assert run.owner.pid == os.getpid()
            await journal.settle([outcome(each, Status.SENT) for each in rows], turn=0)
            seen.append(kept_open.tally().statuses[Status.SENT])
    assert seen == list(range(20, 401, 20))


async def test_a_long_reader_neither_blocks_the_writer_nor_sees_its_later_rows(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3_000)
    with journal_of(path) as (_, journal):
        with SqliteRun.open(path) as run:
            reading = run.results()
            assert next(reading)[1] == "pending"
            await asyncio.wait_for(journal.begin(list(range(1, 3_001)), 1_000.0), 5)
            assert Counter(record[1] for record in reading) == {"pending": 2_999}
        with SqliteRun.open(path) as run:
            assert Counter(record[1] for record in run.results()) == {State.IN_FLIGHT: 3_000}


def test_a_reader_of_a_killed_run_sees_what_the_next_owner_has_under_way(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3)
    killed_after("begin(notes_of(own(path)), [1], 1_000.0)", path)
    with SqliteRun.open(path) as reader:
        assert [record[1] for record in reader.results()] == ["unknown", "pending", "pending"]
        with opened(path, now=2_000.0) as notes:
            notes.begin([2], 2_000.0)
            assert [record[1] for record in reader.results()] == ["unknown", State.IN_FLIGHT, "pending"]
            assert reader.tally().in_flight == 1
            assert reader.has_begun


@pytest.mark.parametrize("end", ["run.close()", ""])
def test_what_an_owner_left_under_way_reads_in_doubt_as_soon_as_it_is_gone_in_order_or_not(
    tmp_path: Path, end: str
) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3)
    killed_after(
        f"""
        run = own(path)
        notes = notes_of(run)
        notes.leaves(notes.begin([1, 2], 1_000.0)[0])
        {end}
        """,
        path,
    )
    with SqliteRun.open(path) as run:
        assert [record[1] for record in run.results()] == ["unknown", "pending", "pending"]
        assert [each.row for each in run.in_doubt()] == [1]
        assert run.tally().attempts == 1


def test_a_report_changes_nothing(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 2)
    content = path.read_bytes()
    with SqliteRun.open(path) as run:
        run.tally(), run.overview(), run.complaints(Status.INVALID, 3), list(run.results()), run.plan(3)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            run._db.execute("DELETE FROM messages")
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["campaign.run"]


def test_what_is_to_send_and_what_is_in_doubt_is_found_by_an_index_among_all_that_is_done(tmp_path: Path) -> None:
    statements: list[str] = []
    with own(crowd_of(tmp_path / "campaign.run", 10)) as run:
        notes = notes_of(run)
        run._db.set_trace_callback(statements.append)
        run.in_doubt()
        notes.undecided(0.0, 0)
        kept.first_unfinished(run._db)
        run._db.set_trace_callback(None)
        plans = [
            " ".join(step[3] for step in run._db.execute(f"EXPLAIN QUERY PLAN {sql}"))
            for sql in statements
            if "FROM sends" in sql
        ]
    found = [next((index for index in ("in_doubt", "unfinished") if index in plan), plan) for plan in plans]
    assert found == ["in_doubt", "in_doubt", "unfinished"]


def test_indexes_that_were_described_in_other_words_are_made_anew_by_the_next_owner(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3)
    described = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    with closing(sqlite3.connect(path)) as db:
        before = db.execute(described).fetchall()
        db.executescript("DROP INDEX not_sent; CREATE INDEX not_sent ON sends (row) WHERE state IN ('failed');")
    with own(path) as run:
        assert run._db.execute(described).fetchall() == before


def test_previews_are_the_first_pending(tmp_path: Path) -> None:
    path = planned(tmp_path / "campaign.run", [bad(1), pending(2, ContactId(5)), pending(3), pending(4)])
    with SqliteRun.open(path) as run:
        assert run.plan(2).previews == (Preview(2, "contact 5", "ACME", "text 2"), Preview(3, ANA, "ACME", "text 3"))


RECIPIENTS: list[Recipient] = [ANA, BEN, number(1), ContactId(int(ANA)), ContactId(7)]
ENDS = [None, State.IN_FLIGHT, "called off", *(s for s in Status if s not in {Status.INVALID, Status.SKIPPED})]
PLANS = st.lists(
    st.tuples(
        st.sampled_from([Status.PENDING, Status.PENDING, Status.PENDING, Status.INVALID, Status.SKIPPED]),
        st.sampled_from(RECIPIENTS),
        st.integers(1, 7),
        st.sampled_from([None, 0, 20_000]),
        st.sampled_from(list(Encoding)),
        st.sampled_from(ENDS),
        st.integers(1, 3),  # attempts
        st.sampled_from(["", "x", "y"]),
        st.sampled_from([None, 0, 12_345]),  # charged
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=PLANS)
def test_the_report_says_what_counting_row_by_row_says(
    tmp_path_factory: pytest.TempPathFactory,
    plan: list[tuple[Status, Recipient, int, int | None, Encoding, str | None, int, str, int | None]],
) -> None:
    path = tmp_path_factory.mktemp("report") / "campaign.run"
    rows = [
        pending(row, recipient, parts, price)._replace(encoding=encoding)
        if status == Status.PENDING
        else bad(row, error, status)
        for row, (status, recipient, parts, price, encoding, _, _, error, _) in enumerate(plan, 1)
    ]
    planned(path, rows)
    final = {row.row: str(row.status) for row in rows}
    said = {row.row: row.error for row in rows}
    attempts = charged = 0
    with opened(path) as notes:
        for planned_row, (_, _, _, _, _, end, tries, error, cost) in zip(rows, plan, strict=True):
            row = planned_row.row
            if planned_row.status != Status.PENDING or end is None:
                continue
            for _ in range(tries - 1):
                begin(notes, [row], 1_000.0)
                settle(notes, outcome(row, Status.UNKNOWN, error="earlier"))
            begin(notes, [row], 1_000.0)
            attempts += tries
            if end == State.IN_FLIGHT:
                final[row] = State.IN_FLIGHT
                continue
            off = end == "called off"
            final[row] = Status.PENDING if off else end
            if tries > 1 and end != Status.SENT:
                final[row] = Status.UNKNOWN  # an earlier attempt may have been accepted
            attempts -= off
            said[row] = error
            answer = Answer("S", 1, 1, "", "", "", None, None if cost is None else MicroUSD(cost))
            charged += cost or 0
            settle(
                notes,
                Outcome(
                    row=row,
                    event=Event.CALLED_OFF if off else EVENT_OF[Status(end)],
                    final=True,
                    ended_at=1.0,
                    answer=answer,
                    error=error,
                ),
            )
        with SqliteRun.open(path) as run:
            tally, overview = run.tally(), run.overview()
            errors = {status: run.complaints(status, 100) for status in Status}
            records = list(run.results())
    counted = {str(status): count for status, count in tally.statuses.items() if count}
    assert counted | ({"in flight": tally.in_flight} if tally.in_flight else {}) == Counter(final.values())
    assert tally.rows == len(rows)
    assert tally.attempts == attempts
    assert tally.charged == charged
    to_send = [row for row in rows if final[row.row] in {"pending", "failed"}]
    assert overview.rows == len(to_send)
    assert overview.parts == sum(row.parts for row in to_send)
    assert overview.by_parts == Counter(row.parts for row in to_send)
    assert overview.by_encoding == Counter(row.encoding for row in to_send)
    assert overview.price == sum(row.price or 0 for row in to_send)
    assert overview.unpriced == sum(row.price is None for row in to_send)
    crowds = Counter((type(row.recipient), row.recipient) for row in to_send)
    assert {(type(crowd.recipient), crowd.recipient): crowd.rows for crowd in overview.crowds} == {
        who: count for who, count in crowds.items() if count > 1
    }
    assert all(isinstance(crowd, Crowd) for crowd in overview.crowds)
    assert [crowd.parts for crowd in overview.crowds] == sorted(
        (crowd.parts for crowd in overview.crowds), reverse=True
    )  # fmt: skip
    for status in (Status.INVALID, Status.REJECTED, Status.FAILED, Status.UNKNOWN):
        expected = Counter(said[row] for row in final if final[row] == status)
        assert {sentence: count for sentence, count, _ in errors[status]} == expected
    assert {record[0]: record[1] for record in records} == final
    assert [record[0] for record in records] == [row.row for row in rows]


# ---- What earlier commands leave of a limit ----

OPTIONS = SendOptions(Pace(), Caps())


def left_by_a_command(path: Path, *statuses: Status, turn: int = 0) -> Path:
    """A run with a row of each status, and one more that was not tried; each was planned to cost 20,000."""
    crowd_of(path, len(statuses) + 1)
    with opened(path) as notes:
        begin(notes, list(range(1, len(statuses) + 1)), 1_000.0, proof=turn)
        notes.settle([outcome(row, status) for row, status in enumerate(statuses, 1)], turn=turn)
    return path


@pytest.mark.parametrize(
    ("statuses", "before"),
    [
        ([Status.SENT], 40_000),  # as much as its answer told
        ([Status.UNKNOWN], 20_000),
        ([Status.REJECTED, Status.FAILED], 0),
        ([Status.SENT, Status.UNKNOWN, Status.UNKNOWN], 120_000),  # as dear as that answer told
    ],
)
def test_a_budget_counts_what_was_charged_and_what_may_have_been_accepted(
    tmp_path: Path, statuses: list[Status], before: int
) -> None:
    path = left_by_a_command(tmp_path / "c.run", *statuses)
    next_costs = 40_000 if Status.SENT in statuses else 20_000
    last = len(statuses) + 1
    message = Message(last, number(last), None, "", 1, MicroUSD(20_000))
    for limit, room in ((before + next_costs, Room.IS_THERE), (before + next_costs - 1, Room.FILLED)):
        with own(path) as run:
            budget = budget_of(run, replace(OPTIONS, max_cost=MicroUSD(limit)))
            assert budget is not None
            assert budget.room_for(message) is room


def test_what_was_under_way_at_a_kill_counts_against_the_budget(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "c.run", 2)
    killed_after("begin(notes_of(own(path)), [1], 1_000.0)", path)
    with own(path) as run:
        budget = budget_of(run, replace(OPTIONS, max_cost=MicroUSD(39_999)))
        assert budget is not None
        assert budget.room_for(Message(2, number(2), None, "", 1, MicroUSD(20_000))) is Room.FILLED


def test_what_could_not_be_sent_or_stays_in_doubt_is_an_error_over_all_commands(tmp_path: Path) -> None:
    path = left_by_a_command(tmp_path / "c.run", Status.SENT, Status.REJECTED, Status.FAILED, *[Status.UNKNOWN] * 3)
    limited = replace(OPTIONS, max_errors=ErrorLimit(9, is_percent=False))
    for decided, resend, expected in (([], False, (5, 6)), ([4], False, (5, 6)), ([5], True, (4, 5))):
        with own(path) as run:
            run.decide(decided, resend=resend)
            errors = errors_of(run, run.tally(), limited)
            assert errors is not None
            assert (errors.count, errors.done) == expected


@pytest.mark.parametrize(
    ("turn", "dedup", "limit", "expected"),
    [(1, True, None, 3), (1, True, 3, 2), (1, True, 1, 0), (1, False, None, 0), (0, True, None, 0), (2, True, None, 0)],
)
def test_only_what_a_proof_is_held_for_and_a_limit_leaves_may_be_repeated(
    tmp_path: Path, turn: int, dedup: bool, limit: int | None, expected: int
) -> None:
    path = left_by_a_command(tmp_path / "c.run", *[Status.UNKNOWN] * 3, turn=turn)
    with own(path) as run:
        assert repeats_max(run, run.tally(), 1, replace(OPTIONS, dedup=dedup, limit=limit)) == expected


@pytest.mark.parametrize(("doubts", "spent"), [(0, 0), (1, 20_000)])
def test_what_the_server_knew_from_elsewhere_was_not_spent_and_what_it_took_from_us_was(
    tmp_path: Path, doubts: int, spent: int
) -> None:
    path = crowd_of(tmp_path / "c.run", 2)
    duplicate = outcome(1, Status.SENT)._replace(http_status=409, answer=ANSWER._replace(charged=None))
    with opened(path) as notes:
        for end in [outcome(1, Status.UNKNOWN)] * doubts + [duplicate]:
            begin(notes, [1], 1_000.0)
            settle(notes, end)
    with own(path) as run:
        assert run.spent(99_000) == spent
