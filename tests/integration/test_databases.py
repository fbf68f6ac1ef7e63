"""A database's tables: made once, brought up to date, and not used where they cannot be trusted."""

from __future__ import annotations

import psycopg
import pytest
from databases import Server

from bulksend.errors import RunFileError, UsageError
from bulksend.runs.places import DatabaseRun, place_of
from bulksend.runs.postgres import check, install


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


def test_a_run_in_a_database_is_named() -> None:
    assert place_of("postgresql://me@host/db#june") == DatabaseRun("postgresql://me@host/db", "june")
    assert place_of("postgresql://me:@host/db?host=/run/pg#a.b-c_1") == DatabaseRun(
        "postgresql://me:@host/db?host=/run/pg", "a.b-c_1"
    )


@pytest.mark.parametrize("name", ["", "#", "#a b", "#a/b", "#é", "#" + "x" * 101, "#a#b"])
def test_a_name_is_of_few_kinds_of_characters(name: str) -> None:
    with pytest.raises(UsageError, match="like postgresql://me@host/db#june"):
        place_of(f"postgresql://me@host/db{name}")


@pytest.mark.parametrize("address", ["postgresql://me:geheim@host/db", "postgresql://host/db?user=me&password=geheim"])
def test_no_password_stands_in_an_address(address: str) -> None:
    with pytest.raises(UsageError, match="PGPASSWORD") as caught:
        place_of(f"{address}#june")
    assert "geheim" not in str(caught.value)
