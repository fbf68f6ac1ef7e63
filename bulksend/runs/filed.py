"""What this machine's files hold of an account, read out so that it can be kept elsewhere; nobody sends meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from bulksend.model import ContactId, PhoneNumber, Recipient
from bulksend.runs.account import FileAccount, account_path, history_path
from bulksend.runs.facts import Address
from bulksend.runs.hashes import key_at
from bulksend.runs.optouts import FileOptOuts, optouts_path
from bulksend.runs.outliving import OptOut
from bulksend.runs.sqlite import explained


def is_filed(address: Address) -> bool:
    """Whether this machine has files of an account."""
    paths = (optouts_path, account_path, history_path)
    return any(path(address.base_url, address.org_id).exists() for path in paths)


class FiledAccount:
    """An account's files. A context manager, in which the account is held.

    Args:
        address: the account; see first that there are files of it, or they are made.
        place: what others are told who would send for it meanwhile.
        wall_s: seconds since 1970.

    Raises:
        AccountBusyError: another process is sending for this account; the sentence says which.
        UsageError: a file is of another version, or history's key is gone.
        RunFileError: they cannot be read.
    """

    def __init__(self, address: Address, place: str, wall_s: float) -> None:
        self._held = FileAccount(address.base_url, address.org_id, place)
        try:
            self._held.settle(wall_s)
        except BaseException:
            self._held.close()
            raise
        self._optouts_path = optouts_path(address.base_url, address.org_id)
        self._account_path = account_path(address.base_url, address.org_id)
        self._history_path = history_path(address.base_url, address.org_id)

    @property
    def key(self) -> bytes:
        """Of history's hashes."""
        return key_at(self._history_path.with_suffix(".key"), is_new=False)

    @property
    def name(self) -> str:
        """What tells this history from all others."""
        ((name,),) = self._read(self._history_path, "SELECT id FROM changes")
        return str(name)

    def optouts(self) -> Iterator[OptOut]:
        """Who opted out, in the order in which that was noted."""
        if self._optouts_path.exists():
            with FileOptOuts(self._optouts_path) as optouts:
                yield from optouts.all()

    def numbers(self) -> Iterator[tuple[ContactId, PhoneNumber]]:
        """The numbers of contacts."""
        return self._read(self._account_path, "SELECT contact, number FROM numbers")

    def sends(self) -> Iterator[tuple[str, Recipient, int, int, float]]:
        """What counts against phones' caps: key of the run, recipient, parts, messages, time of the end."""
        return self._read(self._account_path, "SELECT plan_id, recipient, parts, messages, ended_at FROM sends")

    def quiet_since(self) -> Iterator[tuple[float]]:
        """Since when nobody knows what was sent shortly before."""
        return self._read(self._account_path, "SELECT since FROM quiet")

    def commands(self) -> Iterator[tuple[int, str, str, str, float, float, int]]:
        """Number, place of the run, plan, key, when it was given, since when it had the account, whether it is open."""
        return self._read(
            self._history_path, "SELECT id, run, plan_id, key, began_at, sends_since, is_open FROM commands ORDER BY id"
        )

    def messages(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Hashes of phone and text, number of the command, row, whether in doubt."""
        return self._read(self._history_path, "SELECT phone, text, command, row, in_doubt FROM messages")

    def told_runs(self) -> Iterator[tuple[int, str, float]]:
        """The runs whose receipts were fetched: number, plan, when the last message was sent of which it was told."""
        return self._read(self._history_path, "SELECT id, plan_id, sent_at FROM told_runs ORDER BY id")

    def reached(self) -> Iterator[tuple[int, int, int]]:
        """Hash of the phone, number of such a run, whether it reached that."""
        return self._read(self._history_path, "SELECT phone, run, reached FROM reached_by")

    def close(self) -> None:
        """Let others send for the account."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, path: Path, sql: str) -> Iterator[Any]:
        with explained(path), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            yield from db.execute(sql)
