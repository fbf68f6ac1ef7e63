"""Crashes campaigns against a hostile server for as long as asked, and judges each by the server's log.

Run with ``python benchmarks/soak.py --minutes 10``; with ``--workers`` it is workers of runs in databases, each on a
PostgreSQL of its own, that are killed, stopped and cut off. Prints the seed and a JSON summary; ends with 1 if a
promise was broken, and says with which ``--seed ... --only ...`` it happens again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

sys.path.insert(0, str(Path(__file__).absolute().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).absolute().parents[1] / "tests" / "acceptance"))

from changing import change_everything, described
from crashing import ENDING, PLANNING, SENDING, Campaign, crash_at_points, crash_at_random
from databases import own
from faults import Crew, befall

from bulksend.runs.postgres import install


def main() -> int:
    options = _options()
    seed = random.SystemRandom().getrandbits(32) if options.seed is None else options.seed
    print(f"seed {seed}", file=sys.stderr)
    folder = Path(tempfile.mkdtemp(prefix="bulksend-soak-"))
    story = _story_of_workers if options.workers else _story
    deadline = time.monotonic() + options.minutes * 60
    numbers = itertools.count() if options.only is None else iter([options.only])
    summary = {"seed": seed, "campaigns": 0, "commands": 0, "crashes": 0, "accepted": 0}
    broken: list[dict[str, object]] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        running: dict[Future[Campaign | Crew], int] = {}
        while True:
            while len(running) < options.jobs and (time.monotonic() < deadline or options.only is not None):
                number = next(numbers, None)
                if number is None:
                    break
                running[pool.submit(story, seed, number, folder)] = number
            if not running:
                break
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                number, run = running.pop(done), done.result()
                summary["campaigns"] += 1
                summary["commands"] += len(run.codes)
                summary["crashes"] += run.crashes
                summary["accepted"] += len(run.server.records("accepted"))
                if run.found:
                    again = f"--seed {seed} --only {number}"
                    found: dict[str, object] = {"again": again, "folder": str(run.folder), "violations": run.found[:5]}
                    broken.append(found | {"story": described(run) if isinstance(run, Campaign) else run.faults})
                    print(f"{again}: {run.found[0]}", file=sys.stderr)
    print(json.dumps(summary | {"violations": broken}, indent=2))
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default 1)")
    parser.add_argument("--seed", type=int, help="of an earlier soak, to repeat it")
    parser.add_argument("--only", type=int, help="only this campaign of the seed's")
    parser.add_argument("--jobs", type=int, default=4, help="campaigns at once (default 4)")
    parser.add_argument("--workers", action="store_true", help="runs in databases, and their workers")
    return parser.parse_args()


def _story(seed: int, number: int, folder: Path) -> Campaign:
    """The seed's campaign of this number: the same each time, as far as chance is ours."""
    rng = random.Random(f"{seed}:{number}")
    its_seed, knows_dedup = rng.getrandbits(32), rng.random() < 0.5
    if rng.random() < 0.6:
        return change_everything(its_seed, folder / str(number), turns=rng.randint(3, 8))
    if rng.random() < 0.5:
        return crash_at_random(its_seed, folder / str(number), knows_dedup=knows_dedup, times=rng.randint(3, 8))
    points = [
        (rng.choice(PLANNING), 1),
        *((point, 1 if "take-over" in point else rng.randint(1, 9)) for point in rng.choices(SENDING, k=7)),
        (rng.choice(ENDING), 1),
    ]
    return crash_at_points(its_seed, folder / str(number), knows_dedup=knows_dedup, points=points)


def _story_of_workers(seed: int, number: int, folder: Path) -> Crew:
    """The same of workers."""
    rng = random.Random(f"{seed}:{number}")
    with own() as cluster:
        database = cluster.server.database()
        install(database)
        its_seed, knows_dedup = rng.getrandbits(32), rng.random() < 0.4
        faults = rng.randint(6, 24)
        return befall(its_seed, folder / str(number), database, cluster, knows_dedup=knows_dedup, faults=faults)


if __name__ == "__main__":
    sys.exit(main())
