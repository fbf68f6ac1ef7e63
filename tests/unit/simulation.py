"""A server, phones and workers without a clock of their own: they drive a dispatcher as the engine does.

Beside the dispatcher a slow, plain model of the rules keeps every send ever made and answers from scratch who may go.
Times are multiples of 1/64 s, so that sums of them are exact.
"""

from __future__ import annotations

import copy
import heapq
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bulksend.model import PhoneNumber, Queued, Recipient
from bulksend.sending import Cap, Caps
from bulksend.sending.dispatcher import Dispatcher

T0 = 1024.0
TICK_S = 1 / 64


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one attempt.

    Attributes:
        up_s: from its start to its arrival at the server.
        down_s: from there to its answer.
        arrives: False if it never leaves this machine.
        again_s: how long after the answer it is to be tried again, or None.
        tells: whether the answer names a contact's number.
    """

    up_s: float = TICK_S
    down_s: float = TICK_S
    arrives: bool = True
    again_s: float | None = None
    tells: bool = True


@dataclass(frozen=True, slots=True)
class Scenario:
    """A campaign to simulate.

    Attributes:
        rows: in input order.
        parked: recipients whose rows are known beforehand to need their cap.
        recalled: (recipient, slots, seconds until they come free) of earlier sends.
        fates: of the attempts in the order of their starts, over and over.
        phones: the numbers behind the contacts.
        batch: rows fed to the queue at a time, whenever fewer than that wait in it.
        workers: attempts under way at once.
        tries: no row is tried more often.
        caps: beside the known one.
    """

    rows: Sequence[Queued]
    parked: frozenset[Recipient] = frozenset()
    recalled: Sequence[tuple[Recipient, int, float]] = ()
    fates: Sequence[Fate] = (Fate(),)
    phones: Mapping[Recipient, PhoneNumber] | None = None
    batch: int = 500
    workers: int = 8
    tries: int = 3
    caps: Sequence[Cap] = ()


@dataclass(slots=True, eq=False)
class Send:
    """One attempt, and what is known of it.

    Attributes:
        label: the recipient by which the dispatcher handed it out.
        phone: where it really goes.
        free_at: when its slots come free; inf while it is under way.
    """

    item: Queued
    label: Recipient
    phone: PhoneNumber
    start_s: float
    arrival_s: float | None
    free_at: float = math.inf


@dataclass(frozen=True, slots=True)
class Earlier:
    """Sends that counted for the same phone, by all that was known, when ``send`` started."""

    send: Send
    counted: tuple[Send, ...]


class Simulation:
    """Runs a scenario to its end and notes whatever the dispatcher did wrong.

    Attributes:
        sends: all attempts in the order of their starts.
        history: of each attempt to a capped number, what counted before it.
        too_early: rows that started although their cap had no room.
        left_waiting: (time, rows) that could have started while a worker was free and did not.
        lies: times at which `wake_at` did not hold.
        unfinished: rows that waited when nothing was to happen any more.
        ended_s: when the last answer came, from the beginning.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.caps = Caps(scenario.caps)
        self.dispatcher = Dispatcher(self.caps)
        self.sends: list[Send] = []
        self.history: list[Earlier] = []
        self.too_early: list[int] = []
        self.left_waiting: list[tuple[float, list[int]]] = []
        self.lies: list[float] = []
        self.unfinished: list[int] = []
        self.ended_s = 0.0
        self._now = T0
        self._phones = scenario.phones or {}
        self._learned: dict[Recipient, PhoneNumber] = {}
        self._counted: defaultdict[Recipient, list[Send]] = defaultdict(list)  # by whom they count for
        self._waiting: dict[int, tuple[float, Queued]] = {}  # by row; due when
        self._events: list[tuple[float, int, Send, Fate]] = []
        self._fates = itertools.cycle(scenario.fates)
        self._tried: Counter[int] = Counter()
        self._free = scenario.workers
        self._unfed = [row for row in scenario.rows if row.recipient not in scenario.parked]

    @property
    def begun(self) -> Counter[int]:
        """How often each row was handed out."""
        return self._tried

    def run(self, *, check_wake: bool = False) -> Simulation:
        """Start everything that may, jump to the next answer or waking, and so on to the end."""
        self._prepare()
        while True:
            self._feed()
            self._start_all(check_wake=check_wake)
            answer_at = self._events[0][0] if self._events else math.inf
            wake_at = self.dispatcher.wake_at(self._now) if self._free else math.inf
            if min(answer_at, wake_at) == math.inf:
                break
            if min(answer_at, wake_at) <= self._now:
                self.lies.append(self._now)
                break
            self._now = min(answer_at, wake_at)
            while self._events and self._events[0][0] <= self._now:
                _, _, send, fate = heapq.heappop(self._events)
                self._answer(send, fate)
        self.unfinished = sorted(self._waiting)
        return self

    def forget(self) -> Dispatcher:
        """The dispatcher long after the end."""
        self._now += 10_000
        assert self.dispatcher.take(self._now, 1) == []
        return self.dispatcher

    def _prepare(self) -> None:
        for recipient, slots, left_s in self.scenario.recalled:
            if self.caps.of(recipient) is not None:
                phone = self._phones.get(recipient, PhoneNumber(str(recipient)))
                sent = Send(Queued(0, recipient, slots), recipient, phone, T0, None, T0 + left_s)
                self._counted[recipient].append(sent)
            self.dispatcher.recall(recipient, slots, T0 + left_s)
        parked = [row for row in self.scenario.rows if row.recipient in self.scenario.parked]
        self._expect(parked)
        self.dispatcher.park(parked, T0)

    def _expect(self, items: Sequence[Queued]) -> None:
        self._waiting |= {item.row: (self._now, item) for item in items}

    def _feed(self) -> None:
        while self._unfed and self.dispatcher.queued < self.scenario.batch:
            items, self._unfed = self._unfed[: self.scenario.batch], self._unfed[self.scenario.batch :]
            self._expect(items)
            self.dispatcher.queue(items)

    def _start_all(self, *, check_wake: bool) -> None:
        while self._free:
            wake_at = self.dispatcher.wake_at(self._now)
            taken = self.dispatcher.take(self._now, self._free)
            if taken and wake_at > self._now:
                self.lies.append(self._now)
            for item in taken:
                self._start(item)
            if self._free:
                self._look_for_waiting()
                if check_wake:
                    self._check_wake()
            if not taken or self.dispatcher.queued >= self.scenario.batch or not self._unfed:
                return
            self._feed()

    def _start(self, item: Queued) -> None:
        _, waited = self._waiting.pop(item.row)  # KeyError: handed out twice
        key = self._key(waited.recipient)
        if not self._may_start(waited):
            self.too_early.append(item.row)
        fate = next(self._fates)
        phone = PhoneNumber(waited.recipient) if isinstance(waited.recipient, str) else self._phones[waited.recipient]
        arrival = self._now + fate.up_s if fate.arrives else None
        send = Send(item, item.recipient, phone, self._now, arrival)
        if isinstance(key, str) and self.caps.of(key) is not None:
            self.history.append(Earlier(send, tuple(self._counted[key])))
        self.sends.append(send)
        self._counted[key].append(send)
        self._tried[item.row] += 1
        self._free -= 1
        heapq.heappush(self._events, (self._now + fate.up_s + fate.down_s, len(self.sends), send, fate))

    def _answer(self, send: Send, fate: Fate) -> None:
        item = send.item
        contact = item.recipient
        if isinstance(contact, int) and fate.tells and fate.arrives:
            self.dispatcher.learn(contact, send.phone, self._now)
            self._learned.setdefault(contact, send.phone)
            self._counted[send.phone] += self._counted.pop(contact, [])
        if fate.arrives:
            self.dispatcher.answered(item, self._now)
            cap = self.caps.of(self._key(item.recipient))
            send.free_at = self._now + cap.window_s if cap else self._now
        else:
            self.dispatcher.unsent(item, self._now)
            send.free_at = self._now
        if fate.again_s is not None and self._tried[item.row] < self.scenario.tries:
            self._waiting[item.row] = (self._now + fate.again_s, item)
            self.dispatcher.retry(item, self._now + fate.again_s)
        self._free += 1
        self.ended_s = self._now - T0

    def _key(self, recipient: Recipient) -> Recipient:
        return self._learned.get(recipient, recipient)

    def _may_start(self, item: Queued) -> bool:
        """The rules once more, from all that was ever sent."""
        key = self._key(item.recipient)
        cap = self.caps.of(key)
        counted = self._counted[key] = [send for send in self._counted[key] if send.free_at > self._now]
        if cap is None or not counted:
            return True
        if isinstance(key, int) and any(send.free_at == math.inf for send in counted):
            return False  # whose phone it is shows with the answer
        return sum(send.item.slots for send in counted) + item.slots <= cap.count

    def _look_for_waiting(self) -> None:
        """A worker is free: of each phone, some row that is due must have no room (the one whose turn it is)."""
        due = defaultdict(list)
        for due_at, item in self._waiting.values():
            if due_at <= self._now:
                due[self._key(item.recipient)].append(item)
        for items in due.values():
            if self._keeps_order:
                items = [min(items)]  # noqa: PLW2901 -- its turn is known
            if all(self._may_start(item) for item in items):
                self.left_waiting.append((self._now, [item.row for item in items]))

    @property
    def _keeps_order(self) -> bool:
        """Whether rows of one phone must start in input order: nothing is tried again, and nobody has two names."""
        return not self._phones and all(fate.again_s is None for fate in self.scenario.fates)

    def _check_wake(self) -> None:
        wake_at = self.dispatcher.wake_at(self._now)
        last = wake_at - TICK_S if wake_at < math.inf else self._now + 1000
        for at in (self._now, (self._now + last) / 2, last):
            if self._now <= at < wake_at and self._twin().take(at, 1):
                self.lies.append(at)
        # A row to be tried again may find its phone's cap full: then waking was in vain, and only then.
        in_vain = any(due_at == wake_at for due_at, _ in self._waiting.values())
        if wake_at < math.inf and not in_vain and not self._twin().take(wake_at, 1):
            self.lies.append(wake_at)

    def _twin(self) -> Dispatcher:
        ticket = self.dispatcher._ticket
        return copy.deepcopy(self.dispatcher, {id(ticket): itertools.count(10**9)})


def most_in_window(sends: Sequence[Send], window_s: float) -> int:
    """The most slots that arrived in any closed window; a lone message of many parts counts as one."""
    arrived = sorted((send.arrival_s, send.item.slots) for send in sends if send.arrival_s is not None)
    most = 0
    for at, (first, _) in enumerate(arrived):
        within = [slots for time, slots in arrived[at:] if time <= first + window_s]
        most = max(most, sum(within) if len(within) > 1 else 1)
    return most
