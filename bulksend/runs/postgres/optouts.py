"""Who opted out of an account that lives in a database; see `bulksend.runs.outliving.OptOuts`.

Whoever looks asks for those with higher numbers than it has seen. So numbers are given and committed one list after
another: a lower number that is committed later would never be seen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from itertools import islice
from typing import Any, Self

from bulksend.errors import RunFileError
from bulksend.model import ContactId, PhoneNumber, Recipient
from bulksend.runs.accounts import account_name
from bulksend.runs.facts import Address
from bulksend.runs.opted_out import OptedOut
from bulksend.runs.optouts import listed
from bulksend.runs.outliving import OptOut
from bulksend.runs.postgres import accounts
from bulksend.runs.postgres.connecting import plain
from bulksend.runs.postgres.linking import Link

_AT_ONCE = 20_000
_ANSWERS_S = 5.0  # a database that says nothing for longer is away: nobody can wait for it who waits for others, too
_TAKE_NUMBERS = """
INSERT INTO optout_list VALUES (%(account)s, %(count)s)
ON CONFLICT (account) DO UPDATE SET last = optout_list.last + %(count)s RETURNING last - %(count)s
"""
_ADD = """
INSERT INTO optout SELECT %s, %s + place, phone, contact, recipient, reason, since
FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::double precision[])
    WITH ORDINALITY AS noted (phone, contact, recipient, reason, since, place)
