"""What a run has sent is carried over into another plan of its input, whatever became of that."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import orjson
import pytest
from conftest import examples
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from planned import Rows, write_plan
from runfiles import ANA, ANSWER, begin, facts, notes_of, number, outcome, own, pending

from bulksend.errors import RunFileError
from bulksend.model import ContactId, Message, MicroUSD, Reached, Receipt, Recipient, Status
from bulksend.planning import Findings, Lines, PlanSink
from bulksend.runs.opening import edits_since, new_plan, replan
from bulksend.runs.owned import OwnRun
from bulksend.runs.sqlite.owned import OwnSqliteRun
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.sending import Keys

Row = tuple[Recipient, str]  # to whom, and the text
COLUMNS = ("to", "message")


class Sent(NamedTuple):
    """What is known of a message that may have been sent."""

    recipient: Recipient
    text: str
    state: str
    key: str
    ended_at: float
    answer: str | None


def rows_of(rows: Sequence[Row]) -> Rows:
    return Rows(
        pending(row, who)._replace(text=text, cells=f'["{who}","{text}"]'.encode())
        for row, (who, text) in enumerate(rows, 1)
    )


def add(writer: PlanSink, rows: Sequence[Row]) -> None:
    writer.add(rows_of(rows))
    for who, count in Counter((type(who), who) for who, _ in rows).items():
        if count > 1:
            theirs = [(row, 1) for row, (other, _) in enumerate(rows, 1) if (type(other), other) == who]
            writer.add_repeats(who[1], theirs, [row for row, _ in theirs])


def begun(path: Path, rows: Sequence[Row], fates: Sequence[Status]) -> OwnSqliteRun:
    """A run of which the first rows were tried, with these ends."""
    write_plan(path, rows_of(rows), facts()).release()
    run = own(path)
    notes = notes_of(run, limit=len(fates) or None)
    for row, fate in enumerate(fates, 1):
        begin(notes, [row], 1_000.0 + row)
        error = "" if fate is Status.SENT else "so it was"
        notes.settle([outcome(row, fate, ended_at=1_001.0 + row, error=error)], turn=0)
    return run


def put(run: OwnRun, path: Path, rows: Sequence[Row], columns: Sequence[str] = COLUMNS) -> OwnRun:
    writer, lines = new_plan(path), Lines()
    lines.add(1, range(2, len(rows) + 2), is_book=False)
    made_of = replace(facts(), plan_id="the next", columns=tuple(columns))
    try:
        add(writer, rows)
        return replan(run, writer, made_of, Findings(), lines, 2_000.0)
    except BaseException:
        writer.discard()
        run.close()
        raise


def sent_of(path: Path) -> Counter[Sent]:
    """Whatever may have been sent, and under which key."""
    keys = Keys("c", is_shared=False)
    with closing(sqlite3.connect(path)) as db:
        found = db.execute(
            """SELECT m.recipient, m.sender, m.text, m.parts, m.price, coalesce(c.copy, 0), s.state, s.ended_at,
            s.answer FROM sends s JOIN messages m USING (row) LEFT JOIN copies c USING (row)
            WHERE s.state IN ('sent', 'unknown')"""
        ).fetchall()
    return Counter(
        Sent(who, text, state, keys.of(Message(0, who, sender, text, parts, price, copy)), ended, answer)
        for who, sender, text, parts, price, copy, state, ended, answer in found
    )


def to_send(path: Path) -> list[tuple[Recipient, str, str]]:
    keys = Keys("c", is_shared=False)
    with closing(sqlite3.connect(path)) as db:
        found = db.execute(
            """SELECT m.recipient, m.sender, m.text, m.parts, m.price, coalesce(c.copy, 0)
            FROM messages m LEFT JOIN sends s USING (row) LEFT JOIN copies c USING (row)
            WHERE m.status = 'pending' AND (s.row IS NULL OR s.state = 'failed')"""
        ).fetchall()
    return [(m[0], m[2], keys.of(Message(0, *m))) for m in found]


ROWS = st.lists(
    st.tuples(st.sampled_from([number(1), number(2), number(3), ContactId(7)]), st.sampled_from("abc")), max_size=6
)
FATES = st.lists(st.sampled_from([Status.SENT, Status.UNKNOWN, Status.REJECTED, Status.FAILED]), max_size=3)


@given(before=ROWS.filter(bool), after=ROWS.filter(bool), last=ROWS.filter(bool), fates=FATES)
@example(  # what failed was certainly not sent, and is still to be
    before=[(number(1), "a"), (number(1), "a"), (number(1), "b")],
    after=[(number(1), "b")],
    last=[(number(1), "a")],
    fates=[Status.SENT, Status.SENT, Status.FAILED],
)
@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_may_have_been_sent_stays_and_nobody_is_planned_again_who_got_it(
    tmp_path: Path, before: list[Row], after: list[Row], last: list[Row], fates: list[Status]
) -> None:
    path = tmp_path / f"{uuid4()}.run"
    run: OwnRun = begun(path, before, fates[: len(before)])
    was, unsent = sent_of(path), Counter((who, text) for who, text, _ in to_send(path))
    for rows in (after, last):
        run = put(run, path, rows)
        assert sent_of(path) == was
        left = to_send(path)
        event(f"{was.total()} sent, {len(left)} left")
        reached = Counter(each.recipient for each in was.elements())
        refused = Counter(who for (who, _), fate in zip(before, fates, strict=False) if fate is Status.REJECTED)
        wanted = Counter(who for who, _ in rows)
        planned = Counter(who for who, _, _ in left)
        still = Counter(who for who, _ in (Counter(rows) & unsent).elements())  # nobody touched them
        unsent = Counter((who, text) for who, text, _ in left)
        assert all(planned[who] <= max(still[who], wanted[who] - reached[who]) for who in planned)
        assert all(planned[who] >= wanted[who] - reached[who] - refused[who] for who in wanted)
        keys = [key for *_, key in left] + [each.key for each in was.elements()]
        assert len(keys) == len(set(keys))
        tally = run.tally()
        assert tally.statuses[Status.PENDING] == len(left)
        assert tally.rows == sum(1 for _ in run.results())
        assert _repeats(path) == _several(path)
    run.close()


def _repeats(path: Path) -> list[tuple[Recipient, int]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT recipient, row FROM repeats ORDER BY 1, 2").fetchall()


def _several(path: Path) -> list[tuple[Recipient, int]]:
    """The rows of those who get more than one message."""
    of_same = "SELECT count(*) FROM messages o WHERE o.recipient = m.recipient"
    with closing(sqlite3.connect(path)) as db:
        return db.execute(f"SELECT recipient, row FROM messages m WHERE ({of_same}) > 1 ORDER BY 1, 2").fetchall()


def test_rows_keep_their_place_and_who_is_gone_gets_one_behind_them(tmp_path: Path) -> None:
    path, (a, b, c, d) = tmp_path / "june.run", map(number, range(1, 5))
    run = begun(path, [(a, "Hi"), (b, "Hi"), (c, "Hi")], [Status.SENT, Status.UNKNOWN])
    with put(run, path, [(d, "Hi"), (b, "Hello"), (c, "Hello")], ("message", "Name", "to")) as replanned:
        found = [(row, state, who, error, cells) for row, state, who, _, error, *_, cells in replanned.results()]
        assert [each[:3] for each in found] == [
            (1, "pending", d), (2, "unknown", b), (3, "pending", c), (4, "sent", a)
        ]  # fmt: skip
        assert found[1][3] == "so it was"
        assert found[3][3] == "sent before the input was changed: it has no such row any more"
        assert orjson.loads(found[3][4]) == ["Hi", None, a]
        assert replanned.plan().previews[0].text == "Hi"
        assert [replanned.lines().of(row) for row in (1, 3, 4)] == [2, 4, None]
    with put(own(path), path, [(a, "Hello"), (b, "Hi")]) as replanned:
        found = [(row, state, who, error, cells) for row, state, who, _, error, *_, cells in replanned.results()]
        assert [each[:3] for each in found] == [(1, "sent", a), (2, "unknown", b)]
        assert found[0][3] == "sent before its row was changed, with the text of then"
    with put(own(path), path, [(a, "Hi"), (b, "Hi")]) as replanned:
        assert [error for _, _, _, _, error, *_ in replanned.results()] == ["", "so it was"]


def test_what_was_refused_stays_refused_unless_it_was_corrected(tmp_path: Path) -> None:
    path, (a, b, c) = tmp_path / "june.run", map(number, range(1, 4))
    run = begun(path, [(a, "Hi"), (b, "Hi"), (c, "Hi")], [Status.REJECTED, Status.REJECTED])
    with put(run, path, [(b, "Hello"), (a, "Hi"), (c, "Hi")]) as replanned:
        states = [(who, state) for _, state, who, *_ in replanned.results()]
        assert states == [(b, "pending"), (a, "rejected"), (c, "pending")]


def test_a_row_that_was_taken_for_what_was_sent_is_so_the_next_time(tmp_path: Path) -> None:
    path, a = tmp_path / "june.run", number(1)
    put(begun(path, [(a, "Hi")], [Status.SENT]), path, [(a, "One"), (a, "One")]).close()
    with put(own(path), path, [(a, "One")]) as replanned:
        assert [(row, state) for row, state, *_ in replanned.results()] == [(1, "sent")]
    run = put(own(path), path, [(a, "One"), (a, "Two")])
    with put(run, path, [(a, "One"), (a, "Three")]) as replanned:
        assert [(row, state) for row, state, *_ in replanned.results()] == [(1, "sent"), (2, "pending")]
    with put(own(path), path, [(a, "Three"), (a, "One")]) as replanned:
        assert [(row, state) for row, state, *_ in replanned.results()] == [(1, "pending"), (2, "sent")]


def test_a_contact_whose_number_is_known_is_the_same_phone(tmp_path: Path) -> None:
    path = tmp_path / "june.run"
    run = begun(path, [(ContactId(7), "Hi"), (number(2), "Hi")], [Status.SENT])
    run.learn([(ContactId(7), ANA)])
    with put(run, path, [(number(2), "Hello"), (ANA, "Hello")]) as replanned:
        assert [(who, state) for _, state, who, *_ in replanned.results()] == [(number(2), "pending"), (7, "sent")]


def test_what_was_sent_keeps_what_it_cost_and_when_it_went(tmp_path: Path) -> None:
    path = tmp_path / "june.run"
    run = begun(path, [(number(1), "Hi"), (number(2), "Hi")], [Status.SENT])
    before = run.tally(), list(run.recent_sends(0.0, 1_100.0)), run.charges()
    with put(run, path, [(number(2), "Hi"), (number(1), "Hello")]) as replanned:
        assert (replanned.tally(), list(replanned.recent_sends(0.0, 1_100.0)), replanned.charges()) == before
        assert replanned.tally().charged == ANSWER.charged
        assert replanned.is_limited
        assert replanned.has_begun


def test_the_input_is_compared_as_it_is_and_not_as_it_was_sent(tmp_path: Path) -> None:
    path, (a, b, c) = tmp_path / "june.run", map(number, range(1, 4))
    now = [(c, "Hi"), (b, "Hello")]
    put(begun(path, [(a, "Hi"), (b, "Hi")], [Status.SENT, Status.SENT]), path, now).close()
    writer = new_plan(tmp_path / "june-2.run")
    add(writer, now)
    assert edits_since(writer, path).is_none
    writer.discard()


def test_a_run_that_somebody_reads_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "june.run"
    run = begun(path, [(number(1), "Hi"), (number(2), "Hi")], [Status.SENT])
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sends").fetchone()
        with pytest.raises(RunFileError, match="another process is reading this run"):
            put(run, path, [(number(1), "Hello")])
    with own(path) as still:
        assert [state for _, state, *_ in still.results()] == ["sent", "pending"]


def receipts_of(path: Path) -> list[tuple[int, Receipt]]:
    with SqliteRun.open(path) as run:
        return list(run.receipts.all())


def test_receipts_go_with_the_messages_that_they_are_of(tmp_path: Path) -> None:
    path, (a, b, c) = tmp_path / "june.run", map(number, range(1, 4))
    run = begun(path, [(a, "Hi"), (b, "Hi"), (c, "Hi")], [Status.SENT, Status.SENT])
    told = Receipt(ANSWER.message_id, to_telco=True, to_phone=Reached.FAILED, error="off", charged=MicroUSD(7))
    assert run.receipts.awaited().note([told]) == 2  # the test's server gives all the same id
    with put(run, path, [(b, "Hello"), (c, "Hi"), (c, "Two")]):
        assert receipts_of(path) == [(1, told), (4, told)]
    with put(own(path), path, [(c, "Hi"), (a, "Hi"), (b, "Hi")]) as replanned:
        assert receipts_of(path) == [(2, told), (3, told)]
        assert replanned.receipts.awaited().left == 0


def test_where_no_receipts_were_fetched_there_are_none_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "june.run"
    with put(begun(path, [(number(1), "Hi")], [Status.SENT]), path, [(number(1), "Hello")]) as replanned:
        assert not replanned.receipts.were_fetched


def test_where_its_results_were_written_is_still_known_for_a_purge(tmp_path: Path) -> None:
    path = tmp_path / "june.run"
    run = begun(path, [(number(1), "Hi")], [Status.SENT])
    run.results_file.note_place("/there/june.csv")
    with put(run, path, [(number(1), "Hello")]) as replanned:
        assert replanned.results_at() == ["/there/june.csv"]
