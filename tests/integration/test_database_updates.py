"""Nobody changes the tables under who is at work, and who was not seen to be notes nothing more in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from offices import Office
from planned import plan_in_database
from runfiles import number, pending

from bulksend.errors import RunFileError, UsageError
from bulksend.model import Event, Outcome
from bulksend.runs import DatabaseRun
from bulksend.runs.postgres import install, installing
from bulksend.runs.postgres.connecting import connect, one
from bulksend.runs.postgres.schema import MIGRATIONS, VERSION


@pytest.fixture
def office(database: str) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(database, stack)


@pytest.fixture(autouse=True)
def _as_it_was(database: str) -> Iterator[None]:
    yield
    with connect(database) as db:  # it is others' once more
        db.execute("DROP TABLE IF EXISTS more")
        db.execute("UPDATE installation SET version = 1")


def update(database: str) -> int:
    """Bring the tables up to a newer version, as that would."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(installing, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE more ()"))
        patched.setattr(installing, "VERSION", VERSION + 1)
        return install(database)


def version(database: str) -> int:
    with connect(database) as db:
        return int(one(db.execute("SELECT version FROM installation"))[0])


def test_no_tables_are_changed_under_a_worker(office: Office) -> None:
    worker = office.worker()
    office.journal(worker)
    with pytest.raises(UsageError, match="at work in this database"):
        update(office.database)
    assert version(office.database) == 1
    office.leases_end()
    assert update(office.database) == 1
    assert version(office.database) == 2


def test_nor_under_who_has_a_run(database: str) -> None:
    with plan_in_database(DatabaseRun(database, "july"), [pending(1, number(1))], plan_id="july"):
        with pytest.raises(UsageError, match="at work in this database"):
            update(database)
        assert version(database) == 1


async def test_who_stood_still_meanwhile_notes_nothing_more(office: Office) -> None:
    journal = office.journal(office.worker())
    (attempt, *_) = await journal.begin([1, 2], time.time())
    office.leases_end()
    update(office.database)
    with connect(office.database) as db:  # as if the lease had not ended, of which it knows nothing yet
        db.execute("UPDATE shard SET lease_until = clock_timestamp() + interval '1 minute'")
    for noting in (
        journal.begin([3], time.time()),
        journal.settle([Outcome(attempt.message.row, Event.ACCEPTED, final=True, ended_at=time.time())], turn=0),
    ):
        with pytest.raises(RunFileError, match="newer version"):
            await noting
    assert office.states() == {"in flight"}


def test_nor_does_the_owner_of_a_run(database: str) -> None:
    with plan_in_database(DatabaseRun(database, "july"), [pending(1, number(1))], plan_id="july") as run:
        with connect(database) as db:
            db.execute("UPDATE run SET lease_until = NULL")
        update(database)
        with pytest.raises(RunFileError, match="newer version"):
            run.note_start(time.time())


async def test_over_a_new_connection_nothing_is_noted_on_a_server_that_took_over(office: Office) -> None:
    worker = office.worker()
    journal = office.journal(worker)
    await journal.begin([1], time.time())
    with connect(office.database) as db:
        db.execute("UPDATE installation SET timeline = timeline + 1")
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'bulksend' AND pid <> pg_backend_pid()"
        )
    with pytest.raises(RunFileError, match="restored"):
        await journal.begin([2], time.time())
    with connect(office.database) as db:
        assert one(db.execute("SELECT count(*) FROM send")) == (1,)
        db.execute("UPDATE installation SET timeline = timeline - 1")
    worker.look()  # over a new connection, by which it leaves
