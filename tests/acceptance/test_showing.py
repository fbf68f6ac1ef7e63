"""What one row, or one person, got is shown in plain words, and as an object for scripts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import Program, SandboxServer, Start, send_to

SHEET = """to,contactId,message
639171234501,,Hi Ana
,1007,Hi Ben
12,,Hi Cy

0917 123 4501,,Hello again
639171234505,,Hi Ed
"""


@pytest.fixture
def sent(program: Program, sandbox: Start) -> SandboxServer:
    """A campaign of which the last row is pending."""
    server = sandbox()
    (program.folder / "june.csv").write_text(SHEET)
    how = ("--base-url", server.base_url, "--country", "PH", "--from", "ACME", "--yes", "--limit", "3")
    assert program("send", "june.csv", *how).returncode == 1
    return server


def shown(program: Program, *which: str) -> list[dict[str, Any]]:
    told = program("show", "june.run", *which, "--json")
    assert told.returncode == 0, told.stderr
    found: list[dict[str, Any]] = json.loads(told.stdout)["rows"]
    return found


@pytest.mark.usefixtures("sent")
def test_a_row_is_told_in_plain_words(program: Program) -> None:
    told = " ".join(program("show", "june.csv", "--row", "4").stderr.split())
    assert "Row 4 (line 6) of june.run to 639171234501 from ACME text Hello again size 1 SMS part, gsm7" in told
    assert "price $0.02 estimated; $0.02 charged by the API's words attempts 1, the last at 20" in told
    assert "outcome sent (accepted by the API) messageId SMS" in told
    invalid = " ".join(program("show", "june.run", "--row", "3").stderr.split())
    assert "to nobody: the row names none that can be sent to attempts none outcome" in invalid
    assert "outcome invalid (the row is bad: not tried); too" in invalid
    assert "pending (not sent yet" in program("show", "june.run", "--row", "5").stderr


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize("number", ["639171234501", "+63 917 123-4501", "0917 123 4501", "p:+639171234501"])
def test_a_person_is_found_by_a_number_in_any_spelling(program: Program, number: str) -> None:
    rows = shown(program, "--to", number)
    assert [(row["row"], row["messageSent"]) for row in rows] == [(1, "Hi Ana"), (4, "Hello again")]


@pytest.mark.usefixtures("sent")
def test_a_contact_is_found_by_its_id_and_by_the_number_that_its_answer_told(program: Program) -> None:
    (by_id,) = shown(program, "--to", "1007")
    assert (by_id["row"], by_id["contactId"], by_id["messageSent"], by_id["status"]) == (2, 1007, "Hi Ben", "sent")
    assert by_id["to"]
    assert shown(program, "--to", by_id["to"]) == [by_id]


@pytest.mark.usefixtures("sent")
def test_an_object_has_all_that_is_known(program: Program) -> None:
    (row,) = shown(program, "--row", "1")
    assert row["lastAttemptAt"].endswith("Z")
    assert row["messageId"].startswith("SMS")
    assert row | {"lastAttemptAt": 0, "messageId": 0, "deliveryDeadline": 0, "contactId": 0} == {
        "row": 1, "line": 2, "status": "sent", "to": "639171234501", "contactId": 0, "from": "ACME",
        "messageSent": "Hi Ana", "encoding": "gsm7", "parts": 1, "priceMicro": 20_000, "messageId": 0,
        "estimateParts": 1, "estimateMicro": 20_000, "deliveryDeadline": 0, "chargedMicro": 20_000, "error": None,
        "httpStatus": 200, "attempts": 1, "lastAttemptAt": 0, "inDoubtSince": None, "decision": None,
    }  # fmt: skip


def test_a_row_in_doubt_and_what_was_decided_about_it(program: Program, sandbox: Start) -> None:
    server = sandbox("--legacy", "--lose-answers", "1")
    (program.folder / "june.csv").write_text("to,message\n639171234501,Hi Ana\n")
    program(*send_to(server, "--patience", "0s", of="june.csv"))
    told = program("show", "june.run", "--row", "1").stderr
    assert "unknown (may or may not have been accepted)" in told
    assert "`bulksend resolve` looks it up" in told
    assert program("resolve", "june.run", "--leave").returncode == 0
    assert "it was left at that, on somebody's word" in program("show", "june.run", "--row", "1").stderr


def test_a_row_under_way_is_told_as_that(program: Program, sandbox: Start) -> None:
    server = sandbox("--latency", "60s")
    (program.folder / "june.csv").write_text("to,message\n639171234501,Hi Ana\n")
    process = program.start(*send_to(server, of="june.csv"))
    server.await_requests(1)
    (row,) = shown(program, "--row", "1")
    assert row["status"] == "in flight"
    assert "in flight: it is under way" in program("show", "june.run", "--row", "1").stderr
    server.answer(at_once=True)
    process.communicate(timeout=60)
    assert shown(program, "--row", "1")[0]["status"] == "sent"


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(
    ("which", "code", "says"),
    [
        ((), 2, "say which row is meant"),
        (("--row", "1", "--to", "1007"), 2, "say which row is meant"),
        (("--row", "6"), 2, "there is no row 6: it has 5"),
        (("--to", "639171234599"), 1, "no row goes to 639171234599"),
        (("--to", "Ana"), 1, "no row goes to Ana; it is not read as a number"),
    ],
)
def test_what_is_not_there_is_said(program: Program, which: tuple[str, ...], code: int, says: str) -> None:
    told = program("show", "june.run", *which)
    assert told.returncode == code
    assert says in told.stderr
