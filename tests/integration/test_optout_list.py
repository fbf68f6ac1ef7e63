"""The list of who opted out of an account: written by anybody, seen at once by whoever plans or sends."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulksend.errors import RunFileError, UsageError
from bulksend.model import ContactId, PhoneNumber, Recipient
from bulksend.runs import Address, OptedOut, account_of, opted_out_of, optouts_of
from bulksend.runs.optouts import FileOptedOut, FileOptOuts, optouts_path

URL, ORG = "https://x.test", 1
ANA, BEN = PhoneNumber("639171234567"), PhoneNumber("639181234567")
# An Argentine mobile has two numbers, and Gabon's of seven digits may.
LONG, SHORT = PhoneNumber("5491123456789"), PhoneNumber("541123456789")
ON_3_JUNE = 1_780_488_000.0  # 2026-06-03, 12:00 UTC

Follow = Callable[[], OptedOut]


@pytest.fixture
def follow() -> Iterator[Follow]:
    """Who opted out, for as long as the test lasts."""
    followed: list[OptedOut] = []

    def begin() -> OptedOut:
        followed.append(opted_out_of(None, Address(ORG, URL)))
        return followed[-1]

    yield begin
    for each in followed:
        each.close()


def add(*recipients: Recipient, at: float = ON_3_JUNE) -> int:
    with optouts_of(None, Address(ORG, URL)) as optouts:
        return optouts.add(recipients, "asked", at)


def remove(*recipients: Recipient) -> int:
    with optouts_of(None, Address(ORG, URL)) as optouts:
        return optouts.remove(recipients)


def test_each_phone_stands_there_once_as_it_was_first_given() -> None:
    assert add(ANA, BEN, ANA) == 2
    assert add(ANA, at=ON_3_JUNE + 1) == 0
    assert add(LONG) == 1
    assert add(SHORT) == 0
    assert add(ContactId(639171234567)) == 1  # no number, whatever its digits
    with optouts_of(None, Address(ORG, URL)) as optouts:
        assert list(optouts.all()) == [
            (ANA, "asked", ON_3_JUNE),
            (BEN, "asked", ON_3_JUNE),
            (LONG, "asked", ON_3_JUNE),
            (639171234567, "asked", ON_3_JUNE),
        ]
    assert remove(SHORT, ANA, "639999999999") == 2  # type: ignore[arg-type]
    assert remove(LONG) == 0


def test_the_file_is_for_its_owners_eyes_alone() -> None:
    with optouts_of(None, Address(ORG, URL)) as optouts:
        optouts.add([ANA], "", 1.0)
        files = list(optouts_path(URL, ORG).parent.glob("*optouts*"))
        assert len(files) == 3  # with its log
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_an_account_is_the_same_however_its_address_is_spelled() -> None:
    with optouts_of(None, Address(1, "http://localhost:8080/")) as optouts:
        optouts.add([ANA], "", 1.0)
    here = "http://127.0.0.1:8080"
    with opted_out_of(None, Address(1, here)) as same, opted_out_of(None, Address(2, here)) as other:
        assert same.why(ANA)
        assert other.why(ANA) is None


def test_who_looks_sees_those_who_were_added_since_also_where_there_was_no_list(follow: Follow) -> None:
    seen = follow()
    assert not seen
    assert not optouts_path(URL, ORG).exists()  # to look makes none
    add(ANA)
    assert seen.why(ANA) is None
    seen.look()
    assert seen.why(ANA) == "opted out on 3 June 2026"
    with optouts_of(None, Address(ORG, URL)) as optouts:  # which stays open
        optouts.add([BEN], "", ON_3_JUNE)
        seen.look()
        assert seen.why(BEN)
        optouts.remove([BEN])
        seen.look()
        assert seen.why(BEN)  # a command that has begun leaves nobody in
        optouts.add([LONG], "", ON_3_JUNE)
        seen.look()
    assert seen.why(SHORT)
    assert seen.why(LONG)
    assert len(seen) == 3


def test_a_list_that_takes_the_place_of_another_is_read_as_well(follow: Follow) -> None:
    add(ANA)
    seen = follow()
    for left in optouts_path(URL, ORG).parent.glob("*optouts*"):
        left.unlink()
    seen.look()
    assert seen.why(ANA)
    add(BEN)
    seen.look()
    assert seen.why(ANA)
    assert seen.why(BEN)


def test_what_it_holds_now_is_told_from_what_it_held_before(follow: Follow) -> None:
    assert follow().stand == ""
    stands = []
    for who in (ANA, BEN):
        add(who)
        stands.append(follow().stand)
    assert follow().stand == stands[-1]
    assert len({*stands, ""}) == 3


def test_a_list_that_is_being_made_is_one_of_nobody(follow: Follow) -> None:
    path = optouts_path(URL, ORG)
    path.parent.mkdir(exist_ok=True)
    path.touch()
    seen = follow()
    assert not seen
    add(ANA)
    seen.look()
    assert seen.why(ANA)


def test_a_list_that_cannot_be_read_is_not_one_of_nobody(follow: Follow) -> None:
    path = optouts_path(URL, ORG)
    path.write_bytes(b"no list" * 1_000)
    with pytest.raises(RunFileError, match="who opted out cannot be read"):
        follow()
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 9")
    for opening in (follow, lambda: add(ANA)):
        with pytest.raises(UsageError, match="written by another version"):
            opening()


def test_a_contact_is_known_by_its_id_and_by_its_number_as_far_as_the_account_knows_that(
    follow: Follow, tmp_path: Path
) -> None:
    add(ANA, ContactId(5))
    account_of(tmp_path / "c.run", Address(ORG, URL)).close()
    (account,) = (path for path in optouts_path(URL, ORG).parent.glob("x.test-1.sqlite"))
    with closing(sqlite3.connect(account)) as db, db:
        db.executemany("INSERT INTO numbers VALUES (?, ?)", [(7, ANA), (8, BEN)])
    seen = follow()
    contacts = [ContactId(contact) for contact in (5, 6, 7, 8)]
    assert [*seen.among([*contacts, None, BEN, ANA])] == [0, 2, 6]
    assert seen.unknown([*contacts, None, BEN]) == 2  # of the one that opted out by its id nobody asks any more


def test_where_nobody_opted_out_nobody_is_unknown(follow: Follow) -> None:
    seen = follow()
    assert seen.among([ContactId(5), ANA]) == {}
    assert seen.why(ANA) is None


NUMBERS = st.sampled_from([ANA, BEN, LONG, SHORT, PhoneNumber("2411234567"), PhoneNumber("24101234567")])
WHO = st.one_of(NUMBERS, st.sampled_from([ContactId(1), ContactId(2)]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WHO), st.lists(st.lists(WHO, max_size=3), max_size=4), st.lists(st.one_of(WHO, st.none()), max_size=6))
def test_whoever_was_added_is_known_however_they_were_added_and_asked_for(
    tmp_path_factory: pytest.TempPathFactory,
    first: list[Recipient],
    later: list[list[Recipient]],
    asked: list[Recipient | None],
) -> None:
    folder = tmp_path_factory.mktemp("list")
    path, added = folder / "o.sqlite", {*first}
    with FileOptOuts(path) as optouts, FileOptedOut(path, folder / "no account") as seen:
        optouts.add(first, "", ON_3_JUNE)
        for more in later:
            optouts.add(more, "", ON_3_JUNE)
            added.update(more)
        seen.look()
        phones = {_phone(who) for who in added}
        known = {place for place, who in enumerate(asked) if who is not None and _phone(who) in phones}
        assert {*seen.among(asked)} == known
        assert {place for place, who in enumerate(asked) if who is not None and seen.why(who)} == known


def _phone(who: Recipient) -> Recipient:
    """The rule, said once more: Argentina's 9 and Gabon's 0 make no other phone."""
    if isinstance(who, str) and who.startswith("549"):
        return PhoneNumber("54" + who[3:])
    return PhoneNumber("241" + who[4:]) if isinstance(who, str) and who.startswith("2410") else who
