"""What the benchmarks share: commands pinned to one core and what they cost, sample sheets, the real program, JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CLIENT_CORE = "0"
_NETWORKS = ("917", "918", "905", "906", "915", "926", "927", "939", "946", "961", "995", "977")
_OURS = {name: value for name, value in os.environ.items() if not name.startswith("BULKSEND_")}
# This checkout is measured, whatever else is installed.
ENVIRONMENT = _OURS | {"PYTHONPATH": str(HERE.parent), "BULKSEND_API_KEY": "benchmark"}


@dataclass(frozen=True, slots=True)
class Run:
    """One command from its start to its end, start-up included.

    Attributes:
        started_at: seconds since 1970.
        wall_s: how long it took.
        cpu_s: seconds of processor time, its own and of the processes it waited for.
        peak_mb: its largest resident memory, or that of the largest process it waited for.
        output: what it said on stdout.
    """

    started_at: float
    wall_s: float
    cpu_s: float
    peak_mb: float
    output: str


def run(command: Sequence[str], *, accept: Sequence[int] = (0,), state: str = "") -> Run:
    """Run a command on the clients' core.

    Args:
        command: the program and its arguments.
        accept: exit codes that are none of a failure.
        state: the folder of what bulksend remembers between runs.
    """
    environment = ENVIRONMENT | {"BULKSEND_STATE_DIR": state}
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        started_at, started = time.time(), time.perf_counter()
        process = subprocess.Popen(
            ["taskset", "-c", CLIENT_CORE, *command],  # noqa: S607 -- of util-linux, wherever it is
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=complained,
            env=environment,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in accept:
            complained.seek(0)
            sys.stderr.write(complained.read().decode(errors="replace")[-2000:])
            raise SystemExit(f"exit code {process.returncode} of: {' '.join(command)}")
        said.seek(0)
        output = said.read().decode(errors="replace")
    return Run(started_at, wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)


def send(sheet: Path, url: str, *options: str, accept: Sequence[int] = (0,)) -> tuple[Run, dict[str, Any]]:
    """Run ``bulksend send`` as users do, remembering nothing of earlier runs: what it cost, and its own summary.

    A sheet is planned anew; a run file goes on.
    """
    if sheet.suffix != ".run":
        for left in (".run", ".results.csv"):
            sheet.with_suffix(left).unlink(missing_ok=True)
    command = [sys.executable, "-m", "bulksend", "send", str(sheet), "--base-url", url, "--org-id", "1"]
    with tempfile.TemporaryDirectory() as state:
        done = run([*command, *options, "--yes", "--no-progress", "--json"], accept=accept, state=state)
    return done, json.loads(done.output)


def numbers(rows: int) -> Iterator[str]:
    """So many different Philippine mobile numbers, at most ten million."""
    return (f"63{_NETWORKS[row % len(_NETWORKS)]}{row * 7919 % 10**7:07}" for row in range(rows))


def write_sheet(path: Path, recipients: Iterable[str]) -> Path:
    """A sheet of messages to these recipients, no two the same; about 100 bytes a row."""
    with path.open("w", encoding="utf-8") as file:
        file.write("to,message\n")
        for row, number in enumerate(recipients, 1):
            file.write(
                f"{number},Hi! Your order {row} is ready at Las Pinas. Show this text at the counter by 31 May.\n"
            )
    return path


def argument(default: int) -> int:
    """The command's only argument, a whole number."""
    return int(sys.argv[1]) if len(sys.argv) > 1 else default


def show(found: dict[str, Any]) -> None:
    """Print the findings."""
    print(json.dumps(found, indent=2))
