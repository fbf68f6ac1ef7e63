"""Roles as docs/database.md makes them: the real program, logged in as each, can do what it is for and nothing more."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from conftest import CampaignOf, Numbers, Program, Start, send_to
from database_page import made_roles

from bulksend.cli.codes import ExitCode


@pytest.fixture
def roles(database: str) -> Iterator[dict[str, str]]:
    with made_roles(database) as addresses:
        yield addresses


def test_one_role_plans_another_sends_and_a_third_looks_on(
    roles: dict[str, str], program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    phones = numbers(5)
    campaign_of(phones)
    planned = program(*send_to(server, "--run", f"{roles['sender']}#june", "--detach"))
    assert planned.returncode == ExitCode.OK, planned.stderr
    work = ("worker", roles["worker"], "--base-url", server.base_url, "--until-done")
    worked = program(*work)
    assert (worked.returncode, "5 messages sent by this worker" in worked.stderr) == (ExitCode.OK, True), worked.stderr
    assert len(server.accepted()) == 5
    june = f"{roles['reader']}#june"
    looks = (
        ("status", june, "--json"),
        ("runs", roles["reader"]),
        ("show", june, "--row", "1"),
        ("results", june, "-o", "june.csv"),
        ("report", june, "-o", "june.html"),
    )
    for words in looks:
        looked = program(*words)
        assert looked.returncode == ExitCode.OK, (words, looked.stderr)
    found = program("find", phones[0], roles["reader"])
    assert (found.returncode, "#june" in found.stdout) == (ExitCode.STOPPED, True)  # it has no key of the history
    assert [row["status"] for row in program.results("june.csv")] == ["sent"] * 5


def test_who_only_reads_neither_stops_nor_sends_and_a_worker_plans_nothing(
    roles: dict[str, str], database: str, program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(numbers(3))
    assert program(*send_to(server, "--run", f"{roles['sender']}#june", "--detach")).returncode == ExitCode.OK
    reader, worker = roles["reader"], roles["worker"]
    refused = (
        ("stop", f"{reader}#june"),
        send_to(server, "--run", f"{reader}#june"),
        send_to(server, "--run", f"{reader}#july"),
        ("worker", reader, "--base-url", server.base_url, "--until-done"),
        send_to(server, "--run", f"{worker}#july"),
        ("optouts", "add", numbers(1)[0], "--database", worker, "--base-url", server.base_url),
        ("database", "init", worker, "--org-id", "1"),
    )
    for words in refused:
        ended = program(*words)
        assert ended.returncode in {ExitCode.USAGE, ExitCode.STOPPED}, (words, ended.stderr)
        assert "permission denied" in " ".join(ended.stderr.split()), (words, ended.stderr)
        assert "Traceback" not in ended.stderr
    assert server.log() == []
    with psycopg.connect(database) as db:
        assert db.execute("SELECT name FROM bulksend.run").fetchall() == [("june",)]
        assert db.execute("SELECT count(*) FROM bulksend.message").fetchall() == [(3,)]
    with psycopg.connect(worker, autocommit=True) as db:
        for line in (
            "DROP TABLE bulksend.receipt",
            "ALTER TABLE bulksend.message ADD more text",
            "CREATE TABLE bulksend.other (id integer)",
            "INSERT INTO bulksend.run (name, planned_at) VALUES ('july', 0)",
            "UPDATE bulksend.message SET text = 'another'",
            "UPDATE bulksend.installation SET version = 9",
            "DELETE FROM bulksend.send",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(line.encode())
