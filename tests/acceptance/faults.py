"""Workers of one run in a database that are killed, stopped and cut off, and are judged by what their server saw."""

from __future__ import annotations

import csv
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import psycopg
from armed import DEALING, ENDING, SENDING, start_armed
from arriving import Crowd, crowds, noted
from changing import mixed_rows
from crashing import LATE_S, STOPPED, environment, rows_of
from databases import Cluster
from forks import Process, run
from hostile import AMBIGUOUS, KEY, Hostile, Settings
from judging import CAP, WINDOW_S, Log, Row, cap_violations, doubles, sent_after, untrue
from lossy import LossyWay

from bulksend.runs import DatabaseRun, open_run
from bulksend.runs.ends import FINISHED

LEASE_S = 1.0
CONCURRENCY = 4
_HUNG_S = 90.0
_POINTS_S = 5.0
_NAMED_S = 60.0  # so long they are waited for at the points that are named, on a busy machine
_STEADY_S = 4.0  # so long shards may stay where they are
_COMES_S = 2.0  # so long one waits for a commit
_CROWD_S = 75.0
_FAULT_S = 4.0  # so long a fault may take, on a busy machine
_CROWDED = "639171234599"
_CAP = f"63={CAP}/{WINDOW_S:g}"
_CLOCKS_S = (0.0, 0.0, 3_600.0, -3_600.0)
_ENDED = frozenset({0, 3, 4, 143, -signal.SIGTERM, -signal.SIGKILL})
"""How a worker may end: it is through, the server or the database was away, it was taken to be gone, it was told to."""

FATES = (
    "kill", "stand still", "be slow", "drain", "cut one off", "cut all off", "stop the database", "lose answers",
    "fall silent", "fall silent behind a commit", "begin at once",
)  # fmt: skip
"""What befalls workers from outside; beside these they are killed and stopped at points of their own, see `armed`."""


@dataclass
class Member:
    """A worker's process.

    Attributes:
        process: its process.
        point: at which it ends or halts itself; "" if at none.
        way: by which it reaches the database, if it is one that may fall silent.
        halted_at: when it was seen to stand still; None if it does not.
    """

    process: Process
    point: str = ""
    way: LossyWay | None = None
    halted_at: float | None = None


