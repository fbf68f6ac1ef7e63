"""An asynchronous httpx client, and as many workers as requests at once."""

import asyncio
import csv
import sys
from pathlib import Path

import httpx  # type: ignore[import-not-found, import-untyped, unused-ignore]  # only benchmarks need it

url, sheet, concurrency = sys.argv[1:]


async def main(rows: list[dict[str, str]]) -> None:
    waiting = iter(rows)
    limits = httpx.Limits(max_connections=int(concurrency), max_keepalive_connections=int(concurrency))
    headers = {"Authorization": "Token benchmark"}
    async with httpx.AsyncClient(limits=limits, headers=headers, timeout=30) as client:

        async def work() -> None:
            for row in waiting:
                body = {"orgId": 1, "to": row["to"], "message": row["message"]}
                answer = await client.post(f"{url}/v1/sms/contact", json=body)
                answer.raise_for_status()
                answer.json()

        await asyncio.gather(*(work() for _ in range(int(concurrency))))


with Path(sheet).open(encoding="utf-8", newline="") as file:
    asyncio.run(main(list(csv.DictReader(file))))
