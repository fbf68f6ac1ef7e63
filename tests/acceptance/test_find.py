"""``bulksend find``: what a phone got, over all runs; and what could not be looked at is never told as nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import CampaignOf, Program, SandboxServer, Start, send_to

ANA, BEN, EVA = "639171000000", "639171000001", "639181234567"


@pytest.fixture
def server(sandbox: Start) -> SandboxServer:
    return sandbox()


@pytest.fixture
def send(program: Program, server: SandboxServer, campaign_of: CampaignOf) -> Callable[..., None]:
    """Sends a campaign of this name to these numbers."""

    def sent(name: str, *numbers: str, options: tuple[str, ...] = ()) -> None:
        campaign_of(numbers, f"{name}.csv")
        results = ("--results", f"{name}.results.csv", *options)
        ended = program(*send_to(server, *results, of=f"{name}.csv"))
        assert ended.returncode == 0, ended.stderr

    return sent


def found(program: Program, *arguments: str, code: int = 0) -> dict[str, Any]:
    shown = program("find", *arguments, "--json")
    assert shown.returncode == code, shown.stderr
    told: dict[str, Any] = json.loads(shown.stdout)
    return told


@pytest.mark.parametrize(
    "spelling", [(ANA,), ("+63 917 100 0000",), ("0917-100-0000", "--country", "ph"), ("tel:+639171000000",)]
)
def test_a_number_is_found_in_all_runs_in_any_spelling(
    program: Program, send: Callable[..., None], server: SandboxServer, spelling: tuple[str, ...]
) -> None:
    send("monday", ANA, BEN)
    send("tuesday", EVA, ANA, options=("--limit", "1"))
    hits = found(program, *spelling)["found"]
    assert [(hit["run"], hit["row"], hit["status"], hit["message"]) for hit in hits] == [
        ("tuesday.run", 2, "pending", f"Message 2 to {ANA}"),
        ("monday.run", 1, "sent", f"Message 1 to {ANA}"),
    ]
    [sent] = [record for record in server.accepted() if record["to"] == ANA]
    assert hits[1]["messageId"] == sent["messageId"]
    shown = program("find", *spelling).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "  sent       monday.run, row 1\n    Message 1 to 639171000000\n" in shown
    assert "2 rows in 2 runs; history reaches back to " in shown


def test_a_number_that_nobody_texted_is_told_with_what_was_looked_at(
    program: Program, send: Callable[..., None]
) -> None:
    assert program("find", EVA).stdout == "Nothing in 0 runs; there is no history.\n"
    send("monday", ANA)
    send("tuesday", BEN)
    shown = program("find", EVA)
    assert shown.returncode == 0
    today = time.localtime()
    year = f"{today.tm_mday} {time.strftime('%B %Y', today)}"
    says = " ".join(shown.stdout.split())
    assert says.startswith(f"Nothing in 2 runs; history, which reaches back to {year}")
    assert says.endswith(", knows of none.")


def test_history_tells_what_a_run_sent_that_is_gone_or_lies_elsewhere(
    send: Callable[..., None], tmp_path: Path
) -> None:
    send("monday", EVA, ANA)
    send("tuesday", ANA)
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Program(tmp_path / "elsewhere")
    (tmp_path / "monday.run").unlink()
    told = found(elsewhere, ANA)
    assert told["runs"] == 1
    assert [(hit["run"], hit["row"], hit["status"], hit["message"]) for hit in told["found"]] == [
        (str(tmp_path / "tuesday.run"), 1, "sent", f"Message 1 to {ANA}"),
        (str(tmp_path / "monday.run"), 2, "sent", None),
    ]
    assert "its text is not kept" in elsewhere("find", ANA).stdout


def test_what_cannot_be_looked_at_is_told_and_is_no_answer(
    program: Program, send: Callable[..., None], server: SandboxServer, campaign_of: CampaignOf, state_folder: Path
) -> None:
    send("monday", ANA)
    (program.folder / "broken.run").write_text("nothing of a run")
    shown = program("find", EVA)
    assert shown.returncode == 3
    assert "Not looked at: broken.run: this is not a run file" in shown.stdout
    (program.folder / "broken.run").unlink()

    server.end()  # and so it cannot answer the next one, which is killed
    campaign_of([EVA], "killed.csv")
    process = program.start(*send_to(server, "--results", "k.csv", of="killed.csv"))
    deadline = time.monotonic() + 100
    while "killed.run" not in program("runs", "--all", "--json").stdout:
        assert time.monotonic() < deadline
    process.kill()
    process.communicate(timeout=30)
    (program.folder / "killed.run").unlink()
    told = found(program, EVA, code=3)
    assert [Path(each["place"]).name for each in told["notLookedAt"]] == ["killed.run"]

    [key] = state_folder.glob("*.key")
    key.unlink()
    assert "the key of the history is gone" in found(program, EVA, code=3)["notLookedAt"][0]["error"]


def test_a_contact_is_found_by_its_id_and_by_the_number_that_answers_told(
    program: Program, server: SandboxServer, tmp_path: Path
) -> None:
    (tmp_path / "contacts.csv").write_text("contactId,message\n1001,Hello\n1002,Bye\n")
    ended = program(*send_to(server, "--map", "contactId=contactId", of="contacts.csv"))
    assert ended.returncode == 0, ended.stderr
    [hit] = found(program, "--contact", "1001")["found"]
    assert (hit["run"], hit["row"], hit["message"]) == ("contacts.run", 1, "Hello")
    number = next(row["to"] for row in program.results("contacts.results.csv") if row["contactId"] == "1001")
    assert found(program, number)["found"] == [hit]
    (tmp_path / "contacts.run").unlink()
    [known] = found(program, "--contact", "1001", ".")["found"]
    assert (known["row"], known["message"]) == (1, None)
    assert found(program, number)["found"] == [known]


def test_what_is_no_number_is_refused_with_what_to_do(program: Program) -> None:
    for arguments, says in (
        (("0917 100 0000",), "no dialing code: write 63917… instead of 0917…, or give --country PH"),
        ((), "give a number, or a contact's id with --contact"),
        (("--contact", "Ana"), "Ana: not a contact id"),
    ):
        refused = program("find", *arguments)
        assert refused.returncode == 2
        assert says in refused.stderr


def test_who_a_contact_is_that_never_answered_is_not_known(program: Program, sandbox: Start, tmp_path: Path) -> None:
    server = sandbox("--legacy", "--lose-answers", "1")
    (tmp_path / "contacts.csv").write_text("contactId,message\n1001,Hello\n")
    program(*send_to(server, "--timeout", "2", of="contacts.csv"))
    told = found(program, EVA, code=3)
    assert (told["found"], told["unknownContacts"]) == ([], 1)
    assert "1 message went to contacts whose numbers are not known here" in program("find", EVA).stdout
    [hit] = found(program, "--contact", "1001")["found"]
    assert hit["status"] == "unknown"
