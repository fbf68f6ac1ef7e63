"""What a run in a database costs beside one in a file, and what more workers give: sends, plans, commits, take-overs.

Run with ``python benchmarks/database.py [ROWS] [--plan ROWS]``; ROWS are sent by each number of workers (default
20,000), so many more are planned (default 100,000). A PostgreSQL of its own with fsync on, the workers and the server
that they send to share this machine's cores: the CPU per send tells more than the pace.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).absolute().parents[1] / "tests"))

import psycopg
from databases import Cluster, own
from measure import ENVIRONMENT, numbers, show, write_sheet
from servers import slow_server

from bulksend.runs.postgres import install

WORKERS = (1, 2, 4)
DEATHS = 3
LEASE_S = 3.0
_PROGRAM = (sys.executable, "-m", "bulksend")
_TICKS = os.sysconf("SC_CLK_TCK")
_PROBE_S = 0.01  # between two commits that are timed
_SLOW_S = 0.05  # an answer takes, while workers die


@dataclass
class Place:
    """Where it is measured: a folder, a database, and the server that messages go to."""

    folder: Path
    cluster: Cluster
    database: str
    url: str

    def command(self, *words: str) -> list[str]:
        """A command of the program's to this server."""
        return [*_PROGRAM, *words, "--base-url", self.url, "--org-id", "1"]

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start one."""
        environment = ENVIRONMENT | {"BULKSEND_STATE_DIR": str(self.folder / "state")}
        quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        with (self.folder / "said").open("ab") as said:
            return subprocess.Popen(self.command(*words), cwd=self.folder, env=environment, stderr=said, **quiet)

    def first(self, sql: str, *values: object) -> tuple[Any, ...]:
        """One row of the database."""
        with closing(psycopg.connect(self.database, autocommit=True)) as db:
            db.execute("SET search_path = bulksend")
            return db.execute(sql.encode(), values).fetchone() or ()


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder, own(fsync=True) as cluster:
        found = {"rows": options.rows, "load": os.getloadavg()[0]}
        with slow_server(0, 0) as url:
            place = _place(Path(folder), cluster, url)
            found |= {"file": send_from_file(place, options.rows)}
            found |= {f"workers {count}": send_by_workers(place, options.rows, count) for count in WORKERS}
            found["plan"] = plan(place, options.plan)
        with slow_server(_SLOW_S, 0) as url:
            place = _place(Path(folder), cluster, url)
            found["killed, to the next send of its shards, s"] = deaths(place, signal.SIGKILL, 30.0)
            found[f"stopped, the same with a lease of {LEASE_S:g} s"] = deaths(place, signal.SIGSTOP, LEASE_S)
    show(found)


def send_from_file(place: Place, rows: int) -> dict[str, float]:
    """The file store's pace, on the same cores."""
    write_sheet(place.folder / "file.csv", numbers(rows))
    began = time.perf_counter()
    wall_s, cpu_s = _end(place.start("send", "file.csv", "--yes", "--no-progress", "--concurrency", "64"), began)
    return {"sends per s, start and planning included": round(rows / wall_s), "client, us CPU": _micro(cpu_s, rows)}


