"""How well the pace finds itself: a simulation, without sockets and in virtual time.

The real throttle, absence and tries send rows to servers of many kinds (``pacing_servers.py``). For each, the best
fixed concurrency is searched, and 32 is tried, under which a message that was refused is tried again by the same
rules. Goals: makespan at most 1.10 of the best, never more than that of 32, less than 1 % refused after the first ten
seconds, a wait at the server of less than 1.5 answers' own time, and two runs at one server share it within 40:60.

``python benchmarks/pacing.py [NAME...]`` prints a table, and the findings as JSON; it needs no server.
"""

from __future__ import annotations

import heapq
import math
import random
import statistics
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial

import pacing_servers as kinds
from measure import show
from pacing_servers import Server

from bulksend.sending import ACCEPTED, FAILED, Verdict, Voice
from bulksend.sending.absence import Absence
from bulksend.sending.concurrency import START, Concurrency
from bulksend.sending.throttle import Throttle
from bulksend.sending.tries import Tries

FIXED = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
SETTLED_S = 10.0
_APART_S = 0.05  # where a server leaves nothing to chance, seeds differ by when the second run begins
SHARE_SEEDS = 7  # chance decides much about which of two runs gets ahead
MOST = 512
WELL = Verdict(ACCEPTED, 200, voice=Voice.API)
SILENT = Verdict(FAILED, voice=Voice.NONE)


@dataclass
class Run:
    """One run of the simulation, and what was seen of it."""

    rows: int
    throttle: Throttle | None  # None: a fixed width
    width: int
    rng: random.Random
    begins: float = 0.0
    left: int = 0
    under_way: int = 0
    done: int = 0
    ended: float = 0.0
    requests: int = 0
    late_requests: int = 0
    late_refused: int = 0
    waited: float = 0.0
    quiet_until: float = -math.inf
    wakes_at: float = math.inf
    retries: list[tuple[float, int]] = field(default_factory=list)
    done_at: list[float] = field(default_factory=list)
    widths: list[tuple[float, int, float]] = field(default_factory=list)
    is_traced: bool = False

    def __post_init__(self) -> None:
        self.left = self.rows
        self.tries = Tries(10_000, self.rng)
        self.absence = Absence(600.0, self.rng)

    def free(self, now: float) -> int:
        if self.absence.is_away:
            return 1 if self.absence.allows_trial and not self.under_way else 0
        if self.throttle is None:
            return self.width - self.under_way if now >= self.quiet_until else 0
        if now < max(self.throttle.quiet_until, self.throttle.next_at):
            return 0
        return self.throttle.free(self.under_way, now)

    def next_at(self, now: float) -> float:
        """When something may start that may not now, as far as the time alone decides."""
        at = self.quiet_until if self.throttle is None else max(self.throttle.quiet_until, self.throttle.next_at)
        if not self.left and self.retries:
            at = max(at, self.retries[0][0])
        return at if at > now and (self.left or self.retries) else math.inf

    def take(self, now: float) -> int | None:
        if self.retries and self.retries[0][0] <= now:
            return heapq.heappop(self.retries)[1]
        if self.left:
            self.left -= 1
            return self.rows - self.left
        return None


def simulate(server: Server, runs: list[Run], horizon: float = 4000.0) -> None:
    """Let runs send to a server until they are done."""
    events: list[tuple[float, int, int, float, int, kinds.Reply | None]] = []
    ticket = 0
    for number, run in enumerate(runs):
        heapq.heappush(events, (run.begins, number - len(runs), number, 0.0, 0, None))
    while events:
        now, _, number, began, row, reply = heapq.heappop(events)
        if now > horizon:
            break
        run = runs[number]
        if reply is not None:
            hear(run, row, began, reply, now)
        elif run.wakes_at == now:
            run.wakes_at = math.inf
        if run.absence.look_at <= now:
            run.absence.looked(now, found=not isinstance(server, kinds.Outage) or server.is_there(now))
        free = run.free(now)
        while free > 0 and (started := run.take(now)) is not None:
            free -= 1
            run.absence.begins(started)
            run.under_way += 1
            run.requests += 1
            if now - run.begins >= SETTLED_S:
                run.late_requests += 1
            if run.throttle is not None:
                run.throttle.started(1, run.under_way, now)
            answer = server.post(now)
            ticket += 1
            heapq.heappush(events, (answer.at, ticket, number, now, started, answer))
        wakes = min(run.next_at(now), run.absence.look_at)
        if not run.left and run.retries and not run.under_way:
            wakes = min(wakes, max(run.retries[0][0], now))
        if now < wakes < run.wakes_at and wakes < math.inf:
            run.wakes_at = wakes
            ticket += 1
            heapq.heappush(events, (wakes, ticket, number, 0.0, 0, None))


