"""The real program with a SIGKILL at a named point, and campaigns that are crashed, finished and then judged.

As a program, ``crashing.py POINT N STEP ARGUMENTS...`` is bulksend, which kills itself when it comes to the point for
the N-th time, and whose clock is off by STEP seconds. It watches the edges (SQL, HTTP, the files' names), so that it
need not know how the inside is made.
"""

from __future__ import annotations

import csv
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from forks import Process, can_fork, forks, run
from hostile import AMBIGUOUS, CERTAIN, KEY, Hostile, Settings
from judging import (
    CAP,
    ENDED,
    WINDOW_S,
    Command,
    Log,
    Row,
    beyond_limits,
    cap_violations,
    doubles,
    left_in_doubt,
    overspent,
    sent_after,
    untrue,
)
from starts import quick

ROOT = Path(__file__).absolute().parents[2]
_DIES = "import crashing\ncrashing.main()"

PLANNING = ("planning", "before plan commit", "before plan is named", "plan is named")
SENDING = (
    "before take-over commit",
    "before intent commit",
    "after intent commit",
    "before the POST",
    "the POST leaves",
    "mid-request",
    "answer begins",
    "after the answer",
    "before outcome commit",
    "after outcome commit",
)
ENDING = ("before close", "after close", "during results", "before results are named", "results are named")
POINTS = PLANNING + SENDING + ENDING
STOPPED = "stopped "
"""Before a point: not a kill there but a SIGSTOP, as if the machine slept."""
STOP = f"{STOPPED}after intent commit"

TIMEOUT_S = 0.6
CONCURRENCY = 4
LATE_S = 1.5  # after somebody opted out: what is about to leave is looked at each half a second
_HUNG_S = 120
_USUAL = {
    "--concurrency": str(CONCURRENCY),
    "--retries": "3",
    "--timeout": str(TIMEOUT_S),
    "--cap": f"63={CAP}/{WINDOW_S:g}",
    "--patience": "15s",  # less than what takes a program for hung
}
"""Options that a campaign has if it is not given others."""

_INTERRUPTED = {130, 143, -signal.SIGINT, -signal.SIGTERM}  # the latter: before the program takes signals


# -- The program that kills itself


class Bomb:
    """Goes off when the program comes to its point for the N-th time."""

    def __init__(self, point: str, nth: int) -> None:
        self._point = point.removeprefix(STOPPED)
        self._signal = signal.SIGSTOP if point.startswith(STOPPED) else signal.SIGKILL
        self._left = nth

    def at(self, point: str) -> None:
        """The program has come to a point."""
        if point != self._point:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), self._signal)

    def soon(self, point: str, loop_call: Callable[[float, Callable[[], None]], object]) -> None:
        """The point is a moment after this one."""
        loop_call(0.004, lambda: self.at(point))


_CHANGES = {
    "plan": re.compile(r"\s*INSERT INTO messages\b"),
    "intent": re.compile(r"\s*INSERT INTO sends\b"),
    "outcome": re.compile(r"\s*UPDATE sends\b.*\bhttp_status\b", re.DOTALL),
    "take-over": re.compile(r"\s*UPDATE sends\b(?!.*\bhttp_status\b)", re.DOTALL),
}
"""What a transaction changes, by its statements."""


def _watch_sql(bomb: Bomb) -> None:
    class Watched(sqlite3.Connection):
        noted: frozenset[str] = frozenset()

        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            if sql == "PRAGMA journal_mode = DELETE":
                bomb.at("before close")
            done, self.noted = (self.noted, frozenset()) if sql == "COMMIT" else (frozenset(), self.noted)
            for what in done:
                bomb.at(f"before {what} commit")
            found = super().execute(sql, parameters)
            self.note(sql, found)
            for what in done:
                bomb.at(f"after {what} commit")
            if sql == "PRAGMA journal_mode = DELETE":
                bomb.at("after close")
            return found

        def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
            found = super().executemany(sql, parameters)
            self.note(sql, found)
            return found

        def note(self, sql: str, found: sqlite3.Cursor) -> None:
            for what, pattern in _CHANGES.items():
                if pattern.match(sql) and (found.rowcount > 0 or what == "take-over"):
                    self.noted |= {what}
                    bomb.at("planning" if what == "plan" else "")

    connect = sqlite3.connect

    def watched(*arguments: Any, **named: Any) -> sqlite3.Connection:
        return connect(*arguments, factory=Watched, **named)

    sqlite3.connect = watched  # type: ignore[assignment]


