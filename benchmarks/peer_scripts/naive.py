"""What many answers suggest for such a cap: aiohttp, one aiolimiter a phone number, and all rows gathered at once.

Such a limiter is a leaky bucket, so it lets up to nine messages through in a phone's first minute.
"""

import asyncio
import csv
import sys
from collections import defaultdict
from pathlib import Path

import aiohttp
from aiolimiter import AsyncLimiter

url, sheet, concurrency = sys.argv[1:]


async def main(rows: list[dict[str, str]]) -> None:
    limiters: dict[str, AsyncLimiter] = defaultdict(lambda: AsyncLimiter(5, 60))
    connector = aiohttp.TCPConnector(limit=int(concurrency))
    headers = {"Authorization": "Token benchmark"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def send(row: dict[str, str]) -> None:
            body = {"orgId": 1, "to": row["to"], "message": row["message"]}
            async with limiters[row["to"]], session.post(f"{url}/v1/sms/contact", json=body) as answer:
                answer.raise_for_status()
                await answer.json()

        await asyncio.gather(*(send(row) for row in rows))


with Path(sheet).open(encoding="utf-8", newline="") as file:
    asyncio.run(main(list(csv.DictReader(file))))
