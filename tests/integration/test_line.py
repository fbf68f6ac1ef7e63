"""One connection and whatever may come on it: raw sockets on the loopback, on both event loops."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from test_api import CHUNKED, LOOPS, Act, Hostile, accepts, chunked, hangs, resets, says, serving, with_length
from test_wire import BODY, said, wired

from bulksend.engagespark.line import NoHttpError, Received
from bulksend.engagespark.wire import NotConnectedError

TEXT = b'{"n":"' + b"0123456789" * 3 + b'"}'
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
SIZED = with_length(len(TEXT), TEXT)
KEPT = {
    "with its length": SIZED,
    "in chunks": CHUNKED + chunked(TEXT, 7) + b"0\r\n\r\n",
    "in chunks, with an extension and a trailer": (
        CHUNKED + b"24;a=b\r\n" + TEXT[:36] + b"\r\n2 \r\n" + TEXT[36:] + b"\r\n0\r\nX: y\r\n\r\n"
    ),
    "behind hints": HINTS + SIZED,
    "with bare line feeds": SIZED.replace(b"\r\n", b"\n"),
    "of an older kind, kept alive in words": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + SIZED[17:],
}
LAST = {
    "until the end": b"HTTP/1.1 200 OK\r\n\r\n" + TEXT,
    "until the end, of an older kind": b"HTTP/1.0 200 OK\r\nX: y\r\n\r\n" + TEXT,
    "with its length, and the last": b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + SIZED[17:],
    "in chunks, and the last": CHUNKED[:-2] + b"Connection: close\r\n\r\n" + chunked(TEXT, 9) + b"0\r\n\r\n",
}


class Speaking(asyncio.Protocol):
    """A server that does not wait to be asked."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(b"220 mail.example ESMTP\r\n")


