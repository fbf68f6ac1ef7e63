"""Where what outlives an account's runs is kept, and how it is come by there: in files, or in the runs' own database.

``where`` is the place of a run, in either form, or a database; None, like any file, stands for this machine's files.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

from bulksend.runs import account, contacts, optouts, postgres
from bulksend.runs.accounts import account_name
from bulksend.runs.facts import Address
from bulksend.runs.history import FileHistory
from bulksend.runs.opted_out import OptedOut
from bulksend.runs.outliving import Account, History, OptOuts
from bulksend.runs.owned import OwnRun
from bulksend.runs.pace import RATE_KEPT_S
from bulksend.runs.pace import keep_pace as keep_pace_here
from bulksend.runs.pace import last_pace as last_pace_here
from bulksend.runs.paths import state_folder
from bulksend.runs.places import Place, is_database
from bulksend.runs.store import Run
from bulksend.sending import LastPace

Where: TypeAlias = Place | str | None


class Kept(NamedTuple):
    """A history that is kept somewhere.

    Attributes:
        place: where, for people.
        open: opens it, and raises UsageError or RunFileError if it cannot.
        is_of: whether it is that of the account to which something goes.
    """

    place: str
    open: Callable[[], History]
    is_of: Callable[[Address], bool]


def account_of(where: Where, address: Address) -> Account:
    """The state of an account, for as long as a run is sent for it.

    Raises:
        AccountBusyError: another process is sending for this account; the sentence says which.
        RunFileError: the state cannot be written.
        UsageError: it cannot be made.
    """
    if database := _database(where):
        return postgres.PostgresAccount(database, address)
    return account.FileAccount(address.base_url, address.org_id, str(where))


def check_no_file_sent(where: Where, address: Address) -> None:
    """See that no run file of an account that lives in a database is being sent on this machine.

    None begins any more once the account's state was come by there: it is noted then where that lives.

    Raises:
        AccountBusyError: one is; the sentence says which.
        RunFileError: that cannot be seen.
    """
    if _database(where):
        account.check_unheld(address)


def history_of(where: Where, address: Address) -> History:
    """The history of an account, also while somebody sends for it.

    Raises:
        RunFileError: it cannot be written.
        UsageError: it cannot be used.
    """
    if database := _database(where):
        return postgres.PostgresHistory.of(database, address)
    state_folder()
    return FileHistory(account.history_path(address.base_url, address.org_id))


def is_remembered(where: Where, address: Address) -> bool:
    """Whether there is a history of it.

    Raises:
        RunFileError: a database cannot be read.
    """
    if database := _database(where):
        return postgres.has_account(database, address)
    return account.history_path(address.base_url, address.org_id).exists()


def histories(where: Where = None) -> list[Kept]:
    """Those of all accounts.

    Raises:
        RunFileError: a database cannot be read.
    """
    if database := _database(where):
        return [_in_database(database, *each) for each in postgres.accounts_in(database).items()]
    return [Kept(str(path), partial(FileHistory, path), partial(_is_of, path)) for path in account.histories()]


def optouts_of(where: Where, address: Address) -> OptOuts:
    """The opt-outs of an account, to be changed.

    Raises:
        RunFileError: they cannot be written.
        UsageError: they cannot be used.
    """
    if database := _database(where):
        return postgres.PostgresOptOuts.of(database, address)
    state_folder()
    return optouts.FileOptOuts(optouts.optouts_path(address.base_url, address.org_id))


def opted_out_of(where: Where, address: Address) -> OptedOut:
    """Who opted out of an account, to be looked at.

    Raises:
        RunFileError: that cannot be read.
        UsageError: it cannot be used.
    """
    if database := _database(where):
        return postgres.PostgresOptedOut.of(database, address)
    path = optouts.optouts_path(address.base_url, address.org_id)
    return optouts.FileOptedOut(path, account.account_path(address.base_url, address.org_id))


def lend_numbers(where: Where, address: Address, run: OwnRun) -> None:
    """Tell a run the numbers of its contacts, as far as its account knows them, also while somebody sends for it.

    Raises:
        RunFileError: that cannot be read.
    """
    if database := _database(where):
        postgres.lend_numbers(database, address, run)
    else:
        account.lend_numbers(address.base_url, address.org_id, run)


def forget_sends(where: Where, address: Address, run: Run) -> None:
    """Let the run's account forget whom that sent to, which it keeps by number until the next send.

    Raises:
        RunFileError: that cannot be written.
    """
    if database := _database(where):
        postgres.forget_sends(database, address, run)
    else:
        contacts.forget_sends(address, run)


def last_pace(where: Where, address: Address, wall_s: float) -> LastPace:
    """What the account's server took well the last time, as far as anybody knows."""
    if database := _database(where):
        return postgres.last_pace(database, address, wall_s - RATE_KEPT_S)
    return last_pace_here(address.base_url, address.org_id, wall_s)


def keep_pace(where: Where, address: Address, what: LastPace, wall_s: float) -> None:
    """Remember what was well; of 0, which shows nothing, nothing. If that fails, it is not known."""
    if database := _database(where):
        postgres.keep_pace(database, address, what, wall_s)
    else:
        keep_pace_here(address.base_url, address.org_id, what, wall_s)


def _in_database(database: str, name: str, account: int) -> Kept:
    def is_of(address: Address) -> bool:
        return account_name(address.base_url, address.org_id) == name

    return Kept(f"{database}, account {name}", partial(postgres.PostgresHistory.numbered, database, account), is_of)


def _is_of(path: Path, address: Address) -> bool:
    return path == account.history_path(address.base_url, address.org_id)


def _database(where: Where) -> str | None:
    """The database that is meant, without the name of any run; None for files."""
    given = str(where or "")
    return given.partition("#")[0] if is_database(given) else None
