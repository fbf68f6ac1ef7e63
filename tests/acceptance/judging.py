"""Judges a campaign by what its server saw, however its server, options, files and clock changed between commands."""

from __future__ import annotations

import math
import signal
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from hostile import AMBIGUOUS, PRICE_MICRO, TWICE, Hostile, Settings, parts_of

CAP, WINDOW_S = 5, 1.0
_LOOK_UP_SLACK_S = 60.0
_MOST_BEHIND_S = 20 * 3600.0
PROMPT_S = 0.35  # a busy machine's server may take longer, up to the time-out
ENDED = frozenset({0, 1, 3})


class Name(NamedTuple):
    """What tells messages apart, as people mean it; equal rows share one."""

    to: str
    sender: str
    text: str


@dataclass(frozen=True)
class Row:
    """A row of a campaign: to a number, or to a contact."""

    to: str
    text: str
    contact: int = 0
    sender: str = ""

    @property
    def is_rejected(self) -> bool:
        """Whether the server is to refuse it."""
        return "REJECT" in self.text

    @property
    def name(self) -> Name:
        """What its server sees of it."""
        return Name(f"contact {self.contact}" if self.contact else self.to, self.sender, self.text)


@dataclass
class Command:
    """One command of a campaign.

    Attributes:
        settings: how its server behaved.
        options: what it was given.
        step_s: by how much its clock was off.
        first: how many records the server had when it began.
        last: and when it had ended; None while it works.
        code: how it ended.
    """

    settings: Settings
    options: tuple[str, ...]
    step_s: float
    first: int
    last: int | None = None
    code: int | None = None

    @property
    def is_keyed(self) -> bool:
        """Whether its messages carried keys that the server knew."""
        return self.settings.knows_dedup and "--no-dedup" not in self.options

    @property
    def is_whole(self) -> bool:
        """Whether it came to its own end, and could send all."""
        limits = {"--limit", "--max-cost", "--max-errors"}
        return self.code in {0, 1} and not limits.intersection(self.options)

    def given(self, option: str) -> float | None:
        """The number that an option was given."""
        return float(self.options[self.options.index(option) + 1]) if option in self.options else None


def name_of(record: Mapping[str, Any]) -> Name:
    """Which message a server's record is of."""
    to = f"contact {record['contact']}" if record["contact"] else record["to"]
    return Name(to, record["from"], record["text"])


class Log:
    """What a server saw of one campaign, in order, beside the commands that caused it."""

    def __init__(self, records: Sequence[Mapping[str, Any]], commands: Sequence[Command]) -> None:
        self.records = records
        self.commands = [command for command in commands if command.last is not None]

    def of(self, *what: str, command: Command | None = None) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Records of a kind, with their places; of one command or of all."""
        first, last = (command.first, command.last) if command else (0, None)
        for place, record in enumerate(self.records[first:last], first):
            if record["what"] in what:
                yield place, record

    def caused(self, command: Command) -> Iterator[Mapping[str, Any]]:
        """What was accepted and answered of what a command sent, in order, be it after the command's end."""
        asked: dict[tuple[Name, str], int] = {}
        for place, record in enumerate(self.records):
            which = name_of(record), record["key"]
            if record["what"] == "request":
                asked[which] = place
            elif record["what"] in {"accepted", "answered"} and command.first <= asked[which] < (command.last or 0):
                yield record

    @cached_property
    def accepted(self) -> dict[Name, list[str]]:
        """The ids of what was accepted."""
        found: dict[Name, list[str]] = defaultdict(list)
        for _, record in self.of("accepted"):
            found[name_of(record)].append(record["id"])
        return found

    @cached_property
    def doubtful(self) -> set[Name]:
        """What was not answered so that the client could be sure, or so late that it may not have waited."""
        found = {name_of(record) for _, record in self.of("request") if record["does"] in AMBIGUOUS}
        asked_at: dict[Name, float] = {}
        for _, record in self.of("request", "answered"):
            name = name_of(record)
            if record["what"] == "request":
                asked_at[name] = record["at"]
            elif record["at"] - asked_at[name] > PROMPT_S:
                found.add(name)
        return found

    @cached_property
    def answers_twice(self) -> bool:
        """Whether any answer came twice, so that the next row's may have been taken for it."""
        return any(record["does"] in TWICE for _, record in self.of("request"))


# -- Never twice


def doubles(log: Log, rows: Sequence[Row]) -> Iterator[str]:
    """What was accepted more often than the sheet asks for."""
    asked = Counter(row.name for row in rows)
    for name, ids in log.accepted.items():
        if len(ids) > asked[name]:
            yield f"accepted {len(ids)} times where {asked[name]} were asked for: {name}"


