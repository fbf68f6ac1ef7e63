"""A browser of a few lines, which enters the page as people's do and sends its forms."""

from __future__ import annotations

import asyncio
import io
import re
import shlex
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp

from bulksend.engagespark import Sandbox
from bulksend.web import PageServer, PageSettings


class Answer(NamedTuple):
    """What came back."""

    status: int
    path: str
    text: str

    @property
    def key(self) -> str:
        return self.path.split("/")[2]

    def field(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, self.text
        return found[1]


class Browser:
    """Asks one server."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self.session = session
        self.base = f"http://127.0.0.1:{port}"
        self.csrf = ""

    async def get(self, path: str) -> Answer:
        async with self.session.get(self.base + path) as answer:
            return Answer(answer.status, answer.url.path, await answer.text())

    async def post(self, path: str, **fields: str) -> Answer:
        sent = {"csrf": self.csrf, **fields}
        async with self.session.post(self.base + path, data=sent, headers={"Origin": self.base}) as answer:
            return Answer(answer.status, answer.url.path, await answer.text())

    async def bring(self, path: str, name: str, content: bytes, csrf: str | None = None) -> Answer:
        form = aiohttp.FormData()
        form.add_field("csrf", self.csrf if csrf is None else csrf)
        form.add_field("file", io.BytesIO(content), filename=name)
        async with self.session.post(self.base + path, data=form, headers={"Origin": self.base}) as answer:
            return Answer(answer.status, answer.url.path, await answer.text())

    async def enter(self, token: str, origin: str = "null") -> aiohttp.ClientResponse:
        return await self.session.post(f"{self.base}/enter", data={"token": token}, headers={"Origin": origin})

    async def begin(self, name: str, content: bytes) -> Answer:
        begun = await self.post("/campaigns")
        return await self.bring(f"/c/{begun.key}/sheet/bring", name, content)

    async def send(self, key: str, price: Answer) -> None:
        """Send what the price's page asks to be agreed to, and see it to its end."""
        await self.post(f"/c/{key}/send", agreed=price.field("agreed"))
        await self.get(f"/c/{key}/sending/events")


def token_in(file: Path) -> str:
    found = re.search(r'name="token" value="([^"]+)"', file.read_text(encoding="utf-8"))
    assert found
    return found[1]


def settings(folder: Path, **more: object) -> PageSettings:
    (folder / "sheets").mkdir(exist_ok=True)
    return PageSettings(folder / "sheets", folder / "page", **more)  # type: ignore[arg-type]


@asynccontextmanager
async def outside(server: PageServer) -> AsyncIterator[Browser]:
    """A browser that has not entered."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Browser(session, server.port)


@asynccontextmanager
async def entered(said: PageSettings) -> AsyncIterator[Browser]:
    """A browser that has."""
    async with PageServer(said) as server, outside(server) as browser:
        answer = await browser.enter(token_in(server.entry))
        assert answer.status == 200
        browser.csrf = (await browser.get("/")).field("csrf")
        yield browser


class Held(NamedTuple):
    """Processes of the page that are started and wait.

    Attributes:
        came: is there once one was started.
        gate: when it is there, they begin.
    """

    came: Path
    gate: Path

    async def begun(self) -> None:
        """Wait until one was started."""
        async with asyncio.timeout(30):
            while not self.came.exists():  # noqa: ASYNC110 -- it tells nobody
                await asyncio.sleep(0.01)

    def let_go(self) -> None:
        """Let them begin."""
        self.gate.touch()


@contextmanager
def holding(folder: Path) -> Iterator[Held]:
    """Whatever process the page starts meanwhile waits before it begins."""
    python, waits = sys.executable, folder / "waits"
    held = Held(folder / "came", folder / "gate")
    came, gate, begin = (shlex.quote(str(path)) for path in (held.came, held.gate, python))
    waits.write_text(f'#!/bin/sh\n: > {came}\nwhile [ ! -e {gate} ]; do sleep 0.02; done\nexec {begin} "$@"\n')
    waits.chmod(0o700)
    sys.executable = str(waits)
    try:
        yield held
    finally:
        sys.executable = python


async def accepts_more(sandbox: Sandbox) -> None:
    """Wait until it has taken another message."""
    so_far = sandbox.summary().accepted
    async with asyncio.timeout(30):
        while sandbox.summary().accepted == so_far:  # noqa: ASYNC110 -- the server tells nobody
            await asyncio.sleep(0.05)