def watch_http(bomb: Bomb) -> None:
    """Tell a bomb of the points at which something leaves or arrives."""
    import asyncio  # noqa: PLC0415 -- all of these only in the program that is to die

    from aiohttp.client_proto import ResponseHandler  # noqa: PLC0415

    from bulksend.engagespark import SmsApi  # noqa: PLC0415
    from bulksend.engagespark.line import Line  # noqa: PLC0415

    read, ask, send = ResponseHandler.read, Line.ask, SmsApi.send

    def left() -> None:
        bomb.at("the POST leaves")  # its bytes were handed to the socket just now
        bomb.soon("mid-request", asyncio.get_running_loop().call_later)

    async def watched_read(self: ResponseHandler) -> Any:  # of what is looked up
        left()
        return await read(self)

    def watched_ask(self: Line, *arguments: Any) -> Any:
        waiting = ask(self, *arguments)
        left()
        return waiting

    def watch_received(protocol: Any) -> None:
        received = protocol.data_received

        def watched_received(self: Any, data: bytes) -> None:
            received(self, data)
            bomb.at("answer begins")

        protocol.data_received = watched_received

    async def watched_send(self: SmsApi, *arguments: Any, **named: Any) -> Any:
        bomb.at("before the POST")
        reply = await send(self, *arguments, **named)
        bomb.at("after the answer")
        return reply

    ResponseHandler.read = watched_read  # type: ignore[assignment,method-assign]
    Line.ask = watched_ask  # type: ignore[assignment,method-assign]
    for protocol in (ResponseHandler, Line):
        watch_received(protocol)
    SmsApi.send = watched_send  # type: ignore[method-assign]


def _watch_files(bomb: Bomb) -> None:
    from bulksend.runs.sqlite.run import SqliteRun  # noqa: PLC0415

    rename, put, results = Path.rename, Path.replace, SqliteRun.results

    def watched_rename(self: Path, target: Any) -> Path:
        bomb.at("before plan is named")
        named = rename(self, target)
        bomb.at("plan is named")
        return named

    def watched_put(self: Path, target: Any) -> Path:
        is_results = ".results." in str(target)
        if is_results:
            bomb.at("before results are named")
        named = put(self, target)
        if is_results:
            bomb.at("results are named")
        return named

    def watched_results(self: SqliteRun, first: int = 1, last: int | None = None) -> Iterator[Any]:
        for record in results(self, first, last):
            bomb.at("during results")
            yield record

    Path.rename = watched_rename  # type: ignore[method-assign,assignment]
    Path.replace = watched_put  # type: ignore[method-assign,assignment]
    SqliteRun.results = watched_results  # type: ignore[method-assign]


def step_clock(step_s: float) -> None:
    """Set the clock, before anything is loaded that reads it."""
    right = time.time
    time.time = lambda: right() + step_s


def _die(point: str, nth: int, step_s: float, arguments: Sequence[str]) -> None:
    step_clock(step_s)
    bomb = Bomb(point, nth)
    _watch_sql(bomb)
    watch_http(bomb)
    _watch_files(bomb)
    from bulksend.cli import main  # noqa: PLC0415

    sys.argv = ["bulksend", *arguments]
    main()


# -- Campaigns that are crashed, finished and judged


def rows_of(count: int, rng: random.Random, *, crowded: int = 2, tag: str = "row") -> list[Row]:
    """Rows, a third of them to a few crowded capped numbers, some of two parts, a few that the API rejects."""
    rows = []
    for number in range(1, count + 1):
        hot = crowded and number % 3 == 0
        to = f"6391712345{number % crowded:02}" if hot else f"49151{rng.randrange(10**6):06}{number % 100:02}"
        text = f"{tag} {number:03} {rng.getrandbits(40):010x}"
        if rng.random() < 0.08:
            text += " and so on" * 16
        if rng.random() < 0.04:
            text += " REJECT"
        rows.append(Row(to, text))
    return rows


