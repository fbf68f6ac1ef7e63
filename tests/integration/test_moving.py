"""An account moves from the files of a machine, or of several, into a database, and is not sent for from files then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from planned import PlannedRow, plan_in_database, write_plan
from runfiles import ANA, ANSWER, BEN, begin, facts, notes_of, own, settle

from bulksend import campaign
from bulksend.campaign import Repeating
from bulksend.campaign.lookback import Holds, look_back
from bulksend.errors import AccountBusyError, Question, UndecidedError, UsageError
from bulksend.model import (
    ContactId,
    Encoding,
    Event,
    MicroUSD,
    Outcome,
    PhoneNumber,
    Reached,
    Receipt,
    Recipient,
    Status,
)
from bulksend.runs import (
    Address,
    DatabaseRun,
    Where,
    account_of,
    history_of,
    home_of,
    open_run,
    opted_out_of,
    optouts_of,
)  # fmt: skip
from bulksend.runs.postgres import Imported, import_account

ADDRESS = Address(1, "https://x.test")
EVA = PhoneNumber("4915112345678")
OF_EVA = ContactId(7)
HI = "Hi"
NOW, HOUR = 1_000_000.0, 3_600.0


def planned(folder: Path, name: str, *messages: tuple[Recipient, str]) -> Path:
    rows = [
        PlannedRow(row, Status.PENDING, who, None, text, Encoding.GSM7, 1, MicroUSD(1), "", b"[]")
        for row, (who, text) in enumerate(messages, 1)
    ]
    path = folder / f"{name}.run"
    write_plan(path, rows, replace(facts(name), org_id=1, base_url=ADDRESS.base_url)).release()
    return path


def sent(path: Path, *, where: Where = None, ends: bool = True) -> None:
    """All rows of a run are sent an hour before now."""
    with own(path) as run, account_of(where or path, ADDRESS) as account:
        account.begin(run, since_s=900.0, wall_s=1_000.0, began_at=NOW - HOUR)
        notes = notes_of(run)
        rows = {row: who for row, who, *_ in run.unsent(0, 100)}
        begin(notes, list(rows), 1_000.0)
        settle(notes, *(_accepted(row, who) for row, who in rows.items()))
        if ends:
            account.end(run, since_s=900.0, wall_s=1_002.0)


def _accepted(row: int, who: Recipient) -> Outcome:
    is_contact = isinstance(who, int)
    answer = ANSWER._replace(message_id=f"S{row}", to=EVA if is_contact else "")
    return Outcome(row, Event.ACCEPTED, True, 1_001.0, 200, answer, learned=(OF_EVA, EVA) if is_contact else None)


def moved(database: str) -> Imported:
    return import_account(database, ADDRESS.base_url, ADDRESS.org_id, 1_003.0)


def looked(path: Path, database: str) -> tuple[Counter[Holds], Sequence[int]]:
    with own(path) as run, history_of(database, ADDRESS) as history:
        seen = look_back(run, history, Repeating(began_at=NOW), history.catch_up(run, closes=True))
        found = Counter[Holds]()
        for each in seen.held:
            found[each.what] += each.rows
        return found, [row for row, *_ in run.unsent(0, 100)]


def test_what_files_knew_the_database_knows(tmp_path: Path, database: str) -> None:
    sent(planned(tmp_path, "june", (ANA, HI), (OF_EVA, HI)))
    with optouts_of(None, ADDRESS) as optouts:
        optouts.add([BEN], "asked", NOW)
        listed = list(optouts.all())
    assert moved(database) == Imported(optouts=1, numbers=1, messages=2)
    assert looked(planned(tmp_path, "july", (ANA, HI), (EVA, HI), (BEN, HI)), database) == ({Holds.EQUAL: 2}, [3])
    with optouts_of(database, ADDRESS) as there, opted_out_of(database, ADDRESS) as seen:
        assert list(there.all()) == listed
        assert seen.why(BEN)


def test_a_second_time_nothing_is_new(tmp_path: Path, database: str) -> None:
    sent(planned(tmp_path, "june", (ANA, HI), (OF_EVA, HI)))
    with optouts_of(None, ADDRESS) as optouts:
        optouts.add([BEN], "asked", NOW)
    first = moved(database)
    with history_of(database, ADDRESS) as history:
        commands = history.commands()
    assert moved(database) == Imported()
    assert first != Imported()
    with history_of(database, ADDRESS) as history:
        assert history.commands() == commands


def test_what_came_since_is_brought_the_second_time(tmp_path: Path, database: str) -> None:
    sent(planned(tmp_path, "june", (ANA, HI)))
    moved(database)
    sent(planned(tmp_path, "july", (BEN, HI)))
    assert moved(database) == Imported(messages=1)
    assert looked(planned(tmp_path, "august", (ANA, HI), (BEN, HI)), database)[1] == []


def test_several_machines_bring_theirs(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in (ANA, BEN):  # whose histories have keys of their own
        monkeypatch.setenv("BULKSEND_STATE_DIR", str(tmp_path / who))
        sent(planned(tmp_path, who, (who, HI)))
        assert moved(database).messages == 1
    sent(planned(tmp_path, "there", (EVA, HI)), where=database)
    august = planned(tmp_path, "august", (ANA, HI), (BEN, HI), (EVA, HI), (EVA, "Ho"))
    assert looked(august, database) == ({Holds.EQUAL: 3, Holds.ANOTHER: 1}, [4])


def test_an_account_without_files_has_nothing_to_bring(database: str, state_folder: Path) -> None:
    assert moved(database) == Imported()
    assert list(state_folder.iterdir()) == []


def test_of_a_run_that_was_cut_off_all_is_brought(tmp_path: Path, database: str) -> None:
    sent(planned(tmp_path, "june", (ANA, HI)), ends=False)
    assert moved(database).messages == 1
    july = planned(tmp_path, "july", (ANA, HI))
    with own(july) as run, account_of(database, ADDRESS) as account:
        earlier = account.begin(run, since_s=900.0, wall_s=1_003.0, began_at=NOW)
    assert earlier.sends == [(ANA, 1, 1, 1_001.0)]
    assert not earlier.blind


def test_phones_that_are_dead_stay_so(tmp_path: Path, database: str) -> None:
    for name in ("may", "june"):
        path = planned(tmp_path, name, (ANA, name))
        sent(path)
        with own(path) as run, history_of(None, ADDRESS) as history:
            run.receipts.awaited().note([Receipt("S1", True, Reached.FAILED, "", MicroUSD(1))])
            history.reach.take_in(run)
    moved(database)
    with history_of(database, ADDRESS) as history:
        assert history.reach.dead([BEN, ANA]) == {1}


def test_nothing_is_brought_while_a_run_is_sent(tmp_path: Path, database: str) -> None:
    path = planned(tmp_path, "june", (ANA, HI))
    with account_of(path, ADDRESS), pytest.raises(AccountBusyError):
        moved(database)
    assert home_of(ADDRESS) is None


# ---- Where an account lives ----


def test_a_run_file_of_an_account_that_lives_in_a_database_is_refused(tmp_path: Path, database: str) -> None:
    path = planned(tmp_path, "june", (ANA, HI))
    with open_run(path) as run:
        campaign.check_at_home(run)
        account_of(database, ADDRESS).close()
        with pytest.raises(UndecidedError, match=f"through the database {database}") as raised:
            campaign.check_at_home(run)
    assert raised.value.question is Question.HOME


def test_a_run_in_a_database_that_does_not_know_what_this_machines_files_do_is_refused(
    tmp_path: Path, database: str
) -> None:
    named = DatabaseRun(database, "june")
    plan_in_database(named, [], replace(facts(), org_id=1, base_url=ADDRESS.base_url)).close()
    with open_run(named) as run:
        campaign.check_at_home(run)
        sent(planned(tmp_path, "may", (ANA, HI)))
        with pytest.raises(UndecidedError, match="this machine's files know") as raised:
            campaign.check_at_home(run)
        assert raised.value.question is Question.FILES
        import_account(database, ADDRESS.base_url, ADDRESS.org_id)
        campaign.check_at_home(run)


def test_of_another_account_and_of_a_rehearsal_it_is_not(tmp_path: Path, database: str, state_folder: Path) -> None:
    account_of(database, replace_org(2)).close()
    with open_run(planned(tmp_path, "june", (ANA, HI))) as run:
        campaign.check_at_home(run)
    (note,) = state_folder.iterdir()
    assert note.read_text(encoding="utf-8") == f"{database}\n"
    assert note.stat().st_mode & 0o777 == 0o600
    path = tmp_path / "rehearsal.run"
    write_plan(path, [], replace(facts(), org_id=2, base_url="")).release()
    with open_run(path) as run:
        campaign.check_at_home(run)


def test_a_machine_that_can_note_nothing_sends_through_a_database_all_the_same(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BULKSEND_STATE_DIR", "/dev/null/state")
    account_of(database, ADDRESS).close()
    with pytest.raises(UsageError):
        account_of(None, ADDRESS)


def replace_org(org_id: int) -> Address:
    return ADDRESS._replace(org_id=org_id)


def test_who_may_not_read_the_key_hears_that_history_was_not_looked_at(tmp_path: Path, database: str) -> None:
    sent(planned(tmp_path, "june", (ANA, HI)), where=database)
    role = f"reader_{database.rpartition('_')[2]}"
    with psycopg.connect(database, autocommit=True) as db:
        db.execute(f"CREATE ROLE {role} LOGIN")
        db.execute(f"GRANT USAGE ON SCHEMA bulksend TO {role}")
        db.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA bulksend TO {role}")
        db.execute(f"REVOKE SELECT ON bulksend.account FROM {role}")
        db.execute(f"GRANT SELECT (id, name, mark, changes, held) ON bulksend.account TO {role}")
        found = campaign.search(database.replace(f"//{urlsplit(database).username}@", f"//{role}@"), ANA)
        db.execute(f"DROP OWNED BY {role}")
        db.execute(f"DROP ROLE {role}")
    assert not found.is_whole
    assert "permission denied" in found.unread[0].says
