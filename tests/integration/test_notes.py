"""What a run that is being sent notes, by plain calls: intents, outcomes, and what is to be sent next."""

from __future__ import annotations

from pathlib import Path

import pytest
from runfiles import ANA, ANSWER, BEN, bad, begin, crowd_of, number, opened, outcome, pending, planned, settle, states

from bulksend.errors import RunFileError
from bulksend.model import (
    ContactId,
    Event,
    Outcome,
    Queued,
    Recipient,
    Status,
)
from bulksend.runs.sqlite.run import SqliteRun


@pytest.mark.parametrize("status", [Status.SENT, Status.REJECTED])
def test_a_row_that_is_done_with_cannot_begin_again(tmp_path: Path, status: Status) -> None:
    with opened(crowd_of(tmp_path / "campaign.run", 2)) as notes:
        begin(notes, [1], 1_000.0)
        settle(notes, outcome(1, status))
        with pytest.raises(RunFileError, match="1 rows were to be sent that are sent or on their way"):
            begin(notes, [1], 1_002.0)


def test_a_row_in_flight_cannot_begin_again_not_even_twice_at_once(tmp_path: Path) -> None:
    with opened(crowd_of(tmp_path / "campaign.run", 2)) as notes:
        begin(notes, [1], 1_000.0)
        with pytest.raises(RunFileError):
            begin(notes, [1], 1_001.0)
        with pytest.raises(RunFileError):
            begin(notes, [2, 2], 1_001.0)


@pytest.mark.parametrize("status", [Status.PENDING, Status.FAILED, Status.UNKNOWN])
def test_a_row_that_was_not_accepted_for_sure_can_begin_again_and_its_attempts_count(
    tmp_path: Path, status: Status
) -> None:
    with opened(crowd_of(tmp_path / "campaign.run", 1)) as notes:
        for attempt_number in (1, 2, 3):
            (attempt,) = begin(notes, [1], 1_000.0)
            assert attempt.number == attempt_number
            assert attempt.message.text == "text 1"
            settle(notes, outcome(1, status))
    assert states(tmp_path / "campaign.run") == {1: (status, 3)}


def test_a_begun_row_is_its_message_as_planned(tmp_path: Path) -> None:
    path = planned(tmp_path / "campaign.run", [pending(1, ContactId(5), parts=3, price=None), bad(2), pending(3)])
    with opened(path) as notes:
        first, second = (attempt.message for attempt in begin(notes, [1, 3], 1_000.0))
    assert (first.row, first.recipient, first.sender, first.text, first.parts, first.price) == (
        1, 5, "ACME", "text 1", 3, None,
    )  # fmt: skip
    assert isinstance(first.recipient, int)
    assert (second.row, second.recipient, second.price) == (3, ANA, 20_000)


def test_a_claimed_row_begins_as_one_that_was_not_claimed(tmp_path: Path) -> None:
    rows = [pending(1, ContactId(5), parts=3, price=None), pending(2), pending(3), pending(4)]
    told = []
    for name, is_claimed in (("claimed.run", True), ("read.run", False)):
        with opened(planned(tmp_path / name, rows)) as notes:
            if is_claimed:
                assert [item.row for item in notes.claim(0, 10)] == [1, 2, 3, 4]
            told.append(begin(notes, [1, 2], 1_000.0, proof=3))
            settle(notes, outcome(1, Status.SENT), outcome(2, Status.FAILED))
            if is_claimed:
                assert [item.row for item in notes.claim(0, 10)] == [2, 3, 4]
            told[-1] += begin(notes, [3, 2, 4], 1_001.0)
    assert told[0] == told[1]
    assert [(attempt.message.row, attempt.number, attempt.ticket) for attempt in told[0]] == [
        (1, 1, 1), (2, 1, 2), (3, 1, 3), (2, 2, 4), (4, 1, 5),
    ]  # fmt: skip


@pytest.mark.parametrize("many", [1, 5, 33, 256, 300, 600])
def test_outcomes_are_noted_whatever_their_number(tmp_path: Path, many: int) -> None:
    path = crowd_of(tmp_path / "campaign.run", many + 1)
    with opened(path) as notes:
        begin(notes, [*range(1, many + 2)], 1_000.0)
        settle(notes, *(outcome(row, Status.SENT) for row in range(1, many + 1)))
    assert states(path) == dict.fromkeys(range(1, many + 1), ("sent", 1)) | {many + 1: ("in flight", 1)}


def test_an_outcome_of_a_row_that_is_not_in_flight_changes_nothing(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 3)
    with opened(path) as notes:
        begin(notes, [1, 2], 1_000.0)
        settle(notes, outcome(1, Status.SENT), outcome(2, Status.UNKNOWN, error="lost"))
        settle(notes, outcome(1, Status.FAILED), outcome(2, Status.SENT), outcome(3, Status.SENT))
    assert states(path) == {1: ("sent", 1), 2: ("unknown", 1)}


