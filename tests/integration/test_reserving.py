"""Two runs of an account that would send the same text to the same phone: one of them does, whoever is first."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
from databases import Server
from planned import FACTS, PlannedRow, plan_in_database

from bulksend.model import ContactId, Encoding, Event, MicroUSD, Outcome, PhoneNumber, Recipient, Status
from bulksend.runs import Address, DatabaseRun, OwnRun, account_of
from bulksend.runs.postgres import install
from bulksend.runs.postgres.accounts import made_account
from bulksend.runs.postgres.connecting import Db, connect
from bulksend.runs.postgres.reserving import Refused, Reserving, give_back, reserve

ANA, BEN = PhoneNumber("639171234567"), PhoneNumber("639181234567")
OF_ANA = ContactId(7)
HI, HO = "Hi", "Ho"
HOUR = 3_600.0
NOW = 1_780_488_000.0
NOW_SENT = Reserving(NOW, 20 * HOUR)


@dataclass
class Office:
    """An account in a database, and a connection to it."""

    db: Db
    account: int

    def run(self, name: str, *messages: tuple[Recipient, str], account: bool = True) -> int:
        """A run of these messages; its number."""
        sql = "INSERT INTO run (name, account, planned_at) VALUES (%s, %s, 0) RETURNING id"
        ((run,),) = self.db.execute(sql, [name, self.account if account else None]).fetchall()
        crowd = [who for who, _ in messages]
        for row, (who, text) in enumerate(messages, 1):
            phone, contact = (who, None) if isinstance(who, str) else (None, who)
            self.db.execute(
                """INSERT INTO message (run, row, status, phone, contact, shard, text, encoding, parts, error, cells)
                   VALUES (%s, %s, 'pending', %s, %s, 0, %s, 'GSM-7', 1, '', '[]')""",
                [run, row, phone, contact, text],
            )
            if crowd.count(who) > 1:
                self.db.execute("INSERT INTO repeat VALUES (%s, %s, %s, %s, 1)", [run, phone, contact, row])
        return int(run)

    def becomes(self, run: int, row: int, state: str, doubt_since: float | None = None) -> None:
        """A row is noted to be in a state."""
        self.db.execute(
            """INSERT INTO send (run, row, state, attempts, started_at, doubt_since) VALUES (%s, %s, %s, 1, 0, %s)
               ON CONFLICT (run, row) DO UPDATE SET state = excluded.state, doubt_since = excluded.doubt_since""",
            [run, row, state, doubt_since],
        )

    def learns(self, run: int, contact: ContactId, phone: PhoneNumber) -> None:
        self.db.execute("INSERT INTO number VALUES (%s, %s, %s)", [run, contact, phone])

    def refused(self, run: int, *rows: int, how: Reserving = NOW_SENT) -> list[int]:
        """Which rows another run has."""
        return [each.row for each in self.reserved(run, *rows, how=how)]

    def reserved(self, run: int, *rows: int, how: Reserving = NOW_SENT) -> list[Refused]:
        with self.db.transaction():
            return reserve(self.db, run, rows, how, 0)


@pytest.fixture(scope="session")
def address(database_server: Server) -> Iterator[str]:
    """One database for all tests here, each of which finds it empty."""
    made = database_server.database()
    install(made)
    yield made
    database_server.drop(made)


@pytest.fixture
def office(address: str) -> Iterator[Office]:
    with connect(address) as db:
        db.execute("TRUNCATE run, account CASCADE")
        yield Office(db, made_account(db, Address(1, "https://x.test")))


def test_the_first_of_two_runs_has_a_text_to_a_phone(office: Office) -> None:
    june, july = office.run("june", (ANA, HI), (BEN, HI)), office.run("july", (ANA, HI), (BEN, HO), (BEN, HI))
    assert office.refused(june, 1) == []
    (refused,) = office.reserved(july, 1, 2, 3)
    assert refused.row == 1
    assert refused.says.startswith("got this very text from june on 3 June 2026, ")
    assert office.refused(june, 2) == [2]


def test_equal_rows_of_one_run_are_meant(office: Office) -> None:
    june = office.run("june", (ANA, HI), (ANA, HI), (ANA, HI))
    assert office.refused(june, 1, 2) == []
    assert office.refused(june, 3) == []


def test_what_a_contact_gives_back_is_its_own_though_its_number_is_known_by_then(office: Office) -> None:
    june, july = office.run("june", (OF_ANA, HI), (ANA, HI)), office.run("july", (ANA, HI), (OF_ANA, HI))
    assert office.refused(june, 1, 2) == []
    office.becomes(june, 2, "sent")
    office.becomes(june, 1, "failed")
    office.learns(june, OF_ANA, ANA)
    give_back(office.db, june, [1])
    assert office.refused(july, 1, 2) == [1]


def test_a_run_that_tries_again_keeps_what_it_has(office: Office) -> None:
    june, july = office.run("june", (ANA, HI)), office.run("july", (ANA, HI))
    assert office.refused(june, 1) == []
    assert office.refused(june, 1, how=Reserving(NOW + HOUR, HOUR)) == []
    assert office.refused(july, 1) == [1]


@pytest.mark.parametrize(("ago", "refused"), [(19.9, [1]), (20.0, []), (21.0, [])])
def test_so_long_the_same_text_is_a_slip(office: Office, ago: float, refused: list[int]) -> None:
    june, july = office.run("june", (ANA, HI)), office.run("july", (ANA, HI))
    assert office.refused(june, 1, how=Reserving(NOW - ago * HOUR, 20 * HOUR)) == []
    assert office.refused(july, 1) == refused


def test_who_wants_it_sent_again_is_not_refused_and_has_it_then(office: Office) -> None:
    june, july, june2 = (office.run(name, (ANA, HI)) for name in ("june", "july", "june2"))
    assert office.refused(june, 1) == []
    assert office.refused(july, 1, how=Reserving(NOW, 20 * HOUR, repeat=True)) == []
    (refused,) = office.reserved(june2, 1)
    assert " july " in refused.says


@pytest.mark.parametrize(
    ("state", "doubt_since", "refused"),
    [
        ("rejected", None, []),
        ("failed", None, []),
        ("pending", None, []),
        ("sent", None, [1]),
        ("in flight", None, [1]),
        ("unknown", 1.0, [1]),
        ("unknown", None, [1]),
    ],
)
def test_only_what_was_certainly_not_sent_is_given_back(
    office: Office, state: str, doubt_since: float | None, refused: list[int]
) -> None:
    june, july = office.run("june", (ANA, HI)), office.run("july", (ANA, HI))
    assert office.refused(june, 1) == []
    office.becomes(june, 1, state, doubt_since)
    give_back(office.db, june, [1])
    assert office.refused(july, 1) == refused


def test_what_one_of_two_equal_rows_gives_back_the_other_keeps(office: Office) -> None:
    june, july = office.run("june", (ANA, HI), (ANA, HI)), office.run("july", (ANA, HI))
    assert office.refused(june, 1, 2) == []
    office.becomes(june, 1, "sent")
    office.becomes(june, 2, "failed")
    give_back(office.db, june, [1, 2])
    assert office.refused(july, 1) == [1]
    office.becomes(june, 1, "failed")
    give_back(office.db, june, [1])
    assert office.refused(july, 1) == []


def test_nobody_gives_back_what_another_has(office: Office) -> None:
    june, july, june2 = (office.run(name, (ANA, HI)) for name in ("june", "july", "june2"))
    assert office.refused(june, 1) == []
    office.becomes(july, 1, "failed")
    give_back(office.db, july, [1])
    assert office.refused(june2, 1) == [1]


def test_as_many_as_were_left_out_for_history_the_other_run_may_have_sent(office: Office) -> None:
    june, july = office.run("june", (ANA, HI)), office.run("july", (ANA, HI), (ANA, HI), (ANA, HO))
    assert office.refused(june, 1) == []
    office.becomes(july, 1, "left out")
    assert office.refused(july, 2) == []


def test_another_text_that_was_left_out_lets_nobody_send_twice(office: Office) -> None:
    june, july = office.run("june", (ANA, HI)), office.run("july", (ANA, HO), (ANA, HI))
    assert office.refused(june, 1) == []
    office.becomes(july, 1, "left out")
    assert office.refused(july, 2) == [2]


def test_a_contact_is_its_phone_once_its_number_is_known(office: Office) -> None:
    june, july = office.run("june", (OF_ANA, HI)), office.run("july", (ANA, HI), (OF_ANA, HI))
    office.learns(june, OF_ANA, ANA)
    assert office.refused(june, 1) == []
    assert office.refused(july, 1, 2) == [1]
    office.learns(july, OF_ANA, ANA)
    assert office.refused(july, 2) == [2]


def test_accounts_and_rehearsals_do_not_see_each_other(office: Office) -> None:
    other = Office(office.db, made_account(office.db, Address(2, "https://x.test")))
    runs = [office.run("june", (ANA, HI)), other.run("july", (ANA, HI)), office.run("a", (ANA, HI), account=False)]
    assert [office.refused(run, 1) for run in runs] == [[], [], []]


def test_no_number_and_no_text_stands_there(office: Office) -> None:
    assert office.refused(office.run("june", (ANA, HI)), 1) == []
    ((row,),) = office.db.execute("SELECT row_to_json(r)::text FROM reservation r").fetchall()
    assert ANA not in row
    assert HI not in row


def test_who_wants_the_same_at_the_same_moment_waits_for_the_other(office: Office, address: str) -> None:
    june, july = office.run("june", (ANA, HI), (BEN, HI)), office.run("july", (BEN, HI), (ANA, HI))
    found: list[Sequence[Refused]] = []
    begun = threading.Event()

    def other() -> None:
        with connect(address) as db, db.transaction():
            begun.set()
            found.append(reserve(db, july, [1, 2], NOW_SENT, 0))

    thread = threading.Thread(target=other)
    with office.db.transaction():
        assert reserve(office.db, june, [1, 2], NOW_SENT, 0) == []
        thread.start()
        assert begun.wait(10)
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(10)
    assert [(each.row, " june " in each.says) for each in found[0]] == [(1, True), (2, True)]


def test_what_is_rolled_back_was_never_reserved(office: Office, address: str) -> None:
    june, july = office.run("june", (ANA, HI)), office.run("july", (ANA, HI))
    with connect(address) as db, db.transaction(force_rollback=True):
        assert reserve(db, june, [1], NOW_SENT, 0) == []
    assert office.refused(july, 1) == []


def test_of_many_who_submit_the_same_sheet_each_row_is_one_runs(office: Office, address: str) -> None:
    sheet = [(PhoneNumber(f"63917{row:07}"), HI) for row in range(200)]
    runs = [office.run(f"copy{number}", *sheet) for number in range(4)]
    begun: dict[int, list[int]] = {run: [] for run in runs}

    def send(run: int, rows: Sequence[int]) -> None:
        with connect(address) as db:
            for start in range(0, len(rows), 20):
                group = rows[start : start + 20]
                with db.transaction():
                    refused = {each.row for each in reserve(db, run, group, NOW_SENT, 0)}
                begun[run] += [row for row in group if row not in refused]

    forward = list(range(1, 201))
    orders = [forward, forward[::-1], forward[100:] + forward[:100], forward]
    threads = [threading.Thread(target=send, args=each) for each in zip(runs, orders, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(row for rows in begun.values() for row in rows) == forward


# ---- As the journal of a run does it ----


def sends(address: str, name: str, event: Event | None, how: float | None = 20 * HOUR) -> tuple[list[int], str | None]:
    """Which rows of a run of this name begin, which all end so, and what is noted of the first."""
    place = DatabaseRun(address, name)
    row = PlannedRow(1, Status.PENDING, ANA, None, HI, Encoding.GSM7, 1, MicroUSD(1), "", b"[]")
    with (
        plan_in_database(place, [row], replace(FACTS, plan_id=name)) as run,
        account_of(place, Address(1, FACTS.base_url)) as account,
    ):
        account.begin(run, since_s=NOW - 60, wall_s=NOW, began_at=NOW, repeat_after_s=how)
        begun = asyncio.run(_sent(run, event))
        (told,) = run.told([1])
        return begun, told.error


async def _sent(run: OwnRun, event: Event | None) -> list[int]:
    journal = run.journal()
    try:
        attempts = await journal.begin([1], NOW)
        if event is not None:
            await journal.settle([Outcome(each.message.row, event, True, NOW) for each in attempts], turn=0)
        return [attempt.message.row for attempt in attempts]
    finally:
        journal.close()


@pytest.mark.parametrize(
    ("event", "begun"),
    [
        (Event.ACCEPTED, []), (Event.DOUBTED, []), (None, []),
        (Event.FAILED, [1]), (Event.REJECTED, [1]), (Event.PUT_OFF, [1]), (Event.CALLED_OFF, [1]),
    ],
)  # fmt: skip
def test_a_row_begins_unless_another_run_has_sent_it_or_may_have(
    office: Office, address: str, event: Event | None, begun: list[int]
) -> None:
    assert office.account
    assert sends(address, "june", event)[0] == [1]
    rows, says = sends(address, "july", Event.ACCEPTED)
    assert rows == begun
    assert ("got this very text from june" in (says or "")) is not bool(begun)


def test_a_row_begins_where_it_is_to_be_sent_again(office: Office, address: str) -> None:
    assert office.account
    assert sends(address, "june", Event.ACCEPTED)[0] == [1]
    assert sends(address, "july", Event.ACCEPTED, None)[0] == [1]
    assert sends(address, "august", Event.ACCEPTED)[0] == []
