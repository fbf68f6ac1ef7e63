"""Whose answer it is, and what it proves: bytes over raw sockets, and what becomes of the message they answer."""

from __future__ import annotations

import asyncio
import json
import time
import unicodedata

import orjson
import pytest
from test_api import SAMPLE, Act, Hostile, accepts, answer, ask, hangs, reply_to, says, serving

from bulksend.engagespark import SmsApi
from bulksend.engagespark.outcomes import Reply, judge
from bulksend.model import ContactId, Event, Message, PhoneNumber
from bulksend.sending import Repeat, StopReason

ANA, BEN = PhoneNumber("639171234567"), PhoneNumber("639181234567")
TO_ANA = Message(1, ANA, None, "Hello Ana", 1, None)
TO_BEN = Message(2, BEN, None, "Hello Ben", 1, None)
AGAIN_TO_ANA = Message(3, ANA, None, "And one more", 1, None)
TO_CONTACT = Message(4, ContactId(77), None, "Hello you", 1, None)
IN_DOUBT = (Event.DOUBTED, Repeat.UNDER_KEY, None)
CERTAIN = (Event.FAILED, Repeat.FREELY, None)
STATUSES = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    408: "Request Timeout", 409: "Conflict", 421: "Misdirected Request", 422: "Unprocessable", 425: "Too Early",
    429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip


def of(message: Message, /, **changes: object) -> dict[str, object]:
    """The API's words about a message."""
    to = {} if isinstance(message.recipient, int) else {"to": message.recipient}
    return SAMPLE | {"message": message.text, "messageId": f"SMS{message.row}", "contactId": 0} | to | changes


def refusal(message: Message | None = None, /, **changes: object) -> dict[str, object]:
    """A refusal in the document's structure, of a message or of none in particular."""
    nameless = {"to": "", "message": "", "contactId": 0}
    said = nameless if message is None else of(message)
    return SAMPLE | said | {"error": "no", "messageId": "", "estimateMicro": 0} | changes


def replies(status: int, said: object, *headers: str) -> Act:
    return answer(f"{status} {STATUSES.get(status, 'X')}", json.dumps(said).encode(), *headers)


def page(status: int, body: bytes = b"<html>no</html>", *headers: str) -> Act:
    return answer(f"{status} X", body, *headers, content_type="text/html")


def raw(status: int, said: object) -> bytes:
    body = orjson.dumps(said)
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def ruled(reply: Reply) -> tuple[Event, Repeat, StopReason | None]:
    ruling = judge(reply).ruling
    return ruling.event, ruling.repeat, ruling.ends


async def second(
    first: Act, then: Act, before: Message, message: Message, key: str | None = None, before_key: str | None = None
) -> tuple[Reply, Hostile]:
    """What becomes of a message whose connection carried another before, and what the server saw."""
    async with serving(first, then, accepts()) as hostile, SmsApi(hostile.target(), timeout_s=2.0) as api:
        await api.post(before, before_key)
        reply = await api.post(message, key)
        await api.post(Message(9, PhoneNumber("639999999999"), None, "x", 1, None), None)
    return reply, hostile


# ---- whose it is ----


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 408, 409, 422, 425, 429, 500])
@pytest.mark.parametrize("key", [None, "c-2"])
async def test_a_late_answer_of_the_message_before_says_nothing_of_ours(status: int, key: str | None) -> None:
    said = of(TO_ANA) if status in (200, 409) else refusal(TO_ANA)
    reply, hostile = await second(replies(200, of(TO_ANA)), replies(status, said), TO_ANA, TO_BEN, key)
    assert ruled(reply) == IN_DOUBT
    assert hostile.connections == 2  # the next one goes over another


@pytest.mark.parametrize("status", [200, 400, 401, 402, 429, 500])
async def test_a_late_answer_to_the_same_phone_is_known_by_its_text(status: int) -> None:
    said = of(TO_ANA) if status == 200 else refusal(TO_ANA)
    reply, _ = await second(replies(200, of(TO_ANA)), replies(status, said), TO_ANA, AGAIN_TO_ANA)
    assert ruled(reply) == IN_DOUBT


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 408, 409, 422, 429, 500])
@pytest.mark.parametrize("sent_with", ["c-2", None])
async def test_an_answer_with_the_key_of_another_row_says_nothing_of_ours(status: int, sent_with: str | None) -> None:
    said = of(TO_BEN) if status in (200, 409) else refusal(TO_BEN)
    reply = await reply_to(replies(status, said | {"clientDedup": "c-1"}), TO_BEN, dedup_key=sent_with)
    assert ruled(reply) == IN_DOUBT


