"""What a log and metrics cost beside a send that nobody watches: ``python benchmarks/watched.py [ROWS]`` (20,000).

Whole processes on one core, start-up included; all take turns, and the best of three counts. Prints a JSON object with
the ratios: the processor time of a send that is watched, by that of one that is not. Needs nginx, as ``overhead.py``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import measure
import servers


def main() -> None:
    rows = measure.argument(20_000)
    with servers.echo_server() as url:
        measure.show(compare(url, rows) | {"rows": rows})


def compare(url: str, rows: int, rounds: int = 3) -> dict[str, Any]:
    """Sends that are watched in several ways, against one server: ratios, and microseconds per send."""
    with tempfile.TemporaryDirectory() as folder:
        sheet = measure.write_sheet(Path(folder) / "campaign.csv", measure.numbers(rows))
        ways = {
            "alone": (),
            "log": ("--log-file", f"{folder}/campaign.log"),
            "metrics": ("--metrics-file", f"{folder}/campaign.prom"),
        }
        takes: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, options in ways.items():
                done, _summary = measure.send(sheet, url, "--concurrency", "64", *options)
                takes[name].append(done.cpu_s)
    cpu_us = {name: min(seconds) / rows * 1e6 for name, seconds in takes.items()}
    return {
        **{f"ratio_{name}": round(cpu_us[name] / cpu_us["alone"], 3) for name in ways if name != "alone"},
        "cpu_us_per_send": {name: round(us, 1) for name, us in cpu_us.items()},
    }


if __name__ == "__main__":
    main()
