"""Connections that are kept, and what may go wrong with that: raw sockets on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from test_api import Hostile, accepts, hangs, says, serving, with_length
from yarl import URL

from bulksend.engagespark import Wire
from bulksend.engagespark.line import Received
from bulksend.engagespark.wire import NotConnectedError

BODY = orjson.dumps({"n": 1})


def wire_to(hostile: Hostile, *, timeout_s: float = 5.0, idle_s: float = 15.0) -> Wire:
    url = URL(f"{hostile.base_url}/v1/x?a=b%20c")
    return Wire(url, {"X-Own": "1"}, connect_s=1.0, timeout_s=timeout_s, idle_s=idle_s, longest=1_000)


@asynccontextmanager
async def wired(hostile: Hostile, *, timeout_s: float = 5.0, idle_s: float = 15.0) -> AsyncIterator[Wire]:
    async with wire_to(hostile, timeout_s=timeout_s, idle_s=idle_s) as wire:
        yield wire


def said(received: Received) -> object:
    assert received.body is not None, received
    return orjson.loads(received.body)


async def test_a_request_is_what_was_asked_for_to_the_byte() -> None:
    async with serving(accepts()) as hostile, wired(hostile) as wire:
        await wire.post(BODY)
    (request,) = hostile.requests
    assert request.line == "POST /v1/x?a=b%20c HTTP/1.1"
    assert request.headers == [
        ("Host", f"127.0.0.1:{hostile.port}"), ("Accept", "*/*"), ("X-Own", "1"), ("Content-Length", f"{len(BODY)}"),
    ]  # fmt: skip
    assert request.body == BODY


async def test_one_after_another_goes_over_one_connection_and_at_once_over_several() -> None:
    async with serving(accepts()) as hostile, wired(hostile) as wire:
        for _ in range(3):
            await wire.post(BODY)
        assert hostile.connections == 1
        await asyncio.gather(*(wire.post(BODY) for _ in range(3)))
        assert hostile.connections == 3
        await wire.post(BODY)
    assert hostile.connections == 3


async def test_a_connection_that_was_idle_for_too_long_is_not_used_again() -> None:
    async with serving(accepts()) as hostile, wired(hostile, idle_s=0.0) as wire:
        for _ in range(3):
            await wire.post(BODY)
    assert hostile.connections == 3


async def test_an_answer_that_nobody_asked_for_is_never_taken_for_the_next_ones() -> None:
    own, foreign = (with_length(len(text), text) for text in (b'"own"', b'"foreign"'))

    async def both_at_once(writer: asyncio.StreamWriter) -> bool:
        writer.write(own + foreign)
        return True

    async def later(writer: asyncio.StreamWriter) -> bool:
        writer.write(own)
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(foreign)
        return True

    for act in (both_at_once, later):
        async with serving(act) as hostile, wired(hostile) as wire:
            for _ in range(4):
                assert said(await wire.post(BODY)) == "own"
                await asyncio.sleep(0.05)
        assert hostile.connections == 4


async def test_what_comes_before_the_answer_is_passed_over() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    async with serving(says(hints + with_length(5, b'"own"'), lives_on=True)) as hostile, wired(hostile) as wire:
        assert [said(await wire.post(BODY)) for _ in range(2)] == ["own"] * 2
    assert hostile.connections == 1


@pytest.mark.parametrize("head", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
async def test_an_answer_without_a_body_is_empty(head: bytes) -> None:
    async with serving(says(head, lives_on=True)) as hostile, wired(hostile) as wire:
        assert (await wire.post(BODY)).body == b""


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n12"])
async def test_an_answer_that_does_not_come_in_time_ends_its_connection(start: bytes) -> None:
    async def begins(writer: asyncio.StreamWriter) -> bool:
        writer.write(start)
        await writer.drain()
        return await hangs(writer)

    async with serving(begins, accepts()) as hostile, wired(hostile, timeout_s=0.1) as wire:
        if start:
            received = await wire.post(BODY)
            assert (received.status, received.body) == (200, None)
            assert isinstance(received.trouble, TimeoutError)
        else:
            with pytest.raises(TimeoutError):
                await wire.post(BODY)
        assert (await wire.post(BODY)).status == 200
    assert hostile.connections == 2


async def test_a_post_that_is_called_off_leaves_no_connection_with_an_answer_to_come() -> None:
    async def slowly(writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(0.1)
        return await accepts(message="late")(writer)

    async with serving(slowly, accepts(message="own")) as hostile, wired(hostile) as wire:
        posting = asyncio.create_task(wire.post(BODY))
        await asyncio.sleep(0.03)
        posting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await posting
        answered = said(await wire.post(BODY))
        assert isinstance(answered, dict)
        assert answered["message"] == "own"
    assert hostile.connections == 2


async def test_a_dropped_connection_is_not_used_again() -> None:
    async with serving(accepts()) as hostile, wired(hostile) as wire:
        await wire.post(BODY)
        wire.drop()
        await wire.post(BODY)
    assert hostile.connections == 2


async def test_a_server_that_takes_no_connection_is_told_from_one_that_gives_no_answer() -> None:
    async with serving(accepts()) as hostile:
        hostile.port = 9
        async with wired(hostile) as wire:
            with pytest.raises((NotConnectedError, OSError)):
                await wire.post(BODY)
