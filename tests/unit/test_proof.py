"""Nothing is accepted twice, whether the server knows keys, forgets them or never knew any."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from memory import Memory, MemoryJournal

from bulksend.model import Attempt, Event, Message, Outcome, PhoneNumber
from bulksend.sending import ACCEPTED, DOUBTED, Proof, Verdict

HOUR_S = 3600.0
ROWS = 4
ECHO, SILENT, SAME = Verdict(ACCEPTED, 200, echoed=True), Verdict(ACCEPTED, 200), Verdict(ACCEPTED, 409, echoed=True)


def attempt(ticket: int, doubt_since: float | None = None, proof: int = 0, *, resent: bool = False) -> Attempt:
    message = Message(ticket, PhoneNumber("639171234567"), None, "Hello", 1, None)
    return Attempt(message, 2, doubt_since, ticket, proof, resent)


# -- Rule by rule


def test_before_an_echo_nothing_is_proven_and_what_was_never_in_doubt_may_leave() -> None:
    proof = Proof(0, keyed=True)
    assert (proof.number, proof.held, proof.turn) == (0, 0, 0)
    assert proof.allows(attempt(1), 0.0)
    assert not proof.allows(attempt(2, 0.0, proof=0), 1.0)


def test_an_echo_proves_what_begins_after_it() -> None:
    proof = Proof(0, keyed=True)
    proof.see(attempt(1), ECHO)
    assert proof.number == 1
    assert proof.allows(attempt(2, 0.0, proof=1), 1.0)
    assert not proof.allows(attempt(3, 0.0, proof=0), 1.0)


def test_a_command_repeats_only_after_it_has_seen_an_echo_itself() -> None:
    proof = Proof(1, keyed=True)
    assert (proof.number, proof.held) == (0, 1)
    assert not proof.allows(attempt(1, 0.0, proof=1), 1.0)
    proof.see(attempt(2), ECHO)
    assert proof.turn == 1
    assert proof.allows(attempt(3, 0.0, proof=1), 1.0)


def test_an_echo_counts_for_the_next_engine_of_the_same_command_as_long_as_its_proof_holds() -> None:
    assert Proof(1, keyed=True, seen=1).number == 1
    assert Proof(3, keyed=True, seen=1).number == 0  # it was lost, and found by somebody else
    assert Proof(2, keyed=True, seen=1).number == 0
    assert Proof(0, keyed=True, seen=0).number == 0
    assert Proof(1, keyed=False, seen=1).number == 0


def test_an_answer_without_an_echo_takes_the_proof_back_for_ever() -> None:
    proof = Proof(1, keyed=True)
    proof.see(attempt(1), ECHO)
    proof.allows(attempt(2), 0.0)
    proof.see(attempt(2), SILENT)
    assert (proof.number, proof.held, proof.turn) == (0, 0, 2)
    proof.see(attempt(3), ECHO)
    assert proof.number == 3
    assert not proof.allows(attempt(4, 0.0, proof=1), 1.0)


def test_an_echo_that_may_be_older_than_the_loss_proves_nothing() -> None:
    proof = Proof(0, keyed=True)
    for ticket in (1, 2):
        proof.allows(attempt(ticket), 0.0)
    proof.see(attempt(2), SILENT)
    proof.see(attempt(1), ECHO)
    assert proof.number == 0


def test_a_duplicate_says_that_the_key_is_known_though_it_does_not_echo_it() -> None:
    proof = Proof(0, keyed=True)
    proof.see(attempt(1), ECHO)
    proof.see(attempt(2), SAME._replace(echoed=False))
    assert proof.number == 1


def test_without_keys_answers_prove_nothing_and_take_nothing_back() -> None:
    proof = Proof(1, keyed=False)
    for verdict in (SILENT, ECHO):
        proof.see(attempt(1), verdict)
    assert (proof.number, proof.held, proof.turn) == (0, 0, 1)


def test_only_what_was_accepted_shows_whether_keys_are_known() -> None:
    proof = Proof(0, keyed=True)
    proof.see(attempt(1), Verdict(DOUBTED, 502, echoed=True))
    assert proof.number == 0


def test_what_may_be_older_than_its_time_says_is_repeated_for_so_much_shorter() -> None:
    proof = Proof(1, keyed=True, behind_s=2 * HOUR_S)
    proof.see(attempt(1), ECHO)
    assert proof.allows(attempt(2, 0.0, proof=1), 22 * HOUR_S - 1)
    assert not proof.allows(attempt(2, 0.0, proof=1), 22 * HOUR_S)


def test_a_repeat_is_safe_for_a_day_from_the_first_doubt_and_not_by_a_clock_that_was_set_back() -> None:
    proof = Proof(0, keyed=True)
    proof.see(attempt(1), ECHO)
    began_s = 1_000.0
    assert proof.allows(attempt(2, began_s, proof=1), began_s + 24 * HOUR_S - 1)
    assert not proof.allows(attempt(2, began_s, proof=1), began_s + 24 * HOUR_S)
    assert not proof.allows(attempt(2, began_s, proof=1), began_s - 1)


def test_what_somebody_wants_sent_again_needs_no_proof() -> None:
    assert Proof(0, keyed=True).allows(attempt(1, 0.0, proof=0, resent=True), 100 * HOUR_S)


# -- All together


@dataclass
class Server:
    """It remembers a key for a day, if it knows keys at all.

    Attributes:
        accepted: rows, as often as they were.
        remembered: by row, since when.
        known_again: how often something was not accepted twice for its key's sake.
    """

    knows_keys: bool
    accepted: list[int] = field(default_factory=list)
    remembered: dict[int, float] = field(default_factory=dict)
    known_again: int = 0

    def post(self, row: int, wall_s: float, *, keyed: bool) -> Verdict:
        if not (keyed and self.knows_keys):
            self.accepted.append(row)
            return SILENT
        if wall_s - self.remembered.get(row, -1e9) < 24 * HOUR_S:
            self.known_again += 1
            return SAME
        self.accepted.append(row)
        self.remembered[row] = wall_s
        return ECHO


class Campaign:
    """One command after another, each with a server that may be another one, and answers that come late or never."""

    def __init__(self, rng: random.Random) -> None:
        messages = [Message(row, PhoneNumber(f"4915{row}"), None, f"{row}", 1, None) for row in range(1, ROWS + 1)]
        self.memory = Memory.of(messages)
        self.rng = rng
        self.server = Server(rng.random() < 0.5)
        self.now = 1e6
        self.begin()

    def begin(self) -> None:
        """Another command; of the one before, whatever was under way is cut off."""
        self.under_way: dict[int, tuple[Attempt, Verdict]] = {}
        self.keyed = self.rng.random() < 0.8
        self.server.knows_keys = self.rng.random() < 0.6
        self.journal = MemoryJournal(self.memory, self.now)
        self.proof = Proof(self.memory.turn, keyed=self.keyed)

    def step(self) -> None:
        match self.rng.randrange(20):
            case 0:
                self.begin()
            case 1:
                self.now += self.rng.choice([0.1, 5.0, 25.0]) * HOUR_S
            case 2:
                self.changes()
            case number if number < 12:
                self.leaves()
            case _:
                self.answers()

    def changes(self) -> None:
        """The server becomes another one, and an answer tells before anything else leaves."""
        fresh = self.journal._to_send()
        if fresh and not self.under_way:
            self.server.knows_keys = not self.server.knows_keys
            row = fresh[0].row
            self.post(row, arrives=True)
            self.see(row)

    def leaves(self) -> None:
        rows = [item.row for item in self.journal._to_send()]
        rows += [row for row, note in self.memory.notes.items() if note.life.is_unsettled] * 3
        if rows:
            self.post(self.rng.choice(rows), arrives=self.rng.random() < 0.7)

    def post(self, row: int, *, arrives: bool) -> None:
        [begun] = self.journal.begin_now([row], self.now, self.proof.number)
        if not self.proof.allows(begun, self.now):
            self.journal._settle([Outcome(row, Event.CALLED_OFF, True, self.now)], self.proof.turn)
            return
        verdict = self.server.post(row, self.now, keyed=self.keyed) if arrives else Verdict(DOUBTED)
        self.under_way[row] = begun, verdict

    def answers(self) -> None:
        if self.under_way:
            row = self.rng.choice(list(self.under_way))
            if self.rng.random() < 0.5:
                self.under_way[row] = self.under_way[row][0], Verdict(DOUBTED)
            self.see(row)

    def see(self, row: int) -> None:
        begun, verdict = self.under_way.pop(row)
        self.proof.see(begun, verdict)
        self.journal._settle([Outcome(row, verdict.ruling.event, True, self.now)], self.proof.turn)


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_accepted_twice_whatever_the_server_does_and_whatever_is_lost(seed: int) -> None:
    rng = random.Random(seed)
    repeats = 0
    for _ in range(250):
        campaign = Campaign(rng)
        for _ in range(60):
            campaign.step()
        assert [row for row, times in Counter(campaign.server.accepted).items() if times > 1] == []
        repeats += campaign.server.known_again
    assert repeats > 10  # what is safe is repeated