def run(trial: Callable[[], Awaitable[None]], new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await trial()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(bounded())


@LOOPS
@pytest.mark.parametrize("answer", KEPT.values(), ids=KEPT)
def test_an_answer_is_whole_wherever_it_was_split(
    answer: bytes, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    acts = [says(answer[:place], answer[place:], lives_on=True) for place in range(1, len(answer))]
    each = [bytes([byte]) for byte in answer]

    async def trial() -> None:
        async with serving(*acts, says(*each, lives_on=True)) as hostile, wired(hostile) as wire:
            for _ in range(len(acts) + 2):
                received = await wire.post(BODY)
                assert (received.status, received.body, received.has_more) == (200, TEXT, False)
        assert hostile.connections == 1

    run(trial, new_loop)


@LOOPS
@pytest.mark.parametrize("answer", LAST.values(), ids=LAST)
def test_the_last_answer_of_a_connection_is_whole_wherever_it_was_split(
    answer: bytes, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    acts = [says(answer[:place], answer[place:]) for place in range(1, len(answer), 7)]

    async def trial() -> None:
        async with serving(*acts) as hostile, wired(hostile) as wire:
            for _ in acts:
                received = await wire.post(BODY)
                assert (received.status, received.body, received.has_more) == (200, TEXT, False)
        assert hostile.connections == len(acts)

    run(trial, new_loop)


@LOOPS
@pytest.mark.parametrize("lives_on", [True, False])
def test_an_answer_that_says_it_is_the_last_is(
    new_loop: Callable[[], asyncio.AbstractEventLoop], *, lives_on: bool
) -> None:
    act = says(LAST["with its length, and the last"], lives_on=lives_on)

    async def trial() -> None:
        async with serving(act) as hostile, wired(hostile) as wire:
            for _ in range(3):
                assert (await wire.post(BODY)).body == TEXT
        assert hostile.connections == 3

    run(trial, new_loop)


@LOOPS
@pytest.mark.parametrize(
    "behind",
    [KEPT["with its length"], KEPT["with its length"][:20], b"H", HINTS],
    ids=["another", "the head of another", "a letter of another", "hints of another"],
)
def test_what_comes_with_an_answer_and_behind_it_ends_its_connection(
    behind: bytes, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def trial() -> None:
        async with serving(says(with_length(5, b'"own"') + behind, lives_on=True)) as hostile, wired(hostile) as wire:
            for _ in range(3):
                received = await wire.post(BODY)
                assert (said(received), received.has_more) == ("own", True)
        assert hostile.connections == 3

    run(trial, new_loop)


@LOOPS
@pytest.mark.parametrize("status", [b"200 OK", b"429 Slow"])
def test_an_answer_with_what_is_no_http_behind_it_is_none(
    status: bytes, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    own = with_length(5, b'"own"').replace(b"200 OK", status)

    async def trial() -> None:
        async with serving(says(own + b"SSH-2.0-OpenSSH_9.2\r\n"), accepts()) as hostile, wired(hostile) as wire:
            with pytest.raises(NoHttpError):
                await wire.post(BODY)
            assert (await wire.post(BODY)).status == 200
        assert hostile.connections == 2

    run(trial, new_loop)


@LOOPS
@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", with_length(9, b"12"), CHUNKED + b"3\r\nabc"])
@pytest.mark.parametrize("ends", [says(), resets], ids=["closed", "reset"])
def test_a_connection_that_breaks_in_an_answer_tells_how_far_that_came(
    start: bytes, ends: Act, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def begins(writer: asyncio.StreamWriter) -> bool:
        writer.write(start)
        await writer.drain()
        await asyncio.sleep(0.02)
        return await ends(writer)

    async def trial() -> None:
        async with serving(begins) as hostile, wired(hostile) as wire:
            if b"\r\n\r\n" in start:
                received = await wire.post(BODY)
                assert (received.status, received.body) == (200, None)
                assert isinstance(received.trouble, OSError)
                assert not isinstance(received.trouble, TimeoutError)
            else:
                with pytest.raises(ConnectionError):
                    await wire.post(BODY)

    run(trial, new_loop)


@LOOPS
def test_an_answer_before_the_request_has_left_is_the_last_of_its_connection(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    refusal = with_length(5, b'"big"').replace(b"200 OK", b"413 Content Too Large")

    async def trial() -> None:
        connections = 0
        writers = []

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            writers.append(writer)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(refusal)  # and reads no more than its buffer holds

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        hostile = Hostile(port=server.sockets[0].getsockname()[1])
        async with wired(hostile) as wire:
            for number in range(1, 3):
                received = await wire.post(b" " * 20_000_000)
                assert (received.status, received.body, connections) == (413, b'"big"', number)
        server.close()
        for writer in writers:
            writer.transport.abort()

    run(trial, new_loop)


@LOOPS
def test_an_answer_that_lay_in_the_socket_when_its_time_was_over_came_in_time(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    asked = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            asked.set()
            time.sleep(0.1)
            connection.sendall(with_length(5, b'"own"'))
            connection.recv(1)

    server = threading.Thread(target=serve, daemon=True)
    server.start()

    async def trial() -> None:
        async with wired(Hostile(port=listener.getsockname()[1]), timeout_s=0.2) as wire:
            posting = asyncio.create_task(wire.post(BODY))
            await asyncio.to_thread(asked.wait)
            time.sleep(0.5)  # noqa: ASYNC251 -- the program stands still, as it may when the machine is busy
            assert said(await posting) == "own"

    run(trial, new_loop)
    server.join()
    listener.close()


@LOOPS
def test_each_request_has_its_own_time(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def trial() -> None:
        loop = asyncio.get_running_loop()

        async def takes(later_s: float) -> float:
            await asyncio.sleep(later_s)
            began_s = loop.time()
            with pytest.raises(TimeoutError):
                await wire.post(BODY)
            return loop.time() - began_s

        async with serving(hangs) as hostile, wired(hostile, timeout_s=0.3) as wire:
            took = await asyncio.gather(*(takes(later_s) for later_s in (0.0, 0.1, 0.2, 0.5)))
        assert all(0.25 < each < 0.6 for each in took), took

    run(trial, new_loop)


@LOOPS
def test_a_server_that_speaks_before_it_is_asked_is_not_taken_for_the_answer(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Whether its words come before or after the request leaves is chance; neither is an answer."""

    async def trial() -> None:
        server = await asyncio.get_running_loop().create_server(Speaking, "127.0.0.1", 0)
        async with wired(Hostile(port=server.sockets[0].getsockname()[1])) as wire:
            for _ in range(20):
                with pytest.raises((NoHttpError, NotConnectedError)):
                    await wire.post(BODY)
        server.close()
        await asyncio.sleep(0.05)  # until the last has seen that its client is gone

    run(trial, new_loop)


@LOOPS
@pytest.mark.parametrize("pause_s", [0.0, 0.001])
def test_a_head_without_an_end_is_given_up(pause_s: float, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    act = says(b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"y" * 1_000 + b"\r\n"] * 100, b"\r\n{}", pause_s=pause_s)

    async def trial() -> None:
        async with serving(act) as hostile, wired(hostile) as wire:
            with pytest.raises(NoHttpError):
                await wire.post(BODY)

    run(trial, new_loop)


@LOOPS
@pytest.mark.parametrize(
    "answer",
    [
        with_length(2_000, b"x" * 2_000),
        CHUNKED + chunked(b"x" * 200_000, 500) + b"0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000,
    ],
)
def test_a_body_that_is_too_long_is_not_read(answer: bytes, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def trial() -> None:
        async with serving(says(answer), accepts()) as hostile, wired(hostile) as wire:
            received = await wire.post(BODY)
            assert (received.status, received.body, received.trouble) == (200, None, None)
            assert (await wire.post(BODY)).body is not None

    run(trial, new_loop)


def test_what_is_received_has_its_head() -> None:
    came = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n"
    assert Received(503, b"", came).head.field("retry-after") == "7"