def hear(run: Run, row: int, began: float, reply: kinds.Reply, now: float) -> None:
    """An answer came, or none did."""
    others, verdict = run.under_way - 1, verdict_of(reply)
    run.under_way = others
    if verdict is WELL:
        run.done += 1
        run.ended = now
        run.done_at.append(now)
        run.waited += reply.waited_s
    elif verdict.slow:
        run.late_refused += began - run.begins >= SETTLED_S
        run.quiet_until = max(run.quiet_until, now + (verdict.retry_after_s or 0.0))
    if run.throttle is not None:
        hold_back(run, run.throttle, verdict, now - began, now)
    if run.absence.heard(row, verdict, others, now):
        run.tries.take_back()
        if run.throttle is not None:
            run.throttle.narrow(now)
    run.tries.heard(verdict)
    if verdict is not WELL:
        wait_s = run.tries.wait_s(row, verdict, run.absence)
        heapq.heappush(run.retries, (now + (wait_s or 0.0), row))


def verdict_of(reply: kinds.Reply) -> Verdict:
    if not reply.status:
        return SILENT
    if reply.status == 200:
        return WELL
    return Verdict(FAILED, reply.status, slow=True, voice=Voice.BUSY, retry_after_s=reply.retry_after_s)


def hold_back(run: Run, throttle: Throttle, verdict: Verdict, latency_s: float, now: float) -> None:
    """What `Consequences` tells the throttle."""
    if verdict.slow:
        throttle.slowed(latency_s, verdict.retry_after_s, now)
    elif verdict.voice is Voice.API:
        throttle.answered(latency_s, now)
    else:
        throttle.silent(latency_s, now)
    if run.is_traced and (not run.widths or run.widths[-1][1:] != (throttle.width, throttle.rate)):
        run.widths.append((now, throttle.width, throttle.rate))


@dataclass(frozen=True)
class Kind:
    """A kind of server.

    Attributes:
        name: what it is like.
        make: how it is made anew with a seed.
        rows: what is sent.
        base_s: how long an answer takes by itself.
        settles_s: so long it may take until shares are counted, and a second run comes so much later.
    """

    name: str
    make: Callable[[int], Server]
    rows: int
    base_s: float
    settles_s: float = SETTLED_S


def auto(rows: int, seed: int, begins: float = 0.0, start: int = START) -> Run:
    return Run(rows, Throttle(Concurrency(start, MOST), (MOST, MOST)), 0, random.Random(seed), begins)


def fixed(rows: int, width: int, seed: int) -> Run:
    return Run(rows, None, width, random.Random(seed))


def in_bursts(now: float) -> float:
    return 350 if now % 10 < 4 else 60


