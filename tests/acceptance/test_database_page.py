"""What docs/database.md says works as it stands there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import psycopg
import pytest
from database_page import PAGE, block, made_roles
from databases import Server

from bulksend import cli
from bulksend.cli import program as bulksend
from bulksend.cli.codes import ExitCode
from bulksend.cli.settings import every_command
from bulksend.runs import database_of, place_of, runs_in, trusted

ADDRESS = "postgresql://me@db.example/sms"


@pytest.fixture
def roles(database: str) -> Iterator[dict[str, str]]:
    """The addresses of the page's roles."""
    with made_roles(database) as addresses:
        yield addresses


@pytest.mark.usefixtures("own_folder")
def test_tables_are_made_and_brought_up_to_date(database_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    address = database_server.database()
    (line,) = block("begin").splitlines()
    assert cli.run(shlex.split(line.replace(ADDRESS, address))[1:]) == ExitCode.OK
    assert cli.run(["database", "check", address]) == ExitCode.OK
    assert address in capsys.readouterr().err
    database_server.drop(address)


def test_every_command_of_the_page_can_be_typed() -> None:
    commands = every_command()
    lines = [*block("begin").splitlines(), *block("use").splitlines(), *block("workers").splitlines()]
    assert len(lines) == 16
    for line in lines:
        program, name, *words = shlex.split(line)
        assert program == "bulksend"
        found = commands.get(name) or commands[f"{name} {words.pop(0)}"]
        with found.make_context(name, words, parent=click.Context(bulksend)):
            pass


def test_every_address_of_the_page_can_be_read() -> None:
    addresses = re.findall(r"^\| `(postgresql://\S+)` \|", PAGE, re.MULTILINE)
    assert len(addresses) == 4
    for address in addresses:
        assert database_of(address) == address
        assert f"{place_of(f'{address}#june')}" == f"{address}#june"


def test_who_sends_may_write_runs_and_nothing_else(roles: dict[str, str]) -> None:
    assert trusted(roles["sender"]).runs == 0
    with psycopg.connect(roles["sender"], autocommit=True) as db:
        db.execute("INSERT INTO bulksend.run (name, planned_at) VALUES ('june', 0)")
        db.execute("UPDATE bulksend.run SET planned_at = 1")
        assert [f"{place}" for place in runs_in(roles["sender"])] == [f"{roles['sender']}#june"]
        db.execute("DELETE FROM bulksend.run")
        for line in (
            "UPDATE bulksend.installation SET version = 9",
            "DELETE FROM bulksend.installation",
            "CREATE TABLE bulksend.other (id integer)",
            "DROP TABLE bulksend.receipt",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(line.encode())


def test_who_reads_may_write_nothing(roles: dict[str, str]) -> None:
    assert runs_in(roles["reader"]) == []
    assert trusted(roles["reader"]).runs == 0
    with psycopg.connect(roles["reader"], autocommit=True) as db:
        tables = [name for (name,) in db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'bulksend'")]
        assert {"run", "message", "send", "installation"} <= set(tables)
        for table in tables:
            db.execute(f"SELECT FROM bulksend.{table}".encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(f"DELETE FROM bulksend.{table}".encode())
        for table in ("account", "brought"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(f"SELECT key FROM bulksend.{table}".encode())
