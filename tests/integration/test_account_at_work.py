"""Several processes send for an account that lives in a database, each to phones of its own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import orjson
import psycopg
from planned import PlannedRow, write_plan
from runfiles import ANA, BEN, begin, facts, notes_of, outcome, own, settle

from bulksend.model import Encoding, MicroUSD, PhoneNumber, Status
from bulksend.runs import Address, account_of, history_of
from bulksend.runs.owner import Owner, processes_here
from bulksend.runs.telling import RecentSend

ADDRESS = Address(1, "https://x.test")
SINCE, NOW = 900.0, 1_000.0


def planned(folder: Path, name: str, who: PhoneNumber) -> Path:
    path = folder / f"{name}.run"
    row = PlannedRow(1, Status.PENDING, who, None, "Hi", Encoding.GSM7, 1, MicroUSD(1), "", b"[]")
    write_plan(path, [row], facts(name)).release()
    return path


def sent(database: str, path: Path) -> list[RecentSend]:
    """What a run hears of others that sends its row and ends."""
    with own(path) as run, account_of(database, ADDRESS) as account:
        earlier = account.begin(run, since_s=SINCE, wall_s=NOW, began_at=NOW)
        notes = notes_of(run)
        begin(notes, [each.row for each in notes.claim(0, 9)], NOW)
        settle(notes, outcome(1, Status.SENT, ended_at=NOW + 1))
        account.end(run, since_s=SINCE, wall_s=NOW + 2)
    return earlier.sends


def at_work(database: str, *, until: str) -> None:
    """Another process has a shard of the account."""
    owner = orjson.dumps(asdict(Owner(1, "another machine", NOW))).decode()
    with psycopg.connect(database) as db:
        sql = f"UPDATE bulksend.shard SET owner = %s, lease_until = clock_timestamp() + interval '{until}' WHERE no = 1"
        assert db.execute(sql.encode(), [owner]).rowcount == 1


def is_open(database: str) -> bool:
    with history_of(database, ADDRESS) as history:
        return history.is_open


def test_as_long_as_others_are_at_work_a_run_is_read_by_whoever_comes(tmp_path: Path, database: str) -> None:
    account_of(database, ADDRESS).close()
    at_work(database, until="1 hour")
    assert sent(database, planned(tmp_path, "june", ANA)) == []
    assert is_open(database)
    assert [each.recipient for each in sent(database, planned(tmp_path, "july", BEN))] == [ANA]
    assert is_open(database)


def test_when_their_leases_are_over_all_is_taken_in(tmp_path: Path, database: str) -> None:
    account_of(database, ADDRESS).close()
    at_work(database, until="1 hour")
    sent(database, planned(tmp_path, "june", ANA))
    at_work(database, until="-1 second")
    assert [each.recipient for each in sent(database, planned(tmp_path, "july", BEN))] == [ANA]
    assert not is_open(database)
    with history_of(database, ADDRESS) as history:
        assert len(history.got_by([ANA, BEN])) == 2


def test_a_process_of_ones_own_is_no_other(tmp_path: Path, database: str) -> None:
    account_of(database, ADDRESS).close()
    with psycopg.connect(database) as db:
        owner = orjson.dumps(Owner.now(NOW, processes_here()).kept).decode()
        db.execute("UPDATE bulksend.shard SET owner = %s, lease_until = clock_timestamp() + interval '1 hour'", [owner])
    sent(database, planned(tmp_path, "june", ANA))
    assert not is_open(database)


def test_a_connection_that_broke_while_a_run_was_sent_is_made_anew(tmp_path: Path, database: str) -> None:
    with own(planned(tmp_path, "june", ANA)) as run, account_of(database, ADDRESS) as account:
        account.begin(run, since_s=SINCE, wall_s=NOW, began_at=NOW)
        notes = notes_of(run)
        begin(notes, [1], NOW)
        settle(notes, outcome(1, Status.SENT, ended_at=NOW + 1))
        with psycopg.connect(database, autocommit=True) as db:
            others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            db.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {others}".encode())
        account.end(run, since_s=SINCE, wall_s=NOW + 2)
    assert not is_open(database)
    assert [each.recipient for each in sent(database, planned(tmp_path, "july", BEN))] == [ANA]
