"""Which phones the last runs did not reach, whatever the order in which their receipts were fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from planned import write_plan
from runfiles import ANA, ANSWER, BEN, begin, facts, notes_of, own, pending, settle

from bulksend.model import Event, MicroUSD, Outcome, Reached, Receipt
from bulksend.runs import Address, History, history_of
from bulksend.runs.history import FileHistory

HISTORY: list[Callable[[Path], History]] = []  # what the test opens, of a folder

FAILED, REACHED, OPEN = Reached.FAILED, Reached.CONFIRMED, Reached.UNKNOWN


@pytest.fixture(params=["files", "database"], autouse=True)
def where(request: pytest.FixtureRequest) -> Iterator[None]:
    """History lies in a file, or in a database."""
    if request.param == "files":
        HISTORY.append(lambda folder: FileHistory(folder / "history.sqlite"))
    else:
        database = request.getfixturevalue("database")
        HISTORY.append(lambda _: history_of(database, Address(1, "https://x.test")))
    yield
    HISTORY.clear()


def told(folder: Path, number: int, *phones: Reached) -> None:
    """A run that sent to Ana at that time, and what receipts say of its messages goes into history."""
    path = folder / f"{number}.run"
    if not path.exists():
        rows = [pending(row) for row, _ in enumerate(phones, 1)]
        write_plan(path, rows, facts(f"{number}")).release()
        with own(path) as run:
            notes = notes_of(run)
            begin(notes, [*range(1, len(phones) + 1)], 1_000.0 * number)
            answers = [ANSWER._replace(message_id=f"S{row}") for row, _ in enumerate(phones, 1)]
            settle(notes, *(Outcome(row, Event.ACCEPTED, True, 9e9, 200, each) for row, each in enumerate(answers, 1)))
    with own(path) as run, HISTORY[0](folder) as history:
        run.receipts.awaited().note(
            [Receipt(f"S{row}", True, phone, "", MicroUSD(1)) for row, phone in enumerate(phones, 1)]
        )
        history.reach.take_in(run)


def is_dead(folder: Path) -> bool:
    with HISTORY[0](folder) as history:
        dead = history.reach.dead([BEN, ANA])
    assert dead <= {1}
    return bool(dead)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize(
    ("runs", "dead"),
    [
        ((FAILED, FAILED, REACHED), False),
        ((REACHED, FAILED, FAILED), True),
        ((FAILED, REACHED, FAILED), False),
        ((FAILED, OPEN, FAILED), True),  # what is not known is no answer
        ((OPEN, OPEN, FAILED), False),
    ],
)
def test_the_last_two_runs_count_that_tell_of_a_phone(
    tmp_path: Path, order: Sequence[int], runs: Sequence[Reached], dead: bool
) -> None:
    for place in order:
        told(tmp_path, place + 1, runs[place])
    assert is_dead(tmp_path) is dead


def test_a_run_reached_a_phone_if_any_of_its_messages_did(tmp_path: Path) -> None:
    told(tmp_path, 1, FAILED, REACHED)
    told(tmp_path, 2, FAILED, FAILED)
    assert not is_dead(tmp_path)
    told(tmp_path, 3, FAILED)
    assert is_dead(tmp_path)


def test_fetching_again_makes_no_second_run(tmp_path: Path) -> None:
    told(tmp_path, 1, FAILED)
    told(tmp_path, 1, FAILED)
    assert not is_dead(tmp_path)


def test_a_receipt_that_comes_later_counts(tmp_path: Path) -> None:
    told(tmp_path, 1, FAILED, OPEN)
    told(tmp_path, 2, FAILED)
    assert is_dead(tmp_path)
    told(tmp_path, 1, OPEN, REACHED)
    assert not is_dead(tmp_path)