async def test_after_a_gateways_answer_its_connection_carries_nothing_more() -> None:
    """Else the API's late answer would come where the next one's is read."""

    async def gateway_and_late(writer: asyncio.StreamWriter) -> bool:
        await page(504)(writer)
        await asyncio.sleep(0.1)
        writer.write(raw(500, refusal(TO_ANA)))
        return True

    for first in (page(504), page(429), page(400), replies(200, {}), replies(500, refusal()), gateway_and_late):
        async with serving(first, accepts(to=BEN)) as hostile, SmsApi(hostile.target(), timeout_s=2.0) as api:
            await api.post(TO_ANA, None)
            assert judge(await api.post(TO_BEN, None)).ruling.event is Event.ACCEPTED
        assert hostile.connections == 2


async def test_the_apis_own_refusals_keep_their_connection() -> None:
    async with (
        serving(replies(400, refusal()), replies(400, refusal()), accepts(to=BEN)) as hostile,
        SmsApi(hostile.target(), timeout_s=2.0) as api,
    ):
        for message in (TO_ANA, AGAIN_TO_ANA, TO_BEN):
            await api.post(message, None)
    assert hostile.connections == 1


async def test_a_message_that_could_not_be_told_from_the_one_before_goes_over_another_connection() -> None:
    templated = Message(5, ANA, None, "Hi {{contact.firstName}}", 1, None)
    for one, other in ((TO_ANA, TO_ANA), (TO_ANA, templated), (templated, TO_ANA)):
        async with serving(accepts(to=ANA)) as hostile, SmsApi(hostile.target(), timeout_s=2.0) as api:
            await api.post(one, None)
            await api.post(other, None)
        assert hostile.connections == 2


@pytest.mark.parametrize(
    "to", ["639171234567", "+639171234567", "+63 917 123-4567", "00639171234567", "(63) 917.123.4567", 639171234567]
)
@pytest.mark.parametrize("status", [200, 400])
async def test_a_phone_is_the_same_in_whatever_spelling(to: object, status: int) -> None:
    said = of(TO_ANA, to=to) if status == 200 else refusal(TO_ANA, to=to)
    expected = Event.ACCEPTED if status == 200 else Event.REJECTED
    assert judge(await reply_to(replies(status, said), TO_ANA)).ruling.event is expected


@pytest.mark.parametrize("to", ["+63 918 123 4567", "0063 918 123 4567", 639181234567, "63917123456"])
async def test_another_phone_is_another_in_whatever_spelling(to: object) -> None:
    assert ruled(await reply_to(replies(200, of(TO_ANA, to=to)), TO_ANA)) == IN_DOUBT


@pytest.mark.parametrize("to", ["", None, "63917****567", "unknown", [1], True])
async def test_what_names_no_phone_speaks_against_nobody(to: object) -> None:
    assert judge(await reply_to(replies(200, of(TO_ANA, to=to)), TO_ANA)).ruling.event is Event.ACCEPTED


async def test_a_late_answer_to_a_number_is_not_a_contacts() -> None:
    late = replies(200, of(TO_ANA))
    reply, _ = await second(replies(200, of(TO_ANA)), late, TO_ANA, TO_CONTACT)
    assert ruled(reply) == IN_DOUBT
    nameless = {name: value for name, value in of(TO_ANA).items() if name not in ("message", "contactId")}
    reply, _ = await second(replies(200, of(TO_ANA)), replies(200, nameless), TO_ANA, TO_CONTACT)
    assert ruled(reply) == IN_DOUBT


# ---- our own key outweighs all else ----

FREE_TEXTS = [
    ("  Déjà vu\r\n<b> & co  ", "Déjà vu\r\n<b> & co"),
    ("a\r\nb", "a\nb"),
    ("Déjà vu", unicodedata.normalize("NFD", "Déjà vu")),
    ("a < b & c", "a &lt; b &amp; c"),
    ("Hello", "Something else altogether"),
]


