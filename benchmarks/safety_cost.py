"""What safety costs: the same engine and server, with the run file's journal and with one that forgets everything.

Run with ``python benchmarks/safety_cost.py [ROWS]``. Both take turns in one run, and the medians are compared; what
counts is ``ratio``: machines differ.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import uvloop

from bulksend.campaign import PlanRequest, plan
from bulksend.engagespark import SmsApi, Target
from bulksend.model import (
    Answer,
    Attempt,
    Endpoint,
    Message,
    MicroUSD,
    Outcome,
    PhoneNumber,
    Queued,
    Recipient,
    RowInDoubt,
)
from bulksend.planning import PlanOptions
from bulksend.runs import Address, OwnRun, account_of
from bulksend.sending import Caps, Journal, Keys, Pace, Stopping, assemble

ROUNDS = 5
PACE = Pace(concurrency=64)


class Forgetful:
    """A journal that keeps the plan in memory and notes nothing."""

    sharing = None

    def __init__(self, numbers: Sequence[str]) -> None:
        self._numbers = numbers

    async def claim(self, after: int, limit: int) -> list[Queued]:
        numbers = self._numbers[after : after + limit]
        return [Queued(row, PhoneNumber(number), 1) for row, number in enumerate(numbers, after + 1)]

    async def crowded(self, is_crowded: Callable[[Recipient, int], bool]) -> list[Queued]:  # noqa: ARG002
        return []

    async def undecided(self, since_s: float, proof: int) -> list[Queued]:  # noqa: ARG002
        return []

    async def recent_sends(self, since_s: float, wall_s: float) -> list[tuple[Recipient, int, float]]:  # noqa: ARG002
        return []

    def leaves(self, attempt: Attempt) -> bool:  # noqa: ARG002
        return True

    async def in_doubt(self, limit: int) -> list[RowInDoubt]:  # noqa: ARG002
        return []

    async def message_ids(self, since_s: float) -> set[str]:  # noqa: ARG002
        return set()

    async def rivals(self, since_s: float) -> list[tuple[Recipient, str]]:  # noqa: ARG002
        return []

    async def found(self, answers: Mapping[int, Answer], wall_s: float) -> None:
        pass

    async def asked_at(self) -> float | None:
        return None

    async def note_progress(self, words: str) -> None:
        pass

    def give_up(self) -> None:
        pass

    def close(self) -> None:
        pass

    async def news(self) -> None:
        pass

    async def begin(self, rows: Sequence[int], wall_s: float, proof: int = 0) -> list[Attempt]:  # noqa: ARG002
        return [self._attempt(row) for row in rows]

    def settle(self, outcomes: Sequence[Outcome], *, turn: int) -> Awaitable[None]:  # noqa: ARG002
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def _attempt(self, row: int) -> Attempt:
        number = PhoneNumber(self._numbers[row - 1])
        return Attempt(
            Message(row, number, None, f"Hello {number}", 1, MicroUSD(20_000)), 1, doubt_since=None, ticket=row
        )


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    numbers = [f"63917{row:07}" for row in range(1_000_000, 1_000_000 + rows)]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-m", "bulksend", "sandbox", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as server,
    ):
        assert server.stdout is not None  # noqa: S101 -- a pipe was asked for
        target = Target(server.stdout.readline().decode().strip(), 1, Endpoint.CONTACT, "sandbox")
        safe, bare = [], []
        try:
            for turn in range(ROUNDS):
                bare.append(uvloop.run(_send(Forgetful(numbers), target, Keys(f"bare{turn}", is_shared=False))))
                safe.append(_safely(Path(folder) / f"{turn}.csv", numbers, target))
        finally:
            server.terminate()
    per_s = {"safe_per_s": rows / statistics.median(safe), "forgetful_per_s": rows / statistics.median(bare)}
    ratio = round(per_s["safe_per_s"] / per_s["forgetful_per_s"], 3)
    print(json.dumps({"rows": rows, **{name: round(value) for name, value in per_s.items()}, "ratio": ratio}, indent=2))


def _safely(path: Path, numbers: Sequence[str], target: Target) -> float:
    path.write_text("to,message\n" + "".join(f"{number},Hello {number}\n" for number in numbers))
    request = PlanRequest(str(path), PlanOptions(), Address(1, target.base_url))
    with plan(request, path.with_suffix(".run")) as run:
        return uvloop.run(_noted(run, target))


async def _noted(run: OwnRun, target: Target) -> float:
    with account_of(run.place, Address(target.org_id, target.base_url)) as account:
        account.begin(run, since_s=time.time() - 60, wall_s=time.time())
        keys = run.facts.keys
        journal = run.journal(keyed=True)
        try:
            return await _send(journal, target, keys)
        finally:
            journal.close()


async def _send(journal: Journal, target: Target, keys: Keys) -> float:
    async with SmsApi(target, timeout_s=PACE.timeout_s) as api:
        engine = assemble(journal, api, Stopping(), Caps(), PACE, keys=keys)
        started = time.perf_counter()
        await engine.run()
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
