"""How fast ``bulksend send`` is beside a bare aiohttp loop that keeps no record, against one sandbox, in one run.

Run with ``python benchmarks/send_rate.py [ROWS]``. Prints a JSON object; ``ratio`` is what counts: machines differ.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import orjson
import uvloop

CONCURRENCY = 64


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    numbers = [f"63917{row:07}" for row in range(1_000_000, 1_000_000 + rows)]
    with subprocess.Popen(
        [sys.executable, "-m", "bulksend", "sandbox", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdout is not None  # noqa: S101 -- a pipe was asked for
        base_url = server.stdout.readline().decode().strip()
        try:
            bare = uvloop.run(_bare(base_url, numbers))
            whole, sending = _bulksend(base_url, numbers)
        finally:
            server.terminate()
    print(
        json.dumps(
            {
                "rows": rows,
                "concurrency": CONCURRENCY,
                "bare_per_s": round(rows / bare),
                "bulksend_per_s": round(rows / sending),
                "bulksend_whole_process_per_s": round(rows / whole),
                "ratio": round(bare / sending, 3),
                "ratio_whole_process": round(bare / whole, 3),
            },
            indent=2,
        )
    )


async def _bare(base_url: str, numbers: list[str]) -> float:
    waiting = iter(numbers)
    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    headers = {"Authorization": "Token sandbox", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def work() -> None:
            for number in waiting:
                body = orjson.dumps({"orgId": 1, "to": number, "message": f"Hello {number}"})
                async with session.post(f"{base_url}/v1/sms/contact", data=body) as answer:
                    orjson.loads(await answer.read())

        started = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
        return time.perf_counter() - started


def _bulksend(base_url: str, numbers: list[str]) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "campaign.csv"
        path.write_text("to,message\n" + "".join(f"{number},Hello {number}\n" for number in numbers))
        command = [
            sys.executable, "-m", "bulksend", "send", str(path), "--base-url", base_url, "--org-id", "1",
            "--concurrency", str(CONCURRENCY), "--yes", "--no-progress", "--json",
        ]  # fmt: skip
        started = time.perf_counter()
        ended = subprocess.run(command, check=True, capture_output=True, env={"BULKSEND_API_KEY": "sandbox"})
        whole = time.perf_counter() - started
    return whole, json.loads(ended.stdout)["seconds"]


if __name__ == "__main__":
    main()