@pytest.mark.parametrize(("text", "said"), FREE_TEXTS)
@pytest.mark.parametrize("to", [ANA, f"+{ANA}", "0063 917 123 4567"])
async def test_a_duplicate_under_our_own_key_is_ours_whatever_became_of_its_text(text: str, said: str, to: str) -> None:
    ours = Message(1, ANA, None, text, 1, None)
    duplicate = of(ours, message=said, to=to, clientDedup="c-1", error="duplicate clientDedup")
    reply = await reply_to(replies(409, duplicate), ours, dedup_key="c-1")
    assert ruled(reply) == (Event.ACCEPTED, Repeat.NEVER, None)
    assert judge(reply).says == ""


@pytest.mark.parametrize(("text", "said"), FREE_TEXTS[:-1])
async def test_a_text_is_known_again_where_no_key_is_echoed(text: str, said: str) -> None:
    ours = Message(1, ANA, None, text, 1, None)
    assert (await reply_to(replies(409, of(ours, message=said, error="duplicate")), ours, dedup_key="c-1")).matches


async def test_our_own_key_with_another_phone_is_an_alarm_and_its_status_the_answers() -> None:
    for status, said, event in (
        (200, of(TO_ANA, to=BEN), Event.ACCEPTED),
        (400, refusal(TO_ANA, to=BEN), Event.REJECTED),
        (500, refusal(TO_ANA, to=BEN), Event.FAILED),
    ):
        verdict = judge(await reply_to(replies(status, said | {"clientDedup": "c-1"}), TO_ANA, dedup_key="c-1"))
        assert verdict.ruling.event is event
        assert f"another recipient under this row's key: {BEN}" in verdict.says


async def test_a_duplicate_of_another_phone_under_our_own_key_is_not_sent() -> None:
    duplicate = of(TO_ANA, to=BEN, clientDedup="c-1", error="duplicate clientDedup")
    reply = await reply_to(replies(409, duplicate), TO_ANA, dedup_key="c-1")
    assert ruled(reply) == (Event.REJECTED, Repeat.NEVER, StopReason.FOREIGN_KEY)


# ---- the API's own words ----

OBJECTS = [
    {},
    {"message": "Internal server error"},
    {"type": "about:blank", "title": "Bad Gateway", "status": 500},
    {"error": ""},
    {"error": None, "messageId": ""},
    {"error": {"code": 5}},
    {"error": ["no"]},
    {"error": True},
    {"error": "  "},
]


@pytest.mark.parametrize("said", [*OBJECTS, {"error": "internal", "messageId": "SMS1"}, {"messageId": "SMS1"}])
@pytest.mark.parametrize("status", [400, 422, 500])
async def test_an_object_alone_is_not_the_apis_own_words(status: int, said: dict[str, object]) -> None:
    assert judge(await reply_to(replies(status, said), TO_ANA)).ruling.event is Event.DOUBTED


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad Request</html>", b"null", b"[]", b'"no"', b"{}", *map(orjson.dumps, OBJECTS)]
)
@pytest.mark.parametrize(
    ("status", "ends"),
    [
        (400, None),
        (401, StopReason.KEY_REFUSED),
        (402, StopReason.BLOCKED),
        (403, StopReason.BLOCKED),
        (404, StopReason.NO_ENDPOINT),
        (405, StopReason.NO_ENDPOINT),
        (409, None),
        (413, StopReason.BLOCKED),
        (500, None),
    ],
)
async def test_a_page_that_is_not_the_apis_proves_nothing_of_the_message(
    status: int, ends: StopReason | None, body: bytes
) -> None:
    reply, _ = await second(replies(200, of(TO_ANA)), page(status, body), TO_ANA, TO_BEN)
    assert ruled(reply) == (Event.DOUBTED, Repeat.UNDER_KEY, ends)


@pytest.mark.parametrize("status", [404, 405])
async def test_where_the_api_never_spoke_no_such_endpoint_is_a_wrong_address(status: int) -> None:
    async with serving(page(status)) as hostile, SmsApi(hostile.target(), timeout_s=2.0) as api:
        for message in (TO_ANA, TO_BEN):
            assert ruled(await api.post(message, None)) == (Event.PUT_OFF, Repeat.NEVER, StopReason.NO_ENDPOINT)


