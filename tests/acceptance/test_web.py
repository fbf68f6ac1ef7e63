"""``bulksend web`` serves its page until it is ended."""

from __future__ import annotations

import re
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from conftest import PROGRAM, environment
from databases import Server


def test_it_says_what_opens_the_page_and_ends_in_order(tmp_path: Path) -> None:
    program = subprocess.Popen(
        [*PROGRAM, "web", "--no-open"],
        cwd=tmp_path,
        env=environment(BULKSEND_STATE_DIR=str(tmp_path / "state")),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stderr
    said = program.stderr.readline()
    file = re.search(r"file://(\S+\.html)", said)
    port = re.search(r"port (\d+)", said)
    assert file, said
    assert port, said
    assert Path(file[1]).is_file()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/", timeout=10)
    assert refused.value.code == 401
    refused.value.close()
    program.send_signal(signal.SIGTERM)
    program.communicate(timeout=30)
    assert program.returncode == 0
    assert not Path(file[1]).exists()


def test_a_database_that_cannot_be_used_is_told_before_the_page_is_there(
    tmp_path: Path, database_server: Server
) -> None:
    def told(database: str) -> tuple[int, str]:
        ended = subprocess.run(
            [*PROGRAM, "web", "--no-open", "--database", database],
            cwd=tmp_path,
            env=environment(BULKSEND_STATE_DIR=str(tmp_path / "state")),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return ended.returncode, ended.stderr

    empty = database_server.database()
    try:
        code, says = told(empty)
        assert (code, says.count("\n")) == (2, 1), says
        assert f"run bulksend database init {empty} once" in says
        scheme, _, rest = empty.partition("://")
        code, says = told(f"{scheme}://nobody-here@{rest.partition('@')[2]}")
        assert code == 3
        assert 'role "nobody-here" does not exist' in says
        code, says = told(f"{empty}-nowhere")
        assert code == 3
        assert "-nowhere" in says
    finally:
        database_server.drop(empty)
    code, says = told("postgresql://me@127.0.0.1:1/sms")
    assert code == 3
    assert "cannot be used" in says
    assert not (tmp_path / "state" / "web").exists(), "nothing was begun"


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    told = subprocess.run(
        [*PROGRAM, "web", "nothing"], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert "nothing: this is no folder" in told.stderr
