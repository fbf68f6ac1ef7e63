"""What large campaigns take: planning, sending a part, and going on with a run that is nearly done.

Run with ``python benchmarks/scale.py [--rows 10000,100000,1000000]``. Debian: nginx-light, libnginx-mod-http-echo.
Ten million rows take some ten minutes and 6 GB of disk; say where with TMPDIR. Prints a JSON object. The first
request's time is the server's, from the program's start. ``resume_s`` is how long a run of the last size that is 99 %
done takes to its next request; the goal is 5 s at ten million rows.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import measure
import servers

from bulksend.runs import own_run

PART = 20_000
PLAN = """
import sys
from pathlib import Path
from bulksend import campaign
from bulksend.planning import PlanOptions
from bulksend.runs import Address
request = campaign.PlanRequest(sys.argv[1], PlanOptions(sender="Shop"), Address(1, sys.argv[3]))
campaign.plan(request, Path(sys.argv[2])).close()
"""
# What a row looks like that was sent an hour ago; a column of another name stays empty.
SENT = {
    "row": "row",
    "state": "'sent'",
    "attempts": "1",
    "ticket": "row",
    "started_at": "strftime('%s', 'now') - 3600.1",
    "ended_at": "strftime('%s', 'now') - 3600.0",
    "http_status": "200",
    "answer": (
        "json_object('messageId', 'SMS20190723T154425-123-' || row, 'estimateParts', 1, 'estimateMicro', 20000, "
        "'estimate', '0.02', 'deliveryDeadline', '2019-07-24T13:49:16.38785625Z', 'to', recipient, 'contactId', 0)"
    ),
    "charged": "20000",
    "error": "''",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", default="10000,100000,1000000", help="numbers of rows, the largest last")
    sizes = [int(rows) for rows in parser.parse_args().rows.split(",")]
    found = {f"{rows}_rows": compare(rows, resume=rows == sizes[-1]) for rows in sizes}
    first, last = found[f"{sizes[0]}_rows"], found[f"{sizes[-1]}_rows"]
    ratios = {
        f"ratio_peak_{name}_to_{sizes[0]}_rows": round(last[name]["peak_mb"] / first[name]["peak_mb"], 3)
        for name in ("plan", "send")
    }
    measure.show({"resume_s": last["resume"]["first_request_s"]} | ratios | found)


def compare(rows: int, *, resume: bool) -> dict[str, Any]:
    """One size: its plan, a send of a part, and if wanted going on when 99 % are done."""
    with tempfile.TemporaryDirectory() as folder, servers.echo_server(Path(folder) / "arrivals") as url:
        run, log = Path(folder) / "campaign.run", Path(folder) / "arrivals"
        sheet = measure.write_sheet(Path(folder) / "campaign.csv", measure.numbers(rows))
        planned = measure.run([sys.executable, "-c", PLAN, str(sheet), str(run), url])
        found = {
            "plan": {
                "rows_per_s": round(rows / planned.wall_s),
                "seconds": round(planned.wall_s, 2),
                "peak_mb": round(planned.peak_mb, 1),
                "run_file_bytes_per_row": round(run.stat().st_size / rows),
            },
            "send": _send(run, url, log, min(PART, rows // 2)),
        }
        if resume:
            mark_sent(run, rows * 99 // 100)
            found["resume"] = _send(run, url, log, 1)
    return found


def _send(run: Path, url: str, log: Path, limit: int) -> dict[str, float]:
    before = _arrivals(log)
    whole, summary = measure.send(run, url, "--limit", str(limit), accept=(0, 1))
    arrived = _arrivals(log)[len(before) :]
    if len(arrived) != limit:
        raise SystemExit(f"{len(arrived)} of {limit} arrived")
    return {
        "first_request_s": round(arrived[0] - whole.started_at, 3),
        "rows_per_s": round(limit / summary["seconds"]),
        "sending_s": summary["seconds"],
        "whole_s": round(whole.wall_s, 2),
        "peak_mb": round(whole.peak_mb, 1),
    }


def _arrivals(log: Path) -> list[float]:
    return [float(line) for line in log.read_text().splitlines()]


def mark_sent(run: Path, rows: int) -> None:
    """Make a run file one whose first rows were sent an hour ago."""
    with closing(sqlite3.connect(run)) as db, db:
        columns = db.execute(
            "SELECT name, \"notnull\" AND dflt_value IS NULL FROM pragma_table_info('sends')"
        ).fetchall()
        if unknown := [name for name, needed in columns if needed and name not in SENT]:
            raise SystemExit(f"benchmarks/scale.py does not know how {', '.join(unknown)} of a sent row looks")
        known = [name for name, _ in columns if name in SENT]
        values = ", ".join(SENT[name] for name in known)
        db.execute(
            f"INSERT OR REPLACE INTO sends ({', '.join(known)}) SELECT {values} FROM messages WHERE row <= ?",
            [rows],
        )
    own_run(run, time.time()).close()  # which notes how far it is, as a run does by itself while it goes on


if __name__ == "__main__":
    main()
