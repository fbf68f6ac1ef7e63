"""What bulksend costs beside a bare aiohttp loop that keeps no record, whole processes on one core, start-up included.

Run with ``python benchmarks/overhead.py [ROWS]`` (default 50,000). Debian: nginx-light, libnginx-mod-http-echo. Prints
a JSON object, first the ratios: what the bare loop takes over what bulksend takes, so over 1 bulksend takes less. All
three take turns, and the best of three counts. ``floor`` is bulksend's own connections without any of its records.
The document's answer proves no clientDedup, so that no intent may run ahead; the newer API's (``echo``) does.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import measure
import servers
from measure import Run

CONCURRENCY = 64


def main() -> None:
    rows = measure.argument(50_000)
    with servers.document_server() as url:
        document = compare(url, rows)
    with servers.echo_server() as url:
        echo = compare(url, rows)
    ratios = {f"{name}_{server}": found[name] for server, found in (("document", document), ("echo", echo))
              for name in ("ratio_cpu", "ratio_wall")}  # fmt: skip
    measure.show(ratios | {"rows": rows, "concurrency": CONCURRENCY, "document": document, "echo": echo})


def compare(url: str, rows: int, rounds: int = 3) -> dict[str, Any]:
    """All three against one server: the ratios, and per send the microseconds of processor time and of the clock."""
    with tempfile.TemporaryDirectory() as folder:
        sheet = measure.write_sheet(Path(folder) / "campaign.csv", measure.numbers(rows))
        takes: dict[str, list[Run]] = {"bare": [], "bulksend": [], "floor": []}
        for _ in range(rounds):
            takes["bare"].append(_loop("bare", url, sheet))
            takes["bulksend"].append(_bulksend(url, sheet, rows))
            takes["floor"].append(_loop("floor", url, sheet))
    cpu_us = {name: min(run.cpu_s for run in runs) / rows * 1e6 for name, runs in takes.items()}
    wall_us = {name: min(run.wall_s for run in runs) / rows * 1e6 for name, runs in takes.items()}
    return {
        "ratio_cpu": round(cpu_us["bare"] / cpu_us["bulksend"], 3),
        "ratio_wall": round(wall_us["bare"] / wall_us["bulksend"], 3),
        "cpu_us_per_send": {name: round(us, 1) for name, us in cpu_us.items()},
        "wall_us_per_send": {name: round(us, 1) for name, us in wall_us.items()},
        "peak_mb": {name: round(max(run.peak_mb for run in runs), 1) for name, runs in takes.items()},
    }


def _loop(kind: str, url: str, sheet: Path) -> Run:
    return measure.run([sys.executable, str(measure.HERE / "loops.py"), kind, url, str(sheet), str(CONCURRENCY)])


def _bulksend(url: str, sheet: Path, rows: int) -> Run:
    done, summary = measure.send(sheet, url, "--from", "Shop", "--concurrency", str(CONCURRENCY))
    if summary["sent"] != rows:
        raise SystemExit(f"bulksend sent {summary['sent']} of {rows}")
    return done


if __name__ == "__main__":
    main()
