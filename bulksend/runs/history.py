"""History: who got which text when, by which command and row. One file an account, beside the account's own state.

Phones and texts stand in it as 64-bit hashes, made with a key that lies beside it. It is written when a command ends,
out of its run; while a run sends, its own file knows. What a command sent that was killed is read out of its run by
whoever comes next; until then the command stands here as open.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Self

import orjson

from bulksend.errors import UsageError
from bulksend.model import Recipient
from bulksend.runs.finding import found_again, key_of
from bulksend.runs.hashes import Hashes, key_at
from bulksend.runs.places import place_of, resolved
from bulksend.runs.reach import Reach
from bulksend.runs.sqlite import explained, transaction
from bulksend.runs.store import Run
from bulksend.runs.telling import Arrived

_VERSION = 1
_PRUNED_EACH_S = 7 * 86_400.0
_AT_ONCE = 20_000  # messages
_SCHEMA = f"""
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA mmap_size = 1000000000;  -- a phone is looked up anywhere in it: read in place, pages cost a quarter less
PRAGMA user_version = {_VERSION};
CREATE TABLE IF NOT EXISTS changes (count INTEGER NOT NULL, id TEXT NOT NULL);
INSERT INTO changes SELECT 0, lower(hex(randomblob(16))) WHERE NOT EXISTS (SELECT 1 FROM changes);
CREATE TABLE IF NOT EXISTS commands (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL,             -- where its file was
    plan_id TEXT NOT NULL,
    key TEXT NOT NULL,             -- what tells that file from others, see `bulksend.runs.finding`
    began_at REAL NOT NULL,        -- when somebody gave the command, in seconds since 1970
    sends_since REAL NOT NULL,     -- since when it had the account for itself
    is_open INTEGER NOT NULL       -- what it sent is not known here yet
);
CREATE TABLE IF NOT EXISTS messages (
    phone INTEGER NOT NULL, text INTEGER NOT NULL, command INTEGER NOT NULL, row INTEGER NOT NULL,
    in_doubt INTEGER NOT NULL,
    PRIMARY KEY (phone, text, command, row)
) WITHOUT ROWID;
"""
_OF_PHONES = """
SELECT wanted.key, text, command, row, in_doubt FROM json_each(?) wanted JOIN messages ON phone = wanted.value
"""
# What was in doubt, or was repeated since, stands under an earlier command of the same plan.
_FORGET_EARLIER = """
DELETE FROM messages WHERE phone = ? AND text = ? AND row = ? AND command IN (SELECT id FROM commands WHERE plan_id = ?)
"""


class Command(NamedTuple):
    """A command that sent, or was about to.

    Attributes:
        run: the place of its run.
        plan_id: the plan of that.
        key: what tells the file of that from others.
        began_at: when somebody gave it, in seconds since 1970.
        is_open: whether it is not known here yet what it sent.
    """

    run: str
    plan_id: str
    key: str
    began_at: float
    is_open: int


class Got(NamedTuple):
    """A message that a phone got, or may have got.

    Attributes:
        text: the hash of what it said.
        command: the number of the command that sent it.
        row: its row in that command's run.
        in_doubt: whether it is not known to be accepted.
    """

    text: int
    command: int
    row: int
    in_doubt: int


PlacedGot = tuple[int, int, int, int, int]
"""What a phone got, behind its place among those asked for. A tuple, for millions of them pass."""


class History:
    """The history of one account. It may be written by several processes.

    Args:
        path: its file; the key lies beside it.

    Raises:
        UsageError: it is of another version, or its key is gone.
        RunFileError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with explained(path):
            is_new = not path.exists()
            self.hashes = Hashes(key_at(path.with_suffix(".key"), is_new=is_new))
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, isolation_level=None)
            try:
                (version,) = self._db.execute("PRAGMA user_version").fetchone()
                if version not in (0, _VERSION):
                    raise UsageError(f"{path}: written by another version of bulksend; use that, or remove the file")
                self._db.executescript(_SCHEMA)
                self.reach = Reach(self._db, self.hashes, path)
            except BaseException:
                self._db.close()
                raise

    @property
    def stand(self) -> str:
        """What tells what it holds now from what it held before, and from any other history."""
        with explained(self._path):
            count, name = self._db.execute("SELECT count, id FROM changes").fetchone()
            return f"{name} {count}"

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing."""
        with explained(self._path):
            return self._db.execute("SELECT 1 FROM messages LIMIT 1").fetchone() is None

    @property
    def is_open(self) -> bool:
        """Whether there are commands of which it is not known here yet what they sent."""
        return bool(self._open_commands())

    def begin(self, run: Run, *, began_at: float, wall_s: float) -> None:
        """Note that a command is about to send; it is open until `absorb` has read what it sent.

        Args:
            run: what it sends.
            began_at: when somebody gave it, in seconds since 1970.
            wall_s: now, in seconds since 1970.
        """
        made_of = [str(resolved(place_of(run.place))), run.facts.plan_id, key_of(run), began_at, wall_s]
        with explained(self._path):
            self._db.execute(
                "INSERT INTO commands (run, plan_id, key, began_at, sends_since, is_open) VALUES (?, ?, ?, ?, ?, 1)",
                made_of,
            )

    def absorb(
        self, run: Run, *, since_s: float | None = None, closes: bool = True, other: Run | None = None
    ) -> None:  # fmt: skip
        """Take in what the commands of a run sent since the first of them that is open.

        Args:
            run: the run.
            since_s: since when to take in where none is open, in seconds since 1970; None for nothing.
            closes: whether these commands have ended; as long as they go on, nothing in doubt is taken in.
            other: another file of the same run, which may know better what became of a doubtful attempt.

        Raises:
            RunFileError: the run cannot be read, or history not be written; then nothing of it was taken in.
        """
        plan_id = run.facts.plan_id
        sql = "SELECT id, sends_since, is_open FROM commands WHERE plan_id = ? ORDER BY sends_since, id"
        with self._writing():
            commands = self._db.execute(sql, [plan_id]).fetchall()
            since_s = min((since for _, since, is_open in commands if is_open), default=since_s)
            if since_s is None or not commands:
                return
            arrived, changed = run.arrived(since_s), 0
            while some := list(islice(arrived, _AT_ONCE)):
                doubts = [(each.row, each.started_at) for each in some if each.in_doubt]
                settled = other.knows(doubts) if other and closes else {row for row, _ in doubts if not closes}
                kept = [each for each in some if not (each.in_doubt and each.row in settled)]
                self._take_in(kept, plan_id, commands)
                changed += len(some)
            if closes:
                self._db.execute("UPDATE commands SET is_open = 0 WHERE plan_id = ?", [plan_id])
            self._db.execute("UPDATE changes SET count = count + ?", [changed])

    def catch_up(self, own: Run, *, closes: bool) -> list[Command]:
        """Take in what open commands sent whose runs can be read; the commands of the others: nobody knows.

        Args:
            own: the caller's own run, which knows by itself what it sent.
            closes: whether the caller has the account for itself, so that all other commands have ended.
        """
        own_key, own_plan, lost = key_of(own), own.facts.plan_id, []
        for command in self._open_commands():
            if command.key == own_key:
                continue
            with found_again(command.key, place_of(command.run)) as run:
                if run is not None:
                    self.absorb(run, closes=closes, other=own if command.plan_id == own_plan else None)
                elif command.plan_id != own_plan:  # or else it is most likely this file, under another number
                    lost.append(command)
        return lost

    def give_up(self, command: Command) -> None:
        """Ask no more after what the commands of a plan sent: nobody will ever know."""
        with explained(self._path):
            self._db.execute("UPDATE commands SET is_open = 0 WHERE plan_id = ?", [command.plan_id])

    def commands(self) -> dict[int, Command]:
        """All commands, by number."""
        with explained(self._path):
            found = self._db.execute("SELECT id, run, plan_id, key, began_at, is_open FROM commands")
            return {number: Command(*rest) for number, *rest in found}

    def got_by(self, recipients: Iterable[Recipient]) -> list[PlacedGot]:
        """What phones got, or may have got."""
        wanted = orjson.dumps(self.hashes.of_phones(recipients).tolist()).decode()
        with explained(self._path):
            return self._db.execute(_OF_PHONES, [wanted]).fetchall()

    def purge(self, before_s: float) -> int:
        """Forget what commands sent that began before (seconds since 1970); how many messages that were."""
        with self._writing():
            self.reach.purge(before_s)
            old = [number for (number,) in self._db.execute("SELECT id FROM commands WHERE began_at < ?", [before_s])]
            if not old:
                return 0
            which = orjson.dumps(old).decode()
            gone = self._db.execute(
                "DELETE FROM messages WHERE command IN (SELECT value FROM json_each(?))", [which]
            ).rowcount
            self._db.execute("DELETE FROM commands WHERE id IN (SELECT value FROM json_each(?))", [which])
            self._db.execute("UPDATE changes SET count = count + 1")
        return gone

    def prune(self, before_s: float) -> None:
        """The same, now and then: it looks through all of it, which a command a day should not have to wait for."""
        with explained(self._path):
            (oldest,) = self._db.execute("SELECT min(began_at) FROM commands").fetchone()
        if oldest is not None and oldest < before_s - _PRUNED_EACH_S:
            self.purge(before_s)

    def give_room_back(self) -> None:
        """Let what was forgotten take no room any more."""
        with explained(self._path):
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of it."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take_in(self, some: Sequence[Arrived], plan_id: str, commands: Sequence[tuple[int, float, int]]) -> None:
        phones = self.hashes.of_phones(each.recipient for each in some)
        texts = self.hashes.of_texts([each.text for each in some])
        begun = [since for _, since, _ in commands]
        numbers = [number for number, *_ in commands]
        of = [numbers[max(0, bisect_right(begun, each.started_at) - 1)] for each in some]
        rows, doubts = [each.row for each in some], [each.in_doubt for each in some]
        if len(commands) > 1:
            which = zip(phones, texts, rows, [plan_id] * len(some), strict=True)
            self._db.executemany(_FORGET_EARLIER, which)
        # In the order of the tree they are written in, page after page.
        self._db.executemany(
            "INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?)",
            sorted(zip(phones, texts, of, rows, doubts, strict=True)),
        )

    def _open_commands(self) -> list[Command]:
        with explained(self._path):
            found = self._db.execute(
                "SELECT run, plan_id, key, began_at, is_open FROM commands WHERE is_open ORDER BY id"
            )
            return list(map(Command._make, found))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with explained(self._path), transaction(self._db):
            yield
