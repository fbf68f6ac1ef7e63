"""A run file of format 2, read as it is, taken over and gone on with."""

from __future__ import annotations

import asyncio
import gzip
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from runfiles import CUT_OFF, crowd_of, killed_after, notes_of, opened, outcome, own

from bulksend.model import Event, Outcome, PhoneNumber, RowInDoubt, Status
from bulksend.planning.overview import Example, Findings, Reason, Tally
from bulksend.runs.facts import Facts
from bulksend.runs.sqlite.queries import message_ids
from bulksend.runs.sqlite.run import SqliteRun
from bulksend.runs.sqlite.schema import connect
from bulksend.runs.states import Decision
from bulksend.runs.store import Charge
from bulksend.runs.telling import Complaint
from bulksend.sms.rates.learning import Observed

GOLDEN = Path(__file__).parents[1] / "golden" / "runs" / "format-2.run.gz"
DAY_1 = 1_760_000_000.0
LOST = "no answer came in 30 s"
STATES = {
    1: "in flight",
    2: "in flight",  # sent again on somebody's word
    3: "sent",
    4: "sent",  # found in the API's list
    5: "rejected",
    6: "failed",
    7: "pending",  # never tried
    8: "unknown",  # to be sent again on somebody's word
    9: "unknown",
    10: "unknown",  # left at that for good
    11: "unknown",
    12: "sent",
    13: "skipped",
    14: "pending",  # never tried
    15: "pending",  # put off
    16: "pending",  # called off
    17: "unknown",  # in doubt, and refused when it was repeated
    18: "unknown",
    19: "invalid",
}
UNDECIDED = [9, 11, 17, 18]
RESENT = 8
"""In doubt, and to be sent again by the word of somebody: still looked up."""
TO_SEND = [6, 7, 8, 14, 15, 16]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """As its owner left it, which may live on another machine."""
    path = tmp_path / "campaign.run"
    path.write_bytes(gzip.decompress(GOLDEN.read_bytes()))
    return path


