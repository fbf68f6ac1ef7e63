"""What a command costs before and after the messages: ``python benchmarks/startup.py [ROUNDS]`` (20).

Whole processes on one core, all in turns; the best counts. Ten rows are sent, so that next to all of it is start-up.
Beside them what cannot be less: Python itself, and Python with the HTTP client's library. Prints a JSON object: seconds
of processor time, of wall time for a send from its start to its first POST, and each by the time of ``python -c pass``.
Needs nginx, as ``overhead.py``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import measure
import servers

_ROWS = 10


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "arrivals"
        with servers.echo_server(log) as url:
            measure.show(compare(url, measure.argument(20), log))


def compare(url: str, rounds: int, log: Path | None = None) -> dict[str, Any]:
    """Commands beside a bare Python, against one server.

    Args:
        url: the server.
        rounds: how often each is run.
        log: where the server notes when a POST came; None if it does not.
    """
    cpu_s: dict[str, list[float]] = {}
    first_s = []
    with tempfile.TemporaryDirectory() as folder:
        sheet = measure.write_sheet(Path(folder) / "campaign.csv", measure.numbers(_ROWS))
        state = str(Path(folder) / "state")
        ours = [sys.executable, "-m", "bulksend"]
        commands = {
            "python": [sys.executable, "-c", "pass"],
            "aiohttp": [sys.executable, "-c", "import aiohttp"],
            "help": [*ours, "--help"],
            "estimate": [*ours, "estimate", str(sheet), "--sandbox"],
            "status": [*ours, "status", str(sheet)],
        }
        for _ in range(rounds):
            arrived = len(_arrivals(log))
            sent, _summary = measure.send(sheet, url)
            cpu_s.setdefault("send", []).append(sent.cpu_s)
            first_s += [at - sent.started_at for at in _arrivals(log)[arrived : arrived + 1]]
            for name, command in commands.items():
                cpu_s.setdefault(name, []).append(measure.run(command, state=state).cpu_s)
    best = {name: min(seconds) for name, seconds in cpu_s.items()}
    return {
        **{f"ratio_{name}": round(seconds / best["python"], 1) for name, seconds in best.items() if name != "python"},
        "cpu_s": {name: round(seconds, 3) for name, seconds in best.items()},
        "first_post_s": round(min(first_s), 3) if first_s else None,
        "rounds": rounds,
    }


def _arrivals(log: Path | None) -> list[float]:
    return [float(line) for line in log.read_text().splitlines()] if log and log.exists() else []


if __name__ == "__main__":
    main()
