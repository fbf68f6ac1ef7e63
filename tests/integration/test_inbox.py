"""What people sent, read in the lists of servers that tell it, of such as tell it oddly, and of such as do not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
import pytest
from test_api import Act, answer, hangs, serving

from bulksend import campaign
from bulksend.engagespark import Inbox, Looked, SmsApi, Target, read_inbox
from bulksend.engagespark.sandbox import Sandbox, SandboxOptions
from bulksend.model import Endpoint, PhoneNumber
from bulksend.runs import Address, optouts_of

ANA = PhoneNumber("639171234567")
SINCE = 1_800_000_000.0


def entry(number: int, created: float = SINCE + 10, **changes: object) -> dict[str, object]:
    made = {
        "id": f"SMS{number}",
        "direction": "in",
        "sender": f"+{ANA}",
        "recipient": "639990000000",
        "message": f"Hello {number}",
        "created": datetime.fromtimestamp(created, UTC).isoformat(),
    }
    return {name: value for name, value in (made | changes).items() if value != ""}


def page(*entries: object, more: bool = False) -> Act:
    return answer("200 OK", orjson.dumps({"messages": entries, "hasNextPage": more, "nextPage": "2"}))


async def seen_by(*acts: Act, patience_s: float = 5.0) -> Inbox:
    async with serving(*acts) as server, SmsApi(server.target(), timeout_s=5.0) as api:
        return await read_inbox(api, SINCE, patience_s)


def texts(inbox: Inbox) -> Sequence[str]:
    return [message.text for message in inbox.messages]


async def test_incoming_messages_are_read_oldest_first_by_their_senders_back_to_a_time() -> None:
    seen = await seen_by(
        page(entry(3, SINCE + 30), entry(2, SINCE + 20), more=True),
        page(entry(2, SINCE + 20), entry(1), entry(0, SINCE - 5), more=True),
        answer("500 No", b""),
    )
    assert (texts(seen), seen.looked) == (["Hello 1", "Hello 2", "Hello 3"], Looked.THROUGH)
    assert {message.number for message in seen.messages} == {ANA}


async def test_what_went_out_is_not_taken_for_what_came_in_where_a_server_shows_both() -> None:
    seen = await seen_by(page(entry(2, direction="out"), entry(1)))
    assert (texts(seen), seen.looked) == (["Hello 1"], Looked.THROUGH)
    only_out = await seen_by(page(entry(2, direction="out")))
    assert (texts(only_out), only_out.looked) == ([], Looked.THROUGH)


@pytest.mark.parametrize(
    "odd", [5, None, "in", entry(7, direction=""), entry(7, created=SINCE, id=""), {"direction": "in"}]
)
async def test_what_cannot_be_read_hides_nothing_else_and_is_said(odd: object) -> None:
    seen = await seen_by(page(odd, entry(1)))
    assert (texts(seen), seen.looked) == (["Hello 1"], Looked.IN_PART)
    alone = await seen_by(page(odd))
    assert texts(alone) == []
    assert alone.looked is Looked.NOT_UNDERSTOOD


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (answer("401 No", b"{}"), Looked.REFUSED),
        (answer("404 No", b""), Looked.NO_SUCH),
        (answer("503 No", b""), Looked.NOT_REACHED),
        (answer("200 OK", b"<html>"), Looked.NOT_UNDERSTOOD),
        (answer("200 OK", b'{"messages": [5]}'), Looked.NOT_UNDERSTOOD),
    ],
)
async def test_why_it_could_not_be_looked_is_told_also_behind_a_page_that_could(act: Act, why: Looked) -> None:
    assert (await seen_by(act)).looked is why
    seen = await seen_by(page(entry(1), more=True), act)
    assert (texts(seen), seen.looked) == (["Hello 1"], Looked.IN_PART)


async def test_a_server_that_does_not_answer_is_given_up() -> None:
    assert (await seen_by(hangs, patience_s=0.2)).looked is Looked.NOT_REACHED


async def test_who_asked_for_no_more_is_told_once_with_the_first_words_and_the_list_is_heeded() -> None:
    async with Sandbox(SandboxOptions(token="k")) as sandbox:
        for number, text in [
            ("639171234567", "Hello"),
            ("639171234567", "STOP"),
            ("639171234567", "stop please"),
            ("639181234567", "Tama na"),
            ("5491123456789", "Basta!"),
            ("639191234567", "Stop by?"),
            ("639181234567", "stop by?"),
            ("63917", "STOP"),
        ]:
            sandbox.ledger.receive(number, text, SINCE)
        sandbox.ledger.accept({"orgId": 1, "to": ANA, "message": "STOP"}, SINCE)
        with optouts_of(None, Address(1, sandbox.base_url)) as optouts:
            optouts.add([PhoneNumber("541123456789")], "", 1.0)
        target = Target(sandbox.base_url, 1, Endpoint.CONTACT, "k")
        asked = await campaign.fetch_stops(target, SINCE - 1, ())
        assert [(each.recipient, each.reason, each.since_s) for each in asked.stops] == [
            ("639171234567", "said: STOP", SINCE),
            ("639181234567", "said: Tama na", SINCE),
        ]
        assert [each.recipient for each in asked.unsure] == ["639191234567"]
        assert (asked.known, asked.unreadable, asked.looked) == (1, 1, Looked.THROUGH)
        assert len((await campaign.fetch_stops(target, SINCE - 1, ["hello"])).stops) == 2
        assert (await campaign.fetch_stops(target, SINCE + 1, ())).stops == ()