W, B = kinds.Workers, kinds.Bucket
KINDS = (
    Kind("capacity 50, 100 ms", lambda s: W(lambda _: 50, kinds.steady(0.08), 0.02, seed=s), 30_000, 0.1),
    Kind("capacity 8, 100 ms", lambda s: W(lambda _: 8, kinds.steady(0.08), 0.02, seed=s), 6_000, 0.1),
    Kind("capacity 16, 1-5 ms", lambda s: W(lambda _: 16, kinds.between(0.001, 0.005), seed=s), 30_000, 0.003, 1.0),
    Kind("capacity 200, far away", lambda s: W(lambda _: 100, kinds.steady(0.1), 0.2, seed=s), 50_000, 0.3),
    Kind("capacity 50, short queue", lambda s: W(lambda _: 50, kinds.steady(0.08), 0.02, 30, seed=s), 30_000, 0.1),
    Kind("no limit, 100 ms", lambda s: W(lambda _: 10_000, kinds.steady(0.1), seed=s), 150_000, 0.1),
    Kind("no limit, 20-800 ms", lambda s: W(lambda _: 10_000, kinds.between(0.02, 0.8), seed=s), 60_000, 0.41),
    Kind("no limit, heavy tail", lambda s: W(lambda _: 10_000, kinds.tailed(0.15, 1.0), seed=s), 80_000, 0.25),
    Kind("capacity 100, 20-800 ms", lambda s: W(lambda _: 100, kinds.between(0.02, 0.8), seed=s), 20_000, 0.41),
    Kind("capacity 60, heavy tail", lambda s: W(lambda _: 60, kinds.tailed(0.12, 1.0), seed=s), 20_000, 0.2),
    Kind(
        "halves and comes back",
        lambda s: W(kinds.changing(64, 32, 15, 35), kinds.between(0.06, 0.14), 0.02, seed=s), 35_000, 0.12,
    ),
    Kind("slow warm-up", lambda s: W(kinds.warming(4, 100, 20), kinds.between(0.06, 0.14), 0.02, seed=s), 50_000, 0.12),
    Kind(
        "noisy neighbour",
        lambda s: W(lambda _: 64, kinds.between(0.06, 0.14), 0.02, neighbour=in_bursts, seed=s),
        25_000, 0.12,
    ),
    Kind(
        "outage of 10 s",
        lambda s: kinds.Outage(W(lambda _: 50, kinds.between(0.06, 0.1), 0.02, seed=s), 20, 30), 30_000, 0.1,
    ),
    Kind("429 over 20/s, 20 ms", lambda s: B(20, 5, kinds.between(0.015, 0.025), seed=s), 1_200, 0.02),
    Kind("429 over 200/s, 100 ms", lambda s: B(200, 50, kinds.between(0.05, 0.15), seed=s), 12_000, 0.1),
    Kind("429 over 1000/s, 200 ms", lambda s: B(1000, 1000, kinds.between(0.1, 0.3), seed=s), 60_000, 0.2),
    Kind("429, Retry-After, 20/s", lambda s: B(20, 10, kinds.between(0.05, 0.15), 1.0, seed=s), 1_200, 0.1),
    Kind("429, Retry-After, 200/s", lambda s: B(200, 100, kinds.between(0.05, 0.15), 1.0, seed=s), 12_000, 0.1),
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """The figures of a kind of server: medians of three seeds, of shares of seven, the refused ones of all.

    Attributes:
        best: the fixed concurrency that was quickest.
        best_s: its makespan.
        auto_s: the makespan of the pace that finds itself.
        to_best: the same beside the best.
        to_32: and beside 32.
        refused: share of requests that were, after the first ten seconds.
        queueing: the mean wait at the server, in answers' own time.
        shared: the smaller share of two runs that begin together.
        joined: and of two of which one begins ten seconds later, a second where answers are fast.
    """

    best: int
    best_s: float
    auto_s: float
    to_best: float
    to_32: float
    refused: float
    queueing: float
    shared: float
    joined: float


def once(kind: Kind, make: Callable[[int], Run], seeds: range) -> tuple[float, list[Run]]:
    runs = []
    for seed in seeds:
        run = make(seed)
        simulate(kind.make(seed), [run])
        runs.append(run)
    return statistics.median(run.ended if run.done == run.rows else math.inf for run in runs), runs


def measure(kind: Kind, seeds: range) -> Found:
    times = {width: once(kind, partial(fixed, kind.rows, width), range(1))[0] for width in FIXED}
    best = min(times, key=times.__getitem__)
    auto_s, runs = once(kind, partial(auto, kind.rows), seeds)
    return Found(
        best=best,
        best_s=times[best],
        auto_s=auto_s,
        to_best=auto_s / times[best],
        to_32=auto_s / times[32],
        refused=sum(run.late_refused for run in runs) / max(1, sum(run.late_requests for run in runs)),
        queueing=statistics.median(run.waited / run.done for run in runs) / kind.base_s,
        shared=statistics.median(shared(kind, seed, 0.0) for seed in range(SHARE_SEEDS)),
        joined=statistics.median(shared(kind, seed, kind.settles_s) for seed in range(SHARE_SEEDS)),
    )


def shared(kind: Kind, seed: int, apart_s: float) -> float:
    """The smaller of the shares two runs at one server got, once that settled, until one of them ended."""
    runs = [auto(kind.rows, seed), auto(kind.rows, seed + 100, begins=apart_s + _APART_S * seed)]
    simulate(kind.make(seed), runs)
    since, until = apart_s + kind.settles_s, min(run.ended for run in runs)
    counts = [sum(since <= at <= until for at in run.done_at) for run in runs]
    return min(counts) / max(1, sum(counts))


def main() -> None:
    wanted = [kind for kind in KINDS if not sys.argv[1:] or any(arg in kind.name for arg in sys.argv[1:])]
    found = {}
    print(f"{'server':26} best   s     /best  /32   429s   queue share joined", file=sys.stderr)
    for kind in wanted:
        each = measure(kind, range(3))
        found[kind.name] = {name: round(value, 4) for name, value in asdict(each).items()}
        print(
            f"{kind.name:26} {each.best:4} {each.best_s:6.1f} {each.to_best:5.2f} {each.to_32:5.2f} "
            f"{each.refused:6.2%} {each.queueing:5.2f} {each.shared:5.2f} {each.joined:5.2f}",
            file=sys.stderr,
            flush=True,
        )
    show({"kinds": found})


if __name__ == "__main__":
    main()