def test_an_attempt_that_was_called_off_does_not_count(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "campaign.run", 1)
    with opened(path) as notes:
        begin(notes, [1], 1_000.0)
        settle(notes, outcome(1, Status.PENDING, tried=False))
        with SqliteRun.open(path) as run:
            assert run.tally().attempts == 0
            assert run.tally().statuses[Status.PENDING] == 1
        assert notes.recent_sends(0.0, 5_000.0) == []
        (attempt,) = begin(notes, [1], 1_002.0)
        assert attempt.number == 1


# ---- claim, crowded, unresolved, recent ----


def test_claims_go_on_behind_a_row_in_input_order_and_pass_over_what_is_not_to_be_sent(tmp_path: Path) -> None:
    rows = [pending(row, number(row), parts=row % 3 + 1) for row in range(1, 11)]
    rows[3], rows[4] = bad(4), bad(5, "opted out", Status.SKIPPED)
    with opened(planned(tmp_path / "campaign.run", rows)) as notes:
        begin(notes, [1, 2, 6, 7, 8], 1_000.0)
        settle(
            notes,
            outcome(1, Status.SENT),
            outcome(2, Status.REJECTED),
            outcome(6, Status.FAILED),
            outcome(7, Status.UNKNOWN),
        )
        assert notes.claim(0, 2) == [Queued(3, number(3), 1), Queued(6, number(6), 1)]
        assert [item.row for item in notes.claim(6, 10)] == [9, 10]
        assert notes.claim(10, 10) == []


def test_messages_count_one_slot_each_where_parts_do_not_count(tmp_path: Path) -> None:
    path = planned(tmp_path / "campaign.run", [pending(row, ANA, parts=3) for row in range(1, 4)])
    with opened(path, by_parts=False) as notes:
        assert [item.slots for item in notes.claim(0, 10)] == [1, 1, 1]
        begin(notes, [1], 1_000.0)
        settle(notes, outcome(1, Status.UNKNOWN))
        assert notes.recent_sends(0.0, 5_000.0) == [(ANA, 1, 1_001.0)]
        assert notes.undecided(0.0, 0) == [Queued(1, ANA, 1)]
        seen: dict[Recipient, int] = {}
        assert [item.slots for item in notes.crowded(lambda who, slots: seen.setdefault(who, slots) > 2)] == [1, 1]
        assert seen == {ANA: 3}


def test_a_limit_is_of_the_first_pending_rows_whatever_is_done_already(tmp_path: Path) -> None:
    rows = [pending(row, ANA if row > 5 else number(row)) for row in range(1, 11)]
    rows[1] = bad(2)
    path = planned(tmp_path / "campaign.run", rows)
    with opened(path) as notes:
        begin(notes, [1], 1_000.0)
        settle(notes, outcome(1, Status.SENT))
    with opened(path, limit=5, now=2_000.0) as notes:
        assert [item.row for item in notes.claim(0, 100)] == [3, 4, 5, 6, 7]
        assert [item.row for item in notes.crowded(lambda _, slots: slots > 3)] == [6, 7]
    with opened(path, limit=100, now=3_000.0) as notes:
        assert [item.row for item in notes.claim(0, 100)] == [3, 4, 5, 6, 7, 8, 9, 10]


def test_crowded_recipients_are_asked_for_once_and_stay_among_the_claimed(tmp_path: Path) -> None:
    rows = [pending(1, ANA, 2), pending(2, BEN), pending(3, ANA, 3), pending(4, BEN), pending(5, number(5)), bad(6)]
    with opened(planned(tmp_path / "campaign.run", rows)) as notes:
        asked: list[tuple[Recipient, int]] = []

        def is_crowded(recipient: Recipient, slots: int) -> bool:
            asked.append((recipient, slots))
            return slots > 4

        assert notes.crowded(is_crowded) == [Queued(1, ANA, 2), Queued(3, ANA, 3)]
        assert sorted(asked) == [(ANA, 5), (BEN, 2)]
        assert [item.row for item in notes.claim(0, 10)] == [1, 2, 3, 4, 5]


def test_a_number_and_a_contact_of_the_same_digits_are_two_recipients(tmp_path: Path) -> None:
    contact = ContactId(int(ANA))
    rows = [pending(1, ANA), pending(2, contact), pending(3, ANA), pending(4, contact), pending(5, ContactId(7))]
    path = planned(tmp_path / "campaign.run", rows)
    with opened(path) as notes:
        assert [item.row for item in notes.crowded(lambda who, _: isinstance(who, str))] == [1, 3]
        claimed = [item for item in notes.claim(0, 10) if isinstance(item.recipient, int)]
        assert claimed == [Queued(2, contact, 1), Queued(4, contact, 1), Queued(5, ContactId(7), 1)]
        begin(notes, [2], 1_000.0)
        said = ANSWER._replace(to=BEN)
        learned = Outcome(2, Event.ACCEPTED, True, 1_001.0, answer=said, learned=(contact, BEN))
        settle(notes, learned)
        assert notes.claim(1, 10)[1:] == [Queued(4, BEN, 1), Queued(5, ContactId(7), 1)]
        assert notes.recent_sends(0.0, 5_000.0) == [(BEN, 1, 1_001.0)]
        first, second = (attempt.message.recipient for attempt in begin(notes, [1, 4], 1_002.0))
        assert (first, second) == (ANA, contact)  # what is asked for stays what was planned
    with SqliteRun.open(path) as run:
        assert {(crowd.recipient, crowd.rows) for crowd in run.overview().crowds} == set()


