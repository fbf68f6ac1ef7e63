"""Whom the accounts of this machine know: which contacts have which numbers, and who got something lately."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import orjson

from bulksend.model import ContactId, PhoneNumber, Recipient
from bulksend.runs.account import HISTORY
from bulksend.runs.accounts import account_name
from bulksend.runs.facts import Address
from bulksend.runs.finding import key_of
from bulksend.runs.paths import state_path
from bulksend.runs.sqlite import explained
from bulksend.runs.store import Run

_SQL = """
SELECT contact, number FROM numbers JOIN json_each(?) ON contact = value OR number = value
"""


def all_names(recipients: Sequence[Recipient], history: Path) -> list[Recipient]:
    """These, and by what other numbers and ids the account of a history knows their phones.

    Raises:
        RunFileError: the account's file cannot be read.
    """
    path = history.with_name(f"{history.name.removesuffix(HISTORY)}.sqlite")
    names: list[Recipient] = list(recipients)
    if path.exists():
        with explained(path), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            for _ in range(2):  # from an id to its number, and from that to other ids
                found = db.execute(_SQL, [orjson.dumps(names).decode()]).fetchall()
                known = (who for contact, number in found for who in (ContactId(contact), PhoneNumber(number)))
                names = list(dict.fromkeys([*names, *known]))
    return names


def is_of(history: Path, address: Address) -> bool:
    """Whether a history is that of the account to which something goes."""
    return history.name == f"{account_name(address.base_url, address.org_id)}{HISTORY}"


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
