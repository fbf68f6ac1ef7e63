"""The API client against a server that does what no server should: raw sockets on the loopback."""

from __future__ import annotations

import asyncio
import itertools
import logging
import shutil
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import orjson
import pytest
import uvloop

from bulksend.engagespark import SmsApi, Target
from bulksend.engagespark.bodies import charged
from bulksend.engagespark.outcomes import Fault, Reply, judge
from bulksend.errors import UsageError
from bulksend.model import ContactId, Endpoint, Event, Message, MicroUSD, PhoneNumber
from bulksend.sending import StopReason
from bulksend.words import printable

KEY = "k3y-that-nobody-may-see"
TO_NUMBER = Message(1, PhoneNumber("639123456789"), "engageSPARK", "Sample message to you.", 1, MicroUSD(20_000))
TO_CONTACT = Message(2, ContactId(123456), None, "Sample message to you.", 1, None)
LOOPS = pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
SAMPLE = {
    "error": "",
    "messageId": "SMS20190723T154425-123-0123",
    "estimateParts": 1,
    "estimateMicro": 20000,
    "estimate": "0.02",
    "deliveryDeadline": "2019-07-24T13:49:16.38785625Z",
    "contactId": 654321,
    "to": "639123456789",
    "message": "Sample message to you.",
}


