"""A first impression in about a minute, as a table: ``python benchmarks/quick.py``. Judges nothing.

Beside each figure of this tree stands that of the commit before, measured in the same sitting: its files are laid into
a temporary folder, and for each figure the two take turns: this, before, before, this. The better of both turns counts.
Without nginx, a server of our own answers, which is slower; then what the clients cost still counts, their pace less.
"""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import latency
import makespan
import measure
import overhead
import servers

ROWS = 6_000
TREE = measure.HERE.parent


class Figure(NamedTuple):
    """What one turn found: a ratio, and what it is made of."""

    ratio: float
    detail: str


class Measure(NamedTuple):
    """What is measured, by what, and whether more of it is better."""

    name: str
    find: Callable[[], Figure]
    is_more_better: bool = True


def main() -> None:
    nginx = servers.is_nginx_here()
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.document_server() if nginx else servers.slow_server(0, 0) as url,
    ):
        before = before_this(Path(folder))
        if before is None:
            print("There is no commit before this at hand: nothing stands beside its figures.")
        heading = f"{'measure':42}{'ratio':>7}{'before':>8}{'change':>8}"
        print(f"{heading}  detail ({'nginx' if nginx else 'no nginx'})")
        for each in measures(url):
            now, then = in_turns(each, before)
            beside = f"{then.ratio:8.3f}{now.ratio / then.ratio - 1:+8.1%}" if then else f"{'-':>8}{'-':>8}"
            print(f"{each.name:42}{now.ratio:7.3f}{beside}  {now.detail}", flush=True)


def measures(url: str) -> list[Measure]:
    """All that is measured; some of it at a server of this address."""
    even = makespan.shuffled([number for number in measure.numbers(200) for _ in range(12)])
    return [
        Measure("processor time, bare aiohttp / bulksend", lambda: of_cost(overhead.compare(url, ROWS, rounds=1))),
        Measure("rate / ideal at 100 ms ± 50 ms", lambda: of_waiting(latency.compare(6_000))),
        Measure(
            "makespan / lower bound under caps",
            lambda: of_caps(makespan.compare(even, window_s=2.0)),
            is_more_better=False,
        ),
    ]


def of_cost(found: dict[str, Any]) -> Figure:
    cpu = found["cpu_us_per_send"]
    return Figure(found["ratio_cpu"], f"{cpu['bare']} / {cpu['bulksend']} µs per send, wall {found['ratio_wall']}")


def of_waiting(found: dict[str, Any]) -> Figure:
    return Figure(found["ratio"], f"{found['sending_per_s']} / {found['ideal_per_s']} per s")


def of_caps(found: dict[str, Any]) -> Figure:
    return Figure(found["ratio"], f"{found['seconds']} / {found['bound_s']} s")


def in_turns(each: Measure, before: Path | None) -> tuple[Figure, Figure | None]:
    """The figures of this tree and of that before, which take turns."""
    best = max if each.is_more_better else min
    if before is None:
        return best(each.find(), each.find()), None
    turns = [(tree, found_in(tree, each.find)) for tree in (TREE, before, before, TREE)]
    return best(found for tree, found in turns if tree == TREE), best(found for tree, found in turns if tree == before)


def found_in(tree: Path, find: Callable[[], Figure]) -> Figure:
    """What is found while what is imported of bulksend is that of a tree; servers and benchmarks stay this tree's."""
    measure.ENVIRONMENT["PYTHONPATH"] = str(tree)
    try:
        return find()
    finally:
        measure.ENVIRONMENT["PYTHONPATH"] = str(TREE)


def before_this(folder: Path) -> Path | None:
    """The program as it was in the commit before, laid into a folder; None if that is not at hand."""
    packed = folder / "before.tar"
    command = ["git", "-C", str(TREE), "archive", "--output", str(packed), "HEAD^", "bulksend"]
    try:
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):  # no git, or no history
        return None
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return folder


if __name__ == "__main__":
    main()
