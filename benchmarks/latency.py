"""How well waiting time is used: a server that answers after 100 ms, give or take 50, and 256 requests at once.

Run with ``python benchmarks/latency.py [ROWS]`` (default 20,000). Prints a JSON object; ``ratio`` is the rate of the
sending phase over the ideal, which is concurrency over mean latency; the goal is 0.97. The whole process, with
planning, start-up and the results, is told beside it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import measure
import servers

CONCURRENCY = 256
MEAN_S = 0.100
JITTER_S = 0.050


def main() -> None:
    measure.show(compare(measure.argument(20_000)))


def compare(rows: int) -> dict[str, Any]:
    """The rate of sending beside the ideal."""
    with servers.slow_server(MEAN_S, JITTER_S) as url, tempfile.TemporaryDirectory() as folder:
        sheet = measure.write_sheet(Path(folder) / "campaign.csv", measure.numbers(rows))
        whole, summary = measure.send(sheet, url, "--concurrency", str(CONCURRENCY))
    ideal_per_s = CONCURRENCY / MEAN_S
    return {
        "ratio": round(rows / summary["seconds"] / ideal_per_s, 3),
        "ratio_whole_process": round(rows / whole.wall_s / ideal_per_s, 3),
        "ideal_per_s": round(ideal_per_s),
        "sending_per_s": round(rows / summary["seconds"]),
        "rows": rows,
        "concurrency": CONCURRENCY,
        "cpu_share": round(whole.cpu_s / whole.wall_s, 3),
        "peak_mb": round(whole.peak_mb, 1),
    }


if __name__ == "__main__":
    main()
