"""A database that says nothing any more holds up nobody who wants the end of a send, whenever that is."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from forks import Process
from hostile import Settings
from lossy import LossyWay
from teams import Team, rows

from bulksend.patience import SILENT_S

ENDS_S = 4 * SILENT_S
"""A database is waited for so long more, and asked once more whether it is there; others are at work on the machine."""
WAITS = """
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')
"""


class Office:
    """A send to which a database falls silent, in the midst of a question."""

    def __init__(self, folder: Path, database: str, stack: ExitStack) -> None:
        self.database = database
        self.way = stack.enter_context(LossyWay(database))
        settings = Settings(weights={"ok": 1}, latency_s=0.05, knows_dedup=False)
        self.team = Team(folder, self.way.address, stack, settings)
        self.team.write(rows(60))

    @contextmanager
    def silent(self, table: str, *, after: int) -> Iterator[Process]:
        """It falls silent where a table is to be written to, when so many messages were accepted."""
        sender = self.team.sender() if after else None
        self.team.await_accepted(after)
        with psycopg.connect(self.database) as db:
            db.execute(f"LOCK TABLE bulksend.{table} IN SHARE MODE")
            sender = sender or self.team.sender()
            with psycopg.connect(self.database, autocommit=True) as looking:
                while looking.execute(WAITS).fetchone() == (False,):
                    assert sender.poll() is None
                    time.sleep(0.02)
            self.way.fall_silent()
            yield sender


@pytest.fixture
def office(tmp_path: Path, database: str) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, database, stack)


MOMENTS = pytest.mark.parametrize(
    ("table", "after"), [("message", 0), ("active", 0), ("recent", 1)], ids=["planning", "before", "after"]
)


@pytest.mark.long
@MOMENTS
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_signal_ends_it_when_the_database_had_its_time(
    office: Office, table: str, after: int, number: signal.Signals, code: int
) -> None:
    with office.silent(table, after=after) as sender:
        sender.send_signal(number)
        _, said = sender.communicate(timeout=ENDS_S)
    assert sender.wait() == code, said
    assert table == "message" or "does not answer" in said  # while it plans, it is interrupted as any command
    assert "Traceback" not in said
    assert "cancel" not in said


@MOMENTS
def test_a_second_one_ends_it_at_once(office: Office, table: str, after: int) -> None:
    with office.silent(table, after=after) as sender:
        sender.send_signal(signal.SIGINT)
        time.sleep(0.3)
        sender.send_signal(signal.SIGINT)
        _, said = sender.communicate(timeout=SILENT_S)
    assert sender.wait() == 130, said
    assert table == "message" or "does not answer" in said  # while it plans, it is interrupted as any command
    assert "Traceback" not in said
    assert "cancel" not in said
