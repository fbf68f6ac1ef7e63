"""A run's place: how it is named, what of an address is refused, and which files it has."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from conftest import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bulksend import cli
from bulksend.cli.codes import ExitCode
from bulksend.cli.values import DATABASE, PLACE, SHELF
from bulksend.errors import UsageError
from bulksend.runs import (
    DatabaseRun,
    Paths,
    beside,
    check_database,
    database_of,
    files_of,
    folder_of,
    is_database,
    name_of,
    names_run,
    place_of,
    resolved,
    run_named,
    shelf_of,
    shelf_with,
)
from bulksend.runs.places import numbered

JUNE = "postgresql://me@host/db#june"


def test_a_run_in_a_database_is_named() -> None:
    assert place_of(JUNE) == DatabaseRun("postgresql://me@host/db", "june")
    assert place_of("postgresql://me:@host/db?host=/run/pg#a.b-c_1") == DatabaseRun(
        "postgresql://me:@host/db?host=/run/pg", "a.b-c_1"
    )


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me@host/db",
        "postgres://host:5433/db",
        "postgresql://me@[::1]:5433/db?sslmode=require",
        "postgresql://a,b:5433/db",
        "postgresql:///db?host=/run/postgresql&user=me",
        "postgresql:///?service=sms",
        "postgresql://%2Frun%2Fpostgresql/db",
    ],
)
def test_it_reads_as_it_was_given(address: str) -> None:
    assert f"{place_of(f'{address}#june')}" == f"{address}#june"
    assert database_of(address) == shelf_of(address) == shelf_with(place_of(f"{address}#june")) == address


@pytest.mark.parametrize("name", ["", "#", "#a b", "#a/b", "#é", "#" + "x" * 101, "#a#b"])
def test_a_name_is_of_few_kinds_of_characters(name: str) -> None:
    with pytest.raises(UsageError, match="like postgresql://me@host/db#june"):
        place_of(f"postgresql://me@host/db{name}")


@pytest.mark.parametrize("given", ["june.run", "june.csv", "-", "", "./postgresql", "mysql://me:x@host/db#june"])
def test_anything_else_is_a_file(given: str) -> None:
    assert not is_database(given)
    assert place_of(given) == shelf_of(given) == Path(given)


@pytest.mark.parametrize("address", ["postgresql://host:x/db", "POSTGRESQL://me@host/db", "postgresql://me@[::1/db"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="it reads postgresql://user@host/db"):
        check_database(address)


def test_a_database_is_named_without_a_run() -> None:
    with pytest.raises(UsageError, match="without the name 'june'"):
        database_of(JUNE)


@given(st.text(string.printable, min_size=1))
@example("geheim")
@example("a/b?c#d@e")
@example("5432/x")
@example(":")
@settings(max_examples=examples(500))
def test_no_password_stands_in_an_address_and_none_is_repeated(password: str) -> None:
    for address in (f"postgresql://me:{password}@host/db", f"postgresql://host/db?user=me&password={password}"):
        for parse in (place_of, shelf_of, check_database):
            with pytest.raises(UsageError) as caught:
                parse(f"{address}#june")
            assert f"{caught.value}".startswith(("the address of a database holds a", "this is no address")), address


@pytest.mark.parametrize("words", [("status", "{}#june"), ("{}",), ("runs", "x", "{}"), ("send", "x", "--run={}#june")])
def test_a_password_is_refused_before_anything_else_is_said(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([word.format("postgresql://me:geheim@host/db") for word in words]) == ExitCode.USAGE
    told = capsys.readouterr()
    assert told.err.startswith("Error: the address of a database holds a password")
    assert "geheim" not in told.err + told.out


def test_a_password_in_the_settings_is_refused_and_not_shown(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_folder / "bulksend.toml").write_text('run = "postgresql://me:geheim@host/db#june"\n')
    assert cli.run(["config", "show"]) == cli.run(["send", "in.csv"]) == ExitCode.USAGE
    (own_folder / "bulksend.toml").unlink()
    monkeypatch.setenv("BULKSEND_RUN", "postgresql://host/db?password=geheim#june")
    assert cli.run(["config", "show"]) == cli.run(["send", "in.csv"]) == ExitCode.USAGE
    told = capsys.readouterr()
    assert told.err.count("the address of a database holds a password") == 4
    assert "geheim" not in told.err + told.out


def test_an_address_in_the_settings_is_no_path_beside_them(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_folder / "bulksend.toml").write_text(f'run = "{JUNE}"\nexclude = ["{JUNE}-1", "old.run"]\n')
    assert cli.run(["config", "show", "--config", str(own_folder / "bulksend.toml")]) == ExitCode.OK
    shown = dict(re.findall(r"^(run|exclude) +file +(.+)$", capsys.readouterr().out, re.MULTILINE))
    assert shown == {
        "run": "postgresql://********@host/db#june",
        "exclude": "postgresql://********@host/db#june-1, old.run",
    }


def test_what_is_typed_becomes_a_place() -> None:
    assert PLACE.convert(JUNE, None, None) == place_of(JUNE)
    assert PLACE.convert("june.run", None, None) == SHELF.convert("june.run", None, None) == Path("june.run")
    assert SHELF.convert("postgresql://me@host/db", None, None) == "postgresql://me@host/db"
    assert DATABASE.convert("postgresql://me@host/db", None, None) == "postgresql://me@host/db"


def test_files_of_a_run_in_a_database_lie_in_the_current_folder() -> None:
    place = place_of(JUNE)
    assert Paths.beside(JUNE) == (place, Path("june.results.csv"))
    assert Paths.beside("in/june.csv", place) == (place, Path("june.results.csv"))
    assert Paths.beside("in/june.csv", place, Path("out.xlsx")) == (place, Path("out.xlsx"))
    assert beside(place, ".mend.csv") == Path("june.mend.csv")
    assert (folder_of(place), files_of(place, Path("a.run")), name_of(place)) == (Path(), [Path("a.run")], "june")


def test_files_of_a_run_file_lie_beside_it() -> None:
    place = Path("in/june.run")
    assert Paths.beside("in/june.csv") == (place, Path("in/june.results.csv"))
    assert beside(place, ".mend.csv") == Path("in/june.mend.csv")
    assert (folder_of(place), files_of(place), name_of(place)) == (Path("in"), [place], "june.run")


def test_a_run_in_a_database_is_a_run_whether_it_is_there_or_not() -> None:
    place = place_of(JUNE)
    assert names_run(place)
    assert not names_run(Path("june.csv"))
    assert run_named(place) == resolved(place) == place


def test_a_series_goes_on_in_the_same_database() -> None:
    assert numbered(place_of(JUNE), 2) == place_of(f"{JUNE}-2")
    assert numbered(Path("in/june.run"), 2) == Path("in/june-2.run")
    with pytest.raises(UsageError, match="100 at most"):
        numbered(place_of(f"postgresql://me@host/db#{'x' * 99}"), 2)
