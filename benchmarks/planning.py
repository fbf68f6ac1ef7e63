"""How fast a spreadsheet is planned beside a bare ``csv.DictReader`` loop over it, and how much memory that takes.

Run with ``python benchmarks/planning.py [ROWS [FEWER_ROWS]]``: the first is what is timed (default 1,000,000), the
memory is compared with that of the second (default 100,000). Prints a JSON object; the ratios are what counts: machines
differ. Each measurement is a process of its own, start-up included, and the best of three.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

TEXT = (
    "Hi {First Name}! You have {Points} points at {Store}. Show this text at the counter by 31 May for a free coffee."
)
NAMES = ("Maria", "Jose", "Efren", "Luz", "Ana Marie", "Ramon", "Niño")
NETWORKS = ("917", "918", "905", "906", "915", "926", "927", "939", "946", "961", "995", "977")
BARE = "import csv,sys\nfor row in csv.DictReader(open(sys.argv[1], encoding='utf-8', newline='')): pass"
PLAN = """
import sys
from pathlib import Path
from bulksend import campaign
from bulksend.planning import PlanOptions
from bulksend.runs import Address
options = PlanOptions(sender="engageSPARK", message=sys.argv[2])
request = campaign.PlanRequest(sys.argv[1], options, Address(1, ""))
if len(sys.argv) == 4:
    campaign.plan(request, Path(sys.argv[3])).close()
else:
    campaign.survey(request)
"""


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    fewer = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        many, few, run = (str(Path(folder) / name) for name in ("many.csv", "few.csv", "plan.run"))
        write(many, rows)
        write(few, fewer)
        bare, _ = best([python, "-c", BARE, many])
        planned, peak = best([python, "-c", PLAN, many, TEXT])
        saved, saved_peak = best([python, "-c", PLAN, many, TEXT, run])
        size = Path(run).stat().st_size
        estimate, _ = best([python, "-m", "bulksend", "estimate", many, "--message", TEXT, "--from", "engageSPARK"])
        _, few_peak = best([python, "-c", PLAN, few, TEXT])
        _, few_saved_peak = best([python, "-c", PLAN, few, TEXT, run])
        click_s, _ = best([python, "-c", "import click"])
        help_s, _ = best([python, "-m", "bulksend", "--help"])
    found = {
        "rows": rows,
        "bare_rows_per_s": round(rows / bare),
        "planned_rows_per_s": round(rows / planned),
        "saved_rows_per_s": round(rows / saved),
        "ratio_planned": round(bare / planned, 3),
        "ratio_estimate_command": round(bare / estimate, 3),
        "ratio_saved": round(bare / saved, 3),
        "run_file_bytes_per_row": round(size / rows),
        "peak_mb": round(peak, 1),
        "peak_mb_saved": round(saved_peak, 1),
        f"ratio_peak_to_{fewer}_rows": round(peak / few_peak, 3),
        f"ratio_peak_saved_to_{fewer}_rows": round(saved_peak / few_saved_peak, 3),
        "ratio_help_to_import_click": round(help_s / click_s, 2),
    }
    print(json.dumps(found, indent=2))


def write(path: str, rows: int) -> None:
    """A sheet of ``rows`` different numbers, 40 bytes a row."""
    with Path(path).open("w", encoding="utf-8") as file:
        file.write("to,First Name,Points,Store\n")
        for row in range(rows):
            number = f"63{NETWORKS[row % len(NETWORKS)]}{row * 7919 % 10**7:07}"
            file.write(f"{number},{NAMES[row % len(NAMES)]},{row % 1000},Las Piñas\n")


def best(command: list[str]) -> tuple[float, float]:
    """The fewest seconds of three runs, and the last one's peak of memory in MB."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        pid = os.posix_spawn(command[0], command, ENVIRONMENT, file_actions=QUIET)
        _, status, usage = os.wait4(pid, 0)
        seconds.append(time.perf_counter() - started)
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"{command[:4]} failed")
    return min(seconds), usage.ru_maxrss / 1024


ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("BULKSEND_")}
QUIET = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]

if __name__ == "__main__":
    main()
