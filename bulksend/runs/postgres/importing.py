"""What the files of one machine hold of an account is brought into a database, where it lives from then on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from bulksend.runs.facts import Address
from bulksend.runs.filed import FiledAccount, is_filed
from bulksend.runs.homes import note_home
from bulksend.runs.postgres import accounts
from bulksend.runs.postgres.connecting import Db
from bulksend.runs.postgres.linking import Link
from bulksend.runs.postgres.optouts import PostgresOptOuts

_AT_ONCE = 20_000
_NUMBERS = """
INSERT INTO account_number SELECT %s, * FROM unnest(%s::bigint[], %s::text[]) ON CONFLICT DO NOTHING
"""
_SENDS = """
INSERT INTO recent SELECT %s, * FROM unnest(
    %s::text[], %s::text[], %s::bigint[], %s::integer[], %s::integer[], %s::double precision[]
)
"""
_COMMAND = """
INSERT INTO command (account, run, plan_id, key, began_at, sends_since, is_open, brought)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (account, brought) DO UPDATE SET is_open = command.is_open AND excluded.is_open RETURNING id
"""
_MESSAGES = """
INSERT INTO got SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::integer[], %s::bigint[], %s::boolean[])
ON CONFLICT DO NOTHING
"""
_TOLD = """
INSERT INTO told_run (account, plan_id, sent_at) VALUES (%s, %s, %s)
ON CONFLICT (account, plan_id) DO UPDATE SET sent_at = greatest(told_run.sent_at, excluded.sent_at) RETURNING id
"""
_REACHED = """
INSERT INTO reached_by SELECT * FROM unnest(%s::bigint[], %s::integer[], %s::boolean[]) ON CONFLICT DO NOTHING
"""


class Imported(NamedTuple):
    """What was new to a database of what an account's files hold.

    Attributes:
        optouts: who opted out.
        numbers: contacts whose number is known.
        messages: what history knows that phones got.
    """

    optouts: int = 0
    numbers: int = 0
    messages: int = 0


def import_account(database: str, base_url: str, org_id: int, wall_s: float | None = None) -> Imported:
    """Bring what this machine's files hold of an account into a database; what it has already stays as it is there.

    From then on the account lives there: a run file of it is refused on this machine. The files stay.

    Args:
        database: its address.
        base_url: the API's address.
        org_id: the organization.
        wall_s: now, in seconds since 1970; None for what the clock says.

    Raises:
        AccountBusyError: a run of the account is being sent; the sentence says which.
        UsageError: the database or a file cannot be used.
        RunFileError: something cannot be read or written; each kind is brought whole or not at all, and again later.
    """
    address = Address(org_id, base_url)
    if not is_filed(address):
        return Imported()
    with (
        FiledAccount(address, f"{database}#import", time.time() if wall_s is None else wall_s) as filed,
        Link(database) as link,
    ):
        with link.transaction() as db:
            account = accounts.made_account(db, address)
        bringing = _Bringing(link, account, filed)
        optouts = PostgresOptOuts(link, account).note(filed.optouts())
        imported = Imported(optouts, bringing.numbers(), bringing.history())
        bringing.sends()
        note_home(address, database)
    return imported


class _Bringing:
    """Brings one kind after another, each in a transaction."""

    def __init__(self, link: Link, account: int, filed: FiledAccount) -> None:
        self._link = link
        self._account = account
        self._filed = filed

    def numbers(self) -> int:
        """How many were new."""
        with self._alone() as db:
            columns = _columns(self._filed.numbers())
            return sum(db.execute(_NUMBERS, [self._account, *some]).rowcount for some in columns)

    def sends(self) -> None:
        """What counts against caps, in place of what was brought before."""
        skew_s = self._link.skew_s
        with self._alone() as db:
            brought: set[str] = set()
            for keys, recipients, parts, messages, ended in _columns(self._filed.sends()):
                anew, brought = list(set(keys) - brought), brought | set(keys)
                db.execute("DELETE FROM recent WHERE account = %s AND key = ANY(%s)", [self._account, anew])
                phones = [who if isinstance(who, str) else None for who in recipients]
                contacts = [who if isinstance(who, int) else None for who in recipients]
                times = [at + skew_s for at in ended]
                db.execute(_SENDS, [self._account, keys, phones, contacts, parts, messages, times])
            for (since,) in self._filed.quiet_since():
                db.execute("INSERT INTO quiet VALUES (%s, %s)", [self._account, since + skew_s])

    def history(self) -> int:
        """How many messages were new."""
        name, skew_s = self._filed.name, self._link.skew_s
        with self._alone() as db:
            sql = "INSERT INTO brought VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
            db.execute(sql, [self._account, name, self._filed.key])
            commands: dict[int, int] = {}
            for number, *command, began_at, sends_since, is_open in self._filed.commands():
                times = [began_at + skew_s, sends_since + skew_s]
                which = [self._account, *command, *times, bool(is_open), f"{name} {number}"]
                ((commands[number],),) = db.execute(_COMMAND, which).fetchall()
            added = 0
            for phones, texts, by, rows, doubts in _columns(self._filed.messages()):
                of = [commands[number] for number in by]
                which = [self._account, phones, texts, of, rows, list(map(bool, doubts))]
                added += db.execute(_MESSAGES, which).rowcount
            runs: dict[int, int] = {}
            for number, plan_id, sent_at in self._filed.told_runs():
                ((runs[number],),) = db.execute(_TOLD, [self._account, plan_id, sent_at + skew_s]).fetchall()
            for phones, numbers, reached in _columns(self._filed.reached()):
                db.execute(_REACHED, [phones, [runs[each] for each in numbers], list(map(bool, reached))])
            db.execute("UPDATE account SET changes = changes + 1 WHERE id = %s", [self._account])
        return added

    @contextmanager
    def _alone(self) -> Iterator[Db]:
        with self._link.transaction() as db:
            accounts.remember_alone(db, self._account)
            yield db


def _columns(rows: Iterator[tuple[Any, ...]]) -> Iterator[Sequence[list[Any]]]:
    """Rows, some at a time, column by column."""
    while some := list(islice(rows, _AT_ONCE)):
        yield list(map(list, zip(*some, strict=True)))
