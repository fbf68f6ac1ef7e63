"""History: who got which text when, by which command and row. One file an account, beside the account's own state.

Phones and texts stand in it as 64-bit hashes, made with a key that lies beside it. It is written when a command ends,
out of its run; while a run sends, its own file knows. What a command sent that was killed is read out of its run by
whoever comes next; until then the command stands here as open.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import orjson

from bulksend.errors import UsageError
from bulksend.model import Recipient
from bulksend.runs.absorbing import Begun, Taken, absorbed_since, arrivals, catch_up, taken
from bulksend.runs.contacts import all_names
from bulksend.runs.finding import key_of
from bulksend.runs.hashes import Hashes, key_at
from bulksend.runs.outliving import Command, PlacedGot
from bulksend.runs.places import place_of, resolved
from bulksend.runs.reach import FileReach
from bulksend.runs.sqlite import explained, transaction
from bulksend.runs.store import Run

_VERSION = 1
_PRUNED_EACH_S = 7 * 86_400.0
HISTORY = ".history.sqlite"  # the ending of its file's name
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
# In the order of the tree they are written in, page after page: or each 20,000 would touch all of it.
_KEEP = """
INSERT OR REPLACE INTO messages SELECT phone, text, command, row, in_doubt FROM temp.coming
ORDER BY phone, text, command, row
"""


class FileHistory:
    """The history of one account in a file; see `bulksend.runs.outliving.History`.

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
                self.reach = FileReach(self._db, self.hashes, path)
            except BaseException:
                self._db.close()
                raise

    @property
    def stand(self) -> str:
        """See `History.stand`."""
        with explained(self._path):
            count, name = self._db.execute("SELECT count, id FROM changes").fetchone()
            return f"{name} {count}"

    @property
    def is_empty(self) -> bool:
        """See `History.is_empty`."""
        with explained(self._path):
            return self._db.execute("SELECT 1 FROM messages LIMIT 1").fetchone() is None

    @property
    def is_open(self) -> bool:
        """See `History.is_open`."""
        return bool(self.open_commands())

    def begin(self, run: Run, *, began_at: float, wall_s: float) -> None:
        """See `History.begin`."""
        made_of = [str(resolved(place_of(run.place))), run.facts.plan_id, key_of(run), began_at, wall_s]
        with explained(self._path):
            self._db.execute(
                "INSERT INTO commands (run, plan_id, key, began_at, sends_since, is_open) VALUES (?, ?, ?, ?, ?, 1)",
                made_of,
            )

    def absorb(
        self, run: Run, *, since_s: float | None = None, closes: bool = True, other: Run | None = None
    ) -> None:  # fmt: skip
        """See `History.absorb`."""
        plan_id = run.facts.plan_id
        sql = "SELECT id, sends_since, is_open FROM commands WHERE plan_id = ? ORDER BY sends_since, id"
        with self._writing():
            commands = list(map(Begun._make, self._db.execute(sql, [plan_id])))
            since_s = absorbed_since(commands, since_s)
            if since_s is None:
                return
            changed = 0
            self._db.execute("CREATE TEMP TABLE coming (phone, text, command, row, in_doubt)")
            for some, looked_at in arrivals(run, since_s, closes=closes, other=other):
                self._take_in(taken(some, commands, self.hashes), plan_id, is_anew=len(commands) > 1)
                changed += looked_at
            self._db.execute(_KEEP)
            self._db.execute("DROP TABLE temp.coming")
            if closes:
                self._db.execute("UPDATE commands SET is_open = 0 WHERE plan_id = ?", [plan_id])
            self._db.execute("UPDATE changes SET count = count + ?", [changed])

    def catch_up(self, own: Run, *, closes: bool) -> list[Command]:
        """See `History.catch_up`."""
        return catch_up(self, own, closes=closes)

    def give_up(self, command: Command) -> None:
        """See `History.give_up`."""
        with explained(self._path):
            self._db.execute("UPDATE commands SET is_open = 0 WHERE plan_id = ?", [command.plan_id])

    def commands(self) -> dict[int, Command]:
        """See `History.commands`."""
        with explained(self._path):
            found = self._db.execute("SELECT id, run, plan_id, key, began_at, is_open FROM commands")
            return {number: Command(*rest) for number, *rest in found}

    def got_by(self, recipients: Sequence[Recipient], texts: Sequence[str] = ()) -> list[PlacedGot]:  # noqa: ARG002
        """See `History.got_by`; all hashes of this history are of one key."""
        wanted = orjson.dumps(self.hashes.of_phones(recipients).tolist()).decode()
        with explained(self._path):
            return self._db.execute(_OF_PHONES, [wanted]).fetchall()

    def all_names(self, recipients: Sequence[Recipient]) -> list[Recipient]:
        """See `History.all_names`."""
        return all_names(recipients, self._path.with_name(f"{self._path.name.removesuffix(HISTORY)}.sqlite"))

    def purge(self, before_s: float) -> int:
        """See `History.purge`."""
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
        """See `History.prune`."""
        with explained(self._path):
            (oldest,) = self._db.execute("SELECT min(began_at) FROM commands").fetchone()
        if oldest is not None and oldest < before_s - _PRUNED_EACH_S:
            self.purge(before_s)

    def give_room_back(self) -> None:
        """See `History.give_room_back`."""
        with explained(self._path):
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """See `History.close`."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take_in(self, messages: Sequence[Taken], plan_id: str, *, is_anew: bool) -> None:
        if is_anew:
            which = ((phone, text, row, plan_id) for phone, text, _, row, _ in messages)
            self._db.executemany(_FORGET_EARLIER, which)
        self._db.executemany("INSERT INTO temp.coming VALUES (?, ?, ?, ?, ?)", messages)

    def open_commands(self) -> list[Command]:
        """See `Absorbing.open_commands`."""
        with explained(self._path):
            found = self._db.execute(
                "SELECT run, plan_id, key, began_at, is_open FROM commands WHERE is_open ORDER BY id"
            )
            return list(map(Command._make, found))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with explained(self._path), transaction(self._db):
            yield
