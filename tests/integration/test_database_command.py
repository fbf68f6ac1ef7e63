"""``bulksend database``, and what names a database on the command line, in the test's own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from conftest import environment
from databases import Server
from planned import plan_in_database
from poolers import pooled
from runfiles import number, pending

from bulksend import cli
from bulksend.cli.codes import ExitCode
from bulksend.runs.places import DatabaseRun


@pytest.fixture(autouse=True)
def own(own_folder: Path) -> Path:
    return own_folder


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = cli.run([*words])
    seen = capsys.readouterr()
    assert seen.out == ""
    return code, seen.err


def test_tables_are_made_once_and_that_is_said(database_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    address = database_server.database()
    code, says = told(capsys, "database", "check", address)
    assert (code, says) == (
        ExitCode.USAGE,
        f"Error: {address}: this database has no tables of bulksend yet: run bulksend database init {address} once\n",
    )
    code, says = told(capsys, "database", "init", address)
    assert code == ExitCode.OK
    assert says.startswith(f"{address}: the tables were made (version 1), with 0 runs; PostgreSQL ")
    code, says = told(capsys, "database", "init", address)
    assert (code, "the tables were there already (version 1), with 0 runs" in says) == (ExitCode.OK, True)
    code, says = told(capsys, "database", "check", address)
    assert code == ExitCode.OK
    assert says.startswith(f"{address}: it can be used; the tables are of this version (1), with 0 runs; PostgreSQL ")
    database_server.drop(address)


def test_a_server_that_may_forget_is_told_of(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, says = told(capsys, "database", "check", database)
    assert ("fsync is off on this server" in says) == says.endswith("twice then.\n")


def test_a_database_that_cannot_be_reached_is_no_mistake_in_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("init", "check"):
        code, says = told(capsys, "database", command, "postgresql://me@127.0.0.1:1/db")
        assert code == ExitCode.STOPPED
        assert says.startswith("Error: postgresql://me@127.0.0.1:1/db: the database cannot be used: ")


def test_a_pooler_is_refused(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pooled(database) as address:
        code, says = told(capsys, "database", "check", address)
    assert (code, "a pooler stands before this database" in says) == (ExitCode.USAGE, True)


@pytest.mark.parametrize(
    "words", [("database", "check", "x.run"), ("database", "init", "postgresql://me@host/db#june")]
)
def test_what_is_no_database_is_refused(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code, says = told(capsys, *words)
    assert code == ExitCode.USAGE
    assert "Invalid value for 'DATABASE'" in says


def test_without_the_extra_it_is_said_what_to_install() -> None:
    script = "import sys; sys.modules['psycopg'] = None; from bulksend import cli; sys.exit(cli.run(sys.argv[1:]))"
    words = ("database", "check", "postgresql://me@host/db")
    ended = subprocess.run(
        [sys.executable, "-c", script, *words], env=environment(), capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (
        ExitCode.USAGE,
        "Error: a run in a database needs psycopg: in bulksend's folder, pip install '.[postgres]'\n",
    )


def test_the_runs_of_a_database_are_asked_for(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, says = told(capsys, "runs", database)
    assert (code, says) == (ExitCode.OK, f"No runs in {database}.\n")


@pytest.mark.parametrize("change", ["timeline = timeline + 1", "system_identifier = 1"])
def test_a_database_that_failed_over_is_accepted_by_an_operator_alone(
    database: str, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(database, autocommit=True) as db:
        plan_in_database(DatabaseRun(database, "june"), [pending(1, number(1))]).close()
        begun = (
            "INSERT INTO bulksend.send (run, row, state, attempts, started_at) SELECT id, 1, 'in flight', 1, 1 FROM {}"
        )
        db.execute(begun.format("bulksend.run"))
        db.execute(f"UPDATE bulksend.installation SET {change}")
        code, says = told(capsys, "database", "check", database)
        assert (code, f"bulksend database accept {database}" in says) == (ExitCode.USAGE, True)
        code, says = told(capsys, "database", "accept", database)
        assert (code, "1 row was under way and in doubt now" in says) == (ExitCode.OK, True), says
        assert db.execute("SELECT state FROM bulksend.send").fetchone() == ("unknown",)
        assert db.execute("SELECT count(*) FROM bulksend.quiet").fetchone() == (1,)
    code, says = told(capsys, "database", "accept", database)
    assert (code, "accepted" in says) == (ExitCode.OK, False)