def test_a_number_learned_of_a_contact_is_not_taken_for_that_of_a_phone_with_the_same_digits(tmp_path: Path) -> None:
    contact = ContactId(int(ANA))
    path = planned(tmp_path / "campaign.run", [pending(1, contact), pending(2, ANA), pending(3, ANA)])
    with opened(path) as notes:
        begin(notes, [1, 3], 1_000.0)
        settle(notes, Outcome(row=1, event=Event.ACCEPTED, final=True, ended_at=1_001.0, learned=(contact, BEN)))
        settle(notes, outcome(3, Status.UNKNOWN))
        assert notes.claim(0, 10) == [Queued(2, ANA, 1)]
        assert notes.undecided(0.0, 0) == [Queued(3, ANA, 1)]
        assert notes.recent_sends(0.0, 5_000.0) == [(BEN, 1, 1_001.0), (ANA, 1, 1_001.0)]
        assert notes.crowded(lambda who, _: who == ANA) == [Queued(2, ANA, 1)]


def test_a_number_learned_is_known_to_the_next_process_too(tmp_path: Path) -> None:
    path = planned(tmp_path / "campaign.run", [pending(1, ContactId(7)), pending(2, ContactId(7)), pending(3, ANA)])
    with opened(path) as notes:
        begin(notes, [1], 1_000.0)
        settle(notes, Outcome(row=1, event=Event.DOUBTED, final=True, ended_at=1_001.0, learned=(ContactId(7), BEN)))
    with opened(path, now=2_000.0) as notes:
        assert notes.undecided(0.0, 0) == [Queued(1, BEN, 1)]
        assert notes.recent_sends(0.0, 5_000.0) == [(BEN, 1, 1_001.0)]
        assert notes.claim(0, 10) == [Queued(2, BEN, 1), Queued(3, ANA, 1)]
        assert notes.crowded(lambda _, __: True) == [Queued(2, BEN, 1)]


def test_unresolved_are_the_unknown_that_began_lately(tmp_path: Path) -> None:
    with opened(crowd_of(tmp_path / "campaign.run", 4)) as notes:
        for row, started_at in ((1, 100.0), (2, 200.0), (3, 300.0), (4, 300.0)):
            begin(notes, [row], started_at)
        settle(notes, *(outcome(row, Status.UNKNOWN) for row in (1, 2, 3)))
        assert [item.row for item in notes.undecided(200.0, 0)] == [2, 3]


def test_recent_sends_count_each_attempt_and_those_without_an_end_until_now(tmp_path: Path) -> None:
    path = planned(tmp_path / "campaign.run", [pending(row, number(row), parts=row) for row in range(1, 5)])
    with opened(path) as notes:
        begin(notes, [1, 2, 3], 1_000.0)
        settle(notes, outcome(1, Status.UNKNOWN, ended_at=1_010.0), outcome(2, Status.SENT, ended_at=1_020.0))
        begin(notes, [1], 1_015.0)
        settle(notes, outcome(1, Status.SENT, ended_at=1_016.0))
    with opened(path, now=2_000.0) as notes:
        assert notes.recent_sends(0.0, 2_001.0) == [
            (number(1), 2, 1_016.0),
            (number(2), 2, 1_020.0),
            (number(3), 3, 2_000.0),  # when the next owner found it
        ]
        assert notes.recent_sends(1_020.0, 2_001.0) == [(number(2), 2, 1_020.0), (number(3), 3, 2_000.0)]
        assert notes.recent_sends(2_000.5, 2_001.0) == []


def test_an_attempt_whose_end_nobody_saw_is_not_given_the_end_of_the_one_before(tmp_path: Path) -> None:
    with opened(crowd_of(tmp_path / "campaign.run", 1)) as notes:
        begin(notes, [1], 1_000.0)
        settle(notes, outcome(1, Status.UNKNOWN, ended_at=1_010.0))
        begin(notes, [1], 1_100.0)
        assert notes.recent_sends(1_050.0, 1_130.0) == [(number(1), 2, 1_130.0)]


def test_the_turns_of_proof_never_go_back(tmp_path: Path) -> None:
    path = crowd_of(tmp_path / "c.run", 1)
    with opened(path) as notes:
        for turn in (1, 3, 2, 0):
            notes.settle([], turn=turn)
    with SqliteRun.open(path) as run:
        assert run.turn == 3
