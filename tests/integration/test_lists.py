"""Rows in doubt looked for in the lists of servers that have one, and of such as do not."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import orjson
import pytest
from memory import Memory, MemoryJournal
from test_api import KEY, Act, accepts, answer, hangs, resets, says, serving, with_length

from bulksend.campaign import LookedUp, doubts
from bulksend.campaign.doubts import look_up_doubts
from bulksend.engagespark import Looked, LookUp, SmsApi, Target, look_up
from bulksend.engagespark.sandbox import Sandbox, SandboxOptions
from bulksend.model import Answer, Endpoint, Event, Message, Outcome, PhoneNumber, RowInDoubt

ANA = PhoneNumber("639171234567")
SINCE = 1_800_000_000.0


def row(number: int, since: float = SINCE) -> RowInDoubt:
    return RowInDoubt(number, ANA, f"Hello {number}", f"spring-{number}", since, since + 1, "no answer in time")


def entry(number: int, created: float = SINCE) -> dict[str, object]:
    return {
        "id": f"SMS{number}",
        "client_ref": f"spring-{number}",
        "recipient": f"+{ANA}",
        "message": f"Hello {number}",
        "created": datetime.fromtimestamp(created, UTC).isoformat(),
    }


def page(*rows: int, more: bool = False, created: float = SINCE) -> Act:
    messages = [entry(each, created) for each in rows]
    return answer("200 OK", orjson.dumps({"messages": messages, "hasNextPage": more, "nextPage": "2"}))


async def seen_by(*acts: Act, timeout_s: float = 5.0, patience_s: float = 5.0) -> LookUp:
    async with serving(*acts) as server, SmsApi(server.target(), timeout_s=timeout_s) as api:
        return await look_up(api, [row(1), row(2)], (), patience_s)


async def test_a_list_is_looked_through_to_its_last_page() -> None:
    seen = await seen_by(page(3, more=True), page(1))
    assert (set(seen.found), seen.looked) == ({1}, Looked.THROUGH)
    assert seen.found[1].message_id == "SMS1"


async def test_a_list_is_looked_through_if_it_was_read_back_to_the_first_attempt() -> None:
    seen = await seen_by(page(2, more=True), page(9, more=True, created=SINCE - 1_000), answer("500 No", b""))
    assert (set(seen.found), seen.looked) == ({2}, Looked.THROUGH)


NO_ENTRIES: list[object] = [
    None, 5, "SMS", [], {}, {"id": "SMS7"}, {"created": "2027-01-15T08:00:00Z"},
    {"id": "SMS7", "created": None}, {"id": "SMS7", "created": "yesterday"},
    {"id": 7, "created": "2027-01-15T08:00:00Z"},
]  # fmt: skip


@pytest.mark.parametrize("odd", NO_ENTRIES)
async def test_an_entry_that_cannot_be_read_does_not_hide_the_others_and_is_said(odd: object) -> None:
    entries = [odd, entry(1), odd, entry(2), odd]
    seen = await seen_by(answer("200 OK", orjson.dumps({"messages": entries})))
    assert (set(seen.found), seen.looked) == ({1, 2}, Looked.IN_PART)


async def test_a_next_page_that_cannot_be_asked_for_is_a_part() -> None:
    said = {"messages": [entry(1)], "hasNextPage": True, "nextPage": ""}
    seen = await seen_by(answer("200 OK", orjson.dumps(said)))
    assert (set(seen.found), seen.looked) == ({1}, Looked.IN_PART)


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "63 917 123 4567"},
        {"recipient": int(ANA)},
        {"created": datetime.fromtimestamp(SINCE, UTC).replace(tzinfo=None).isoformat()},  # which is UTC
        {"created": "2027-01-15T08:00:00.123456789Z"},
        {"message": "Hello 1\r\n"},
        {"chargedMicro": 2**62},
        {"chargedMicro": -1},
        {"contactId": True},
    ],
)
async def test_an_entry_is_read_in_whatever_spelling(
    changes: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Manila")
    time.tzset()
    try:
        seen = await seen_by(answer("200 OK", orjson.dumps({"messages": [entry(1) | changes]})))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (set(seen.found), seen.looked) == ({1}, Looked.THROUGH)
    assert seen.found[1].charged is None


async def test_an_empty_list_was_looked_through() -> None:
    assert await seen_by(page()) == LookUp({}, Looked.THROUGH)


@pytest.mark.parametrize(
    "act",
    [answer("500 Internal Server Error", b""), answer("403 Forbidden", b""), answer("200 OK", b"[]"), resets, hangs],
    ids=["500", "403", "no list", "reset", "no answer"],
)
async def test_what_was_read_before_a_page_failed_counts_and_is_only_a_part(act: Act) -> None:
    seen = await seen_by(page(1, more=True), act, timeout_s=0.3)
    assert (set(seen.found), seen.looked) == ({1}, Looked.IN_PART)


async def test_a_list_that_takes_longer_than_ones_patience_was_read_in_part() -> None:
    seen = await seen_by(page(1, more=True), hangs, patience_s=0.3)
    assert (set(seen.found), seen.looked) == ({1}, Looked.IN_PART)


async def test_a_server_that_says_nothing_within_ones_patience_was_not_reached() -> None:
    assert await seen_by(hangs, patience_s=0.2) == LookUp({}, Looked.NOT_REACHED)


@pytest.mark.parametrize(
    ("act", "looked"),
    [
        (answer("404 Not Found", b"<html>Not found</html>", content_type="text/html"), Looked.NO_SUCH),
        (answer("405 Method Not Allowed", b""), Looked.NO_SUCH),
        (answer("501 Not Implemented", b""), Looked.NO_SUCH),
        (answer("401 Unauthorized", b'{"error": "Invalid Token"}'), Looked.REFUSED),
        (answer("403 Forbidden", b'{"messages": []}'), Looked.WITHHELD),
        (answer("429 Too Many Requests", b""), Looked.NOT_REACHED),
        (answer("500 Internal Server Error", b'{"messages": []}'), Looked.NOT_REACHED),
        (answer("502 Bad Gateway", b"<html>cloudflare</html>", content_type="text/html"), Looked.NOT_REACHED),
        (hangs, Looked.NOT_REACHED),
        (resets, Looked.NOT_REACHED),
        (says(), Looked.NOT_REACHED),
        (says(with_length(1_000, b'{"messages":')), Looked.NOT_REACHED),
        (answer("200 OK", b"<html>Log in</html>", content_type="text/html"), Looked.NOT_UNDERSTOOD),
        (answer("200 OK", b'{"error": "no"}'), Looked.NOT_UNDERSTOOD),
        (answer("200 OK", b'{"messages": [{"id": "SMS1"}]}'), Looked.NOT_UNDERSTOOD),
        (answer("200 OK", b'{"messages": 5}'), Looked.NOT_UNDERSTOOD),
        (answer("302 Found", b"", "Location: /login"), Looked.NOT_UNDERSTOOD),
    ],
    ids=[
        "404", "405", "501", "401", "403", "429", "500", "502", "no answer", "reset", "hung up", "broken off",
        "HTML", "other fields", "half a message", "a number for a list", "redirect",
    ],
)  # fmt: skip
async def test_what_could_not_be_looked_through_is_told(act: Act, looked: Looked) -> None:
    assert await seen_by(act, timeout_s=0.5) == LookUp({}, looked)


async def test_a_server_that_is_not_there_was_not_reached() -> None:
    async with serving(accepts()) as server:
        target = server.target()
    async with SmsApi(target, timeout_s=5.0) as api:
        assert await look_up(api, [row(1)], (), 5.0) == LookUp({}, Looked.NOT_REACHED)


async def test_the_sandboxes_list_is_looked_through() -> None:
    async with (
        Sandbox(SandboxOptions(token=KEY, org_id=123)) as sandbox,
        SmsApi(Target(sandbox.base_url, 123, Endpoint.CONTACT, KEY), timeout_s=5.0) as api,
    ):
        await api.send(Message(1, ANA, None, "Hello 1", 1, None), "spring-1", lambda: True)
        seen = await look_up(api, [row(1, time.time()), row(2, time.time())], (), 5.0)
    assert (set(seen.found), seen.looked) == ({1}, Looked.THROUGH)


@pytest.mark.parametrize(
    ("options", "looked"),
    [
        (SandboxOptions(token=KEY, org_id=123, legacy=True), Looked.NO_SUCH),
        (SandboxOptions(token="other", org_id=123), Looked.REFUSED),
    ],
    ids=["a server like the document", "a wrong key"],
)
async def test_a_sandbox_without_a_list_for_us_says_why(options: SandboxOptions, looked: Looked) -> None:
    async with (
        Sandbox(options) as sandbox,
        SmsApi(Target(sandbox.base_url, 123, Endpoint.CONTACT, KEY), timeout_s=5.0) as api,
    ):
        assert await look_up(api, [row(1)], (), 5.0) == LookUp({}, looked)


async def test_the_message_of_an_equal_row_sent_just_before_is_never_a_second_rows() -> None:
    """The first was accepted, the second's connection broke before the server read anything."""
    equal = [Message(number, ANA, None, "Hello 1", 1, None) for number in (1, 2)]
    journal = MemoryJournal(Memory.of(equal), SINCE + 60, None)
    accepted = Answer("SMS1", 1, None, "", "", ANA, None, None)
    await journal.begin([1], SINCE)
    await journal.settle([Outcome(1, Event.ACCEPTED, True, SINCE + 1, 200, accepted)], turn=0)
    await journal.begin([2], SINCE + 2)
    await journal.settle([Outcome(2, Event.DOUBTED, True, SINCE + 2.1, error="it broke")], turn=0)
    listed = entry(1, SINCE + 2) | {"client_ref": ""}  # by the server's clock
    async with (
        serving(answer("200 OK", orjson.dumps({"messages": [listed]}))) as server,
        SmsApi(server.target(), timeout_s=5.0) as api,
    ):
        assert await look_up_doubts(journal, api) == LookedUp(1, 0, Looked.THROUGH)
    assert [row.row for row in await journal.in_doubt(9)] == [2]