@pytest.mark.parametrize("status", [404, 405])
async def test_where_the_api_told_the_balance_no_such_endpoint_proves_nothing(status: int) -> None:
    balance = replies(200, {"balanceMicro": 5})
    async with serving(balance, page(status)) as hostile, SmsApi(hostile.target(), timeout_s=2.0) as api:
        await api.balance()
        assert judge(await api.post(TO_ANA, None)).ruling.event is Event.DOUBTED


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, (Event.REJECTED, Repeat.NEVER, None)),
        (400, (Event.REJECTED, Repeat.NEVER, None)),
        (401, (Event.PUT_OFF, Repeat.NEVER, StopReason.KEY_REFUSED)),
        (402, (Event.PUT_OFF, Repeat.NEVER, StopReason.OUT_OF_FUNDS)),
        (404, (Event.PUT_OFF, Repeat.NEVER, StopReason.NO_ENDPOINT)),
        (500, CERTAIN),
    ],
)
@pytest.mark.parametrize("said", [{"error": "no"}, refusal(), refusal(TO_ANA)])
async def test_the_documents_structure_makes_certain(status: int, expected: object, said: dict[str, object]) -> None:
    assert ruled(await reply_to(replies(status, said), TO_ANA)) == expected


@pytest.mark.parametrize("message_id", [17, True, ["SMS1"], {"id": "SMS1"}, None, "", "  ", 0])
async def test_a_message_id_that_is_no_text_is_none(message_id: object) -> None:
    assert ruled(await reply_to(replies(200, of(TO_ANA, messageId=message_id)), TO_ANA)) == IN_DOUBT


# ---- what HTTP itself makes certain ----


@pytest.mark.parametrize("status", [408, 421, 425, 429])
@pytest.mark.parametrize("body", [b"", b"<html>wait</html>", b"{}", b'{"message": "slow down"}', b'{"error": "wait"}'])
async def test_what_http_calls_not_processed_is_tried_again_whoever_spoke(status: int, body: bytes) -> None:
    assert ruled(await reply_to(page(status, body), TO_ANA)) == CERTAIN


@pytest.mark.parametrize("status", [408, 421, 425, 429])
async def test_unless_it_names_another_message_or_was_accepted(status: int) -> None:
    for said in (refusal(TO_BEN), refusal(TO_ANA, clientDedup="c-9"), refusal(TO_ANA, messageId="SMS1")):
        assert ruled(await reply_to(replies(status, said), TO_ANA, dedup_key="c-1")) == IN_DOUBT


@pytest.mark.parametrize("status", [101, 304])
async def test_a_status_that_says_nothing_proves_nothing(status: int) -> None:
    head = f"HTTP/1.1 {status} X\r\n" + ("Upgrade: x\r\nConnection: upgrade\r\n" if status == 101 else "")
    assert ruled(await reply_to(says(f"{head}\r\n".encode()), TO_ANA)) == IN_DOUBT


@pytest.mark.parametrize("status", [300, 303, 305, 306])
async def test_a_pointer_elsewhere_that_may_follow_the_work_proves_nothing(status: int) -> None:
    reply = await reply_to(page(status, b"", "Location: /x"), TO_ANA)
    assert ruled(reply) == (Event.DOUBTED, Repeat.UNDER_KEY, StopReason.REDIRECTED)


# ---- what nobody asked for ----


@pytest.mark.parametrize("status", [400, 408, 429, 500, 200])
@pytest.mark.parametrize("said", [b"", b"<html>time-out</html>", orjson.dumps(refusal())])
async def test_an_answer_that_comes_unasked_on_an_idle_connection_is_never_the_next_ones(
    status: int, said: bytes
) -> None:
    unasked = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(said), said)

    async def then_unasked(writer: asyncio.StreamWriter) -> bool:
        writer.write(raw(200, of(TO_ANA)))
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(unasked)
        return True

    async with serving(then_unasked, accepts(to=BEN)) as hostile, SmsApi(hostile.target(), timeout_s=2.0) as api:
        await api.post(TO_ANA, None)
        await asyncio.sleep(0.1)
        assert judge(await api.post(TO_BEN, None)).ruling.event is Event.ACCEPTED
    assert hostile.connections == 2


