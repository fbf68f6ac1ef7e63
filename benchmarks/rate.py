"""How true ``--rate 1000`` is to its word, by the server's clock.

Run with ``python benchmarks/rate.py [SECONDS]`` (default 60). Debian: nginx-light, libnginx-mod-http-echo. Prints a
JSON object: the mean rate over the one asked for (goal: 0.99 to 1.01), and the fullest of all seconds, wherever it
begins (goal: 1.10 at most).
"""

from __future__ import annotations

import tempfile
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

import measure
import servers

RATE = 1_000


def main() -> None:
    seconds = measure.argument(60)
    rows = RATE * seconds
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "arrivals"
        sheet = measure.write_sheet(Path(folder) / "campaign.csv", measure.numbers(rows))
        with servers.echo_server(log) as url:
            whole, _ = measure.send(sheet, url, "--rate", str(RATE))
        arrivals = sorted(float(line) for line in log.read_text().splitlines())
    if len(arrivals) != rows:
        raise SystemExit(f"{len(arrivals)} of {rows} arrived")
    mean = (rows - 1) / (arrivals[-1] - arrivals[0])
    measure.show(
        {
            "ratio_mean": round(mean / RATE, 4),
            "ratio_worst_second": round(fullest_second(arrivals) / RATE, 4),
            "rate": RATE,
            "mean_per_s": round(mean, 1),
            "seconds": round(arrivals[-1] - arrivals[0], 3),
            "cpu_share": round(whole.cpu_s / whole.wall_s, 3),
        }
    )


def fullest_second(arrivals: Sequence[float]) -> int:
    """The most arrivals in any one second, of sorted times."""
    return max(bisect_left(arrivals, at + 1, lo=index) - index for index, at in enumerate(arrivals))


if __name__ == "__main__":
    main()