@dataclass
class Request:
    """One request as it came over the wire."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Hostile:
    """A server and what it got."""

    port: int = 0
    scheme: str = "http"
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def base_url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def target(self, endpoint: Endpoint = Endpoint.CONTACT) -> Target:
        return Target(self.base_url, 123, endpoint, KEY)


Act = Callable[[asyncio.StreamWriter], Awaitable[bool]]
"""What the server does with a request; whether the connection lives on."""


async def read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (text.partition(":") for text in lines)]
    request = Request(line, headers, b"")
    request.body = await reader.readexactly(int((request.values("Content-Length") or ["0"])[0]))
    return request


@asynccontextmanager
async def serving(*acts: Act, tls: ssl.SSLContext | None = None) -> AsyncIterator[Hostile]:
    """The acts in turn, the last one for ever."""
    hostile = Hostile(scheme="https" if tls else "http")
    coming = itertools.chain(acts, itertools.repeat(acts[-1]))
    open_writers: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hostile.connections += 1
        open_writers.add(writer)
        try:
            lives_on = True
            while lives_on:
                hostile.requests.append(await read_request(reader))
                lives_on = await next(coming)(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    hostile.port = server.sockets[0].getsockname()[1]
    try:
        yield hostile
    finally:
        server.close()
        for writer in open_writers:
            if not writer.transport.is_closing() or (tls is None and writer.transport.get_write_buffer_size()):
                writer.transport.abort()
        await asyncio.sleep(0)


def says(*pieces: bytes, lives_on: bool = False, pause_s: float = 0.0) -> Act:
    async def act(writer: asyncio.StreamWriter) -> bool:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
        return lives_on

    return act


def answer(status: str, body: bytes, *headers: str, content_type: str = "application/json") -> Act:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers, "", ""]
    return says("\r\n".join(lines).encode() + body, lives_on=True)


def accepts(**changes: object) -> Act:
    return answer("200 OK", orjson.dumps(SAMPLE | changes))


async def hangs(writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(30)
    writer.close()
    return False


async def resets(writer: asyncio.StreamWriter) -> bool:
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


async def ask(
    target: Target, message: Message = TO_NUMBER, dedup_key: str | None = None, timeout_s: float = 5.0
) -> Reply:
    async with SmsApi(target, timeout_s=timeout_s) as api:
        return await api.post(message, dedup_key)


async def reply_to(act: Act, message: Message = TO_NUMBER, *, dedup_key: str | None = None) -> Reply:
    async with serving(act) as hostile:
        reply = await ask(hostile.target(), message, dedup_key)
        assert len(hostile.requests) == 1
    assert KEY not in repr(reply)
    return reply


# ---- what leaves ----


async def test_a_number_is_asked_for_with_exactly_the_documents_fields() -> None:
    async with serving(accepts()) as hostile:
        await ask(hostile.target())
    assert orjson.loads(hostile.requests[0].body) == {
        "orgId": 123,
        "to": "639123456789",
        "from": "engageSPARK",
        "message": "Sample message to you.",
    }


async def test_a_contact_is_asked_for_by_an_integer_and_without_a_sender_there_is_no_from() -> None:
    async with serving(accepts()) as hostile:
        await ask(hostile.target(), TO_CONTACT)
    body = hostile.requests[0].body
    assert orjson.loads(body) == {"orgId": 123, "contactId": 123456, "message": "Sample message to you."}
    assert b'"contactId":123456' in body


async def test_a_dedup_key_goes_as_client_dedup_and_client_ref() -> None:
    async with serving(accepts()) as hostile:
        await ask(hostile.target(), dedup_key="campaign-1")
    body = orjson.loads(hostile.requests[0].body)
    assert (body["clientDedup"], body["clientRef"]) == ("campaign-1", "campaign-1")
    assert set(body) == {"orgId", "to", "from", "message", "clientDedup", "clientRef"}


async def test_the_headers_are_the_documents_and_each_goes_once() -> None:
    async with serving(accepts()) as hostile:
        await ask(hostile.target())
    request = hostile.requests[0]
    assert request.line == "POST /v1/sms/contact HTTP/1.1"
    assert request.values("Authorization") == [f"Token {KEY}"]
    assert request.values("Content-Type") == ["application/json"]
    assert request.values("Transfer-Encoding") == []
    assert request.values("Host") == [f"127.0.0.1:{hostile.port}"]
    assert request.values("Accept-Encoding") == ["identity"]


async def test_the_twin_has_an_address_of_its_own_and_a_slash_behind_the_base_url_does_not_double() -> None:
    async with serving(accepts()) as hostile:
        await ask(Target(hostile.base_url + "/", 123, Endpoint.PHONENUMBER, KEY))
    assert hostile.requests[0].line == "POST /v1/sms/phonenumber HTTP/1.1"


async def test_text_of_any_script_arrives_as_it_is() -> None:
    text = 'Kumusta, Ñoño! 😀 "quoted" \\ back\nline two\t{{contact.firstName}} \u2028'
    async with serving(accepts()) as hostile:
        await ask(hostile.target(), Message(1, PhoneNumber("639123456789"), None, text, 1, None))
    assert orjson.loads(hostile.requests[0].body)["message"] == text


async def test_no_cookie_is_kept() -> None:
    cookies = ("Set-Cookie: __cf_bm=abc; path=/", "Set-Cookie: a=b")
    async with (
        serving(answer("200 OK", orjson.dumps(SAMPLE), *cookies)) as hostile,
        SmsApi(hostile.target(), timeout_s=5.0) as api,
    ):
        for row in range(3):
            await api.post(numbered(row), None)
    assert len(hostile.requests) == 3
    assert hostile.connections == 1
    assert all(not request.values("Cookie") for request in hostile.requests)


# ---- answers that can be read ----


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/jsonl; charset=utf-8", "text/html", "application/octet-stream"]
)
async def test_an_answer_is_read_by_its_content_whatever_type_it_claims(content_type: str) -> None:
    reply = await reply_to(answer("200 OK", orjson.dumps(SAMPLE) + b"\n", content_type=content_type))
    assert (reply.http_status, reply.fault, reply.error) == (200, None, "")
    assert reply.answer is not None
    assert reply.answer.message_id == "SMS20190723T154425-123-0123"
    assert (reply.answer.estimate_parts, reply.answer.estimate_micro, reply.answer.estimate) == (1, 20000, "0.02")
    assert (reply.answer.to, reply.answer.contact_id) == ("639123456789", 654321)
    assert reply.answer.delivery_deadline == "2019-07-24T13:49:16.38785625Z"
    assert reply.answer.charged == 20000


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_chunked_answer_is_read() -> None:
    reply = await reply_to(says(CHUNKED, chunked(orjson.dumps(SAMPLE), 7), b"0\r\n\r\n", lives_on=True))
    assert reply.answer is not None
    assert judge(reply).ruling.event == Event.ACCEPTED


async def test_an_answer_that_ends_with_its_connection_is_read() -> None:
    reply = await reply_to(says(b"HTTP/1.0 200 OK\r\n\r\n" + orjson.dumps(SAMPLE)))
    assert judge(reply).ruling.event == Event.ACCEPTED


async def test_a_duplicate_is_the_originals_success() -> None:
    duplicate = SAMPLE | {"error": "duplicate clientDedup", "errorCode": "sms.clientdedup", "dedupMessageId": "SMS1"}
    reply = await reply_to(answer("409 Conflict", orjson.dumps(duplicate)), dedup_key="c-1")
    assert (reply.http_status, reply.matches) == (409, True)
    assert judge(reply).ruling.event == Event.ACCEPTED


@pytest.mark.parametrize("changes", [{"to": "639999999999"}, {"message": "Another text"}])
async def test_a_duplicate_of_another_number_or_text_is_no_success(changes: dict[str, object]) -> None:
    reply = await reply_to(answer("409 Conflict", orjson.dumps(SAMPLE | changes)), dedup_key="c-1")
    assert not reply.matches
    assert judge(reply).ruling.event != Event.ACCEPTED


async def test_an_error_about_another_key_leaves_our_message_in_doubt() -> None:
    for status in ("400 Bad Request", "409 Conflict", "500 Internal Server Error"):
        other = SAMPLE | {"error": "why", "clientDedup": "c-9"}
        reply = await reply_to(answer(status, orjson.dumps(other)), dedup_key="c-1")
        assert judge(reply).ruling.event is Event.DOUBTED


async def test_a_duplicate_of_another_contact_is_no_success() -> None:
    other = SAMPLE | {"contactId": 999, "to": "639999999999"}
    reply = await reply_to(answer("409 Conflict", orjson.dumps(other)), TO_CONTACT, dedup_key="c-2")
    assert not reply.matches


@pytest.mark.parametrize("contact", [123456, "123456", 0, None])
async def test_a_duplicate_of_our_contact_or_of_none_named_is_a_success(contact: object) -> None:
    same = SAMPLE | {"contactId": contact}
    reply = await reply_to(answer("409 Conflict", orjson.dumps(same)), TO_CONTACT, dedup_key="c-2")
    assert judge(reply).ruling.event == Event.ACCEPTED


async def test_a_text_with_server_side_fields_comes_back_filled_and_still_matches() -> None:
    message = Message(1, PhoneNumber("639123456789"), None, "Hi {{contact.firstName}}", 1, None)
    reply = await reply_to(answer("409 Conflict", orjson.dumps(SAMPLE | {"message": "Hi Ana"})), message)
    assert reply.matches


@pytest.mark.parametrize(("echo", "echoed"), [("c-1", True), ("c-2", False), (None, False), (1, False)])
async def test_only_our_own_key_coming_back_proves_that_the_server_knows_it(echo: object, *, echoed: bool) -> None:
    assert (await reply_to(accepts(clientDedup=echo), dedup_key="c-1")).echoed is echoed


async def test_without_a_key_sent_nothing_counts_as_its_echo() -> None:
    assert not (await reply_to(accepts(clientDedup=None))).echoed
    assert not (await reply_to(accepts(clientDedup=""))).echoed


async def test_an_internal_error_in_the_apis_own_words_is_told_from_a_gateways_page() -> None:
    own = await reply_to(answer("500 Internal Server Error", b'{"error": "internal"}'))
    assert (own.http_status, own.fault, own.error) == (500, None, "internal")
    page = await reply_to(answer("502 Bad Gateway", b"<html>cloudflare</html>", content_type="text/html"))
    assert (page.http_status, page.fault, page.answer) == (502, Fault.UNREADABLE, None)
    assert judge(page).ruling.event == Event.DOUBTED


async def test_a_refusal_keeps_the_apis_words() -> None:
    reply = await reply_to(answer("400 Bad Request", b'{"error": "invalid \'to\' number", "errorCode": "x"}'))
    assert (reply.http_status, reply.error) == (400, "invalid 'to' number")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00", None),
        ("soon", None),
        ("-1", None),
        ("٣", None),
        ("", None),
        ("9" * 5_000, 999_999_999.0),
    ],
)
async def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    reply = await reply_to(answer("429 Too Many Requests", b"slow down", f"Retry-After: {value}"))
    assert (reply.http_status, reply.fault) == (429, Fault.UNREADABLE)
    assert reply.retry_after_s == seconds
    assert judge(reply).slow  # whatever it says, it asks to be asked less


@pytest.mark.parametrize(
    ("status", "header", "slow"),
    [("503 X", "Retry-After: 0", True), ("503 X", "X: y", False), ("500 X", "Retry-After: 9", False)],
)
async def test_only_a_server_that_asks_for_it_is_asked_less(status: str, header: str, *, slow: bool) -> None:
    assert (await reply_to(answer(status, b"", header))).slow is slow


async def test_a_date_to_retry_after_becomes_the_seconds_until_then() -> None:
    value = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    reply = await reply_to(answer("503 Service Unavailable", b"slow down", f"Retry-After: {value}"))
    assert reply.retry_after_s == pytest.approx(60, abs=5)


@pytest.mark.parametrize("zone", ["", " -0000"])
async def test_a_date_without_a_zone_is_utc(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = (datetime.now(UTC) + timedelta(seconds=60)).strftime("%a, %d %b %Y %H:%M:%S") + zone
    monkeypatch.setenv("TZ", "Asia/Manila")
    time.tzset()
    try:
        reply = await reply_to(answer("429 Too Many Requests", b"", f"Retry-After: {value}"))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert reply.retry_after_s == pytest.approx(60, abs=5)


async def test_control_characters_in_the_servers_words_do_not_reach_a_terminal() -> None:
    nasty = "bad\x1b[2J\x07\r\nnumber\u202eevil\u2066\x9b31m" + "x" * 1_000
    reply = await reply_to(answer("400 Bad Request", orjson.dumps({"error": nasty, "messageId": "a\x1b]0;b\x07"})))
    assert reply.error.startswith("bad [2J number evil 31mxxx")
    assert len(reply.error) == 300
    assert reply.answer is not None
    assert reply.answer.message_id == "a ]0;b"


@pytest.mark.parametrize(
    "spelled",
    [KEY, "".join(f"\\u{ord(each):04x}" for each in KEY), KEY.replace("-", "\\u002D"), "k" + "\\u0033" + KEY[2:]],
)
@pytest.mark.parametrize("where", ["error", "messageId", "deliveryDeadline", "estimate", "to"])
async def test_the_key_is_taken_out_of_an_answer_however_it_is_escaped(spelled: str, where: str) -> None:
    fields = {"error": "no", "messageId": "SMS1", "estimate": "0.02", "deliveryDeadline": "", "to": "639123456789"}
    said = ",".join(f'"{name}":"{spelled if name == where else value}"' for name, value in fields.items())
    for status in ("200 OK", "400 X"):
        reply = await reply_to(answer(status, b"{" + said.encode() + b"}"))
        assert reply.answer is not None
        assert "..." in f"{reply.error} {reply.answer}"


async def test_the_key_is_taken_out_of_what_is_no_http() -> None:
    await reply_to(says(f"HTTP/1.1 200 OK\r\nAuthorization Token {KEY}\r\n\r\n".encode()))
    await reply_to(says(f"{KEY}\r\n\r\n".encode()))


HEADS = {
    "1,000 fields": [f"X-{number}: y" for number in range(990)],
    "a field of 60 KB": ["X: " + "y" * 60_000],
    "many long fields": [f"Set-Cookie: a{number}={'y' * 4_000}" for number in range(15)],
}


@LOOPS
@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_an_answer_with_a_long_head_is_read(head: list[str], new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        reply = runner.run(reply_to(answer("200 OK", orjson.dumps(SAMPLE), *head)))
    assert judge(reply).ruling.event == Event.ACCEPTED


def test_printable_leaves_ordinary_words_alone() -> None:
    assert printable("  Kumusta, Ñoño 😀! {{x}} ") == "Kumusta, Ñoño 😀! {{x}}"
    assert printable("a\n\n\tb") == "a b"
    assert printable("x" * 300) == "x" * 300
    assert printable("x" * 301) == "x" * 299 + "…"


@pytest.mark.parametrize(
    "changes",
    [
        {"estimateParts": "many", "estimateMicro": None, "estimate": 0.02, "contactId": [1]},
        {"estimateMicro": 2**63, "estimateParts": -1, "to": {"a": 1}, "messageId": ["x"]},
        {"estimateMicro": "9" * 5_000},
        {"contactId": "9" * 30, "estimateParts": 1.5},
        {"error": None, "messageId": 17, "deliveryDeadline": False, "clientDedup": {"a": []}, "message": [1]},
    ],
)
async def test_fields_of_the_wrong_kind_never_raise(changes: dict[str, object]) -> None:
    reply = await reply_to(accepts(**changes), dedup_key="c-1")
    assert reply.http_status == 200
    accepted = isinstance((SAMPLE | changes)["messageId"], str)
    assert judge(reply).ruling.event == (Event.ACCEPTED if accepted else Event.DOUBTED)
    assert reply.answer is not None
    for number in (reply.answer.estimate_parts, reply.answer.estimate_micro, reply.answer.contact_id):
        assert number is None or abs(number) < 2**63


# ---- answers that cannot ----


def with_length(length: int, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (length, body)


BIG = orjson.dumps(SAMPLE | {"padding": "x" * 1_000_000})

FAULTY: list[tuple[str, Act, int | None, Fault]] = [
    ("garbage for a body", answer("200 OK", b"\x00\xff{]"), 200, Fault.UNREADABLE),
    ("a list for a body", answer("200 OK", b'[{"messageId": "SMS1"}]'), 200, Fault.UNREADABLE),
    ("a string for a body", answer("200 OK", b'"SMS1"'), 200, Fault.UNREADABLE),
    ("nothing for a body", answer("200 OK", b""), 200, Fault.UNREADABLE),
    ("two lines for a body", answer("200 OK", b'{"messageId":"1"}\n{"messageId":"2"}'), 200, Fault.UNREADABLE),
    ("a body that is no UTF-8", answer("200 OK", b'{"messageId":"\xff"}'), 200, Fault.UNREADABLE),
    ("a very deep body", answer("200 OK", b"[" * 100_000), 200, Fault.UNREADABLE),
    (
        "gzip that nobody asked for",
        answer("200 OK", b"\x1f\x8b\x08\0", "Content-Encoding: gzip"),
        200,
        Fault.UNREADABLE,
    ),
    ("a body broken off", says(with_length(1_000, b'{"error":')), 200, Fault.BROKEN_OFF),
    ("a chunk broken off", says(CHUNKED, b"ff\r\n{"), 200, Fault.BROKEN_OFF),
    ("a reset before the answer", resets, None, Fault.BROKEN_OFF),
    ("the end before the answer", says(), None, Fault.BROKEN_OFF),
    ("half a status line", says(b"HTTP/1.1 20"), None, Fault.BROKEN_OFF),
    ("no HTTP", says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), None, Fault.NO_HTTP),
    ("endless headers", says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"), None, Fault.NO_HTTP),
    ("more than 1 MB", says(with_length(len(BIG), BIG)), 200, Fault.OVERSIZED),
    ("more than 1 MB in chunks", says(CHUNKED, chunked(BIG, 60_000), b"0\r\n\r\n"), 200, Fault.OVERSIZED),
    ("more than 1 MB until the end", says(b"HTTP/1.1 200 OK\r\n\r\n", BIG), 200, Fault.OVERSIZED),
    ("a length beyond all bounds", says(with_length(10**15, b"{}")), 200, Fault.BROKEN_OFF),
]
SLOW: list[tuple[str, Act, int | None, Fault]] = [
    ("no answer", hangs, None, Fault.TIMED_OUT),
    ("headers that drip", says(b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 50, pause_s=0.05), None, Fault.TIMED_OUT),
    ("a body that drips", says(with_length(1_000, b""), *[b" "] * 50, pause_s=0.05), 200, Fault.TIMED_OUT),
    ("chunks that drip", says(CHUNKED, *[b"1\r\n \r\n"] * 50, pause_s=0.05), 200, Fault.TIMED_OUT),
]


@LOOPS
@pytest.mark.parametrize(("act", "status", "fault"), [case[1:] for case in FAULTY], ids=[case[0] for case in FAULTY])
def test_an_answer_of_no_use_leaves_the_message_unknown_and_is_asked_for_once(
    act: Act, status: int | None, fault: Fault, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        reply = runner.run(reply_to(act))
    assert (reply.http_status, reply.fault, reply.answer) == (status, fault, None)
    assert judge(reply).ruling.event == Event.DOUBTED


@LOOPS
def test_a_chunk_without_a_size_leaves_the_message_unknown(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def trial() -> Reply:
        async with serving(says(CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n")) as hostile:
            return await ask(hostile.target(), timeout_s=0.3)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        reply = runner.run(trial())
    assert reply.fault in {Fault.BROKEN_OFF, Fault.NO_HTTP, Fault.TIMED_OUT}  # as the loop hands the pieces on
    assert judge(reply).ruling.event == Event.DOUBTED


@LOOPS
def test_an_answer_that_does_not_come_in_time_leaves_the_message_unknown(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def all_at_once() -> Sequence[Reply]:
        async def one(act: Act) -> Reply:
            async with serving(act) as hostile:
                return await ask(hostile.target(), timeout_s=0.3)

        return await asyncio.gather(*(one(act) for _, act, _, _ in SLOW))

    with asyncio.Runner(loop_factory=new_loop) as runner:
        replies = runner.run(all_at_once())
    assert [(reply.http_status, reply.fault) for reply in replies] == [case[2:] for case in SLOW]
    assert {judge(reply).ruling.event for reply in replies} == {Event.DOUBTED}


async def test_after_each_fault_the_next_message_is_sent_on() -> None:
    acts = [act for _, faulty, _, _ in FAULTY for act in (faulty, accepts())]
    async with serving(*acts) as hostile, SmsApi(hostile.target(), timeout_s=5.0) as api:
        for name, _, _, fault in FAULTY:
            assert (await api.post(TO_NUMBER, None)).fault == fault, name
            await asyncio.sleep(0.01)  # until the client has seen that the server hung up
            assert judge(await api.post(TO_NUMBER, None)).ruling.event == Event.ACCEPTED, name


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(status: str) -> None:
    async with serving(accepts()) as elsewhere:
        location = f"Location: {elsewhere.base_url}/v1/sms/contact"
        reply = await reply_to(answer(status, b"", location))
        assert reply.http_status == int(status[:3])
        assert judge(reply).ruling.ends is StopReason.REDIRECTED
        assert elsewhere.connections == 0


async def test_cookies_that_cannot_be_parsed_do_no_harm_and_are_not_talked_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        reply = await reply_to(answer("200 OK", orjson.dumps(SAMPLE), "Set-Cookie: a,b\x01=\x1b[2J; c d=;;"))
    assert judge(reply).ruling.event in {Event.ACCEPTED, Event.DOUBTED}
    assert caplog.text == ""


# ---- no connection ----


@LOOPS
def test_a_refused_connection_is_told_from_a_broken_one(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        target = Target(f"http://127.0.0.1:{unused.getsockname()[1]}", 123, Endpoint.CONTACT, KEY)
        with asyncio.Runner(loop_factory=new_loop) as runner:
            reply = runner.run(ask(target))
    assert (reply.http_status, reply.fault) == (None, Fault.UNREACHABLE)
    assert "refused" in reply.error.lower()
    assert judge(reply).ruling.event == Event.FAILED


async def test_a_name_that_no_dns_knows_is_out_of_reach() -> None:
    reply = await ask(Target("https://api.bulksend.invalid", 123, Endpoint.CONTACT, KEY))
    assert (reply.http_status, reply.fault) == (None, Fault.UNREACHABLE)
    assert "api.bulksend.invalid" in reply.error


@LOOPS
def test_a_server_that_takes_no_connection_in_time_certainly_got_nothing(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    with closing(socket.socket()) as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:  # they fill the queue: the kernel drops who comes next
            each.setblocking(False)
            each.connect_ex(address)
        with asyncio.Runner(loop_factory=new_loop) as runner:
            reply = runner.run(ask(Target(f"http://127.0.0.1:{address[1]}", 123, Endpoint.CONTACT, KEY), timeout_s=0.4))
        for each in waiting:
            each.close()
    assert (reply.http_status, reply.fault) == (None, Fault.UNREACHABLE)


@LOOPS
def test_tls_to_a_server_that_speaks_none_stops_the_run_and_shows_it_nothing(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    seen = bytearray()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend(await reader.read(4096))
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    reply = asked_by_tls(plain, new_loop)
    assert (reply.http_status, reply.fault) == (None, Fault.NO_TLS)
    assert "does not speak TLS" in judge(reply).says
    ruling = judge(reply).ruling
    assert (ruling.ends, ruling.event) == (StopReason.UNTRUSTED, Event.PUT_OFF)
    assert seen[:1] == b"\x16"  # a TLS hello, and nothing else
    assert KEY.encode() not in seen


@LOOPS
def test_a_server_that_hangs_up_during_the_tls_handshake_is_out_of_reach(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.close()

    async def trial() -> Reply:
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reply = await ask(Target(f"https://127.0.0.1:{port}", 123, Endpoint.CONTACT, KEY))
        server.close()
        return reply

    with asyncio.Runner(loop_factory=new_loop) as runner:
        reply = runner.run(trial())
    assert (reply.http_status, reply.fault) == (None, Fault.UNREACHABLE)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted_with_the_key(tmp_path: Path) -> None:
    what = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    made = ["openssl", "req", *what, "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)  # noqa: ASYNC221 -- the loop has nothing else
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    async with serving(accepts(), tls=context) as hostile:
        reply = await ask(hostile.target())
    assert (reply.http_status, reply.fault) == (None, Fault.UNTRUSTED)
    assert "certificate" in reply.error
    assert hostile.requests == []


@LOOPS
@pytest.mark.parametrize(
    ("answered", "fault"),
    [
        (b"\x15\x03\x03\x00\x02\x02\x28", Fault.TLS_ALERT),  # fatal, handshake_failure
        (b"\x15\x03\x01\x00\x02\x02\x50", Fault.TLS_ALERT),  # fatal, internal_error
        (b"SSH-2.0-OpenSSH_9.2\r\n", Fault.NO_TLS),
        (b"220 mail.example ESMTP\r\n", Fault.NO_TLS),
    ],
    ids=["handshake failure", "internal error", "SSH", "SMTP"],
)
def test_what_ended_a_tls_handshake_is_told(
    answered: bytes, fault: Fault, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(answered)
        writer.close()

    reply = asked_by_tls(other, new_loop)
    assert (reply.http_status, reply.fault) == (None, fault)
    assert not judge(reply).ruling.counts  # nothing of the message left


# ---- connections that live on ----


def numbered(row: int) -> Message:
    return Message(row, PhoneNumber("639123456789"), None, f"text {row}", 1, None)


def texts_of(hostile: Hostile) -> list[str]:
    return [orjson.loads(request.body)["message"] for request in hostile.requests]


async def test_a_connection_closed_while_idle_is_not_used_again() -> None:
    async def then_closes(writer: asyncio.StreamWriter) -> bool:
        await accepts()(writer)
        return False

    async with serving(then_closes) as hostile, SmsApi(hostile.target(), timeout_s=5.0) as api:
        for _ in range(3):
            assert judge(await api.post(TO_NUMBER, None)).ruling.event == Event.ACCEPTED
            await asyncio.sleep(0.02)
    assert (len(hostile.requests), hostile.connections) == (3, 3)


@LOOPS
def test_a_connection_closed_as_the_next_message_leaves_never_sends_it_twice(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def trial() -> tuple[list[Reply], list[str]]:
        every_other = [accepts(), says()] * 10  # reads the second one, and hangs up without a word
        async with serving(*every_other) as hostile, SmsApi(hostile.target(), timeout_s=5.0) as api:
            replies = [await api.post(numbered(row), None) for row in range(20)]
        return replies, texts_of(hostile)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        replies, texts = runner.run(trial())
    assert texts == [f"text {row}" for row in range(20)]
    assert [reply.fault for reply in replies] == [None, Fault.BROKEN_OFF] * 10


async def test_a_connection_closed_right_after_an_answer_never_sends_the_next_message_twice() -> None:
    async def then_closes_at_once(writer: asyncio.StreamWriter) -> bool:
        writer.write(with_length(len(orjson.dumps(SAMPLE)), orjson.dumps(SAMPLE)))
        writer.close()
        return False

    async with serving(then_closes_at_once) as hostile, SmsApi(hostile.target(), timeout_s=5.0) as api:
        replies = [await api.post(numbered(row), None) for row in range(50)]
    texts = texts_of(hostile)
    assert len(texts) == len(set(texts))
    accepted = [f"text {row}" for row, reply in enumerate(replies) if judge(reply).ruling.event == Event.ACCEPTED]
    assert set(accepted) <= set(texts)
    lost = [reply for reply in replies if judge(reply).ruling.event != Event.ACCEPTED]
    assert {judge(reply).ruling.event for reply in lost} <= {Event.DOUBTED, Event.FAILED}


# ---- where to ----


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.engagespark.com",
        "HTTPS://host:8443",
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://[::1]:80",
    ],
)
def test_the_key_goes_over_https_or_to_this_machine(base_url: str) -> None:
    assert Target(base_url, 1, Endpoint.CONTACT, KEY).base_url == base_url


@pytest.mark.parametrize(
    "base_url",
    [
        "http://api.engagespark.com",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://[::ffff:10.0.0.1]",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "//127.0.0.1",
        "127.0.0.1:8080",
        "https://",
        "",
    ],
)
def test_the_key_goes_nowhere_else(base_url: str) -> None:
    with pytest.raises(UsageError, match="must start with https://"):
        Target(base_url, 1, Endpoint.CONTACT, KEY)


@pytest.mark.parametrize("base_url", ["https://[::1", "https://host:99999", "https://host:port"])
def test_an_address_that_is_none_is_refused_in_a_sentence(base_url: str) -> None:
    with pytest.raises(UsageError):
        Target(base_url, 1, Endpoint.CONTACT, KEY)


@pytest.mark.parametrize("base_url", ["https://a..b", "https://" + "a" * 70 + ".example"])
async def test_a_host_name_that_cannot_be_one_never_raises_from_a_send(base_url: str) -> None:
    try:
        target = Target(base_url, 1, Endpoint.CONTACT, KEY)
    except UsageError:
        return
    reply = await ask(target)
    assert reply.fault == Fault.UNREACHABLE


@pytest.mark.parametrize(
    "base_url",
    [
        "https://user@api.example", "https://user:s3cret@api.example", "https://:s3cret@api.example/x",
        "http://user:s3cret@127.0.0.1:80", "https://api.example/?a=b", "https://api.example?", "https://api.example#x",
        "http://user:s3cret@api.example", "https://user:s3cret@[::1",
    ],
)  # fmt: skip
def test_an_address_with_more_than_host_and_path_is_refused_and_its_password_not_shown(base_url: str) -> None:
    with pytest.raises(UsageError, match="base URL") as refused:
        Target(base_url, 1, Endpoint.CONTACT, KEY)
    assert "s3cret" not in str(refused.value)


def test_the_key_is_not_shown() -> None:
    target = Target("https://api.engagespark.com", 1, Endpoint.CONTACT, KEY)
    assert KEY not in repr(target)
    assert KEY not in str(target)
    assert KEY not in f"{SmsApi(target, timeout_s=1.0)!r}"


# ---- what was charged ----


@pytest.mark.parametrize(
    ("parts", "micro", "estimate", "whole"),
    [
        (1, 20_000, "0.02", 20_000),
        (3, 60_000, "0.06", 60_000),  # the document's reading agrees
        (3, 20_000, "0.06", 60_000),  # the newer page's does: the price is per part
        (7, 12_345, "0.08", 86_415),  # rounded down to cents
        (2, 4_000, "0.00", 4_000),  # both agree: the document's
        (2, 20_000, "0.99", 20_000),  # neither does: the document's
        (2, 20_000, "", 20_000),
        (0, 20_000, "0.02", 20_000),
        (None, 20_000, "0.06", 20_000),
        (2, 600_000, "1.20", 1_200_000),
        (2, 500_000, "1.00", 1_000_000),
        (3, None, "0.06", None),
    ],
)
def test_the_reading_of_the_price_that_fits_the_estimate_counts(
    parts: int | None, micro: int | None, estimate: str, whole: int | None
) -> None:
    assert charged(parts, micro, estimate) == whole


def asked_by_tls(
    handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> Reply:
    """What comes of a POST by https to a server that does not know how to speak it."""

    async def trial() -> Reply:
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reply = await ask(Target(f"https://127.0.0.1:{port}", 123, Endpoint.CONTACT, KEY))
        server.close()
        return reply

    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(trial())