@pytest.mark.parametrize("end", [Event.ACCEPTED, Event.KNOWN])
async def test_the_message_that_a_row_of_unknown_id_may_have_caused_is_nobodys(end: Event) -> None:
    """Another attempt of an equal row was accepted as well, or may have been; its id is not known."""
    equal = [Message(number, ANA, None, "Hello 1", 1, None) for number in (1, 2)]
    journal = MemoryJournal(Memory.of(equal), SINCE + 60, None)
    accepted = Answer("SMS1", 1, None, "", "", ANA, None, None)
    await journal.begin([1, 2], SINCE)
    await journal.settle([Outcome(row, Event.DOUBTED, False, SINCE + 1) for row in (1, 2)], turn=0)
    await journal.begin([1], SINCE + 2)
    await journal.settle([Outcome(1, end, True, SINCE + 3, 409, accepted)], turn=0)
    listed = [entry(number, SINCE + 1) | {"client_ref": "", "message": "Hello 1"} for number in (1, 2)]
    async with (
        serving(answer("200 OK", orjson.dumps({"messages": listed}))) as server,
        SmsApi(server.target(), timeout_s=5.0) as api,
    ):
        assert await look_up_doubts(journal, api) == LookedUp(1, 0, Looked.THROUGH, contested=1)
    assert [row.row for row in await journal.in_doubt(9)] == [2]


@pytest.mark.parametrize(("most", "looked"), [(2, Looked.IN_PART), (4, Looked.THROUGH)])
async def test_of_more_rows_than_are_looked_for_only_a_part_was_looked_through(
    monkeypatch: pytest.MonkeyPatch, most: int, looked: Looked
) -> None:
    monkeypatch.setattr(doubts, "_LOOKED_UP_MAX", most)
    journal = MemoryJournal(Memory.of([Message(row, ANA, None, f"Hello {row}", 1, None) for row in (1, 2, 3)]), SINCE)
    await journal.begin([1, 2, 3], SINCE)
    await journal.settle([Outcome(row, Event.DOUBTED, True, SINCE + 1) for row in (1, 2, 3)], turn=0)
    async with serving(page()) as server, SmsApi(server.target(), timeout_s=5.0) as api:
        assert await look_up_doubts(journal, api) == LookedUp(min(most, 3), 0, looked)
