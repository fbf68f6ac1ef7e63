"""History in a database: who got which text when, by which command and row; see `bulksend.runs.outliving.History`.

What was brought from files stands there under the keys of those, so that a phone is looked for by each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, Self

from bulksend.model import ContactId, PhoneNumber, Recipient
from bulksend.runs.absorbing import Begun, Taken, absorbed_since, arrivals, catch_up, taken
from bulksend.runs.facts import Address
from bulksend.runs.finding import key_of
from bulksend.runs.hashes import Hashes
from bulksend.runs.outliving import Command, PlacedGot, Reach
from bulksend.runs.postgres import placing, reserving
from bulksend.runs.postgres.accounts import made_account, remember_alone
from bulksend.runs.postgres.connecting import Db, array
from bulksend.runs.postgres.linking import Link
from bulksend.runs.postgres.reach import PostgresReach
from bulksend.runs.store import Run

_PRUNED_EACH_S = 7 * 86_400.0
_KEYS = """
SELECT key FROM account WHERE id = %(account)s
UNION ALL SELECT key FROM (SELECT key FROM brought WHERE account = %(account)s ORDER BY name) others
"""
_BEGIN = """
INSERT INTO command (account, run, plan_id, key, began_at, sends_since, is_open) VALUES (%s, %s, %s, %s, %s, %s, true)
"""
_TAKE_IN = """
INSERT INTO got SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::integer[], %s::bigint[], %s::boolean[])
ON CONFLICT (account, phone, text, command, row) DO UPDATE SET in_doubt = excluded.in_doubt
"""
# What was in doubt, or was repeated since, stands under an earlier command of the same plan.
_FORGET_EARLIER = """
DELETE FROM got USING unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS anew (phone, text, row)
WHERE got.account = %s AND got.phone = anew.phone AND got.text = anew.text AND got.row = anew.row
    AND command = ANY(%s)
"""
_GOT = """
SELECT (place - 1)::integer, text, command, row, in_doubt::integer
FROM unnest(%s::bigint[]) WITH ORDINALITY AS wanted (phone, place)
JOIN got ON got.account = %s AND got.phone = wanted.phone
"""
_COMMANDS = "SELECT id, run, plan_id, key, began_at, is_open::integer FROM command WHERE account = %s"
_NAMES = """
SELECT contact, phone FROM account_number WHERE account = %(account)s
    AND (contact = ANY(%(contacts)s::bigint[]) OR phone = ANY(%(phones)s))
