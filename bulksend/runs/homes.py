"""In which database an account lives, as far as this machine has sent for it there: one line in the state folder.

An account lives in one place, its machine's files or a database: what the one knows of sends, caps and opt-outs the
other does not.
"""

from __future__ import annotations

import os

from bulksend.errors import RunFileError
from bulksend.runs.accounts import account_name
from bulksend.runs.facts import Address
from bulksend.runs.paths import state_folder, state_path
from bulksend.runs.places import check_database

_ENDING = ".database"


def note_home(address: Address, database: str) -> None:
    """Note that an account lives in a database.

    Raises:
        UsageError: the state folder cannot be made, or the address holds a password.
        RunFileError: it cannot be noted.
    """
    check_database(database)
    if home_of(address) == database:
        return
    path = state_folder() / _name(address)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(f"{database}\n")
    except OSError as error:
        raise RunFileError(f"{path}: where the account lives cannot be noted there: {error.strerror}") from error


def home_of(address: Address) -> str | None:
    """The database in which an account lives; None if this machine has not sent for it in any.

    Raises:
        RunFileError: the note cannot be read.
    """
    path = state_path() / _name(address)
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise RunFileError(f"{path}: where the account lives cannot be read there: {error.strerror}") from error


def _name(address: Address) -> str:
    return f"{account_name(address.base_url, address.org_id)}{_ENDING}"
