"""Run the benchmarks for the record: ``python benchmarks/all.py [NAME...]``; all of them take up to an hour.

Each one's findings go to benchmarks/results/NAME.json, with the day and the machine, and ``plot.py`` draws them.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
ARGUMENTS = {
    "overhead": ["50000"],
    "peers": ["10000", "--npm"],
    "latency": ["50000"],
    "makespan": [],
    "scale": ["--rows", "10000,100000,1000000,10000000"],
    "rate": ["60"],
    "planning": [],
    "safety_cost": [],
    "startup": [],
    "pacing": [],
    "pacing_sockets": [],
}
LIBRARIES = ("aiohttp", "uvloop", "orjson", "aiolimiter", "requests", "httpx")


def main() -> None:
    RESULTS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or ARGUMENTS:
        arguments = [f"benchmarks/{name}.py", *ARGUMENTS[name]]
        print(f"python {' '.join(arguments)}", file=sys.stderr)
        done = subprocess.run([sys.executable, *arguments], cwd=HERE.parent, stdout=subprocess.PIPE, check=True)
        record = {
            "command": f"python {' '.join(arguments)}",
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "machine": machine(),
            "result": json.loads(done.stdout),
        }
        (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")


def machine() -> dict[str, object]:
    """What it was measured on and with."""
    versions = {}
    for library in LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            versions[library] = "not installed"
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **versions,
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
