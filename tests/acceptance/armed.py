"""The program on a run in a database, with a SIGKILL or a SIGSTOP at a named point of its transactions or requests.

``armed.py POINT N STEP ARGUMENTS...`` is bulksend, which comes to its end, or to a halt, at the point for the N-th
time, and whose clock is off by STEP seconds. As `crashing.py` it watches the edges alone: statements, commits, HTTP.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crashing import SENDING as OWN_SENDING
from crashing import Bomb, step_clock, watch_http
from forks import Process, can_fork, forks, start

_CHANGES = {
    "take-over": re.compile(r"\s*UPDATE shard SET epoch = epoch \+ 1"),
    "renewal": re.compile(r".*UPDATE shard SET lease_until = clock", re.DOTALL),
    "giving back": re.compile(r".*UPDATE shard SET owner = NULL", re.DOTALL),
    "intent": re.compile(r"\s*WITH planned AS MATERIALIZED"),
    "outcome": re.compile(r"\s*UPDATE send\b.*\bjson_to_recordset\b", re.DOTALL),
    "end": re.compile(r"\s*UPDATE run SET opened = NULL"),
}
"""What a transaction changes, by its statements."""

DEALING = tuple(
    f"{when} {what} commit" for what in ("take-over", "renewal", "giving back") for when in ("before", "after")
)
SENDING = OWN_SENDING[1:]  # the take-over of a shard is among the dealing
ENDING = ("before end commit", "after end commit")
POINTS = DEALING + SENDING + ENDING


def watch_database(bomb: Bomb) -> None:
    """Tell a bomb of the points about commits."""
    import psycopg  # noqa: PLC0415 -- only in the program that is armed

    noted: dict[int, set[str]] = {}  # by connection, in its transaction under way
    execute, transaction = psycopg.Connection.execute, psycopg.Connection.transaction

    @contextmanager
    def told(done: set[str]) -> Iterator[None]:
        for what in done:
            bomb.at(f"before {what} commit")
        yield
        for what in done:
            bomb.at(f"after {what} commit")

    def watched_execute(self: Any, query: Any, *arguments: Any, **named: Any) -> Any:
        if query == "COMMIT":
            with told(noted.pop(id(self), set())):
                return execute(self, query, *arguments, **named)
        if query in {"BEGIN", "ROLLBACK"}:
            noted.pop(id(self), None)
        found = execute(self, query, *arguments, **named)
        if isinstance(query, str) and found.rowcount > 0:
            noted.setdefault(id(self), set()).update(what for what, sql in _CHANGES.items() if sql.match(query))
        return found

    @contextmanager
    def watched_transaction(self: Any, *arguments: Any, **named: Any) -> Iterator[Any]:
        noted.pop(id(self), None)
        with transaction(self, *arguments, **named) as begun:
            yield begun
            done = noted.pop(id(self), set())
            for what in done:
                bomb.at(f"before {what} commit")
        for what in done:
            bomb.at(f"after {what} commit")

    psycopg.Connection.execute = watched_execute  # type: ignore[method-assign]
    psycopg.Connection.transaction = watched_transaction  # type: ignore[method-assign]


def main(point: str, nth: str, step_s: str) -> None:
    """Be bulksend, armed."""
    step_clock(float(step_s))
    bomb = Bomb(point, int(nth))
    if point:
        watch_database(bomb)
        watch_http(bomb)
    from bulksend.cli import main as program  # noqa: PLC0415 -- by the clock that was set

    sys.argv = ["bulksend", *sys.argv[4:]]
    program()


def start_armed(
    words: Sequence[str], point: str, nth: int, step_s: float, *, folder: Path, env: Mapping[str, str], err: int
) -> Process:  # fmt: skip
    """Start bulksend, armed if a point is given; it is forked unless its clock is off: see `forks.start`."""
    if not (point or step_s):
        return start(words, folder, env, err)
    words = [point, str(nth), str(step_s), *words]
    if not step_s and can_fork({}, ""):
        return forks().start(words, folder, env, err, code="import armed, sys\narmed.main(*sys.argv[1:4])")
    return subprocess.Popen(
        [sys.executable, __file__, *words], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=err, text=True,
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:4])