# -- What is told is true, and nothing is lost


def untrue(
    log: Log, rows: Sequence[Row], told: Sequence[Mapping[str, str]], opted_out: Collection[str] = ()
) -> Iterator[str]:
    """Where the results differ from what the server knows; only who opted out may have been skipped."""
    claimed = Counter(record["messageId"] for record in told if record["status"] == "sent")
    yield from (f"{times} rows are said to be sent as {id_!r}" for id_, times in claimed.items() if times > 1)
    statuses: dict[Name, list[str]] = defaultdict(list)
    for number, (row, record) in enumerate(zip(rows, told, strict=True), 1):
        status, which = record["status"], f"row {number} ({row.text[:30]!r})"
        statuses[row.name].append(status)
        ids = log.accepted.get(row.name, [])
        if status == "sent" and record["messageId"] not in ids:
            yield f"{which} is said to be sent as {record['messageId']!r}, the server: {ids}"
        if status == "rejected" and not row.is_rejected:
            yield f"{which} is called rejected, which the server did not say"
        if status in {"pending", "failed", "invalid", "skipped"} and not (status == "skipped" and row.to in opted_out):
            yield f"{which} is still {status}"
    for name, ids in log.accepted.items():
        if sum(status in {"sent", "unknown"} for status in statuses[name]) < len(ids):
            yield f"{name} was accepted {len(ids)} times but is called {statuses[name]}"


def left_in_doubt(
    log: Log, rows: Sequence[Row], told: Sequence[Mapping[str, str]], most: int, opted_out: Collection[str] = ()
) -> Iterator[str]:
    """Rows that are `unknown` although a command could have repeated or found them.

    A command repeats a row only once it has seen an echo itself, so that it must have had something else to send. And
    all attempts of the row that left it in doubt must have begun after an echo, which shows for certain only where the
    message of that echo went alone, or more requests lie between than may have been handed out by then.

    Args:
        log: what the server saw.
        rows: the campaign's.
        told: its results.
        most: requests that are handed out at once.
        opted_out: to whom nothing is repeated.
    """
    keyed = _latest_alike(log.commands, lambda command: command.is_keyed)
    steps_s = [command.step_s for command in log.commands]
    if steps_s and max(steps_s) - steps_s[-1] > _MOST_BEHIND_S:
        keyed = []  # whoever cannot tell how old an attempt is, does not repeat it
    listing = _latest_alike(log.commands, lambda command: command.settings.knows_list and command.settings.shows_refs)
    is_always_keyed = not any("--no-dedup" in command.options for command in log.commands)
    times = Counter(row.name for row in rows)
    for number, (row, record) in enumerate(zip(rows, told, strict=True), 1):
        if record["status"] != "unknown" or times[row.name] > 1 or row.to in opted_out:
            continue
        if _could_be_repeated(log, row.name, keyed, most):
            yield f"row {number} ({row.text[:30]!r}) is left in doubt although a repeat was safe"
        is_steady = all(abs(command.step_s) < _LOOK_UP_SLACK_S for command in log.commands)
        if listing and listing[-1].is_whole and is_always_keyed and is_steady and row.name in log.accepted:
            yield f"row {number} ({row.text[:30]!r}) is left in doubt although it is in the list"


def _latest_alike(commands: Sequence[Command], suits: Any) -> list[Command]:
    """The last commands of all that suit and agree on the time."""
    found: list[Command] = []
    for command in reversed(commands):
        if not suits(command) or command.step_s != commands[-1].step_s:
            break
        found.insert(0, command)
    return found


def _could_be_repeated(log: Log, name: Name, commands: Sequence[Command], most: int) -> bool:
    asked = [place for place, record in log.of("request") if name_of(record) == name]
    if not asked or not commands or asked[0] < commands[0].first:
        return False
    is_under_proof = all(_is_under_proof(log, place, commands, most) for place in asked)
    return is_under_proof and any(
        command.first > asked[-1] and command.is_whole and _echoes(log, command) for command in commands
    )


def _is_under_proof(log: Log, asked: int, commands: Sequence[Command], most: int) -> bool:
    for command in commands:
        if command.first <= asked < (command.last or 0):
            first = min(_echoes(log, command), default=asked)
            before = {name_of(record) for place, record in log.of("request", command=command) if place < first}
            after = sum(first < place < asked for place, _ in log.of("request", command=command))
            return first < asked and (len(before) == 1 or after > 2 * most)
    return False