async def test_what_waits_in_the_socket_is_seen_before_anything_is_asked() -> None:
    """The event loop had no turn to read it: the message must not leave on this connection all the same."""
    writers: list[asyncio.StreamWriter] = []

    async def notes(writer: asyncio.StreamWriter) -> bool:
        writers.append(writer)
        return await replies(200, of(TO_ANA))(writer)

    async with serving(notes, accepts(to=BEN)) as hostile, SmsApi(hostile.target(), timeout_s=2.0) as api:
        await api.post(TO_ANA, None)
        sock = writers[0].get_extra_info("socket")
        with sock.dup() as again:
            again.setblocking(True)
            again.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        time.sleep(0.01)  # noqa: ASYNC251 -- the loop is to stand still
        assert judge(await api.post(TO_BEN, None)).ruling.event is Event.ACCEPTED
    assert [orjson.loads(request.body)["to"] for request in hostile.requests] == [ANA, BEN]
    assert hostile.connections == 2


@pytest.mark.parametrize(
    "unasked",
    [
        b"HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 408 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 429 X\r\nContent-Length: 4\r\n\r\nbusy",
        raw(408, {}),
        raw(400, refusal()),
    ],
)
async def test_of_two_answers_to_one_request_neither_is_certain(unasked: bytes) -> None:
    """The first came as the request left, the second is its own: it was accepted."""
    reply, hostile = await second(
        replies(200, of(TO_ANA)), says(unasked + raw(200, of(TO_BEN)), lives_on=True), TO_ANA, TO_BEN
    )
    assert ruled(reply) == IN_DOUBT
    assert hostile.connections == 2


async def test_a_second_answer_does_not_make_a_known_one_doubtful() -> None:
    reply, _ = await second(
        replies(200, of(TO_ANA)), says(raw(200, of(TO_BEN)) + raw(400, refusal()), lives_on=True), TO_ANA, TO_BEN
    )
    assert judge(reply).ruling.event is Event.ACCEPTED


async def test_the_end_right_behind_an_answer_is_no_second_one() -> None:
    body = orjson.dumps(refusal())
    announced = b"HTTP/1.1 400 X\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    for act in (
        says(raw(400, refusal())),
        says(b"HTTP/1.0 400 X\r\n\r\n" + body),
        says(announced),
        says(announced, lives_on=True),  # it takes its time
    ):
        assert judge(await reply_to(act, TO_ANA)).ruling.event is Event.REJECTED


async def test_an_answer_that_does_not_come_leaves_no_connection_behind() -> None:
    async with serving(hangs, accepts(to=BEN)) as hostile, SmsApi(hostile.target(), timeout_s=0.2) as api:
        assert ruled(await api.post(TO_ANA, None)) == IN_DOUBT
        assert judge(await api.post(TO_BEN, None)).ruling.event is Event.ACCEPTED
    assert hostile.connections == 2


# ---- numbers ----


@pytest.mark.parametrize("number", [2**62, 2**63, 2**64, 10**12 + 1, -1, -20_000, True, 1.5, "much", "-5", None])
async def test_a_price_or_a_count_beyond_reason_is_none(number: object) -> None:
    async with serving(replies(200, of(TO_ANA, estimateMicro=number, estimateParts=number))) as hostile:
        reply = await ask(hostile.target(), TO_ANA)
    assert judge(reply).ruling.event is Event.ACCEPTED
    assert reply.answer is not None
    assert (reply.answer.estimate_micro, reply.answer.estimate_parts, reply.answer.charged) == (None, None, None)


async def test_parts_times_price_stay_within_bounds() -> None:
    said = of(TO_ANA, estimateMicro=10**12, estimateParts=1_000, estimate="1000000000.00")
    reply = await reply_to(replies(200, said), TO_ANA)
    assert reply.answer is not None
    assert reply.answer.charged == 10**12


@pytest.mark.parametrize("contact", [-1, 2**63, True])
async def test_a_contact_that_is_none_is_none(contact: object) -> None:
    reply = await reply_to(replies(200, of(TO_CONTACT, contactId=contact)), TO_CONTACT)
    assert reply.answer is not None
    assert reply.answer.contact_id is None