ON CONFLICT DO NOTHING
"""
_REMOVE = "DELETE FROM optout WHERE account = %s AND (phone = ANY(%s) OR contact = ANY(%s::bigint[]))"
_ALL = "SELECT contact, recipient, reason, since FROM optout WHERE account = %s ORDER BY id"
_SINCE = """
SELECT o.id, coalesce(o.phone, ''), o.contact, o.since FROM optout o JOIN account a ON a.id = o.account
WHERE a.name = %s AND o.id > %s ORDER BY o.id
"""


class PostgresOptOuts:
    """The opt-outs of one account in a database.

    Args:
        link: the way to it, which goes with them.
        account: its number there.
    """

    def __init__(self, link: Link, account: int) -> None:
        self._link = link
        self._account = account

    @classmethod
    def of(cls, database: str, address: Address) -> Self:
        """The opt-outs of an account.

        Raises:
            UsageError: the database cannot be used.
            RunFileError: it cannot be read or written.
        """
        link = Link(database)
        try:
            return cls(link, link.ask(lambda db: accounts.made_account(db, address)))
        except BaseException:
            link.close()
            raise

    def add(self, recipients: Iterable[Recipient], reason: str, wall_s: float) -> int:
        """See `OptOuts.add`."""
        return self.note(OptOut(who, reason, wall_s) for who in recipients)

    def note(self, optouts: Iterator[OptOut]) -> int:
        """Note some as they are, in their order; how many of them had not been noted before."""
        added = 0
        with self._link.transaction() as db:
            while some := list(islice(optouts, _AT_ONCE)):
                which = {"account": self._account, "count": len(some)}
                ((last,),) = db.execute(_TAKE_NUMBERS, which).fetchall()
                added += db.execute(_ADD, [self._account, last, *self._columns(some)]).rowcount
        return added

    def remove(self, recipients: Iterable[Recipient]) -> int:
        """See `OptOuts.remove`."""
        phones, contacts = _told_apart(map(listed, recipients))
        with self._link.transaction() as db:
            return db.execute(_REMOVE, [self._account, phones, contacts]).rowcount

    def all(self) -> Iterator[OptOut]:
        """See `OptOuts.all`."""
        for contact, who, reason, since in self._link.ask(lambda db: db.execute(_ALL, [self._account]).fetchall()):
            recipient = PhoneNumber(who) if contact is None else ContactId(contact)
            yield OptOut(recipient, reason, since - self._link.skew_s)

    def close(self) -> None:
        """See `OptOuts.close`."""
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _columns(self, some: Sequence[OptOut]) -> list[list[object]]:
        phones = [listed(who) for who, *_ in some]
        return [
            [phone if isinstance(phone, str) else None for phone in phones],
            [phone if isinstance(phone, int) else None for phone in phones],
            [str(who) for who, *_ in some],
            [plain(reason) for _, reason, _ in some],
            [since + self._link.skew_s for *_, since in some],
        ]


class PostgresOptedOut(OptedOut):
    """Who opted out of an account, out of a database, which need not know the account yet; see `OptedOut`.

    Args:
        link: the way to it.
        address: the account.
        owns_link: whether that goes with it.
        answers_s: for so long at most a look waits but the first.
    """

    def __init__(
        self, link: Link, address: Address, *, owns_link: bool = False, answers_s: float = _ANSWERS_S
    ) -> None:  # fmt: skip
        super().__init__()
        self._answers_s: float | None = None  # for a long list it may take its time at first
        self._asked: Future[list[Any]] | None = None
        self._link = link
        self._address = address
        self._owns_link = owns_link
        self._last = 0
        self.look()
        self._answers_s = answers_s

    @classmethod
    def of(cls, database: str, address: Address) -> Self:
        """Those of an account.

        Raises:
            UsageError: the database cannot be used.
            RunFileError: it cannot be read.
        """
        link = Link(database)
        try:
            return cls(link, address, owns_link=True)
        except BaseException:
            link.close()
            raise

    @property
    def stand(self) -> str:
        """See `OptedOut.stand`."""
        if not self._since:
            return ""
        sql = "SELECT mark FROM account WHERE id = %s"
        found = self._link.ask(lambda db: db.execute(sql, [accounts.account_id(db, self._address)]).fetchone())
        return f"{found and found[0]} {self._last}"

    def look(self) -> None:
        """See `OptedOut.look`."""
        found, skew_s = self._answered(), self._link.skew_s
        self._take_in([(contact or phone, since - skew_s) for _, phone, contact, since in found])
        self._last = found[-1][0] if found else self._last

    def close(self) -> None:
        """See `OptedOut.close`."""
        if self._owns_link:
            self._link.close()

    def _answered(self) -> list[Any]:
        """Those that were not seen before; asked aside, and not again as long as that is not answered."""
        if self._asked is not None and self._asked.done():
            self._asked = None  # nobody waited for it, and what it tells was so then
        wait_s = self._answers_s if self._asked is None else 0.0
        which = [account_name(self._address.base_url, self._address.org_id), self._last]
        asked = self._asked or _begun(lambda: self._link.ask(lambda db: db.execute(_SINCE, which).fetchall()))
        self._asked = asked
        if not wait([asked], wait_s).done:
            raise RunFileError(f"{self._link.database}: the database cannot be used: it does not answer")
        self._asked = None
        return asked.result()

    def _known(self, contacts: Collection[ContactId]) -> dict[ContactId, PhoneNumber]:
        account = self._link.ask(lambda db: accounts.account_id(db, self._address))
        if account is None:
            return {}
        return dict(self._link.ask(lambda db: accounts.numbers(db, account, list(contacts))))


def _begun(question: Callable[[], list[Any]]) -> Future[list[Any]]:
    """A question that is asked in a thread of its own, which no end of the program waits for."""
    answer = Future[list[Any]]()

    def ask() -> None:
        try:
            answer.set_result(question())
        except BaseException as error:  # noqa: BLE001 -- whoever looks hears of it, whatever it is
            answer.set_exception(error)

    threading.Thread(target=ask, name="opt-outs", daemon=True).start()
    return answer


def _told_apart(recipients: Iterable[Recipient]) -> tuple[list[str], list[int]]:
    """Numbers, and contacts."""
    phones, contacts = list[str](), list[int]()
    for who in recipients:
        if isinstance(who, str):
            phones.append(who)
        else:
            contacts.append(who)
    return phones, contacts
