"""An account that lives in a database: what outlives its runs is there for every run, and for no run file."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from conftest import CampaignOf, Numbers, Program, Start, environment, send_to

CLOCKS = Path(__file__).with_name("clocks.py")
KEY = {"BULKSEND_API_KEY": "sandbox"}


def test_what_a_run_in_a_database_sent_no_other_run_sends_again(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, database: str
) -> None:
    server = sandbox()
    campaign_of(numbers(3))
    for name, code in (("june", 0), ("july", 1)):
        sent = program(*send_to(server, "--org-id", "1", "--run", f"{database}#{name}"), env=KEY)
        assert sent.returncode == code, sent.stderr
    assert "3 of these got this very text from june" in sent.stderr
    assert len(server.accepted()) == 3
    in_file = program(*send_to(server, "--org-id", "1"), env=KEY)
    assert in_file.returncode == 2
    assert f"through the database {database}" in in_file.stderr
    added = program(
        "optouts", "add", f"+{numbers(1)[0]}", "--org-id", "1", "--base-url", server.base_url, "--database", database
    )
    assert added.returncode == 0, added.stderr
    found = program("find", f"+{numbers(1)[0]}", "--database", database)
    assert (found.returncode, "2 rows in 2 runs" in found.stdout) == (0, True), found.stdout + found.stderr


def test_a_run_file_that_waited_sends_nothing_once_its_account_lives_in_a_database(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, database: str
) -> None:
    server = sandbox()
    campaign_of(numbers(3))
    campaign_of(numbers(1), "other.csv")
    starts, ahead = datetime.now(UTC) + timedelta(hours=1), program.folder / "ahead"
    ahead.write_text("0", encoding="ascii")
    words = send_to(server, "--start-at", f"{starts:%Y-%m-%dT%H:%M}Z")
    waiting = subprocess.Popen(
        [sys.executable, CLOCKS, ahead, *words],
        cwd=program.folder,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    while "waiting" not in (said := program("status", "campaign.csv", "--json").stdout):
        assert waiting.poll() is None, said
        time.sleep(0.1)
    sent = program(*send_to(server, "--run", f"{database}#june", "--force", of="other.csv"))
    assert sent.returncode == 0, sent.stderr
    ahead.write_text("3700", encoding="ascii")  # its moment has come
    told = waiting.communicate(timeout=60)[1]
    assert (waiting.returncode, len(server.accepted())) == (2, 1), told
    assert f"through the database {database}" in told


def test_no_run_in_a_database_begins_while_a_run_file_of_its_account_is_sent_here(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, database: str
) -> None:
    server = sandbox("--latency", "200ms")
    campaign_of(numbers(100), "first.csv")
    campaign_of(numbers(3), "second.csv")
    first = program.start(*send_to(server, "--concurrency", "2", of="first.csv"))
    server.await_requests(4)
    words = send_to(server, "--run", f"{database}#june", of="second.csv")
    second = program(*words, "--force")
    assert second.returncode == 4, second.stderr
    assert "another run is sending for organization 1" in second.stderr
    assert "first.run" in second.stderr
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=60)
    assert program(*words, "--force").returncode == 0


def test_a_run_in_a_database_is_refused_until_what_the_machines_files_know_is_brought_there(
    program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers, database: str
) -> None:
    server = sandbox()
    campaign_of(numbers(2), "first.csv")
    campaign_of(numbers(2), "second.csv")
    assert program(*send_to(server, of="first.csv")).returncode == 0
    words = send_to(server, "--run", f"{database}#june", "--repeat", of="second.csv")
    refused = program(*words)
    assert refused.returncode == 2, refused.stderr
    said = " ".join(refused.stderr.split())
    assert "this machine's files know who opted out of the account (organization 1)" in said
    proposed = said[said.index("(bulksend") + 1 : said.index("), or say --force")]
    brought = program(*proposed.split()[1:])
    assert brought.returncode == 0, brought.stderr
    assert "2 messages of history" in brought.stderr
    assert program(*words).returncode == 0
    assert len(server.accepted()) == 4
