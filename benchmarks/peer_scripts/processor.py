"""After the description of OpenAI's cookbook script for parallel requests, in our own words.

One loop hands out requests as a budget a minute allows, a task each; those that fail go to a queue to be tried again; a
tracker counts; each result is appended to a JSONL file, which is opened for it. As there, the loop sleeps a millisecond
each time round, which bounds it to 1,000 requests a second. The budget is set so that it never binds.
"""

import asyncio
import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

url, sheet, results = sys.argv[1:]
PER_MINUTE = 10_000_000.0
ATTEMPTS = 5


@dataclass
class Tracker:
    """What is under way, and what became of the rest."""

    started: int = 0
    in_progress: int = 0
    succeeded: int = 0
    failed: int = 0


@dataclass
class Request:
    """One row, and how often it may still be tried."""

    body: dict[str, Any]
    attempts_left: int = ATTEMPTS

    async def call(self, session: aiohttp.ClientSession, again: "asyncio.Queue[Request]", tracker: Tracker) -> None:
        error = ""
        try:
            async with session.post(f"{url}/v1/sms/contact", json=self.body) as answer:
                said = await answer.json()
                if answer.status != 200:
                    error = str(said)
        except (aiohttp.ClientError, TimeoutError) as broken:
            error = str(broken)
        if error and self.attempts_left:
            again.put_nowait(self)
            return
        tracker.in_progress -= 1
        if error:
            tracker.failed += 1
            append([self.body, error])
        else:
            tracker.succeeded += 1
            append([self.body, said])


def append(result: list[Any]) -> None:
    with Path(results).open("a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")


async def main(rows: Iterator[dict[str, str]]) -> None:
    again: asyncio.Queue[Request] = asyncio.Queue()
    tracker = Tracker()
    tasks: set[asyncio.Task[None]] = set()
    upcoming: Request | None = None
    is_read = False
    loop = asyncio.get_running_loop()
    capacity, updated_at = PER_MINUTE, loop.time()
    async with aiohttp.ClientSession(headers={"Authorization": "Token benchmark"}) as session:
        while not is_read or tracker.in_progress:
            if upcoming is None and not again.empty():
                upcoming = again.get_nowait()
            elif upcoming is None and not is_read:
                row = next(rows, None)
                is_read = row is None
                if row is not None:
                    upcoming = Request({"orgId": 1, "to": row["to"], "message": row["message"]})
                    tracker.started += 1
                    tracker.in_progress += 1
            now = loop.time()
            capacity, updated_at = min(capacity + PER_MINUTE * (now - updated_at) / 60, PER_MINUTE), now
            if upcoming is not None and capacity >= 1:
                capacity -= 1
                upcoming.attempts_left -= 1
                task = asyncio.create_task(upcoming.call(session, again, tracker))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                upcoming = None
            await asyncio.sleep(0.001)
    if tracker.failed:
        sys.exit(f"{tracker.failed} of {tracker.started} failed")


with Path(sheet).open(encoding="utf-8", newline="") as source:
    asyncio.run(main(csv.DictReader(source)))
