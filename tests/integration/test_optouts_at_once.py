"""Whoever opts out while runs are sent is seen by all who look, however many add to the list at the same time."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest
from lossy import LossyWay

from bulksend.errors import RunFileError
from bulksend.model import PhoneNumber
from bulksend.runs import Address, opted_out_of, optouts_of
from bulksend.runs.postgres.accounts import made_account
from bulksend.runs.postgres.connecting import connect
from bulksend.runs.postgres.linking import Link
from bulksend.runs.postgres.optouts import PostgresOptedOut, PostgresOptOuts

ADDRESS = Address(1, "https://x.test")


def phones(who: int, count: int) -> list[PhoneNumber]:
    return [PhoneNumber(f"6391{who}{number:07}") for number in range(count)]


def test_whoever_looks_on_misses_nobody(database: str) -> None:
    people = [phones(who, 30) for who in range(4)]

    def add(some: list[PhoneNumber]) -> None:
        with optouts_of(database, ADDRESS) as optouts:
            for one in some:
                optouts.add([one], "asked", 1.0)

    threads = [threading.Thread(target=add, args=[some]) for some in people]
    with opted_out_of(database, ADDRESS) as seen:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            seen.look()
        for thread in threads:
            thread.join()
        seen.look()
        assert [one for some in people for one in some if not seen.why(one)] == []


def test_a_number_of_the_list_is_committed_before_the_next_is_given(database: str) -> None:
    slow, quick = phones(0, 2)
    with Link(database) as link:
        account = made_account(link.db, ADDRESS)
        other = PostgresOptOuts(Link(database), account)
        thread = threading.Thread(target=other.add, args=[[quick], "asked", 1.0])
        with opted_out_of(database, ADDRESS) as seen, link.transaction():
            PostgresOptOuts(link, account).add([slow], "asked", 1.0)
            thread.start()
            thread.join(0.3)
            assert thread.is_alive()
            seen.look()
            assert not seen.why(quick)
        thread.join(10)
        other.close()
    with opted_out_of(database, ADDRESS) as seen:
        assert seen.why(slow)
        assert seen.why(quick)


def test_a_look_over_a_connection_that_broke_is_made_over_another(database: str) -> None:
    (who,) = phones(0, 1)
    with opted_out_of(database, ADDRESS) as seen, optouts_of(database, ADDRESS) as optouts:
        optouts.add([who], "asked", 1.0)
        with connect(database) as db:
            sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            db.execute(f"{sql} AND pid <> pg_backend_pid()")
            until_s = time.monotonic() + 10
            while db.execute(
                "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            ).fetchone():
                assert time.monotonic() < until_s
        seen.look()
        assert seen.why(who)


def test_a_look_waits_for_no_database_that_says_nothing(database: str) -> None:
    (who,) = phones(0, 1)
    with (
        LossyWay(database) as way,
        Link(way.address) as link,
        PostgresOptedOut(link, ADDRESS, answers_s=0.2) as seen,
        optouts_of(database, ADDRESS) as optouts,
    ):
        way.fall_silent()
        began_s = time.monotonic()
        for _ in range(2):
            with pytest.raises(RunFileError, match="does not answer"):
                seen.look()
        assert time.monotonic() - began_s < 10
        optouts.add([who], "asked", 1.0)
        way.speak()
        while not seen.why(who):
            assert time.monotonic() - began_s < 30
            with suppress(RunFileError):
                seen.look()


def answered(seen: PostgresOptedOut) -> None:
    """The question of a look that was not waited for comes to its end."""
    until_s = time.monotonic() + 20
    while seen._asked is not None and not seen._asked.done():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def test_an_answer_to_an_earlier_look_is_none_to_a_later_one(database: str) -> None:
    (who,) = phones(0, 1)
    with (
        Link(database) as link,
        PostgresOptedOut(link, ADDRESS, answers_s=0.2) as seen,
        optouts_of(database, ADDRESS) as optouts,
    ):
        with connect(database) as other, other.transaction():
            other.execute("LOCK TABLE optout")
            with pytest.raises(RunFileError, match="does not answer"):
                seen.look()
        answered(seen)
        optouts.add([who], "asked", 1.0)
        seen.look()
        assert seen.why(who)


def test_nor_is_what_went_wrong_with_it(database: str) -> None:
    with (
        LossyWay(database) as way,
        Link(way.address) as link,
        PostgresOptedOut(link, ADDRESS, answers_s=0.2) as seen,
        connect(database) as db,
    ):
        way.fall_silent()
        with pytest.raises(RunFileError, match="does not answer"):
            seen.look()
        db.execute("UPDATE installation SET timeline = timeline + 1")
        way.speak()
        answered(seen)
        db.execute("UPDATE installation SET timeline = timeline - 1")
        seen.look()
