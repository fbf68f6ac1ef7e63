"""Who may go now: a synchronous machine that looks at its state and a clock reading, and answers.

It knows rows only by number, recipient and size; texts stay in the run file. Three kinds of rows wait in it: those
queued in input order, those parked in the lane of a phone whose cap is full, and those to be tried again at a time.
A parked row holds up nobody: the next one is looked at. Lanes go before the queue, the longest first, because a phone
with many messages left decides when the run ends.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable
from itertools import count

from bulksend.model import ContactId, PhoneNumber, Queued, Recipient
from bulksend.sending.caps import Caps, Window

_LEARNED_MAX = 200_000


class _Lane:
    """The rows of one phone that wait for its cap, in order."""

    __slots__ = ("items", "key", "left", "wake_at")

    def __init__(self, key: Recipient) -> None:
        self.key = key
        self.items: deque[Queued] = deque()
        self.left = 0  # slots of all items
        self.wake_at = math.inf  # -inf: in the ready heap; inf: only an answer can help

    def append(self, item: Queued) -> None:
        self.items.append(item)
        self.left += item.slots

    def popleft(self) -> Queued:
        item = self.items.popleft()
        self.left -= item.slots
        return item


class Dispatcher:
    """Decides which messages may go; the engine carries it out and reports back.

    Every row handed out by `take` must come back once, as it was handed out: by `answered` or by `unsent`. Times are
    seconds of one monotonic clock.

    Attributes:
        caps: the telcos' caps, which it keeps.
    """

    def __init__(self, caps: Caps) -> None:
        self.caps = caps
        self._queue: deque[Queued] = deque()
        self._due: deque[Queued] = deque()
        self._retries: list[tuple[float, int, Queued]] = []
        self._lanes: dict[Recipient, _Lane] = {}
        self._ready: list[tuple[int, int, _Lane]] = []
        self._waiting: list[tuple[float, int, _Lane]] = []
        self._windows: dict[Recipient, Window] = {}
        self._expiries: deque[tuple[float, Recipient]] = deque()
        self._learned: dict[ContactId, PhoneNumber] = {}
        self._ticket = count()
        self._parked = 0

    @property
    def queued(self) -> int:
        """Rows in the queue; when it is low, feed it."""
        return len(self._queue)

    @property
    def parked(self) -> int:
        """Rows that wait for their phone's cap."""
        return self._parked

    @property
    def phones(self) -> int:
        """Phones that rows wait for."""
        return len(self._lanes)

    @property
    def free_at(self) -> float:
        """When the next of these phones is free; ``math.inf`` if only an answer can tell."""
        self._drop_stale()
        return self._waiting[0][0] if self._waiting else math.inf

    def parked_s(self, mono_s: float) -> float:
        """How long the rows that wait for their phone's cap take at least, in seconds; looks at every such phone."""
        longest = 0.0
        for key, lane in self._lanes.items():
            cap = self.caps.of(key)
            if cap is not None:
                first_at = lane.wake_at if math.isfinite(lane.wake_at) else mono_s
                longest = max(longest, first_at - mono_s + cap.least_s(len(lane.items), lane.left))
        return longest

    @property
    def is_empty(self) -> bool:
        """Whether no row waits here; some may still be in flight."""
        return not (self._queue or self._due or self._retries or self._lanes)

    def queue(self, items: Iterable[Queued]) -> None:
        """Feed rows in input order."""
        self._queue.extend(items)

    def park(self, items: Iterable[Queued], mono_s: float) -> None:
        """Feed rows of phones known to need their cap, ahead of the queue."""
        touched: dict[Recipient, _Lane] = {}
        for item in items:
            key = self._key(item.recipient)
            lane = self._lanes.get(key) or self._lanes.setdefault(key, _Lane(key))
            self._add(lane, item)
            touched[key] = lane
        for lane in touched.values():
            self._place(lane, mono_s)

    def recall(self, recipient: Recipient, slots: int, free_at: float) -> None:
        """Count an earlier send, of another run or before a crash, until ``free_at``."""
        key = self._key(recipient)
        if self.caps.of(key) is not None:
            self._windows.setdefault(key, Window()).hold(slots, free_at)
            self._expiries.append((free_at, key))

    def retry(self, item: Queued, at: float) -> None:
        """Try a row again, not before ``at``."""
        heapq.heappush(self._retries, (at, next(self._ticket), item))

    def put_first(self, item: Queued) -> None:
        """Try a row again before all that is queued or due."""
        self._due.appendleft(item)

    def take(self, mono_s: float, limit: int, *, untried_first: bool = False) -> list[Queued]:
        """The rows that may start now, ``limit`` at most; their slots are taken."""
        self._forget(mono_s)
        self._awaken(mono_s)
        taken: list[Queued] = []
        first, second = (self._queue, self._due) if untried_first else (self._due, self._queue)
        while len(taken) < limit:
            item = self._from_lane(mono_s) or self._from(first, mono_s) or self._from(second, mono_s)
            if item is None:
                break
            taken.append(item)
        return taken

    def wake_at(self, mono_s: float) -> float:
        """When `take` may have something: ``mono_s``, later, or ``math.inf`` if only news can help."""
        self._awaken(mono_s)
        if self._ready or self._due or self._queue:
            return mono_s
        return min(self.free_at, self._retries[0][0] if self._retries else math.inf)

    def answered(self, item: Queued, mono_s: float) -> None:
        """An attempt's answer came or its time-out struck: its slots come free one window from now."""
        key = self._key(item.recipient)
        cap = self.caps.of(key)
        if cap is None:
            return
        free_at = mono_s + cap.window_s
        self._windows[key].answered(item.slots, free_at)
        self._expiries.append((free_at, key))
        self._replace(key, mono_s)

    def unsent(self, item: Queued, mono_s: float) -> None:
        """An attempt certainly never left this machine: its slots come free at once."""
        key = self._key(item.recipient)
        if self.caps.of(key) is not None:
            self._windows[key].unsent(item.slots)
            self._expiries.append((mono_s, key))
            self._replace(key, mono_s)

    def learn(self, contact: ContactId, number: PhoneNumber, mono_s: float) -> None:
        """An answer told a contact's number: from now on both spellings share one window."""
        if contact in self._learned:
            return
        if len(self._learned) >= _LEARNED_MAX:  # the run file remembers; here only what is queued needs it
            self._learned = dict(list(self._learned.items())[_LEARNED_MAX // 2 :])
        self._learned[contact] = number
        window = self._windows.pop(contact, None)
        if window is not None and self.caps.of(number) is not None:
            self._windows.setdefault(number, Window()).merge(window)
            self._expiries.append((mono_s + self.caps.longest_window_s, number))
        lane = self._lanes.pop(contact, None)
        if lane is not None:
            lane.wake_at = math.inf
            self._parked -= len(lane.items)
            self._due.extend(lane.items)
        self._replace(number, mono_s)

    def _from_lane(self, mono_s: float) -> Queued | None:
        while self._ready:
            lane = heapq.heappop(self._ready)[2]
            if lane.wake_at != -math.inf or self._lanes.get(lane.key) is not lane:
                continue  # stale: placed anew or merged away since
            lane.wake_at = math.inf
            if self._free_at(lane.key, lane.items[0].slots, mono_s) > mono_s:
                self._place(lane, mono_s)
                continue
            self._parked -= 1
            item = self._start(lane.key, lane.popleft())
            self._place(lane, mono_s)
            return item
        return None

    def _from(self, line: deque[Queued], mono_s: float) -> Queued | None:
        while line:
            item = line.popleft()
            key = self._key(item.recipient)
            lane = self._lanes.get(key)
            if lane is not None:
                self._add(lane, item)
            elif self._free_at(key, item.slots, mono_s) > mono_s:
                lane = self._lanes[key] = _Lane(key)
                self._add(lane, item)
                self._place(lane, mono_s)
            else:
                return self._start(key, item)
        return None

    def _add(self, lane: _Lane, item: Queued) -> None:
        lane.append(item)
        self._parked += 1

    def _key(self, recipient: Recipient) -> Recipient:
        """Whose window counts: the phone's own, however the row spells it."""
        if isinstance(recipient, int):
            return self._learned.get(recipient, recipient)
        return recipient

    def _free_at(self, key: Recipient, slots: int, mono_s: float) -> float:
        window = self._windows.get(key)
        cap = None if window is None else self.caps.of(key)
        if cap is None or window is None:
            return mono_s
        if isinstance(key, int) and window.in_flight:
            return math.inf  # whose phone it is shows with the answer: until then one at a time
        return window.free_at(slots, cap.count, mono_s)

    def _start(self, key: Recipient, item: Queued) -> Queued:
        if self.caps.of(key) is not None:
            window = self._windows.get(key)
            if window is None:
                window = self._windows[key] = Window()
            window.take(item.slots)
        # Its slots come back under the name they were taken under, whatever is learned or forgotten meanwhile.
        return item if item.recipient is key else item._replace(recipient=key)

    def _replace(self, key: Recipient, mono_s: float) -> None:
        lane = self._lanes.get(key)
        if lane is not None and lane.wake_at != -math.inf:
            self._place(lane, mono_s)

    def _place(self, lane: _Lane, mono_s: float) -> None:
        """Put a lane where it belongs: ready, waiting for a time, waiting for an answer, or gone."""
        if not lane.items:
            del self._lanes[lane.key]
            return
        free_at = self._free_at(lane.key, lane.items[0].slots, mono_s)
        if free_at <= mono_s:
            lane.wake_at = -math.inf
            heapq.heappush(self._ready, (-lane.left, next(self._ticket), lane))
            return
        lane.wake_at = free_at
        if free_at < math.inf:
            heapq.heappush(self._waiting, (free_at, next(self._ticket), lane))

    def _drop_stale(self) -> None:
        while self._waiting and self._waiting[0][2].wake_at != self._waiting[0][0]:
            heapq.heappop(self._waiting)  # its lane was placed anew since

    def _awaken(self, mono_s: float) -> None:
        while self._waiting and self._waiting[0][0] <= mono_s:
            wake_at, _, lane = heapq.heappop(self._waiting)
            if lane.wake_at == wake_at and self._lanes.get(lane.key) is lane:
                self._place(lane, mono_s)
        while self._retries and self._retries[0][0] <= mono_s:
            self._due.append(heapq.heappop(self._retries)[2])

    def _forget(self, mono_s: float) -> None:
        """Release the memory of windows that have passed."""
        while self._expiries and self._expiries[0][0] <= mono_s:
            key = self._expiries.popleft()[1]
            window = self._windows.get(key)
            if window is not None and window.is_empty(mono_s):
                del self._windows[key]