@dataclass
class Crew:
    """Workers of one account and their run, on a database that may be stopped; a context manager.

    Attributes:
        database: the address of the run's database.
        cluster: the database's server, if it may be stopped.
        size: so many workers there are.
        faults: what befell them, in order.
        codes: how every worker ended.
        found: violations seen on the way.
        crowds: what a phone got beyond its cap, known or not, under any of its names.
        opted_out: by number, since when by the monotonic clock.
    """

    folder: Path
    database: str
    server: Hostile
    rows: Sequence[Row]
    size: int
    rng: random.Random
    points: list[tuple[str, int]] = field(default_factory=list)
    cluster: Cluster | None = None
    faults: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    crowds: list[Crowd] = field(default_factory=list)
    opted_out: dict[str, float] = field(default_factory=dict)
    is_over: bool = False
    _kept_back: set[str] = field(default_factory=set)  # texts that were in doubt before they left
    _members: list[Member] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        texts = Counter(row.text for row in self.rows)
        self._single = {text for text, times in texts.items() if times == 1}
        self._env = environment(self.folder / "state")
        self._way = self._stack.enter_context(LossyWay(self.database))
        with (self.folder / "campaign.csv").open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(["to", "contactId", "message", "from"])
            lines.writerows([row.to, row.contact or "", row.text, row.sender] for row in self.rows)
        return self

    def __exit__(self, *_: object) -> None:
        for member in self._members:
            with suppress(ProcessLookupError):
                member.process.kill()
            member.process.wait()
        self._stack.close()

    @property
    def crashes(self) -> int:
        """How much befell them."""
        return len(self.faults)

    # -- Its commands

    @property
    def run(self) -> str:
        """The run."""
        return f"{self.database}#june"

    def say(self, *words: str) -> int:
        """Give a command; its exit code."""
        ended = run(words, self.folder, self._env, _HUNG_S)
        with (self.folder / "said").open("a", encoding="utf-8") as said:
            said.write(ended.stderr)
        return ended.returncode

    def send(self, *words: str) -> int:
        """Give the command that plans the run and goes on with it."""
        return self.say(
            "send", "campaign.csv", "--run", self.run, "--base-url", self.server.base_url, "--yes", "--no-progress",
            "--cap", _CAP, *words,
        )  # fmt: skip

    def open(self) -> None:
        """Leave the run to workers, also one that was ended early."""
        code = self.send("--detach")
        if code not in (0, 1):
            self.found.append(f"it was not left to workers, exit {code}: {self.said()[-1500:]}")
        self.is_over = False

    def begin(self) -> None:
        """Have one more worker."""
        point, nth = self.points.pop() if self.points else ("", 0)
        way = self._way if not any(each.way for each in self._members) else None
        step_s = self.rng.choice(_CLOCKS_S)
        words = [
            "worker", way.address if way else self.database,
            "--base-url", self.server.base_url, "--lease", f"{LEASE_S:g}", "--until-done",
            "--concurrency", str(CONCURRENCY), "--timeout", "0.6", "--retries", "3", "--patience", "15s",
        ]  # fmt: skip
        with (self.folder / "said").open("ab") as said:
            process = start_armed(words, point, nth, step_s, folder=self.folder, env=self._env, err=said.fileno())
        self._members.append(Member(process, point, way))

    def said(self) -> str:
        """What its programs said."""
        return (self.folder / "said").read_text(encoding="utf-8", errors="replace")

    # -- What befalls it

    def wait_for_points(self, seconds: float) -> None:
        """Let them work until all that are armed have come to their points, but no longer than so many seconds."""
        until = time.monotonic() + seconds
        steady_since = time.monotonic()
        while time.monotonic() < until and not self.is_over:
            self.look_after()
            unarmed = [each for each in self._alive() if not each.point]
            if not self.points and len(unarmed) == len(self._members):
                break
            if unarmed and (self.points or time.monotonic() > steady_since + _STEADY_S):
                # Whoever comes in its place is armed, and gets shards of those that are: only so some points come.
                _kill(self.rng.choice(unarmed))
                self.faults.append("kill")
                steady_since = time.monotonic()
            self.wait(0.5)

    def look_after(self) -> None:
        """See which workers ended or halted at their points, and have others in their places."""
        for member in list(self._members):
            if (code := member.process.poll()) is not None:
                self._members.remove(member)
                self.codes.append(code)
                if code == -signal.SIGKILL and member.point and not member.point.startswith(STOPPED):
                    self.faults.append(f"killed {member.point}")
                if code not in _ENDED:
                    self.found.append(f"a worker ended with {code}: {self.said()[-1500:]}")
                self.is_over = self.is_over or code == 0
            elif member.point.startswith(STOPPED) and member.halted_at is None and _stands_still(member.process.pid):
                member.halted_at = time.monotonic()
                self.faults.append(member.point)
            elif member.halted_at is not None and time.monotonic() > member.halted_at + self.rng.uniform(1.2, 2.5):
                self._go_on(member)
                member.halted_at, member.point = None, ""
        while not self.is_over and len(self._members) < self.size:
            self.begin()

    def wait(self, seconds: float) -> None:
        """Let them work for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.is_over:
            self.look_after()
            time.sleep(0.02)

    def meet(self, fate: str) -> bool:
        """Let something befall them; whether it did."""
        self.look_after()
        alive = self._alive()
        if self.is_over or not alive or (fate == "stop the database" and self.cluster is None):
            return False
        member = self.rng.choice(alive)
        befell = True
        match fate:
            case "kill":
                _kill(member)
            case "drain":
                member.process.terminate()
            case "stand still":
                self._halt(member, self.rng.uniform(1.2, 2.5))
            case "be slow":
                self._slow(member)
            case "cut one off" | "cut all off":
                befell = self._cut_off(every=fate == "cut all off") > 0
            case "stop the database":
                assert self.cluster is not None
                self.cluster.stop("immediate")
                self.wait(self.rng.uniform(0, 0.6))
                self.cluster.start()
            case "lose answers":
                befell = self._lose_answers()
            case "fall silent" | "fall silent behind a commit":
                befell = self._fall_silent(after_commit="commit" in fate)
            case _:
                for each in alive:
                    _kill(each)
                    each.process.wait()
        if befell:
            self.faults.append(fate)
        return befell

    def let_crowd_go(self) -> None:
        """Have whom the crowd goes to opt out, so that the run comes to its end: it was to last for all faults."""
        url = self.server.base_url
        code = self.say("optouts", "add", f"+{_CROWDED}", "--database", self.database, "--base-url", url)
        if code:
            self.found.append(f"nobody could opt out, exit {code}: {self.said()[-1500:]}")
        self.opted_out[_CROWDED] = time.monotonic()

    def finish(self) -> None:
        """Let them come to the end, at which one of them dies, and settle what is in doubt where that is safe."""
        self.points = [(self.rng.choice(ENDING), 1)] * self.size
        self.meet("begin at once")
        for _ in range(4):
            until = time.monotonic() + _HUNG_S
            while self._members or not self.is_over:
                self.look_after()
                time.sleep(0.02)
                if time.monotonic() > until:
                    self.found.append(f"it does not end: {self.statuses()}; {self.said()[-1500:]}")
                    return
            statuses = self.statuses()
            if not {"pending", "failed"}.intersection(statuses):
                break
            with open_run(DatabaseRun(self.database, "june")) as run:
                end = run.spell.end
            if end is not None and end.reason == FINISHED and statuses["pending"]:
                self.found.append(f"the run was ended though {statuses['pending']} rows of it were left")
            self.open()
        if self.server.settings.knows_dedup:
            if "unknown" in self.statuses():
                self.say("resolve", self.run, "--resend", "--yes", "--cap", _CAP, "--base-url", self.server.base_url)
            self.send()
        self.found += self.violations()

    def _alive(self) -> list[Member]:
        return [each for each in self._members if each.process.poll() is None]

    def _slow(self, member: Member) -> None:
        """Let a worker be as one on a machine that has no time for it."""
        for _ in range(10):
            self._halt(member, 0.1)
            self.wait(0.01)

    def _lose_answers(self) -> bool:
        """Lose answers to commits; whether one was."""
        count = self.rng.randint(1, 3)
        self._way.lose_answers(count)
        self._wait_until(lambda: self._way.to_lose < count)
        return self._way.to_lose < count

    def _fall_silent(self, *, after_commit: bool) -> bool:
        """Let the way to the database fall silent for a while; whether something was not passed on."""
        self._way.fall_silent(after_commit=after_commit)
        self._wait_until(lambda: self._way.was_silent)
        if befell := self._way.was_silent:
            self.wait(self.rng.uniform(0.3, 1.8))
        self._way.speak()
        return befell

    def _wait_until(self, happened: Callable[[], bool]) -> None:
        """Let them work until something has happened, which may never come."""
        until = time.monotonic() + _COMES_S
        while not happened() and time.monotonic() < until and not self.is_over:
            self.wait(0.05)

    def _halt(self, member: Member, seconds: float) -> None:
        """Let a worker stand still, as if its machine slept."""
        member.process.send_signal(signal.SIGSTOP)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.02)
        self._go_on(member)

    def _go_on(self, member: Member) -> None:
        """Let a worker go on that stood still: what is in doubt by now must not leave any more."""
        if not self.server.settings.knows_dedup:
            of = "FROM bulksend.send JOIN bulksend.message m USING (run, row)"
            with suppress(psycopg.OperationalError), psycopg.connect(self.database) as db:
                doubt = {text for (text,) in db.execute(f"SELECT m.text {of} WHERE state = 'unknown'".encode())}
                self._kept_back |= doubt & self._single - {record["text"] for record in self.server.records("request")}
        member.process.send_signal(signal.SIGCONT)

    def _cut_off(self, *, every: bool) -> int:
        """Cut one connection to the database, or all; how many."""
        with psycopg.connect(self.database, autocommit=True) as db:
            sql = (
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'bulksend' AND datname = current_database()"
            )
            backends = [pid for (pid,) in db.execute(sql)]
            chosen = backends if every else self.rng.sample(backends, min(1, len(backends)))
            for pid in chosen:
                db.execute("SELECT pg_terminate_backend(%s)", [pid])
        return len(chosen)

    # -- The judgement

    def told(self) -> list[dict[str, str]]:
        """The run's results."""
        self.say("results", self.run, "-o", "told.csv")
        with (self.folder / "told.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def statuses(self) -> Counter[str]:
        """How many rows there are of each status."""
        with open_run(DatabaseRun(self.database, "june")) as run:
            return Counter({str(status): count for status, count in run.tally().statuses.items() if count})

    def violations(self) -> Iterator[str]:
        """All that is wrong now, at the run's end."""
        log, told = Log(self.server.records(), []), self.told()
        self.crowds = list(crowds(log.records, noted(self.database)))
        yield from doubles(log, self.rows)
        yield from cap_violations(self.server)
        yield from (str(crowd) for crowd in self.crowds if crowd.is_known)
        asked = {record["text"] for record in self.server.records("request")}
        yield from (f"{text!r} left when others had taken it over" for text in self._kept_back & asked)
        yield from untrue(log, self.rows, told, self.opted_out)
        yield from sent_after(log, self.opted_out, LATE_S)
        if self.server.settings.knows_dedup:
            # Of what is refused now an earlier attempt may have been accepted, for all that is known.
            doubt = [
                record
                for row, record in zip(self.rows, told, strict=True)
                if record["status"] == "unknown" and record["httpStatus"] != "400" and row.to not in self.opted_out
            ]
            yield from (f"in doubt although the server knows it: {record}" for record in doubt)
        begun = len(self.faults) + len(self.codes)
        causeless = sum(
            record["status"] == "unknown" and row.name not in log.doubtful
            for row, record in zip(self.rows, told, strict=True)
        )
        if causeless > 2 * CONCURRENCY * begun:
            yield f"{causeless} rows are in doubt for no reason after {self.faults}"
        if "Traceback" in (said := self.said()):
            yield f"a traceback: {said[said.index('Traceback') :][:2500]}"
        if KEY in said:
            yield "the key was shown"
        yield from self._left_behind()

    def _left_behind(self) -> Iterator[str]:
        """What nobody would ever do anything about; and the key."""
        with psycopg.connect(self.database) as db:
            db.execute("SET search_path = bulksend")
            for what, sql in _LEFT.items():
                (count,) = db.execute(sql).fetchone() or (0,)
                if count:
                    yield f"{count} {what}"
            for (table,) in db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'bulksend'").fetchall():
                sql = f"SELECT count(*) FROM {table} t WHERE strpos(t::text, %s) > 0"
                if (db.execute(sql.encode(), [KEY]).fetchone() or (0,))[0]:
                    yield f"the key is in the table {table}"


_LEFT = {
    "rows are under way for ever": "SELECT count(*) FROM send WHERE state = 'in flight'",
    "runs are open though nothing is left of them": "SELECT count(*) FROM run WHERE opened = epoch",
    "shards are held by nobody who lives": """SELECT count(*) FROM shard
        WHERE owner IS NOT NULL AND lease_until > clock_timestamp() + interval '2 seconds'""",
}


def _kill(member: Member) -> None:
    """End a worker, which will not come to its point any more."""
    member.point = ""
    member.process.kill()


def _stands_still(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False


# -- Stories drawn from a seed


def befall(
    seed: int, folder: Path, database: str, cluster: Cluster | None = None, *, knows_dedup: bool, faults: int = 0,
    fates: Sequence[str] = FATES, points: Sequence[str] = (), contacts: bool = False,
) -> Crew:  # fmt: skip
    """Let so many faults befall the workers of a run, half of them at points of their own; then let it finish.

    What does not come, as a point that nobody passes, something else is put in the place of: the run goes on until
    there were so many, and where it did not, that is a violation.

    Args:
        seed: draws all of it.
        folder: for its files.
        database: the address of an empty database with our tables.
        cluster: the database's server, if it may be stopped.
        knows_dedup: whether the API's server knows clientDedup.
        faults: how many, if no points are named.
        fates: what may come from outside.
        points: at which workers are killed or stopped, in place of all that is drawn.
        contacts: whether rows go to contacts and to the numbers behind them, mixed.
    """
    rng = random.Random(seed)
    settings = _settings(rng, knows_dedup=knows_dedup)
    fates = [fate for fate in fates if cluster is not None or fate != "stop the database"]
    armed = [(point, 1) for point in points] or _drawn_points(rng, faults // 2)
    rows = _rows(rng, 2 * len(points) or faults, contacts=contacts)
    size = 3 if points else rng.randint(2, 4)
    with (
        Hostile(folder.with_suffix(".log"), settings) as server,
        Crew(folder, database, server, rows, size, rng, armed, cluster) as team,
    ):
        team.open()
        if points:
            team.wait_for_points(_NAMED_S)
        else:
            outside = faults - len(armed)
            _befall(team, _turns(rng, fates), outside, faults)
        team.found += _missed(team, faults, points)
        server.change(replace(settings, weights={"ok": 1}, latency_s=0.0))
        team.let_crowd_go()
        team.finish()
    return team


def _befall(team: Crew, fates: Iterator[str], outside: int, faults: int) -> None:
    """Let so many of all faults come from outside while workers meet their own, and whatever is missing then."""
    met = 0
    while not team.is_over and (met < outside or len(team.faults) < faults):
        if met == outside:
            team.wait_for_points(_POINTS_S)
        if met < outside or len(team.faults) < faults:
            team.wait(team.rng.uniform(0.3, 0.8))
            met += team.meet(next(fates))


def _missed(team: Crew, faults: int, points: Sequence[str]) -> Iterator[str]:
    """What did not befall them, and why."""
    why = "the run was over" if team.is_over else "nobody came there"
    befell = Counter(team.faults)
    for point in points:
        if not befell[point if point.startswith(STOPPED) else f"killed {point}"]:
            yield f"nobody was caught {point!r}: {why}"
    if len(team.faults) < faults:
        yield f"only {len(team.faults)} of {faults} faults befell them: {why}"


def _rows(rng: random.Random, faults: int, *, contacts: bool) -> list[Row]:
    count = 40 + 20 * faults
    rows = mixed_rows(rng, count) if contacts else rows_of(count, rng, crowded=10)
    # So long the run lasts at least, for the cap of one phone, whatever befalls its workers meanwhile.
    many = round(CAP / WINDOW_S * max(_CROWD_S, _FAULT_S * faults))
    return rows + [Row(_CROWDED, f"row {number} of many") for number in range(many)]


def _settings(rng: random.Random, *, knows_dedup: bool) -> Settings:
    """A server that is well most of the time, and asks nobody to wait."""
    ills = rng.sample(sorted(set(AMBIGUOUS) - {"late", "busy-503", "page-502-before", "page-502-after"}), 4)
    weights = {"ok": 150} | dict.fromkeys([*ills, rng.choice(["slow", "drip", "chunked"])], 2)
    return Settings(rng.getrandbits(32), weights, knows_dedup, calm_after=2, latency_s=0.15)


def _turns(rng: random.Random, fates: Sequence[str]) -> Iterator[str]:
    """What comes from outside, each of them once in each round."""
    while True:
        yield from rng.sample(fates, len(fates))


def _drawn_points(rng: random.Random, count: int) -> list[tuple[str, int]]:
    """At which points workers meet their own, each of them once in each round."""
    inner = DEALING + SENDING
    rounds = [point for _ in range(count) for point in rng.sample(inner, len(inner))]
    return [(rng.choice(["", STOPPED]) + point, rng.randint(1, 3)) for point in rounds[:count]]