def _echoes(log: Log, command: Command) -> list[int]:
    """Where echoes were written that the program surely read: long before its time-out."""
    asked: dict[Name, float] = {}
    found = []
    for place, record in log.of("request", "answered", command=command):
        if record["what"] == "request":
            asked[name_of(record)] = record["at"]
            continue
        took_s = record["at"] - asked.get(name_of(record), -math.inf)
        if record["echoed"] and record["status"] == 200 and took_s < PROMPT_S:
            found.append(place)
    return found


# -- Who opted out


def sent_after(log: Log, opted_out: Mapping[str, float], late_s: float) -> Iterator[str]:
    """What was sent to whom after they opted out.

    Args:
        log: what the server saw.
        opted_out: by number, when whoever noted it was told that it is noted; by the server's clock.
        late_s: so late it may still arrive that was about to leave.
    """
    for _, record in log.of("request"):
        late = record["at"] - opted_out.get(record["to"], math.inf)
        if late > late_s:
            yield f"{record['to']} was sent {record['text'][:20]!r} {late:.3f} s after opting out"


# -- The cap


def cap_violations(server: Hostile, commands: Sequence[Command] = (), window_s: float = WINDOW_S) -> Iterator[str]:
    """Where more parts reached a capped phone within a window than the telcos let through.

    As long as no answer has told whose phone it is, a contact's messages count for the contact alone: nobody can know.
    """
    log = Log(server.records(), commands)
    arrivals: dict[str, list[float]] = defaultdict(list)
    for place, record in log.of("accepted"):
        times = [record["at"]] * parts_of(record["text"])
        if record["contact"]:
            arrivals[f"contact {record['contact']}"] += times
        if record["to"].startswith("63") and not (record["contact"] and not _is_told(log, record["contact"], place)):
            arrivals[record["to"]] += times
    for to, at in arrivals.items():
        for first, sixth in zip(at, at[CAP:], strict=False):
            if sixth - first < window_s:
                yield f"{CAP + 1} parts to {to} within {sixth - first:.3f} s of {window_s} s"


def _is_told(log: Log, contact: int, place: int) -> bool:
    """Whether the client knew a contact's number: by an answer to this command, or to one that was not killed."""
    for command in log.commands:
        if command.first > place:
            break
        is_same = place < (command.last or 0)
        if command.code == -signal.SIGKILL and not is_same:
            continue
        answered = log.of("answered", command=command)
        if any(record["contact"] == contact and at < place for at, record in answered):
            return True
    return False


# -- Limits and money


def beyond_limits(log: Log) -> Iterator[str]:
    """Where a command sent more rows than it was allowed."""
    for command in log.commands:
        limit = command.given("--limit")
        names = {name_of(record) for _, record in log.of("request", command=command)}
        if limit is not None and len(names) > limit:
            yield f"{len(names)} rows were tried under --limit {limit:g}"


def overspent(log: Log, told: Sequence[tuple[Row, str]]) -> Iterator[str]:
    """Where a run cost more than allowed, but for messages whose price nobody could know.

    That is each first one of its kind in a command, as long as no answer has told the price, and what a killed command
    had no time to note. Those are held at the plan's price. What was in doubt before, is held too, may be repeated
    under a proof, and then cost what it costs.
    """
    unsent = {row.name for row, status in told if status != "sent"}
    spent = unknowable = 0
    for command in log.commands:
        limit = command.given("--max-cost")
        now, shown = 0, set()
        for record in log.caused(command):
            if record["what"] == "answered":
                shown |= {_kind(record)} if record["status"] == 200 else set()
                continue
            now += record["price"]
            is_known = _kind(record) in shown and not (command.code not in ENDED and name_of(record) in unsent)
            unknowable += 0 if is_known else max(0, record["price"] - PRICE_MICRO * parts_of(record["text"]))
        if limit is not None and now:
            allowed = max(round(limit * 1_000_000), spent + _held(log, command)) + unknowable
            if spent + now > allowed:
                yield f"{spent + now} micro-USD spent where {allowed} were allowed, {unknowable} of them unknowable"
        spent += now


def _held(log: Log, command: Command) -> int:
    """What may have been accepted before a command, and was not: it may be repeated."""
    before = {name_of(record) for place, record in log.of("request") if place < command.first}
    taken = {name_of(record) for place, record in log.of("accepted") if place < command.first}
    part = round(PRICE_MICRO * max(1.0, command.settings.price_factor))
    return sum(part * parts_of(name.text) for name in before - taken)


def _kind(record: Mapping[str, Any]) -> str:
    return "contact" if record["contact"] else record["to"][:2]
