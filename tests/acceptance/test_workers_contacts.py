"""Contacts and numbers of the same phones, sent to by several workers: whoever has which, each phone's cap is kept."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from arriving import crowds, noted
from hostile import Settings, phone_of
from judging import CAP, Row, cap_violations
from teams import Team, ended

from bulksend.model import PhoneNumber
from bulksend.runs.postgres.shards import shard_of

PHONES = (phone_of(0), phone_of(1))
_DEALT_S = 15.0


class MixedTeam(Team):
    """Workers of a run that goes to contacts and to numbers."""

    def plan(self, rows: list[Row], *words: str) -> None:
        lines = [f"{'' if row.contact else row.to},{row.contact or ''},{row.text}" for row in rows]
        (self.folder / "campaign.csv").write_text("\n".join(["to,contactId,message", *lines]))
        ended = self(
            "send", "campaign.csv", "--run", f"{self.database}#june", "--base-url", self.server.base_url,
            "--yes", "--detach", *words,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr

    def cap_violations(self, window_s: float) -> list[str]:
        crowded = crowds(self.server.records(), noted(self.database), window_s)
        return [
            *cap_violations(self.server, window_s=window_s),
            *(str(crowd) for crowd in crowded if crowd.is_known),
        ]

    def await_halves(self) -> None:
        """Wait until each of two workers has half of the shards."""
        until = time.monotonic() + _DEALT_S
        while self.shards() != [32, 32]:
            if time.monotonic() > until:
                pytest.fail(self.said())
            time.sleep(0.02)

    def owner_of(self, phone: str) -> int:
        """The process that sends to a phone."""
        with psycopg.connect(self.database) as db:
            sql = "SELECT owner FROM bulksend.shard WHERE no = %s"
            (owner,) = db.execute(sql, [shard_of(PhoneNumber(phone))]).fetchone() or ("",)
        return int(json.loads(owner)["pid"])


@pytest.fixture
def team(tmp_path: Path, database: str) -> Iterator[MixedTeam]:
    with ExitStack() as stack:
        yield MixedTeam(tmp_path, database, stack, Settings(weights={"ok": 1}, latency_s=0.05, knows_dedup=False))


def others(count: int) -> list[Row]:
    return [Row(f"49151{number:08}", f"other {number}") for number in range(1, count + 1)]


def test_contacts_and_numbers_of_the_same_phones_are_sent_to_by_three_workers(team: MixedTeam) -> None:
    rows = [Row("", f"contact {contact} row {nth}", contact) for contact in range(100, 112) for nth in range(2)]
    rows += [Row(phone, f"{phone} row {nth}") for phone in PHONES for nth in range(8)]
    rows += others(200)
    random.Random(16).shuffle(rows)
    team.plan(rows, "--cap", f"63={CAP}/1")
    workers = [team.worker() for _ in range(3)]
    assert [ended(worker) for worker in workers] == [0, 0, 0], team.said()
    assert (team.statuses(), team.twice()) == ({"sent": len(rows)}, [])
    assert team.cap_violations(1.0) == []


@pytest.mark.long
def test_what_went_to_contacts_out_of_other_shards_counts_for_who_sends_to_the_number(team: MixedTeam) -> None:
    contacts = [Row("", f"contact {contact}", contact) for contact in range(100, 120, 2)]
    numbers = [Row(PHONES[0], f"row {nth}") for nth in range(CAP)]  # no more, for crowds go first
    first, then = others(460)[:300], others(460)[300:]
    team.plan([*first, *contacts, *then, *numbers], "--cap", f"63={CAP}/6")
    workers = [team.worker(), team.worker()]
    team.await_halves()
    assert len(team.server.records("accepted")) < len(first)
    assert [ended(worker) for worker in workers] == [0, 0], team.said()
    assert (team.statuses(), team.twice()) == ({"sent": 475}, [])
    assert team.cap_violations(6.0) == []


@pytest.mark.long
def test_whoever_takes_a_phone_over_waits_until_its_cap_is_free(team: MixedTeam) -> None:
    team.plan([*others(250), *(Row(PHONES[0], f"row {nth}") for nth in range(10))], "--cap", f"63={CAP}/6")
    workers = [team.worker(), team.worker()]
    team.await_halves()
    until = time.monotonic() + _DEALT_S
    while len([each for each in team.server.records("accepted") if each["to"] == PHONES[0]]) < CAP:
        assert time.monotonic() < until, team.said()
        time.sleep(0.02)
    owner = team.owner_of(PHONES[0])
    (first,) = (worker for worker in workers if worker.pid == owner)
    first.kill()
    codes = [ended(worker) for worker in workers]
    assert sorted(codes) in ([-9, 0], [-9, 1]), team.said()
    assert team.twice() == []
    assert sum(team.statuses().values()) == 260
    assert set(team.statuses()) <= {"sent", "unknown"}
    assert team.cap_violations(6.0) == []