@pytest.fixture
def gone(path: Path) -> Path:
    """As its owner left it, which ran here and is gone."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    owner = orjson.dumps({"pid": process.pid, "host": socket.gethostname(), "since": 1_000.0}).decode()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE facts SET value = ? WHERE name = 'owner'", [owner])
    return path


def told(run: SqliteRun) -> list[object]:
    """All that a run tells."""
    return [
        run.facts,
        run.has_begun,
        run.turn,
        run.plan(),
        run.plan(2),
        run.tally(),
        [run.complaints(status, 10) for status in Status],
        run.in_doubt(),
        list(run.messages_in_doubt()),
        message_ids(run._db, 0.0),
        run.dearest_part(),
        run.spent(20_000),
        sorted(run.errors()),
        list(run.recent_sends(0.0, 2e9)),
        list(run.numbers()),
        list(run.contacts()),
        list(run.results()),
        list(run.planned()),
        run.charges(),
        list(run.observed_rates()),
        run.last_charged_at(),
    ]


def states_of(run: SqliteRun) -> dict[int, str]:
    return {row: state for row, state, *_ in run.results()}


def test_it_is_read_as_it_is_and_nothing_is_written(path: Path) -> None:
    content = path.read_bytes()
    with SqliteRun.open(path) as run:
        told(run)
        assert run.owner is not None
        assert run.owner.host == "elsewhere.test"
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == ["campaign.run"]


def test_its_plan_is_told(path: Path) -> None:
    with SqliteRun.open(path) as run:
        assert run.facts == Facts(
            input_name="campaign.csv",
            input_digest=run.facts.input_digest,
            columns=("to", "contactId", "message", "Name"),
            sender="ACME",
            template=None,
            mapping=(),
            only=(),
            skip=(),
            country=None,
            new_prefixes=False,
            reading=(None, None, None),
            header_row=None,
            visible_only=False,
            gsm=False,
            duplicates="skip",
            one_per_number=False,
            exclusion="",
            endpoint="contact",
            org_id=1,
            base_url=run.facts.base_url,
            campaign="golden",
            plan_id=run.facts.plan_id,
            is_shared=True,
            keys_by_row=True,
        )
        assert len(run.facts.input_digest) == 64
        assert run.facts.base_url.startswith("http://127.0.0.1:")
        plan = run.plan()
        assert plan.findings == Findings(
            reasons=(
                Reason(
                    Status.SKIPPED,
                    "the same number and text as an earlier row (--duplicates skip)",
                    1,
                    (Example(13, "", "as row 12"),),
                ),
                Reason(
                    Status.INVALID,
                    "too short: 4 digits after the dialing code 1, where a mobile number has 10",
                    1,
                    (Example(19, "to", "12345"),),
                ),
            ),
            rates="the rates given",
        )
        assert [preview.row for preview in plan.previews] == TO_SEND[:3]
        assert plan.overview.rows == len(TO_SEND)
        assert [(row, status) for row, status, *_ in run.planned()] == [
            (row, {13: "skipped", 19: "invalid"}.get(row, "pending")) for row in STATES
        ]


def test_what_became_of_each_row_is_told(path: Path) -> None:
    with SqliteRun.open(path) as run:
        assert states_of(run) == STATES
        rows = {
            row: [state, who, answer and orjson.loads(answer), *rest]
            for row, state, who, answer, *rest in run.results()
        }
        assert run.tally() == Tally(
            {
                Status.PENDING: 4,
                Status.SENT: 3,
                Status.REJECTED: 1,
                Status.FAILED: 1,
                Status.UNKNOWN: 6,
                Status.INVALID: 1,
                Status.SKIPPED: 1,
            },
            in_flight=2,
            attempts=17,
            charged=61_000,
            left=1,
            resent=1,
        )
        assert run.tally().rows == len(STATES)
        assert run.has_begun
        assert run.turn == 1
    assert rows[3] == [
        "sent",
        7,
        {
            "messageId": "SMS-3",
            "estimateParts": 1,
            "estimateMicro": 20_000,
            "estimate": "0.02",
            "deliveryDeadline": "2025-10-09T09:53:20Z",
            "to": "639171000003",
            "contactId": 7,
        },
        "",
        200,
        1,
        DAY_1,
        "is sent to a contact",
        b'["","7","is sent to a contact","Carla"]',
    ]
    assert rows[4][2] == {
        "messageId": "SMS-4",
        "estimateParts": None,
        "estimateMicro": None,
        "estimate": "",
        "deliveryDeadline": "",
        "to": "639171000004",
        "contactId": None,
    }
    assert rows[5][2:5] == [None, "no such number", 400]
    assert rows[6][2:6] == [None, "the server is busy", 503, 1]
    assert rows[11][2:7] == [None, LOST, None, 2, DAY_1 + 100]
    assert rows[16][2:6] == [None, "", None, 0]


def test_what_is_in_doubt_is_told_and_neither_what_was_left_at_that_nor_what_is_in_flight(path: Path) -> None:
    with SqliteRun.open(path) as run:
        in_doubt = run.in_doubt()
        assert [each.row for each in in_doubt] == [RESENT, *UNDECIDED]
        number, text = PhoneNumber("639171000011"), "is in doubt after two attempts"
        assert in_doubt[2] == RowInDoubt(11, number, text, "golden-11", DAY_1, DAY_1 + 100, LOST)
        assert run.in_doubt(1) == in_doubt[:1]
        prices = {message.row: message.price for message in run.messages_in_doubt()}
        assert prices == dict.fromkeys((1, 2, 8, 9, 10, 11, 17), 20_000) | {18: None}
        assert run.complaints(Status.UNKNOWN, 5) == [
            Complaint(LOST, 4, 8),
            Complaint("no such number", 1, 17),
            Complaint("a gateway answered", 1, 18),
        ]


def test_what_was_sent_is_told_with_its_price_and_its_time(path: Path) -> None:
    with SqliteRun.open(path) as run:
        assert message_ids(run._db, 0.0) == {"SMS-3", "SMS-4", "SMS-12"}
        assert message_ids(run._db, DAY_1 + 100) == {"SMS-4"}
        assert run.dearest_part() == 21_000
        assert run.spent(20_000) == 61_000
        assert run.last_charged_at() == DAY_1
        assert run.charges() == [Charge("63", 3, 3, 40_000, 61_000, 1, 0)]
        assert sorted(run.observed_rates()) == [
            Observed("63917100", 20_000, 2, rounded=False),
            Observed("63917100", 21_000, 1, rounded=False),
        ]
        counted = {str(send.recipient): (send.messages, send.ended_at) for send in run.recent_sends(0.0, 2e9)}
        assert counted["639171000003"] == (1, DAY_1 + 13)  # by the number that an answer told of contact 7
        assert counted["639171000011"] == (2, DAY_1 + 21)
        assert counted["639171000001"] == (1, 2e9)  # nobody saw its end
        assert counted["639171000010"] == (1, DAY_1 + 20)  # left at that: it may have arrived all the same
        assert list(run.numbers()) == [(7, "639171000003")]
        assert sorted(run.contacts()) == [7, 8]


def test_what_its_gone_owner_had_in_flight_is_in_doubt_and_all_else_is_as_it_was(gone: Path) -> None:
    content = gone.read_bytes()
    with SqliteRun.open(gone) as run:
        assert states_of(run) == STATES | {1: "unknown", 2: "unknown"}
        assert [each.row for each in run.in_doubt()] == [1, 2, RESENT, *UNDECIDED]
        assert Complaint(CUT_OFF, 2, 1) in run.complaints(Status.UNKNOWN, 5)
        assert run.tally().in_flight == 0
        assert run.tally().statuses[Status.UNKNOWN] == 8
        told(run)
    assert gone.read_bytes() == content
    assert [file.name for file in gone.parent.iterdir()] == ["campaign.run"]


def test_its_owner_tells_what_readers_of_the_earlier_format_were_told(gone: Path) -> None:
    with SqliteRun.open(gone) as run:
        before = told(run)
    with own(gone, 2e9) as run:
        assert told(run) == before
        with SqliteRun.open(gone) as reader:
            assert told(reader) == before
    with SqliteRun.open(gone) as reader:
        assert told(reader) == before


def test_taking_it_over_keeps_every_rows_truth(path: Path) -> None:
    kept = "attempts, started_at, http_status, charged"
    with closing(sqlite3.connect(path)) as db:
        before = {row: rest for row, *rest in db.execute(f"SELECT row, {kept} FROM sends")}
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
    with own(path, 2e9) as run:
        assert {row: rest for row, *rest in run._db.execute(f"SELECT row, {kept} FROM sends")} == before
        doubts = run._db.execute(
            "SELECT row, doubt_since, decision FROM sends WHERE doubt_since IS NOT NULL"
        ).fetchall()
        in_flight = {row: before[row][1] for row in (1, 2)}
        assert doubts == [
            (1, in_flight[1], None),
            (2, DAY_1, None),  # a new doubt, of which nobody has decided
            (4, DAY_1, None),
            (8, DAY_1, Decision.RESEND),
            (9, DAY_1, None),
            (10, DAY_1, Decision.LEAVE),
            (11, DAY_1, None),
            (17, DAY_1, None),
            (18, DAY_1, None),
        ]
        notes = notes_of(run)
        assert [item.row for item in notes.claim(0, 100)] == TO_SEND
        assert [item.row for item in notes.undecided(0.0, 0)] == [1, 2, *UNDECIDED]


def test_it_is_then_like_one_of_this_format(path: Path, tmp_path: Path) -> None:
    def shape(db: sqlite3.Connection) -> dict[str, object]:
        columns = {row[1:6] for row in db.execute("PRAGMA table_info(sends)")}
        indexes = set(db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
        tables = set(db.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
        return {"columns": columns, "indexes": indexes, "tables": tables}

    other = crowd_of(tmp_path / "other.run", 1)
    with own(path, 2e9) as run, own(other, 2e9) as new:
        assert shape(run._db) == shape(new._db)
        assert run._db.execute("PRAGMA user_version").fetchone() == (3,)
        assert run._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_journal_goes_on_with_it(path: Path) -> None:
    with own(path, 2e9) as run:
        journal = run.journal(by_parts=True, limit=None)
        rows = [item.row for item in await journal.claim(0, 100)]
        attempts = await journal.begin(rows, 2e9)
        for attempt in attempts:
            journal.leaves(attempt)
        assert {attempt.message.row: (attempt.number, attempt.in_doubt) for attempt in attempts} == {
            6: (2, False), 7: (1, False), 8: (2, True), 14: (1, False), 15: (2, False), 16: (1, False),
        }  # fmt: skip
        ends = {
            6: Event.ACCEPTED,
            7: Event.REJECTED,
            8: Event.FAILED,
            14: Event.DOUBTED,
            15: Event.PUT_OFF,
            16: Event.CALLED_OFF,
        }
        outcomes = [Outcome(row, event, True, 2e9 + 1) for row, event in ends.items()]
        await asyncio.gather(*(journal.settle([each], turn=1) for each in outcomes))
        await journal.found({9: outcome(9, Status.SENT).answer}, 2e9 + 2)  # type: ignore[dict-item]
        journal.close()
        run.decide([1, 10], resend=True)
    after = STATES | {1: "unknown", 2: "unknown", 6: "sent", 7: "rejected", 9: "sent", 14: "unknown"}
    with SqliteRun.open(path) as run:
        assert states_of(run) == after
        assert [each.row for each in run.in_doubt()] == [1, 2, RESENT, 10, 11, 14, 17, 18]
    with opened(path, now=3e9) as notes:
        assert [item.row for item in notes.claim(0, 100)] == [1, 8, 10, 15, 16]


def test_a_killed_owner_of_what_was_migrated_leaves_in_doubt_what_had_left(path: Path) -> None:
    killed_after(
        """
        notes = notes_of(own(path, 2e9))
        attempts = notes.begin([6, 7, 8], 2e9)
        notes.leaves(attempts[0])
        """,
        path,
    )
    with SqliteRun.open(path) as run:
        assert states_of(run) == STATES | {1: "unknown", 2: "unknown", 6: "unknown"} | {7: "pending", 8: "unknown"}
        assert [each.row for each in run.in_doubt()] == [1, 2, 6, RESENT, *UNDECIDED]


@pytest.mark.parametrize(
    ("statement", "version"),
    [
        ("ALTER TABLE sends ADD COLUMN decision", 2),
        ("ALTER TABLE sends ADD COLUMN ticket", 2),
        ("UPDATE sends SET state", 2),
        ("DROP INDEX unfinished", 2),
        ("CREATE INDEX unfinished", 2),
        ("CREATE INDEX in_doubt", 2),
        ("PRAGMA user_version =", 2),
        ("COMMIT", 2),
        ("INSERT OR REPLACE INTO facts", 3),  # the take-over after it
    ],
)
def test_a_migration_that_is_killed_leaves_the_one_format_or_the_other(
    gone: Path, statement: str, version: int
) -> None:
    with SqliteRun.open(gone) as run:
        before = told(run)
    killed_after(
        f"""
        import os, signal, sqlite3
        class Dying(sqlite3.Connection):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.set_trace_callback(self.die_at)
            def die_at(self, sql):
                if sql.strip().startswith({statement!r}):
                    os.kill(os.getpid(), signal.SIGKILL)
        connect = sqlite3.connect
        sqlite3.connect = lambda *args, **kwargs: connect(*args, **kwargs, factory=Dying)
        own(path, 2e9)
        raise AssertionError("it lives")
        """,
        gone,
    )
    db, found = connect(gone)
    db.close()
    assert found == version
    with SqliteRun.open(gone) as run:
        assert told(run) == before
    with own(gone, 2e9) as run:
        assert told(run) == before
        assert run._db.execute("PRAGMA user_version").fetchone() == (3,)


def test_a_migration_that_fails_leaves_the_file_as_it_was(gone: Path) -> None:
    with closing(sqlite3.connect(gone)) as db, db:
        db.execute("DROP INDEX doubtful")  # as nobody has it
    with SqliteRun.open(gone) as run:
        before = told(run)
    with pytest.raises(Exception, match="no such index"):
        own(gone, 2e9)
    with SqliteRun.open(gone) as run:
        assert told(run) == before
    db, found = connect(gone)
    db.close()
    assert found == 2
