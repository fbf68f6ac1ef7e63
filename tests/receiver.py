"""A server of the test's own that takes what a webhook is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    fields: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


@dataclass
class Receiver:
    """A server in a thread of its own, and what came.

    Attributes:
        statuses: its answers, in this order; the last one again and again.
        wait_s: how long it takes to answer a POST.
    """

    statuses: Sequence[int] = (204,)
    wait_s: float = 0.0
    seen: list[Received] = field(default_factory=list)
    base_url: str = ""

    @property
    def url(self) -> str:
        """Its address, with a part that nobody is to see."""
        return f"{self.base_url}/hooks/s3cret-part"

    async def _take(self, request: web.Request) -> web.Response:
        self.seen.append(Received(request.path, dict(request.headers), await request.read()))
        await asyncio.sleep(self.wait_s if request.method == "POST" else 0)
        status = self.statuses[min(len(self.seen), len(self.statuses)) - 1]
        headers = {"Location": f"{self.base_url}/elsewhere"} if 300 <= status < 400 else {}
        return web.Response(status=status, headers=headers)

    async def serve(self, is_up: threading.Event, is_over: asyncio.Event) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        is_up.set()
        await is_over.wait()
        await runner.cleanup()


@contextmanager
def receiving(*statuses: int, wait_s: float = 0.0) -> Iterator[Receiver]:
    """A server that answers so, 204 if nothing is said."""
    receiver = Receiver(statuses or (204,), wait_s)
    is_up, is_over = threading.Event(), asyncio.Event()
    runner = asyncio.Runner()
    loop = runner.get_loop()

    def work() -> None:
        with runner:
            runner.run(receiver.serve(is_up, is_over))

    thread = threading.Thread(target=work)
    thread.start()
    assert is_up.wait(10)
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(is_over.set)
        thread.join(10)
