"""A database's tables: made once, brought up to date, and not used where they cannot be trusted."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from databases import Server
from poolers import pooled

from bulksend.errors import RunFileError, UsageError
from bulksend.runs.places import holds_run, place_of, runs_in
from bulksend.runs.postgres import check, install, names, trusted


def test_tables_are_made_once_and_checked(database_server: Server) -> None:
    address = database_server.database()
    with pytest.raises(UsageError, match="has no tables of bulksend yet"):
        check(address)
    assert [install(address), install(address)] == [0, 1]
    check(address)
    database_server.drop(address)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("version = 9", "newer version of bulksend"),
        ("timeline = timeline + 1", "another server took over"),
        ("system_identifier = 1", "another server took over"),
    ],
)
def test_a_database_that_is_not_what_it_was_is_not_used(database: str, change: str, says: str) -> None:
    with psycopg.connect(database, autocommit=True) as db:
        db.execute(f"UPDATE bulksend.installation SET {change}")
    with pytest.raises(UsageError, match=says):
        check(database)


def test_a_database_that_cannot_be_reached_is_told_as_that() -> None:
    with pytest.raises(RunFileError, match=r"127\.0\.0\.1:1/db"):
        check("postgresql://tests@127.0.0.1:1/db")


@pytest.mark.parametrize("name", ["PGHOST", "PGSERVICE"])
def test_a_server_that_only_the_environment_names_is_taken_for_one_elsewhere(
    database: str, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts = urlsplit(database)
    services = tmp_path / "services"
    services.write_text("[LOCALHOST]\nhost=LOCALHOST\n")
    with monkeypatch.context() as environment:
        environment.setenv("PGSERVICEFILE", str(services))
        environment.setenv("PGPORT", str(parts.port))
        environment.setenv(name, "LOCALHOST")  # not known as this machine by its name, and it can be reached here
        with pytest.raises(RunFileError, match=r"root certificate|SSL"):
            check(f"postgresql://{parts.username}@{parts.path}")
        check(f"postgresql://{parts.username}@{parts.path}?sslmode=prefer")


def test_what_is_known_of_a_database_that_can_be_trusted(database: str) -> None:
    server = trusted(database)
    assert (server.tables, server.runs) == (1, 0)
    assert int(server.version.split(".")[0]) >= 13


def test_a_pooler_of_transactions_is_seen_and_refused(database: str) -> None:
    with pooled(database) as address:
        with pytest.raises(UsageError, match="a pooler stands before this database"):
            trusted(address)
        with pytest.raises(UsageError, match="a pooler stands before this database"):
            install(address)


def test_the_names_of_its_runs_are_known(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("INSERT INTO bulksend.run (name, planned_at) VALUES ('june', 0), ('June', 0), (NULL, 0), ('a-2', 0)")
    assert names(database) == ["June", "a-2", "june"]
    assert runs_in(database) == [place_of(f"{database}#{name}") for name in names(database)]
    assert [holds_run(place_of(f"{database}#{name}")) for name in ("june", "a", "a-2")] == [True, False, True]


def test_a_database_without_tables_has_no_runs_to_tell_of(database_server: Server) -> None:
    address = database_server.database()
    for ask in (names, trusted):
        with pytest.raises(UsageError, match="has no tables of bulksend yet"):
            ask(address)
    database_server.drop(address)
