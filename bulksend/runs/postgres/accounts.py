"""The accounts of a database: which there are, the numbers of their contacts, and what their servers took well."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from bulksend.errors import RunFileError, UsageError
from bulksend.model import ContactId, PhoneNumber
from bulksend.runs.accounts import account_name
from bulksend.runs.contacts import lend
from bulksend.runs.facts import Address
from bulksend.runs.finding import key_of
from bulksend.runs.owned import OwnRun
from bulksend.runs.postgres import shards
from bulksend.runs.postgres.connecting import Db
from bulksend.runs.postgres.linking import Link
from bulksend.runs.store import Run
from bulksend.sending import LastPace

_NUMBERS = """
SELECT contact, phone FROM account_number WHERE account = %s AND contact = ANY(%s)
"""


def account_id(db: Db, address: Address) -> int | None:
    """An account's number in the database; None if it has none yet."""
    name = account_name(address.base_url, address.org_id)
    found = db.execute("SELECT id FROM account WHERE name = %s", [name]).fetchone()
    return None if found is None else int(found[0])


def made_account(db: Db, address: Address) -> int:
    """An account's number in the database, which it gets if it has none yet."""
    if address.is_rehearsal:
        raise ValueError("a rehearsal is of no account")
    found = account_id(db, address)
    return shards.account_of(db, address) or 0 if found is None else found


def remember_alone(db: Db, account: int) -> None:
    """Let nobody else change what an account remembers until the transaction ends; who sends is not held up."""
    db.execute("SELECT FROM account WHERE id = %s FOR NO KEY UPDATE", [account])


def has_account(database: str, address: Address) -> bool:
    """Whether a database knows an account.

    Raises:
        UsageError: the database cannot be used.
        RunFileError: it cannot be read.
    """
    with Link(database) as link:
        return link.ask(lambda db: account_id(db, address)) is not None


def accounts_in(database: str) -> dict[str, int]:
    """The accounts that a database knows, by name; raises as `has_account` does."""
    with Link(database) as link:
        return dict(link.ask(lambda db: db.execute("SELECT name, id FROM account ORDER BY id").fetchall()))


def numbers(db: Db, account: int, contacts: Sequence[ContactId]) -> list[tuple[ContactId, PhoneNumber]]:
    """The numbers of some contacts, as far as an account knows them."""
    return db.execute(_NUMBERS, [account, list(contacts)]).fetchall()


def lend_numbers(database: str, address: Address, run: OwnRun) -> None:
    """Tell a run the numbers of its contacts, as far as they are known; raises as `has_account` does."""
    with Link(database) as link:
        account = link.ask(lambda db: account_id(db, address))
        if account is not None:
            lend(run, lambda some: link.ask(lambda db: numbers(db, account, some)))


def forget_sends(database: str, address: Address, run: Run) -> None:
    """Let a run's account forget whom that sent to, which it keeps by number; raises as `has_account` does."""
    with Link(database) as link, link.transaction() as db:
        if (account := account_id(db, address)) is not None:
            remember_alone(db, account)
            db.execute("DELETE FROM recent WHERE account = %s AND key = %s", [account, key_of(run)])


def last_pace(database: str, address: Address, rate_since_s: float) -> LastPace:
    """What was well, as far as anybody knows, and a rate that was found since then."""
    with suppress(RunFileError, UsageError), Link(database) as link:
        sql = "SELECT held, CASE WHEN rate_at > %s THEN rate ELSE 0 END FROM account WHERE id = %s"
        found = link.ask(lambda db: db.execute(sql, [rate_since_s, account_id(db, address)]).fetchone())
        return LastPace(*found) if found else LastPace()
    return LastPace()


def keep_pace(database: str, address: Address, what: LastPace, wall_s: float) -> None:
    """Remember what was well; of 0, which shows nothing, nothing. If that fails, it is not known."""
    if not any(what):
        return
    sql = "UPDATE account SET held = coalesce(%s, held), rate = coalesce(%s, rate), rate_at = coalesce(%s, rate_at)"
    with suppress(RunFileError, UsageError), Link(database) as link, link.transaction() as db:
        rate_at = wall_s if what.rate else None
        values = [what.at_once or None, what.rate or None, rate_at, account_id(db, address)]
        db.execute(f"{sql} WHERE id = %s", values)