"""


class PostgresHistory:
    """The history of one account in a database.

    Args:
        link: the way to it.
        account: its number there.
        owns_link: whether that goes with it.
    """

    def __init__(self, link: Link, account: int, *, owns_link: bool = False) -> None:
        self._link = link
        self._account = account
        self._owns_link = owns_link
        found = link.ask(lambda db: db.execute(_KEYS, {"account": account}).fetchall())
        self.hashes, *self._brought = [Hashes(bytes(key)) for (key,) in found]
        self.reach: Reach = PostgresReach(link, account, [self.hashes, *self._brought])

    @classmethod
    def of(cls, database: str, address: Address) -> Self:
        """The history of an account.

        Raises:
            UsageError: the database cannot be used.
            RunFileError: it cannot be read or written.
        """
        return cls._opened(database, lambda db: made_account(db, address))

    @classmethod
    def numbered(cls, database: str, account: int) -> Self:
        """The history of the account with this number; raises as `of` does."""
        return cls._opened(database, lambda _: account)

    @classmethod
    def _opened(cls, database: str, number: Callable[[Db], int]) -> Self:
        link = Link(database)
        try:
            return cls(link, link.ask(number), owns_link=True)
        except BaseException:
            link.close()
            raise

    @property
    def stand(self) -> str:
        """See `History.stand`."""
        sql = "SELECT mark || ' ' || changes FROM account WHERE id = %s"
        return str(self._one(sql))

    @property
    def is_empty(self) -> bool:
        """See `History.is_empty`."""
        return not self._one("SELECT EXISTS (SELECT FROM got WHERE account = %s)")

    @property
    def is_open(self) -> bool:
        """See `History.is_open`."""
        return bool(self._one("SELECT EXISTS (SELECT FROM command WHERE account = %s AND is_open)"))

    def begin(self, run: Run, *, began_at: float, wall_s: float) -> None:
        """See `History.begin`."""
        skew_s = self._link.skew_s
        times = [began_at + skew_s, wall_s + skew_s]
        with self._link.transaction() as db:
            db.execute(_BEGIN, [self._account, placing.kept(run), run.facts.plan_id, key_of(run), *times])

    def absorb(
        self, run: Run, *, since_s: float | None = None, closes: bool = True, other: Run | None = None
    ) -> None:  # fmt: skip
        """See `History.absorb`."""
        plan_id, skew_s = run.facts.plan_id, self._link.skew_s
        sql = """SELECT id, sends_since - %s, is_open::integer FROM command WHERE account = %s AND plan_id = %s
            ORDER BY sends_since, id"""
        with self._link.transaction() as db:
            remember_alone(db, self._account)
            commands = list(map(Begun._make, db.execute(sql, [skew_s, self._account, plan_id])))
            since_s = absorbed_since(commands, since_s)
            if since_s is None:
                return
            changed = 0
            with closing(arrivals(run, since_s, closes=closes, other=other)) as arrived:
                for some, looked_at in arrived:
                    self._take_in(db, taken(some, commands, self.hashes), commands)
                    changed += looked_at
            if closes:
                self._close(db, plan_id)
            db.execute("UPDATE account SET changes = changes + %s WHERE id = %s", [changed, self._account])

    def catch_up(self, own: Run, *, closes: bool) -> list[Command]:
        """See `History.catch_up`."""
        return catch_up(self, own, closes=closes)

    def give_up(self, command: Command) -> None:
        """See `History.give_up`."""
        with self._link.transaction() as db:
            self._close(db, command.plan_id)

    def commands(self) -> dict[int, Command]:
        """See `History.commands`."""
        found = self._link.ask(lambda db: db.execute(_COMMANDS, [self._account]).fetchall())
        return {number: self._told(*rest) for number, *rest in found}

    def open_commands(self) -> list[Command]:
        """See `Absorbing.open_commands`."""
        sql = f"{_COMMANDS} AND is_open ORDER BY id"
        found = self._link.ask(lambda db: db.execute(sql, [self._account]).fetchall())
        return [self._told(*rest) for _, *rest in found]

    def got_by(self, recipients: Sequence[Recipient], texts: Sequence[str] = ()) -> list[PlacedGot]:
        """See `History.got_by`."""
        found = self._by_key(self.hashes, recipients)
        for hashes in self._brought:
            others = self._by_key(hashes, recipients)
            if texts and others:
                others = self._with_own_hashes(hashes, others, texts)
            found += others
        return found

    def all_names(self, recipients: Sequence[Recipient]) -> list[Recipient]:
        """See `History.all_names`."""
        names: list[Recipient] = list(recipients)
        for _ in range(2):  # from an id to its number, and from that to other ids
            contacts = [who for who in names if isinstance(who, int)]
            phones = [who for who in names if isinstance(who, str)]
            which = {"account": self._account, "contacts": contacts, "phones": phones}
            found = self._link.ask(lambda db, which=which: db.execute(_NAMES, which).fetchall())  # type: ignore[misc]
            known = (who for contact, phone in found for who in (ContactId(contact), PhoneNumber(phone)))
            names = list(dict.fromkeys([*names, *known]))
        return names

    def purge(self, before_s: float) -> int:
        """See `History.purge`."""
        before = before_s + self._link.skew_s
        with self._link.transaction() as db:
            remember_alone(db, self._account)
            mine = [self._account, before]
            db.execute("DELETE FROM told_run WHERE account = %s AND sent_at < %s", mine)
            reserving.forget(db, self._account, before)
            old = db.execute("DELETE FROM command WHERE account = %s AND began_at < %s RETURNING id", mine).fetchall()
            if not old:
                return 0
            which = [self._account, [number for (number,) in old]]
            gone = db.execute("DELETE FROM got WHERE account = %s AND command = ANY(%s)", which).rowcount
            db.execute("UPDATE account SET changes = changes + 1 WHERE id = %s", [self._account])
        return gone

    def prune(self, before_s: float) -> None:
        """See `History.prune`."""
        oldest = self._one("SELECT min(began_at) FROM command WHERE account = %s")
        if oldest is not None and oldest - self._link.skew_s < before_s - _PRUNED_EACH_S:
            self.purge(before_s)

    def give_room_back(self) -> None:
        """See `History.give_room_back`; the server does it by itself."""

    def close(self) -> None:
        """See `History.close`."""
        if self._owns_link:
            self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take_in(self, db: Db, messages: Sequence[Taken], commands: Sequence[Begun]) -> None:
        if not messages:
            return
        *columns, doubts = zip(*sorted(messages), strict=True)
        phones, texts, of, rows = map(array, columns)
        if len(commands) > 1:
            numbers = [each.number for each in commands]
            db.execute(_FORGET_EARLIER, [phones, texts, rows, self._account, numbers])
        db.execute(_TAKE_IN, [self._account, phones, texts, of, rows, array(map(int, doubts))])

    def _by_key(self, hashes: Hashes, recipients: Sequence[Recipient]) -> list[PlacedGot]:
        wanted = array(hashes.of_phones(recipients))
        return self._link.ask(lambda db: db.execute(_GOT, [wanted, self._account], binary=True).fetchall())

    def _with_own_hashes(
        self, hashes: Hashes, found: Sequence[PlacedGot], texts: Sequence[str]
    ) -> list[PlacedGot]:  # fmt: skip
        """The same, where a text is the one that is asked for by the hash that it has under the account's own key."""
        places = list({place for place, *_ in found})
        asked = [texts[place] for place in places]
        same = dict(zip(places, zip(hashes.of_texts(asked), self.hashes.of_texts(asked), strict=True), strict=True))
        return [
            (place, same[place][1] if text == same[place][0] else text, by, row, doubt)
            for place, text, by, row, doubt in found
        ]

    def _told(self, run: str, plan_id: str, key: str, began_at: float, is_open: int) -> Command:
        place = placing.told(self._link.database, run)
        return Command(place, plan_id, key, began_at - self._link.skew_s, is_open)

    def _close(self, db: Db, plan_id: str) -> None:
        db.execute("UPDATE command SET is_open = false WHERE account = %s AND plan_id = %s", [self._account, plan_id])

    def _one(self, sql: str) -> Any:
        found = self._link.ask(lambda db: db.execute(sql, [self._account]).fetchone())
        return found and found[0]
