"""Loops that keep no record of what they send: ``python benchmarks/loops.py bare|floor URL SHEET CONCURRENCY``.

``bare`` is the fastest of what one would write with aiohttp: its client session on uvloop, orjson, workers that take
the next row. ``floor`` is the same over bulksend's own connections, so what is above it is what bulksend does beside
sending.
"""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import uvloop
from yarl import URL

from bulksend.engagespark import Wire

HEADERS = {"Authorization": "Token benchmark", "Content-Type": "application/json"}


async def bare(url: str, rows: list[bytes], concurrency: int) -> None:
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector, headers=HEADERS) as session:

        async def post(body: bytes) -> Any:
            async with session.post(url, data=body) as answer:
                return orjson.loads(await answer.read())

        await work(post, rows, concurrency)


async def floor(url: str, rows: list[bytes], concurrency: int) -> None:
    async with Wire(URL(url), HEADERS, connect_s=10.0, timeout_s=30.0, idle_s=15.0, longest=1_000_000) as wire:

        async def post(body: bytes) -> Any:
            received = await wire.post(body)
            return orjson.loads(received.body or b"")

        await work(post, rows, concurrency)


async def work(post: Callable[[bytes], Awaitable[Any]], rows: list[bytes], concurrency: int) -> None:
    waiting = iter(rows)
    accepted = 0

    async def worker() -> None:
        nonlocal accepted
        for body in waiting:
            answer = await post(body)
            accepted += answer["messageId"] != ""

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    if accepted != len(rows):
        raise SystemExit(f"only {accepted} of {len(rows)} were accepted")


def main() -> None:
    kind, base_url, sheet, concurrency = sys.argv[1:]
    with Path(sheet).open(encoding="utf-8", newline="") as file:
        rows = [
            orjson.dumps({"orgId": 1, "to": row["to"], "message": row["message"], "from": "Shop"})
            for row in csv.DictReader(file)
        ]
    loop = {"bare": bare, "floor": floor}[kind]
    uvloop.run(loop(f"{base_url}/v1/sms/contact", rows, int(concurrency)))


if __name__ == "__main__":
    main()
