"""The SQL by which a run that is being sent takes notes: plain synchronous calls inside the caller's transaction."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bulksend.model import Answer, Attempt, Event, Message, Outcome, Queued, Recipient, RowInDoubt
from bulksend.runs.postgres import (
    beginning,
    claiming,
    commons,
    deciding,
    kept,
    moving,
    noted,
    ownership,
    past,
    queries,
    reserving,
)
from bulksend.runs.postgres.clock import Skew
from bulksend.runs.postgres.columns import who
from bulksend.runs.postgres.connecting import array
from bulksend.runs.postgres.landing import Landing
from bulksend.runs.postgres.leases import Hold
from bulksend.runs.postgres.opened import OpenedRun
from bulksend.runs.postgres.outcomes import Intent, cut_off, found, settle, take_back, tried
from bulksend.runs.postgres.queries import LAST_ROW
from bulksend.runs.postgres.reader import Reader
from bulksend.runs.postgres.reserving import Reserving
from bulksend.runs.postgres.rows import recent_sends
from bulksend.sending import News

_ADVANCED_AT = 100_000  # rows
_NOT_SENT = {Event.REJECTED, Event.FAILED, Event.PUT_OFF, Event.CALLED_OFF}


class Notes:
    """What is noted of one send; used by one thread, but for `leaves`.

    Args:
        of: the run, by the owner's connection.
        lease: what this process holds of the run and, if an account is behind it, of its shards; or of these alone.
        epoch: the run's, under which its owner has it, or opened it for workers.
        skew: see `bulksend.runs.postgres.clock`.
        by_parts: whether a message counts its parts against a cap, or one.
        limit: send only the first so many pending rows; None for all.
        keyed: whether messages carry a clientDedup; None if none are sent.
        reserving: how phones and texts are reserved before they are sent; None if they are not.
        run: the run as it was opened, where this process is one of its workers.
        tries: a row that was put in doubt since is repeated until it was tried more often.
    """

    def __init__(
        self, of: Reader, lease: Hold, epoch: int, skew: Skew, *, by_parts: bool, limit: int | None,
        keyed: bool | None = None, reserving: Reserving | None = None, run: OpenedRun | None = None,
        tries: int = 0,
    ) -> None:  # fmt: skip
        self.of = of
        self.lease, self._skew = lease, skew
        self._by_parts, self._keyed, self._reserving = by_parts, keyed, reserving
        self.commons = (
            None if lease.account is None else commons.Commons(of, lease.account, run.orders.rate if run else None)
        )
        self._begun_to = 0
        self._first = queries.first_unfinished(of)
        self._epoch, self._is_worked = epoch, run is not None
        self._until, opened_at, repeats_until = queries.until(of, limit), math.inf, LAST_ROW
        if run is not None:
            self._until, opened_at, repeats_until = run.orders.until or LAST_ROW, run.at, run.repeats_until
        self._sent = {"until": self._until, "opened_at": opened_at, "repeats_until": repeats_until, "tries": tries}
        self._turn = self._noted_turn = int(kept.read(of.db, of.run, "turn") or 0)
        self._heard_turn = self._turn  # the run's, as of the last transaction
        self._issued = 0
        self._is_noted = self._notes_kind = False
        self._landing = Landing(of, lease)
        self._known: Mapping[int, int] | None = None
        self._held: dict[str, Any] = {}
        self.in_flight: dict[int, Intent] = {}  # by row, whose outcomes are not noted
        self._begun: dict[int, Intent] = {}  # by the transaction under way
        self._settled: set[int] = set()  # by it
        self._tried: dict[int, int] = {}  # rows by ticket, of transactions of which it is not known what became of them

    def committed(self) -> None:
        """The transaction under way is on the disk."""
        for row in self._settled:
            self.in_flight.pop(row, None)
        self.in_flight.update(self._begun)
        self._tried.clear()
        self._turn = self._noted_turn
        self._is_noted = self._is_noted or self._notes_kind
        if self.commons:
            self.commons.committed()
        self._landing.committed()
        self.rolled_back()

    def rolled_back(self) -> None:
        """Nothing of the transaction under way was noted, or nobody knows."""
        self._settled.clear()
        self._begun.clear()
        self._noted_turn, self._notes_kind = self._turn, False
        if self.commons:
            self.commons.rolled_back()
        self._landing.rolled_back()

    def check(self, *, begins: bool) -> None:
        """See that nobody else has the run, nor all of its shards.

        Args:
            begins: whether intents follow: then who would take the run over waits for them.

        Raises:
            OwnedError: somebody has.
        """
        turn, *told = ownership.check_mine(self.of, self._mine(), begins=begins)
        self._heard_turn = turn or 0
        if self.commons:
            self.commons.hear(*told)
            self.commons.tell()

    def take_back(self) -> None:
        """Intents of which nobody knows whether they were committed, and which surely did not leave, are none."""
        if self._tried:
            which = tried(self._mine(), self._tried)
            if self.commons:
                self.commons.lock()
            ownership.wait_out(self.of, which)
            taken_back = take_back(self.of, which)
            if self.commons:
                self.commons.take_back(sum(taken_back.values()))
            if self._reserving and taken_back:
                reserving.give_back(self.of.db, self.of.run, list(taken_back))

    @property
    def is_unsettled(self) -> bool:
        """Whether intents may be noted whose outcomes are not."""
        return bool(self.in_flight or self._tried)

    def cut_off(self) -> None:
        """Of what is under way the end is not known."""
        cut_off(self.of, self.in_flight)

    def asked_at(self) -> float | None:
        """See `Journal.asked_at`."""
        at_s = noted.asked_at(self.of, self._epoch)
        return None if at_s is None else at_s - self._skew.ahead_s

    def note_progress(self, words: str) -> None:
        """See `Journal.note_progress`."""
        noted.progress(self.of, self._epoch, words)

    def claim(self, after: int, limit: int) -> list[Queued]:
        """See `Journal.claim`; of the own shards."""
        if after > self._begun_to + _ADVANCED_AT:
            noted.advance(self.of)
            self._begun_to = after
        found = claiming.claim(self.of, self._open(), max(after, self._first - 1), limit, by_parts=self._by_parts)
        self._landing.claimed([item.row for item in found])
        return found

    def crowded(self, is_crowded: Callable[[Recipient, int], bool]) -> list[Queued]:
        """See `Journal.crowded`; of the own shards."""
        return claiming.crowded(self.of, self._open(), is_crowded, by_parts=self._by_parts)

    def news(self) -> News | None:
        """See `Journal.news`."""
        if not self._landing.hears:
            return None
        landed, rows = self._landing.heard()
        came = claiming.among(self.of, self._open(), rows, by_parts=self._by_parts) if rows else []
        return News(came, [each.counted(self._skew.ahead_s, by_parts=self._by_parts) for each in landed])

    def undecided(self, since_s: float, proof: int) -> list[Queued]:
        """See `Journal.undecided`; of the own shards."""
        return past.undecided(self.of, self._open(), since_s + self._skew.ahead_s, proof, by_parts=self._by_parts)

    def recent_sends(self, since_s: float, wall_s: float) -> list[tuple[Recipient, int, float]]:
        """See `Journal.recent_sends`."""
        found = recent_sends(self.of, since_s, wall_s, self._skew.ahead_s)
        return [(each, parts if self._by_parts else count, at) for each, parts, count, at in found]

    def in_doubt(self, limit: int) -> list[RowInDoubt]:
        """See `Journal.in_doubt`."""
        found, skew_s = queries.in_doubt(self.of, limit), self._skew.ahead_s
        return [replace(each, since=each.since - skew_s, until=each.until - skew_s) for each in found]

    def message_ids(self, since_s: float) -> set[str]:
        """See `Journal.message_ids`."""
        return past.message_ids(self.of, since_s + self._skew.ahead_s)

    def rivals(self, since_s: float) -> list[tuple[Recipient, str]]:
        """See `Journal.rivals`."""
        return past.rivals(self.of, since_s + self._skew.ahead_s)

    def begin(self, rows: Sequence[int], wall_s: float, proof: int = 0) -> list[Attempt]:
        """See `Journal.begin`: of shards whose lease has ended, or that somebody else has, no row begins.

        Another's answer may have taken the proof back: then they begin under none, and repeats are held back.

        Nor does one begin whose phone and text another run has reserved, and that is noted; nor one to a phone of which
        there is news (`news`).
        """
        self._note_kind()
        held = self.commons.hold(rows) if self.commons else None  # first, for it locks the run's limits
        rows = self._reserved(self._landing.begin(rows if held is None else list(held)), wall_s)
        proof = proof if self._holds(proof, self._noted_turn) else 0
        which = {"rows": array(rows), "at": wall_s + self._skew.ahead_s, "issued": self._issued, "proof": proof}
        which["held"] = None if held is None else array(held[row] for row in rows)
        self._tried.update(enumerate(rows, self._issued + 1))
        self._issued += len(rows)
        attempts = []
        for each in beginning.begin(self.of, self._mine(), which):
            row, phone, contact, sender, text, parts, price, copy, number, since, under, resent, *intent = each
            self._begun[row] = Intent(*intent)
            message = Message(row, who(phone, contact), sender, text, parts, price, copy)
            doubt_since = None if since is None else since - self._skew.ahead_s
            attempts.append(Attempt(message, number, doubt_since, self._begun[row].ticket, under, resent=resent))
        if held is not None and self.commons:
            self.commons.begun(self._begun)
        if self._reserving and len(attempts) < len(rows):
            reserving.give_back(self.of.db, self.of.run, [row for row in rows if row not in self._begun])
        return attempts

    def leaves(self, attempt: Attempt) -> bool:
        """See `Journal.leaves`."""
        intent = self.in_flight.get(attempt.message.row)
        if intent is None or not self.lease.is_held:
            return False
        if attempt.in_doubt and not attempt.resent and not self._holds(attempt.proof, self._turn):
            return False
        return self.lease.account is None or self.lease.shards.get(intent.shard) == intent.epoch

    def settle(self, outcomes: Sequence[Outcome], *, turn: int) -> None:
        """See `Journal.settle`."""
        under_way = {**self.in_flight, **self._begun} if self._begun else self.in_flight
        ended = [(each, under_way[each.row]) for each in outcomes if each.row in under_way]
        bad = self.commons.settle(ended) if self.commons else {}
        noted_now = settle(self.of, ended, self._skew.ahead_s, bad)
        unsent = [each.row for each in outcomes if each.event in _NOT_SENT and each.row in noted_now]
        if self._reserving and unsent:
            reserving.give_back(self.of.db, self.of.run, unsent)
        for each in outcomes:
            if each.event is Event.EXCLUDED:
                _, *held = under_way.get(each.row, (None, None, None))
                deciding.exclude(self.of, each.row, each.error, each.ended_at + self._skew.ahead_s, *held)
        self._settled.update(outcome.row for outcome in outcomes)
        # Whoever lost a contact's shard meanwhile tells nothing: its owner would not hear that its rows have moved.
        learned = dict(each.learned for each in outcomes if each.learned and each.row in noted_now)
        if learned:
            now_s = max(outcome.ended_at for outcome in outcomes) + self._skew.ahead_s
            moving.tell(self.of, self.lease.account, learned, now_s)
        if turn > self._noted_turn:
            noted.turn(self.of, turn)
            self._noted_turn = turn

    def found(self, answers: Mapping[int, Answer], wall_s: float) -> None:
        """See `Journal.found`."""
        found(self.of, answers, wall_s + self._skew.ahead_s)

    def _holds(self, proof: int, turn: int) -> bool:
        """Whether no other worker has seen a proof lost, where this one has noted this turn last."""
        return not self._is_worked or proof == max(self._heard_turn, turn)

    def _reserved(self, rows: Sequence[int], wall_s: float) -> Sequence[int]:
        """The rows that no other run has reserved; the others are left out."""
        if self._reserving is None:
            return rows
        refused = reserving.reserve(self.of.db, self.of.run, rows, self._reserving, self._skew.ahead_s)
        if refused:
            deciding.leave_out(self.of, refused, Event.LEFT_OUT, wall_s + self._skew.ahead_s)
        others = {each.row for each in refused}
        return [row for row in rows if row not in others]

    def _note_kind(self) -> None:
        """Note once what kind of messages leave from now on."""
        if self._is_noted:
            return
        if self._keyed is not None:
            noted.keyed(self.of, is_keyed=self._keyed)
        noted.limited(self.of, is_limited=self._until < LAST_ROW)
        self._notes_kind = True

    def _open(self) -> dict[str, Any]:
        """What is held, and which rows of it are sent."""
        return self._mine() | self._sent

    def _mine(self) -> dict[str, Any]:
        """What this process holds, as the statements know it."""
        lease, shards = self.lease, self.lease.shards
        if shards is not self._known:  # they change rarely, and each statement asks for them
            self._known = shards
            self._held = {"epoch": self._epoch, "account": lease.account, "nos": None, "epochs": None}
            self._held["is_worked"] = self._is_worked
            if lease.account is not None:
                self._held |= {"nos": array(shards), "epochs": array(shards.values())}
        return self._held
