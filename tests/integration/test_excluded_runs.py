"""Whom an earlier run reached is left out: named by the run, or by its input."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bulksend import campaign
from bulksend.campaign import PlanRequest
from bulksend.errors import UsageError
from bulksend.planning import PlanOptions
from bulksend.runs import Address, open_run

STATES = {
    "639171000001": ("sent", None),
    "639171000002": ("unknown", 1.0),
    "639171000003": ("in flight", None),
    "639171000004": ("skipped", None),  # another run of the campaign had sent it
    "639171000005": ("failed", None),
    "639171000006": ("rejected", None),
    "639171000007": (None, None),  # not tried
}
REACHED = {number for number, (state, _) in STATES.items() if state in {"sent", "unknown", "in flight", "skipped"}}


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """A sheet of which some rows were sent; its run lies beside it."""
    sheet = tmp_path / "monday.csv"
    with sheet.open("w", newline="") as file:
        csv.writer(file).writerows([["to"], *([number] for number in STATES)])
    options = PlanOptions(message="Hi", sender="ACME")
    campaign.plan(PlanRequest(str(sheet), options, Address(1, "https://x.test")), tmp_path / "monday.run").close()
    with closing(sqlite3.connect(tmp_path / "monday.run")) as db, db:
        db.executemany(
            "INSERT INTO sends (row, state, attempts, started_at, doubt_since) VALUES (?, ?, 1, 1.0, ?)",
            [(row, state, doubt) for row, (state, doubt) in enumerate(STATES.values(), 1) if state],
        )
    return sheet


@pytest.mark.parametrize("by_run", [True, False])
def test_whoever_was_or_may_have_been_sent_to_is_left_out(sent: Path, *, by_run: bool) -> None:
    run = sent.with_suffix(".run")
    before = run.read_bytes()
    place = run if by_run else sent
    found = campaign.exclusions([place], None, new_prefixes=False)
    assert found.recipients == REACHED
    of = "" if by_run else f" of its run {run}"
    (note,) = found.notes
    assert note.says == f"{place}: 4 recipients{of} to leave out, who were or may have been sent to"
    assert run.read_bytes() == before


def test_a_contacts_number_is_left_out_too_where_it_is_known(sent: Path) -> None:
    with closing(sqlite3.connect(sent.with_suffix(".run"))) as db, db:
        db.execute("UPDATE messages SET recipient = 77 WHERE row = 1")
        db.execute("INSERT INTO numbers (contact, number) VALUES (77, '639181234567'), (78, '639181234568')")
    with open_run(sent.with_suffix(".run")) as run:
        assert {*run.reached()} == REACHED - {"639171000001"} | {77, "639181234567"}


def test_an_input_that_was_changed_since_is_a_list(sent: Path) -> None:
    with sent.open("a") as file:
        file.write("639171000008\n")
    assert campaign.exclusions([sent], None, new_prefixes=False).recipients == {*STATES, "639171000008"}


def test_an_input_of_which_nothing_was_sent_is_a_list(tmp_path: Path) -> None:
    sheet = tmp_path / "optouts.csv"
    sheet.write_text("to\n639171000001\n")
    campaign.plan(PlanRequest(str(sheet), PlanOptions(message="Hi"), Address(1, "")), tmp_path / "optouts.run").close()
    assert campaign.exclusions([sheet], None, new_prefixes=False).recipients == {"639171000001"}


def test_an_input_that_was_only_rehearsed_is_a_list(sent: Path) -> None:
    run = sent.with_suffix(".run")
    run.unlink()
    options = PlanOptions(message="Hi", sender="ACME")
    campaign.plan(PlanRequest(str(sent), options, Address(1, "")), run).close()
    with closing(sqlite3.connect(run)) as db, db:
        db.execute("INSERT INTO sends (row, state, attempts, started_at) VALUES (1, 'sent', 1, 1.0)")
    assert campaign.exclusions([sent], None, new_prefixes=False).recipients == {*STATES}
    assert campaign.exclusions([run], None, new_prefixes=False).recipients == {"639171000001"}


def test_runs_and_lists_count_together_and_are_known_by_their_content(sent: Path, tmp_path: Path) -> None:
    listed = tmp_path / "optouts.csv"
    listed.write_text("phone\n+54 11 2345-6789\n")
    both = campaign.exclusions([listed, sent], None, new_prefixes=False)
    assert both.recipients == REACHED | {"541123456789"}
    assert both.has(campaign_number := "5491123456789", "54"), campaign_number  # type: ignore[arg-type]
    alone = campaign.exclusions([sent], None, new_prefixes=False)
    assert len({both.digest, alone.digest, campaign.exclusions([listed], None, new_prefixes=False).digest, ""}) == 4
    assert campaign.exclusions([sent, listed], None, new_prefixes=False).digest == both.digest


def test_what_is_no_run_and_no_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        campaign.exclusions([tmp_path / "monday.run"], None, new_prefixes=False)
