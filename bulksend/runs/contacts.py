"""Whom the accounts of this machine know: which contacts have which numbers, and who got something lately."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import orjson

from bulksend.model import ContactId, PhoneNumber, Recipient
from bulksend.runs.accounts import account_name
from bulksend.runs.facts import Address
from bulksend.runs.finding import key_of
from bulksend.runs.owned import OwnRun
from bulksend.runs.paths import state_path
from bulksend.runs.sqlite import explained
from bulksend.runs.store import Run

_AT_ONCE = 10_000  # contacts
_SQL = """
SELECT contact, number FROM numbers JOIN json_each(?) ON contact = value OR number = value
"""


def all_names(recipients: Sequence[Recipient], path: Path) -> list[Recipient]:
    """These, and by what other numbers and ids an account's file, which need not be there, knows their phones.

    Raises:
        RunFileError: the account's file cannot be read.
    """
    names: list[Recipient] = list(recipients)
    if path.exists():
        with explained(path), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            for _ in range(2):  # from an id to its number, and from that to other ids
                found = db.execute(_SQL, [orjson.dumps(names).decode()]).fetchall()
                known = (who for contact, number in found for who in (ContactId(contact), PhoneNumber(number)))
                names = list(dict.fromkeys([*names, *known]))
    return names


def lend(run: OwnRun, known: Callable[[Sequence[ContactId]], Sequence[tuple[ContactId, PhoneNumber]]]) -> None:
    """Tell a run the numbers of its contacts, as far as they are known.

    Args:
        run: the run.
        known: tells those of some contacts.
    """
    contacts = run.contacts()
    while some := list(islice(contacts, _AT_ONCE)):
        if found := known(some):
            run.learn(found)


def forget_sends(to: Address, run: Run) -> None:
    """Let the run's account forget whom that sent to, which it keeps by number until the next send.

    Raises:
        RunFileError: its file cannot be written.
    """
    path = state_path() / f"{account_name(to.base_url, to.org_id)}.sqlite"
    if not path.exists():
        return
    with explained(path), closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA secure_delete = ON")
        db.execute("DELETE FROM sends WHERE plan_id = ?", [key_of(run)])
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