def send_by_workers(place: Place, rows: int, count: int) -> dict[str, float]:
    """The pace of so many workers, which end when nothing is left."""
    name = f"by{count}"
    sizes = "SELECT pg_database_size(current_database()), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
    size, wal = place.first(sizes)
    _leave(place, name, rows)
    before, began = _postgres_s(place.cluster), time.perf_counter()
    workers = [place.start("worker", place.database, "--until-done", "--concurrency", "64") for _ in range(count)]
    with _probed(place) as commits:
        cpu_s = sum(_end(worker, began)[1] for worker in workers)
    theirs_s = _postgres_s(place.cluster) - before
    of = "FROM send JOIN run ON run.id = send.run WHERE name = %s AND state = 'sent'"
    sent, took_s = place.first(f"SELECT count(*), (max(ended_at) - min(started_at))::float8 {of}", name)
    grown, written = place.first(sizes)
    commits.sort()
    return {
        "sends per s": round(sent / took_s),
        "clients, us CPU": _micro(cpu_s, rows),
        "database, us CPU": _micro(theirs_s, rows),
        "bytes a row, planned and sent": round((grown - size) / rows),
        "of the write-ahead log": round((int(written) - int(wal)) / rows),
        "commit of another, ms, median": round(1000 * statistics.median(commits), 1),
        "commit of another, ms, 99 of 100": round(1000 * commits[len(commits) * 99 // 100], 1),
    }


def plan(place: Place, rows: int) -> dict[str, float]:
    """A plan written into the database."""
    before, began = _postgres_s(place.cluster), time.perf_counter()
    cpu_s = _leave(place, "plan", rows)
    wall_s = time.perf_counter() - began
    theirs_s = _postgres_s(place.cluster) - before
    (size,) = place.first("SELECT pg_total_relation_size('message')")
    place.first("UPDATE run SET opened = NULL RETURNING id")
    return {
        "rows": rows,
        "s": round(wall_s, 1),
        "rows per s": round(rows / wall_s),
        "client, us CPU": _micro(cpu_s, rows),
        "database, us CPU": _micro(theirs_s, rows),
        "bytes a row": round(size / place.first("SELECT count(*) FROM message")[0]),
    }


def deaths(place: Place, by: signal.Signals, lease_s: float) -> list[float]:
    """How long after the death of one of two workers another sends of its shards."""
    found = []
    for turn in range(DEATHS):
        name = f"{by.name}{turn}"
        _leave(place, name, 5_000)
        words = ("worker", place.database, "--until-done", "--concurrency", "16", "--lease", f"{lease_s:g}")
        workers = [place.start(*words) for _ in range(2)]
        mine = f"owner LIKE '%%\"pid\":{workers[0].pid},%%' AND lease_until > clock_timestamp()"
        while place.first(f"SELECT count(*) FROM shard WHERE {mine}")[0] != 32:
            time.sleep(0.1)
        time.sleep(1.0)
        (nos,) = place.first(f"SELECT array_agg(no) FROM shard WHERE {mine}")
        workers[0].send_signal(by)
        died_at = time.time()
        of = "send s JOIN run ON run.id = s.run AND name = %s JOIN message m ON m.run = s.run AND m.row = s.row"
        next_one = f"SELECT min(started_at) FROM {of} WHERE started_at > %s AND s.shard = ANY(%s)"
        while (at := place.first(next_one, name, died_at + 0.05, nos)[0]) is None:
            time.sleep(0.05)
        found.append(round(at - died_at, 2))
        for worker in workers:
            worker.kill()
            worker.wait()
        place.first("UPDATE run SET opened = NULL RETURNING id")
    return found


def _place(folder: Path, cluster: Cluster, url: str) -> Place:
    database = cluster.server.database()
    install(database)
    return Place(folder, cluster, database, url)


def _leave(place: Place, name: str, rows: int) -> float:
    """Leave a sheet to workers; the processor time of that."""
    write_sheet(place.folder / f"{name}.csv", numbers(rows))
    run = ("--run", f"{place.database}#{name}", "--detach", "--yes", "--no-progress", "--repeat")
    return _end(place.start("send", f"{name}.csv", *run), 0.0)[1]


def _end(process: subprocess.Popen[bytes], began: float) -> tuple[float, float]:
    """When it ended, and its processor time."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode} of: {process.args!r}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def _postgres_s(cluster: Cluster) -> float:
    """The processor time of a server's processes, those that ended among them."""
    server = int((cluster.data / "postmaster.pid").read_text().split()[0])
    found = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if path.parent.name == str(server):
            found += sum(map(int, fields[11:15]))
        elif fields[1] == str(server):
            found += sum(map(int, fields[11:13]))
    return found / _TICKS


@contextmanager
def _probed(place: Place) -> Iterator[list[float]]:
    """How long commits of one small row each took meanwhile."""
    took: list[float] = []
    ends = threading.Event()

    def probe() -> None:
        with closing(psycopg.connect(place.database, autocommit=True)) as db:
            db.execute("CREATE TABLE IF NOT EXISTS probe (at float8)")
            while not ends.wait(_PROBE_S):
                began = time.perf_counter()
                db.execute("INSERT INTO probe VALUES (1)")
                took.append(time.perf_counter() - began)

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield took
    finally:
        ends.set()
        thread.join()


def _micro(seconds: float, rows: int) -> int:
    return round(1_000_000 * seconds / rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=20_000, help="sent by each number of workers")
    parser.add_argument("--plan", type=int, default=100_000, help="rows that are planned (default 100,000)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