def environment(state: Path) -> dict[str, str]:
    """What every program of an account is started with."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BULKSEND_")}
    return quick(clean) | {
        "BULKSEND_API_KEY": KEY,
        "BULKSEND_ORG_ID": "1",
        "BULKSEND_STATE_DIR": str(state),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
    }


@dataclass
class Campaign:
    """One campaign with its server.

    Attributes:
        options: more of the command.
        state: the account's folder, if it shares it with other campaigns.
        step_s: by how much the clock is off.
        crashes: programs that a SIGKILL ended.
        codes: how every program ended.
        said: what it said.
    """

    folder: Path
    server: Hostile
    rows: Sequence[Row]
    options: tuple[str, ...] = ()
    state: Path | None = None
    step_s: float = 0.0
    crashes: int = 0
    codes: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)  # violations seen on the way
    cut_off_at: list[float] = field(default_factory=list)  # when programs were ended, by their own clock
    commands: list[Command] = field(default_factory=list)
    opted_out: dict[str, float] = field(default_factory=dict)  # by number, since when by the monotonic clock

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "campaign.csv").open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(["to", "contactId", "message", "from"])
            lines.writerows([row.to, row.contact or "", row.text, row.sender] for row in self.rows)

    @property
    def arguments(self) -> list[str]:
        """The same command each time."""
        usual = [text for option, value in _USUAL.items() if option not in self.options for text in (option, value)]
        always = ["send", "campaign.csv", "--base-url", self.server.base_url, "--yes", "--no-progress"]
        return [*always, *self.options, *usual]

    def now(self) -> float:
        """What the program's clock says."""
        return time.time() + self.step_s

    def start(self, point: str = "", nth: int = 0) -> Process:
        """Start the program, if a point is given with a bomb in it."""
        if self.step_s or not can_fork({}, ""):  # whoever has loaded anything may have the right clock
            return self.start_anew(point, nth)
        env = self._begin()
        if not point:
            return forks().start(self.arguments, self.folder, env)
        return forks().start([point, str(nth), "0", *self.arguments], self.folder, env, code=_DIES)

    def start_anew(self, point: str = "", nth: int = 0, **how: Any) -> subprocess.Popen[str]:
        """The same as a child of this process, on conditions of its own."""
        is_plain = not (point or self.step_s)
        armed = ["-m", "bulksend"] if is_plain else [str(Path(__file__)), point, str(nth), str(self.step_s)]
        env = self._begin()
        return subprocess.Popen(
            [sys.executable, *armed, *self.arguments],
            cwd=self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            **how,
        )

    def _begin(self) -> dict[str, str]:
        """Note that a command begins; its environment."""
        self.commands.append(Command(self.server.settings, self.options, self.step_s, self.server.seen()))
        return environment(self.state or self.folder / "state")

    def end(self, process: Process) -> int:
        """Wait for its end and see what it left."""
        try:
            _, said = process.communicate(timeout=_HUNG_S)
        except subprocess.TimeoutExpired:
            process.kill()
            _, said = process.communicate()
            self.found.append("the program hung for two minutes")
        code = process.wait()
        self.codes.append(code)
        self.said.append(said)
        if self.commands:
            self.commands[-1].code, self.commands[-1].last = code, self.server.seen()
        if code not in ENDED:
            self.cut_off_at.append(self.now())
        if code == -signal.SIGKILL:
            self.crashes += 1
        elif code in ENDED:
            self._check_results(must_be=True)
        elif code not in _INTERRUPTED:
            self.found.append(f"exit {code}: {said[-1500:]}")
        if "Traceback" in said and "KeyboardInterrupt" not in said:
            self.found.append(f"a traceback: {said[-2500:]}")
        if KEY in said:
            self.found.append("the key was shown")
        self._check_results(must_be=False)
        return code

    def end_of_trouble(self, process: Process) -> int:
        """Wait for the end of a program that cannot write what it has to."""
        _, said = process.communicate(timeout=60)
        self.said.append(said)
        self.codes.append(process.wait())
        self.cut_off_at.append(self.now())
        if "Traceback" in said:
            self.found.append(f"a traceback: {said[-2500:]}")
        return self.codes[-1]

    def opts_out(self, *numbers: str) -> None:
        """Note in the account's list that some opted out, whatever else is at work."""
        # Here, for a program whose clock is off must not have loaded anything before it is.
        from bulksend.model import PhoneNumber  # noqa: PLC0415
        from bulksend.runs.accounts import account_name  # noqa: PLC0415
        from bulksend.runs.optouts import FileOptOuts  # noqa: PLC0415

        (self.folder / "state").mkdir(exist_ok=True)
        with FileOptOuts(self.folder / "state" / f"{account_name(self.server.base_url, 1)}.optouts.sqlite") as optouts:
            optouts.add(map(PhoneNumber, numbers), "", time.time())
        self.opted_out |= dict.fromkeys([*numbers], time.monotonic())

    def run(self, point: str = "", nth: int = 0) -> int:
        """Run the program to its end, or its point."""
        return self.end(self.start(point, nth))

    def await_requests(self, process: Process, count: int) -> bool:
        """Wait until the server has seen so many requests; False if the program ends before."""
        deadline = time.monotonic() + 60
        while len(self.server.records("request")) < count:
            if process.poll() is not None:
                return False
            assert time.monotonic() < deadline, "the program sends nothing"
            time.sleep(0.005)
        return True

    def pause(self, process: Process, seconds: float) -> None:
        """Let the program stand still, as if the machine slept."""
        process.send_signal(signal.SIGSTOP)
        self.cut_off_at.append(self.now())  # what was under way may time out before its answer is looked at
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    def resolve(self, *arguments: str) -> int:
        """Run ``bulksend resolve`` on the run file."""
        env = environment(self.state or self.folder / "state")
        ended = run(("resolve", "campaign.run", *arguments), self.folder, env)
        self.said.append(ended.stderr)
        return ended.returncode

    def finish(self, most: int = 12) -> None:
        """Run the same command until there is nothing more that it could do."""
        for _ in range(most):
            if self.run() in (0, 1) and self.is_settled():
                return
        self.found.append(f"not done after {most} more runs: {self.codes}, {Counter(self.statuses())}; {self.said[-1]}")

    def results(self) -> list[dict[str, str]]:
        """The results file."""
        with (self.folder / "campaign.results.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def statuses(self) -> list[str]:
        """The rows' statuses, in order, as far as there are results."""
        if not (self.folder / "campaign.results.csv").exists():
            return []
        return [record["status"] for record in self.results()]

    def is_settled(self) -> bool:
        """Whether every row has come to its end; what is in doubt, when a command found nothing that it may send."""
        if not self.commands or self.codes[-1] not in (0, 1):
            return False
        last = self.commands[-1]
        is_idle = not any(record["what"] == "request" for record in self.server.records()[last.first :])
        skipped = {"skipped"} if self.opted_out else set()
        ends = {"sent", "rejected"} | skipped | ({"unknown"} if is_idle or not last.settings.knows_dedup else set())
        statuses = self.statuses()
        return len(statuses) == len(self.rows) and ends.issuperset(statuses)

    def _check_results(self, *, must_be: bool) -> None:
        """Results are whole or not there: one record per row, in the input's order."""
        if not (self.folder / "campaign.results.csv").exists():
            if must_be:
                self.found.append(f"no results after exit {self.codes[-1]}: {self.said[-1]}")
            return
        told = [(record["row"], record["message"]) for record in self.results()]
        if told != [(str(number), row.text) for number, row in enumerate(self.rows, 1)]:
            self.found.append(f"the results are not one record per row: {len(told)} of {len(self.rows)}")

    # -- The judgement, by the server's log

    def violations(self) -> list[str]:
        """All that is wrong now, after the run's end; empty if the promises were kept."""
        log = Log(self.server.records(), self.commands)
        found = [*self.found, *doubles(log, self.rows), *cap_violations(self.server, self.commands), *self._leaks()]
        if (self.folder / "campaign.results.csv").exists():
            told = self.results()
            found += untrue(log, self.rows, told, self.opted_out)
            found += left_in_doubt(log, self.rows, told, CONCURRENCY, self.opted_out)
            found += sent_after(log, self.opted_out, LATE_S)
            found += [*self._unknown_without_cause(log), *beyond_limits(log)]
            found += overspent(log, [(row, each["status"]) for row, each in zip(self.rows, told, strict=True)])
        return found

    def _unknown_without_cause(self, log: Log) -> Iterator[str]:
        begun = self._begun()
        cut_off = 0
        for number, (row, record) in enumerate(zip(self.rows, self.results(), strict=True), 1):
            if record["status"] != "unknown" or row.name in log.doubtful:
                continue
            cut_off += 1
            if not log.answers_twice and not any(-0.2 < at - begun[number] < TIMEOUT_S + 1.5 for at in self.cut_off_at):
                yield f"row {number} ({row.text[:30]!r}) is unknown although its attempt was answered: {record}"
        if cut_off > 2 * CONCURRENCY * len(self.cut_off_at):
            yield f"{cut_off} rows are unknown after {len(self.cut_off_at)} crashes with {CONCURRENCY} workers"

    def _begun(self) -> dict[int, float]:
        """When the attempt of each row began that may have been accepted, or else its last."""
        with closing(sqlite3.connect(f"file:{self.folder}/campaign.run?mode=ro", uri=True)) as db:
            return dict(db.execute("SELECT row, coalesce(doubt_since, started_at) FROM sends"))

    def _leaks(self) -> Iterator[str]:
        for path in self.folder.rglob("*"):
            if not path.is_file() or path.name == "campaign.csv":
                continue
            if KEY.encode() in path.read_bytes():
                yield f"the key is in {path.name}"
            if path.suffix in {".run", ".csv"} and path.stat().st_mode & 0o077:
                yield f"{path.name} can be read by others"


@contextmanager
def campaign(folder: Path, settings: Settings, rows: Sequence[Row], *options: str) -> Iterator[Campaign]:
    """A campaign with its server running."""
    folder.mkdir(parents=True, exist_ok=True)
    with Hostile(folder / "server.log", settings) as server:
        yield Campaign(folder, server, rows, options)


# -- Schedules drawn from a seed, for tests and for the soak


def hostile_settings(rng: random.Random, *, knows_dedup: bool) -> Settings:
    """A server that is well most of the time, and otherwise ill in a few ways."""
    ills = rng.sample(sorted(set(AMBIGUOUS) - ({"late"} if not knows_dedup else set())), 5)
    certain = rng.sample(sorted(set(CERTAIN) - {"ok", "reject"}), 3)
    return Settings(
        seed=rng.getrandbits(32),
        weights={"ok": 60} | dict.fromkeys(certain, 4) | dict.fromkeys(ills, 4),
        knows_dedup=knows_dedup,
        calm_after=2,
        storm_every_s=rng.choice([0.0, 1.3]),
        storm_s=0.3,
        latency_s=rng.choice([0.0, 0.01, 0.04]),
    )


def crash_at_points(seed: int, folder: Path, *, knows_dedup: bool, points: Sequence[tuple[str, int]]) -> Campaign:
    """Crash a campaign at each point in turn, then let it finish."""
    rng = random.Random(seed)
    settings = hostile_settings(rng, knows_dedup=knows_dedup)
    with campaign(folder, settings, rows_of(rng.randint(36, 54), rng)) as run:
        for point, nth in points:
            run.run(point, nth)
        run.finish()
        run.found = run.violations()
        return run


def crash_at_random(seed: int, folder: Path, *, knows_dedup: bool, times: int) -> Campaign:
    """Kill, pause, interrupt and terminate a campaign at random moments, then let it finish."""
    rng = random.Random(seed)
    settings = hostile_settings(rng, knows_dedup=knows_dedup)
    settings = replace(settings, latency_s=max(settings.latency_s, 0.02))
    with campaign(folder, settings, rows_of(rng.randint(36, 60), rng)) as run:
        for _ in range(times):
            fate = rng.choice(["kill", "kill", "kill", "pause", "pause and kill", "interrupt", "terminate"])
            asked = len(run.server.records("request"))
            process = run.start()
            if rng.random() < 0.8 or fate in {"interrupt", "terminate"}:
                run.await_requests(process, asked + rng.randint(1, 6))
            time.sleep(rng.uniform(0, 0.12))
            if fate.startswith("pause"):
                run.pause(process, TIMEOUT_S + rng.uniform(0.1, 0.6))
                time.sleep(rng.uniform(0, 0.05))
            if "kill" in fate:
                process.kill()
            elif fate in {"interrupt", "terminate"}:
                process.send_signal(signal.SIGINT if fate == "interrupt" else signal.SIGTERM)
            run.end(process)
        run.finish()
        run.found = run.violations()
        return run


def opt_out_at_random(seed: int, folder: Path, *, times: int) -> Campaign:
    """Let some opt out at random moments, also of what waits for its cap, while the campaign is killed and goes on."""
    rng = random.Random(seed)
    settings = replace(hostile_settings(rng, knows_dedup=True), latency_s=0.03, calm_after=4)
    rows = rows_of(rng.randint(140, 170), rng)  # the crowded numbers take seconds
    with campaign(folder, settings, rows) as run:
        for turn in range(times):
            process = run.start()
            if run.await_requests(process, len(run.server.records("request")) + rng.randint(1, 12)):
                for _ in range(rng.randint(1, 2)):
                    time.sleep(rng.uniform(0, 0.4))
                    left = sorted({row.to for row in rows} - run.opted_out.keys())
                    crowded = [number for number in left if number.startswith("63")]
                    run.opts_out(*rng.sample(left, 6), *crowded[: turn % 2])
                time.sleep(rng.uniform(LATE_S, 2 * LATE_S) if turn else rng.uniform(0, 0.5))
            process.send_signal(rng.choice([signal.SIGKILL, signal.SIGINT]) if turn else signal.SIGKILL)
            run.end(process)
        run.finish()
        run.found = run.violations()
        return run


def main() -> None:
    """Be bulksend that dies, by the words of the command."""
    _die(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])


if __name__ == "__main__":
    main()
