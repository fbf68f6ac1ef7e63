"""A program that is started without some of its streams does its work, and writes to nothing in their place."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from conftest import CampaignOf, Numbers, Program, Start, environment, send_to


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_a_campaign_is_sent_without_streams(
    closed: str, program: Program, sandbox: Start, campaign_of: CampaignOf, numbers: Numbers
) -> None:
    server = sandbox()
    campaign_of(numbers(3))
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "bulksend", *send_to(server, "--json")]
    done = subprocess.run(command, cwd=program.folder, env=environment(), capture_output=True, check=False, text=True)
    assert done.returncode == os.EX_OK, done.stderr
    assert (len(server.accepted()), "Traceback" in done.stderr) == (3, False)
    assert [row["status"] for row in program.results()] == ["sent"] * 3
