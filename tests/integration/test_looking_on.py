"""Whoever looks on from elsewhere reads where a send stands, cheaply, and is in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from runfiles import begin, crowd_of, journal_of, killed_after, notes_of, outcome, own, settle

from bulksend import campaign
from bulksend.campaign import Look, Progressed, Started, View, onlooking
from bulksend.campaign.counting import Counting
from bulksend.cli import onlooking as face
from bulksend.model import Status
from bulksend.runs import CUT_OFF, FINISHED, AtWork, End, Owner, Shared, Spell, open_run
from bulksend.sending import Progress, Stop, StopReason

NOW_S = 1_900_000_000.0


def view(sent: int, at_s: float = NOW_S, stop: Stop | None = None) -> View:
    now = Progress({Status.SENT: sent}, 20_000 * sent, 0, "", 0, 0, float("inf"), 5)
    return View(at_s, Started(10, 200_000), Progressed(now, float(sent), 2.0, 1.5, 4.0), stop)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return crowd_of(tmp_path / "campaign.run", 10)


def looks(path: Path) -> Iterator[Look]:
    left = iter(range(20))

    def pause(_: float) -> None:
        assert next(left, None) is not None, "it goes on looking"

    return campaign.looks(path, pause)


async def test_a_look_shows_what_was_noted_last_until_the_send_has_ended(path: Path) -> None:
    looking = looks(path)
    assert next(looking) == Look(None, Spell())
    with journal_of(path) as (_, journal):
        silent = next(looking)
        assert silent.owner
        assert silent.view is None
        for sent in (3, 7):
            await journal.note_progress(view(sent).words())
            seen = next(looking).view
            assert seen
            assert seen.seen.now.sent == sent
        await journal.note_progress("of another version")
        assert next(looking).view is None
        await journal.note_progress(view(9).words())
    own_again = own(path)
    assert next(looking).view is None  # that was told by whoever had it before
    own_again.close()
    with pytest.raises(StopIteration):
        next(looking)


def test_what_was_noted_goes_with_the_end_of_the_send_and_at_a_purge(path: Path) -> None:
    with own(path) as run:
        notes_of(run).note_progress(view(3).words())
        assert run.progress
        run.note_end(End(FINISHED, at_s=NOW_S))
        assert run.progress is None
        notes_of(run).note_progress("the number 639170000001")
        run.forget(NOW_S)
        assert run.progress is None
    assert b"639170000001" not in path.read_bytes()


def test_a_killed_sender_is_not_looked_at_any_longer(path: Path) -> None:
    looking = looks(path)
    assert next(looking).owner is None
    killed_after(
        """
        from bulksend.runs.sqlite import kept

        with opened(path) as notes:
            kept.note_start(notes.db, 1_001)
            notes.note_progress("where it stood")
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        path,
    )
    with pytest.raises(StopIteration):  # it has sent, and has ended
        next(looking)
    with open_run(path) as run:
        assert run.spell.end == End(CUT_OFF)
    assert next(looks(path)).owner is None  # whoever comes later waits for the next


def test_nothing_is_waited_for_where_nothing_is_left_to_send(path: Path) -> None:
    with own(path) as run:
        notes = notes_of(run)
        begin(notes, list(range(1, 11)), 1_001.0)
        settle(notes, *(outcome(row, Status.SENT) for row in range(1, 11)))
    assert list(looks(path)) == []
    with own(path):  # as for its receipts
        looking = looks(path)
        assert next(looking).owner
    with pytest.raises(StopIteration):
        next(looking)


def test_a_look_reads_nothing_of_the_rows_and_leaves_no_trace(path: Path) -> None:
    with own(path) as run:
        run.note_start(NOW_S)
        notes_of(run).note_progress(view(3).words())
        with open_run(path) as looked:
            asked: list[str] = []
            looked._db.set_trace_callback(asked.append)  # type: ignore[attr-defined]
            assert onlooking._look(looked, Counting()).view
            assert asked
            assert not [sql for sql in asked if "sends" in sql or "messages" in sql]
        looking = looks(path)
        next(looking)
        next(looking)
    assert [each.name for each in path.parent.iterdir()] == [path.name]  # its owner ends as if nobody looked
    before = path.read_bytes()
    list(looking)
    assert path.read_bytes() == before


# ---- what is shown ----


def shown(*seen: Look) -> list[str]:
    said = StringIO()
    onlooker = face._Onlooker(Path("campaign.run"), Console(file=said, width=160, highlight=False))
    for look in seen:
        onlooker.see(look)
    return said.getvalue().splitlines()


def test_without_a_terminal_a_line_comes_every_ten_seconds_and_when_somebody_else_has_it() -> None:
    owner = Owner(7, "web1", NOW_S)
    before = Spell(NOW_S - 86_400, End(StopReason.OUT_OF_FUNDS, "the account is out of funds", NOW_S - 3_600))
    sending = [Look(owner, before, view(sent)) for sent in range(10)]
    told = shown(Look(None, before), Look(None, before), *sending, Look(owner, before, view(10)))
    nobody, busy, first, later = told
    assert nobody.startswith("campaign.run: nobody is sending it. Waiting for whoever does. The run was first sent on ")
    assert nobody.endswith(": the account is out of funds.")
    assert busy.startswith("campaign.run: process 7 on web1 is sending it. It began on ")
    assert first == "0 of 10 done: 0 sent, 5 in flight, 2/s now, 2/s on average"
    assert later == "10 of 10 done: 10 sent, 5 in flight, 2/s now, 2/s on average, 4.0 s left, $0.20 of $0.20 estimated"


def test_a_sender_that_is_stopping_and_one_that_stands_still_are_told() -> None:
    stopping = view(3, stop=Stop(StopReason.INTERRUPTED, "interrupted"))
    told = shown(Look(Owner(7, "web1", NOW_S), Spell(), stopping, silent_s=12.0))
    assert told[-2:] == ["Stopping: interrupted.", "It has told nothing for 12.0 s."]


def test_the_workers_of_a_run_are_told_in_number_for_a_log() -> None:
    worker = AtWork(Owner(7, "web1", NOW_S), True, 27.0, 22)
    idle = worker._replace(is_here=False)
    nobody = Look(None, Spell(), shared=Shared((idle,), 42, 64))
    busy = [Look(None, Spell(), view(sent), shared=Shared((worker, worker, idle), 20, 64)) for sent in (0, 3)]
    first, second, line = shown(nobody, *busy)
    assert first == "campaign.run: it is left to workers, and none is at work on it; 1 other worker of the account."
    assert second == "campaign.run: 2 workers are at work on it."
    assert line == "0 of 10 done: 0 sent, 5 in flight, 2/s now, 2/s on average"
