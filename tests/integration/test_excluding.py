"""A run that is planned, or has begun, is compared with lists and opt-outs: all that may yet be sent, and no more."""

from __future__ import annotations

import csv
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bulksend import campaign
from bulksend.campaign import Excluded, PlanRequest, excluding
from bulksend.campaign.excluding import _Excluding as Excluding
from bulksend.model import PhoneNumber, Recipient
from bulksend.planning import Exclusions, PlanOptions
from bulksend.runs import Address, OwnRun, Terms, optouts_of, own_run

URL, ORG = "https://x.test", 1
NOBODY = Exclusions()
STATES = ["sent", "skipped", "rejected", "unknown", "left out", "failed", "pending", None, None]
KEPT = {1: "sent", 2: "skipped", 3: "rejected"}
OUT = {4: "unknown", 5: "excluded", 6: "excluded", 7: "excluded", 8: "excluded", 9: "excluded"}
PHONES = [PhoneNumber(f"63917123456{row}") for row in range(1, len(STATES) + 1)]


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A run with a row in every state in which one can be."""
    sheet, run = tmp_path / "c.csv", tmp_path / "c.run"
    with sheet.open("w", newline="") as file:
        csv.writer(file).writerows([["to"], *([number] for number in PHONES)])
    campaign.plan(PlanRequest(str(sheet), PlanOptions(message="Hi"), Address(ORG, URL)), run).close()
    with closing(sqlite3.connect(run)) as db, db:
        db.executemany(
            "INSERT INTO sends (row, state, attempts, started_at, doubt_since) VALUES (?, ?, 1, 1.0, ?)",
            [(row, state, 1.0 if state == "unknown" else None) for row, state in enumerate(STATES, 1) if state],
        )
    return run


def own(path: Path) -> OwnRun:
    return own_run(path, time.time())


def states(path: Path) -> dict[int, str]:
    with closing(sqlite3.connect(path)) as db:
        return dict(db.execute("SELECT row, state FROM sends"))


def listed(*recipients: Recipient, digest: str = "d") -> Exclusions:
    return Exclusions.of(recipients, [digest], [])


@pytest.mark.parametrize("by_list", [True, False])
def test_all_that_may_yet_be_sent_is_left_out_and_what_was_is_not_touched(begun: Path, *, by_list: bool) -> None:
    if not by_list:
        with optouts_of(None, Address(ORG, URL)) as optouts:
            optouts.add(PHONES, "", 1.0)
    with own(begun) as run:
        before = run.tally()
        found = excluding.exclude(run, listed(*PHONES) if by_list else NOBODY)
        assert found == Excluded(listed=5 * by_list, opted_out=5 * (not by_list), not_again=1)
        tally = run.tally()
        assert (tally.excluded, tally.excluded_in_doubt, tally.undecided, tally.rows) == (5, 1, 0, before.rows)
        run.take_up()
        run.decide([4], resend=True)
        assert run.overview().rows == 0
        assert run.tally().resent == 0
    assert states(begun) == KEPT | OUT
    with own(begun) as run:
        assert excluding.exclude(run, NOBODY) == Excluded(keeps_earlier=by_list)


@pytest.mark.parametrize("by_input", [True, False])
def test_whoever_goes_on_with_a_run_leaves_them_out_and_hears_of_it(begun: Path, *, by_input: bool) -> None:
    heard: list[object] = []
    with optouts_of(None, Address(ORG, URL)) as optouts:
        optouts.add([PHONES[8]], "", 1.0)
    options = PlanOptions(message="Hi", exclusions=listed(PHONES[7]))
    if by_input:
        request = PlanRequest(str(begun.with_suffix(".csv")), options, Address(ORG, URL))
        run = campaign.reopen(request, begun, heard.append)
    else:
        run = campaign.own_as_planned(begun, Terms(exclusion="d"), options.exclusions, heard.append)
    assert run is not None
    run.close()
    assert heard == [Excluded(listed=1, opted_out=1)]
    assert states(begun) | {4: "unknown"} == dict(enumerate(STATES[:7], 1)) | {8: "excluded", 9: "excluded"}


def test_rows_are_looked_through_some_at_a_time(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excluding, "_AT_ONCE", 2)
    with own(begun) as run:
        assert excluding.exclude(run, listed(*PHONES)).listed == 5
    assert states(begun) == KEPT | OUT


def test_it_is_looked_at_again_only_where_there_is_news(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Excluding] = []
    through = Excluding.go_through

    def counted(self: Excluding) -> None:
        looks.append(self)
        through(self)

    monkeypatch.setattr(Excluding, "go_through", counted)
    with own(begun) as run:
        for lists, adds, news in [
            (NOBODY, None, False),
            (listed(PHONES[8]), None, True),
            (listed(PHONES[8]), None, False),
            (NOBODY, None, False),
            (NOBODY, PHONES[7], True),
            (listed(PHONES[8]), None, False),
            (listed(PHONES[6], digest="e"), None, True),
            (listed(PHONES[6], digest="e"), PHONES[6], True),
            (NOBODY, None, False),
        ]:
            if adds:
                with optouts_of(None, Address(ORG, URL)) as optouts:
                    optouts.add([adds], "", 1.0)
            looks.clear()
            excluding.exclude(run, lists)
            assert bool(looks) is news
    assert states(begun)[9] == states(begun)[8] == states(begun)[7] == "excluded"
    assert states(begun)[6] == "failed"


def test_a_plan_that_was_compared_is_not_compared_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with optouts_of(None, Address(ORG, URL)) as optouts:
        optouts.add([PHONES[0]], "", 1.0)
    sheet = tmp_path / "c.csv"
    sheet.write_text("to\n" + "\n".join(PHONES))
    options = replace(PlanOptions(message="Hi"), exclusions=listed(PHONES[1]))
    monkeypatch.setattr(excluding, "_Excluding", None)
    with campaign.plan(PlanRequest(str(sheet), options, Address(ORG, URL)), tmp_path / "c.run") as run:
        assert run.plan().overview.rows == len(PHONES) - 2
        assert excluding.exclude(run, options.exclusions) == Excluded()
        assert excluding.exclude(run, NOBODY) == Excluded(keeps_earlier=True)
        with optouts_of(None, Address(ORG, URL)) as optouts:
            optouts.add([PHONES[2]], "", 1.0)
        with pytest.raises(TypeError):
            excluding.exclude(run, options.exclusions)


def test_a_contacts_known_number_and_other_numbers_of_a_phone_are_compared_too(tmp_path: Path) -> None:
    sheet, path = tmp_path / "c.csv", tmp_path / "c.run"
    sheet.write_text("to,contactId\n,7\n,8\n5491123456789,\n639181234567,\n")
    campaign.plan(PlanRequest(str(sheet), PlanOptions(message="Hi"), Address(ORG, URL)), path).close()
    for lists, added in ((listed(PhoneNumber("541123456789"), PHONES[0]), []), (NOBODY, [PHONES[1]])):
        with own(path) as run:
            run.learn([(7, PHONES[0])])  # type: ignore[list-item]
            with optouts_of(None, Address(ORG, URL)) as optouts:
                optouts.add(added, "", 1.0)
            found = excluding.exclude(run, lists)
            assert (found.listed, found.unchecked) == ((2, 0) if lists.digest else (0, 1))
    assert states(path) == {1: "excluded", 3: "excluded"}
