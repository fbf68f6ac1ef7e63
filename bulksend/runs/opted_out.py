"""Who opted out of an account, as whoever plans and sends looks at it: in memory, with those who are added since."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

import orjson

from bulksend.model import ContactId, PhoneNumber, Recipient
from bulksend.runs.accounts import account_name
from bulksend.runs.optouts import check_version, explained, optouts_path
from bulksend.runs.paths import state_path
from bulksend.sms import phones

_NEVER = -1  # the version of a list that was not read yet


class OptedOut:
    """Who opted out of an account, in memory, with whoever is added meanwhile. A context manager.

    Whoever is taken off the list meanwhile stays in here.

    Args:
        path: of the list, which need not be there.
        account: the account's own file, which knows numbers of contacts; it need not be there either.

    Raises:
        UsageError: the list is of another version.
        RunFileError: it cannot be read.
    """

    def __init__(self, path: Path, account: Path) -> None:
        self._path = path
        self._account = account
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._version, self._last = _NEVER, 0
        self._since: dict[Recipient, float] = {}
        self._has_others = False  # whether any of their phones may have another number
        try:
            self.look()
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._since)

    @property
    def stand(self) -> str:
        """What tells this list, as far as it was read, from what it was before; empty if nobody is on it."""
        if self._db is None or not self._since:
            return ""
        with explained(self._path):
            (name,) = self._db.execute("SELECT id FROM name").fetchone()
            return f"{name} {self._last}"

    def look(self) -> None:
        """Take in who opted out since.

        Raises:
            UsageError: the list is of another version.
            RunFileError: it cannot be read.
        """
        with explained(self._path):
            db = self._opened()
            if db is None:
                return
            (version,) = db.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return
            (last,) = db.execute("SELECT coalesce(max(id), 0) FROM optouts").fetchone()
            sql = "SELECT phone, since FROM optouts WHERE id > ? AND id <= ?"
            found = db.execute(sql, [self._last, last]).fetchall()
            self._since.update(found)
            self._last = max(self._last, last)
            self._has_others = self._has_others or _may_have_others(phone for phone, _ in found)
            self._version = version  # known from before: what was added while it was read makes it another

    def why(self, recipient: Recipient) -> str | None:
        """Why somebody is to get nothing; None if they may. A contact is known by its number only if that is asked."""
        since_s = self._since.get(recipient)
        if since_s is None and self._has_others and isinstance(recipient, str):
            since_s = self._since.get(phones.canonical(recipient))
        return None if since_s is None else _reason(since_s)

    def among(self, recipients: Sequence[Recipient | None]) -> Mapping[int, str]:
        """See `bulksend.planning.OptOuts.among`."""
        since, numbers = self._since, self._numbers(recipients)
        if not numbers and not self._has_others and since.keys().isdisjoint(recipients):
            return {}
        found = {}
        for place, who in enumerate(recipients):
            if who is not None:
                says = self.why(who) or (self.why(numbers[who]) if isinstance(who, int) and who in numbers else None)
                if says:
                    found[place] = says
        return found

    def unknown(self, recipients: Collection[Recipient | None]) -> int:
        """See `bulksend.planning.OptOuts.unknown`."""
        numbers = self._numbers(recipients)
        return sum(isinstance(who, int) and who not in numbers for who in recipients)

    def close(self) -> None:
        """Look no more."""
        if self._db is not None:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> sqlite3.Connection | None:
        """The list, if there is one; one that took the place of another is read from its beginning."""
        try:
            file = self._path.stat()
        except FileNotFoundError:
            return None
        if self._db is not None and self._file == (file.st_dev, file.st_ino):
            return self._db
        self.close()
        self._db = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
        self._file, self._version, self._last = (file.st_dev, file.st_ino), _NEVER, 0
        if check_version(self._db, self._path):
            return self._db
        self._db.close()  # whoever makes it has not come to its end: nobody is on it yet
        self._db = self._file = None
        return None

    def _numbers(self, recipients: Collection[Recipient | None]) -> dict[ContactId, PhoneNumber]:
        """The numbers of the contacts among some recipients, as far as the account knows them."""
        contacts = {who for who in recipients if isinstance(who, int)} if self._since else set()
        if not contacts or not self._account.exists():
            return {}
        sql = "SELECT contact, number FROM numbers JOIN json_each(?) ON contact = value"
        with explained(self._account), closing(_read_only(self._account)) as db:
            return dict(db.execute(sql, [orjson.dumps([*contacts]).decode()]).fetchall())


def opted_out_of(base_url: str, org_id: int) -> OptedOut:
    """Who opted out of an account; see `OptedOut`."""
    account = state_path() / f"{account_name(base_url, org_id)}.sqlite"
    return OptedOut(optouts_path(base_url, org_id), account)


def _may_have_others(found: Iterable[Recipient]) -> bool:
    starts = {phone[:3] for phone in found if isinstance(phone, str)}
    return any(phones.has_others(phones.dialing_code(PhoneNumber(start))) for start in starts)


def _reason(since_s: float) -> str:
    then = time.localtime(since_s)
    return f"opted out on {then.tm_mday} {time.strftime('%B %Y', then)}"


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
