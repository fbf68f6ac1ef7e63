"""The pace that finds itself on real sockets: the real program against five of the simulation's kinds of server.

Beside it the fixed concurrency that was best in the simulation (``results/pacing.json``), and 32.
``python benchmarks/pacing_sockets.py`` takes a quarter of an hour, for 32 is slow where much is allowed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import measure
from servers import SERVER_CORE

ROWS = {
    "capacity 50, 100 ms": 8_000,
    "capacity 50, short queue": 12_000,
    "no limit, 20-800 ms": 6_000,
    "halves and comes back": 16_000,
    "429 over 200/s, 100 ms": 4_000,
}
LONGER = {"capacity 50, short queue": 30_000, "no limit, 20-800 ms": 60_000}
"""Where finding weighs much in so short a run."""


def main() -> None:
    simulated = json.loads((measure.HERE / "results" / "pacing.json").read_text())["result"]["kinds"]
    found = {}
    for kind, rows in ROWS.items():
        each = {
            name: seconds(kind, rows, concurrency)
            for name, concurrency in (("auto", "auto"), ("best", str(simulated[kind]["best"])), ("32", "32"))
        }
        found[kind] = {"rows": rows, "best_concurrency": simulated[kind]["best"], **each}
        if kind in LONGER:
            found[kind]["longer"] = {"rows": LONGER[kind]} | {
                name: seconds(kind, LONGER[kind], concurrency)
                for name, concurrency in (("auto", "auto"), ("best", str(simulated[kind]["best"])))
            }
        print(f"{kind:26} {found[kind]}", file=sys.stderr, flush=True)
    measure.show({"kinds": found})


def seconds(kind: str, rows: int, concurrency: str) -> dict[str, Any]:
    """How long sending took, and how many requests that were in vain."""
    with limited_server(kind) as url, tempfile.TemporaryDirectory() as folder:
        sheet = measure.write_sheet(Path(folder) / "campaign.csv", measure.numbers(rows))
        _, summary = measure.send(sheet, url, "--concurrency", concurrency)
    return {"seconds": round(summary["seconds"], 2), "in_vain": round(summary["attempts"] / rows - 1, 4)}


@contextmanager
def limited_server(kind: str) -> Iterator[str]:
    command = ["taskset", "-c", SERVER_CORE, sys.executable, str(measure.HERE / "limited_server.py"), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=measure.ENVIRONMENT, text=True) as process:
        try:
            yield process.stdout.readline().strip() if process.stdout else ""
        finally:
            process.kill()


if __name__ == "__main__":
    main()
