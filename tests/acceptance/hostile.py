"""An API server that misbehaves in every way seen on the wire, in a process of its own, so that it outlives the client.

It notes each request, what it *accepted* and what it answered in a log, one JSON object a line, written before the
answer leaves. A second POST of a known ``clientDedup`` is accepted once more unless the server knows the field. It can
be made to behave otherwise while it runs; what it accepted stays accepted.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from forks import Process, can_fork, forks

KEY = "hostile-key-5f2c9a"

CERTAIN = {
    "ok": "accepted and answered",
    "slow": "accepted and answered after a while",
    "drip": "accepted, the answer comes byte by byte, but in time",
    "chunked": "accepted, the answer comes chunked",
    "reject": "400 in the API's words",
    "error-500": "500 in the API's words",
    "slow-down-429": "429, nothing was accepted",
}
"""What leaves the client in no doubt, if it lives to read it."""

AMBIGUOUS = {
    "lost-before": "closed without an answer, not accepted",
    "reset-before": "reset, not accepted",
    "hang-before": "no answer ever, not accepted",
    "page-502-before": "a gateway's page, not accepted",
    "busy-503": "503 with Retry-After, not accepted",
    "lost-after": "closed without an answer, but accepted",
    "reset-after": "reset, but accepted",
    "hang-after": "no answer ever, but accepted",
    "late": "accepted when the client has long given up",
    "page-502-after": "a gateway's page, but accepted",
    "reset-mid-body": "accepted, reset in the middle of the answer",
    "drip-forever": "accepted, the answer comes too slowly",
    "overdue": "accepted, the answer comes when the client has given up",
    "garbage": "accepted, the body is not JSON",
    "too-long": "accepted, Content-Length promises more than comes",
    "too-short": "accepted, Content-Length promises less than comes",
    "no-id": "accepted, but the answer tells no messageId",
}
"""What may or may not have been accepted, as far as the client can see."""

TWICE = {"twice": "accepted and answered, and then answered once more on the same connection"}
"""What puts the *next* row of the connection in doubt."""

KINDS = CERTAIN | AMBIGUOUS | TWICE
_SERVES = "import hostile\nhostile.main()"
_STORM = ("error-500", "page-502-before", "reset-before", "busy-503")
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>"


@dataclass(frozen=True)
class Settings:
    """How a server misbehaves; equal settings misbehave equally.

    Attributes:
        weights: how often it does what; the others of `KINDS` never.
        knows_dedup: whether it knows clientDedup, and says so by echoing it.
        knows_list: whether it has the list of messages; otherwise that is a 404.
        shows_refs: whether that list hands clientRef back.
        calm_after: from this attempt of a row on, and after so many attempts whose client died, it is answered well.
        storm_every_s: so often a storm of errors breaks out; 0: never.
        storm_s: how long it lasts.
        latency_s: how long a good answer takes.
        price_factor: what it charges, beside the document's example.
    """

    seed: int = 0
    weights: dict[str, int] = field(default_factory=lambda: {"ok": 1})
    knows_dedup: bool = True
    knows_list: bool = False
    shows_refs: bool = True
    calm_after: int = 3
    storm_every_s: float = 0.0
    storm_s: float = 0.4
    latency_s: float = 0.0
    price_factor: float = 1.0


PRICE_MICRO = 20_000
"""What a part costs by the document's example."""


def phone_of(contact: int) -> str:
    """The number behind a contact: one of a few, so that contacts share phones with each other and with numbers."""
    return f"6391712345{contact % 2:02}"


def parts_of(text: str) -> int:
    """SMS parts of a text of plain GSM-7 letters."""
    return 1 if len(text) <= 160 else -(-len(text) // 153)


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    body: dict[str, Any]


class _Server:
    def __init__(self, log: Path, settings: Settings) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._settings = settings
        self._started = time.monotonic()
        self._tries: dict[str, int] = {}
        self._originals: dict[str, dict[str, Any]] = {}
        self._messages: list[dict[str, Any]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            while (request := await _read(reader)) is not None:
                if request.method == "PUT":
                    self._settings = Settings(**request.body)
                    _write(writer, 200, b"")
                    await writer.drain()
                elif request.method != "POST":
                    _write(writer, *self._listed(request))
                    await writer.drain()
                elif not await self._post(request, reader, writer):
                    break
        with suppress(ConnectionError):
            writer.close()

    async def _post(self, request: _Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Do what is done to this request; whether the connection goes on."""
        settings = self._settings  # it is dealt with as it came, whatever changes before it is accepted
        does = self._choose(request.body, settings)
        if does == "late" and _phone(request.body).startswith("63"):
            does = "hang-before"  # no client can keep a cap at a server that accepts at any time
        self._note("request", request.body, does=does)
        if does == "ok":
            await asyncio.sleep(settings.latency_s)
        elif does == "slow":
            await asyncio.sleep(0.15)
        elif does == "late":
            await asyncio.sleep(1.5)
        if does in _NOT_ACCEPTED:
            return await self._refuse(does, request.body, settings, reader, writer)
        status, answer = self._accept(request.body, settings)
        goes_on = await _answer(does, status, answer, reader, writer)
        if does in CERTAIN:
            self._note("answered", request.body, status=status, echoed="clientDedup" in answer)
        return goes_on

    def _choose(self, body: dict[str, Any], settings: Settings) -> str:
        text = body["message"]
        which = f"{_phone(body)}:{text}"
        tried = self._tries[which] = self._tries.get(which, 0) + 1
        if "REJECT" in text:
            return "reject"
        if "SLOW" in text:
            return "slow"
        if "FUNDS" in text:
            return "no-funds-402"
        if "QUIET" in text and tried == 1:
            return "quiet-429"
        chance = random.Random(f"{settings.seed}:{which}:{tried}")
        every = settings.storm_every_s
        if every and (time.monotonic() - self._started) % every < settings.storm_s:
            return chance.choice(_STORM)
        if tried > settings.calm_after:
            return "ok"
        kinds = settings.weights
        return chance.choices(list(kinds), list(kinds.values()))[0]

    @staticmethod
    async def _refuse(
        does: str,
        body: dict[str, Any],
        settings: Settings,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        match does:
            case "reject":
                _write(writer, 400, _bytes(_fields(body, settings) | {"error": "invalid 'to' number"}))
            case "error-500":
                _write(writer, 500, _bytes(_fields(body, settings) | {"error": "internal"}))
            case "slow-down-429":
                _write(writer, 429, _bytes({"error": "slow down"}))
            case "no-funds-402":
                _write(writer, 402, _bytes({"error": "out of funds"}))
            case "quiet-429":
                _write(writer, 429, _bytes({"error": "slow down"}), "Retry-After: 4\r\n")
            case "busy-503":
                _write(writer, 503, b"", "Retry-After: 1\r\n")
            case "page-502-before":
                _write(writer, 502, _PAGE, "Content-Type: text/html\r\n")
            case "hang-before":
                await reader.read()
                return False
            case "reset-before":
                _reset(writer)
                return False
            case _:
                return False
        await writer.drain()
        return True

    def _accept(self, body: dict[str, Any], settings: Settings) -> tuple[int, dict[str, Any]]:
        key = body.get("clientDedup")
        original = self._originals.get(key) if settings.knows_dedup and key else None
        if original is not None:
            self._note("duplicate", body)
            error = {"error": "duplicate clientDedup", "errorCode": "sms.clientdedup"}
            return 409, original | error | {"dedupMessageId": original["messageId"]}
        answer = _fields(body, settings) | {"messageId": f"SMS-{len(self._messages) + 1}-{os.getpid()}"}
        if settings.knows_dedup:
            answer |= {name: body[name] for name in ("clientDedup", "clientRef") if name in body}
            self._originals[key or f"none-{len(self._messages)}"] = answer
        self._messages.append(answer | {"created": time.time(), "ref": body.get("clientRef", "")})
        self._note("accepted", body, id=answer["messageId"], price=answer["estimateMicro"])
        return 200, answer

    def _listed(self, request: _Request) -> tuple[int, bytes]:
        url = urlsplit(request.path)
        if not self._settings.knows_list or not url.path.endswith("/messages/"):
            return 404, b"404 page not found"
        query = parse_qs(url.query)
        start, limit = int(query.get("after", ["0"])[0]), min(int(query.get("limit", ["100"])[0]), 100)
        found = self._messages[::-1][start : start + limit]
        has_more = start + limit < len(self._messages)
        return 200, _bytes(
            {
                "hasNextPage": has_more,
                "nextPage": str(start + limit) if has_more else "",
                "messages": [_listing(message, shows_ref=self._settings.shows_refs) for message in found],
            }
        )

    def _note(self, what: str, body: dict[str, Any], **more: Any) -> None:
        record = {
            "what": what,
            "at": time.monotonic(),
            "to": _phone(body),
            "contact": int(body.get("contactId", 0)),
            "from": body.get("from", ""),
            "text": body["message"],
            "key": body.get("clientDedup"),
        }
        os.write(self._log, json.dumps(record | more).encode() + b"\n")


_NOT_ACCEPTED = {kind for kind, says in KINDS.items() if "not accepted" in says} | {
    "reject",
    "error-500",
    "slow-down-429",
    "no-funds-402",
    "quiet-429",
}


async def _answer(
    does: str, status: int, answer: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Answer what was accepted, well or badly; whether the connection goes on."""
    body = _bytes(answer)
    match does:
        case "hang-after":
            await reader.read()
        case "overdue":
            await asyncio.sleep(0.9)
            _write(writer, status, body)
            await writer.drain()
        case "reset-after":
            _reset(writer)
        case "reset-mid-body":
            _write(writer, status, body[: len(body) // 2], length=len(body))
            await writer.drain()
            await asyncio.sleep(0.02)
            _reset(writer)
        case "too-long":
            _write(writer, status, body, length=len(body) + 40)
            await writer.drain()
            await asyncio.sleep(0.05)
        case "lost-after":
            pass
        case _:
            await _say(does, status, answer, writer)
            await writer.drain()
            return True
    return False


async def _say(does: str, status: int, answer: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    body = _bytes(answer)
    match does:
        case "twice":
            _write(writer, status, body)
            await writer.drain()
            await asyncio.sleep(0.003)  # when the client may have sent its next request already
            _write(writer, status, body)
        case "page-502-after":
            _write(writer, 502, _PAGE, "Content-Type: text/html\r\n")
        case "drip" | "drip-forever":
            await _drip(writer, status, body, 0.1 if does == "drip" else 30.0)
        case "chunked":
            writer.write(b"HTTP/1.1 %d x\r\nTransfer-Encoding: chunked\r\n\r\n" % status)
            for half in (body[:20], body[20:]):
                writer.write(b"%x\r\n%b\r\n" % (len(half), half))
            writer.write(b"0\r\n\r\n")
        case "garbage":
            _write(writer, status, b'{"messageId": "SMS-1-' + bytes(range(128, 160)))
        case "too-short":
            _write(writer, status, body, length=len(body) - 20)
        case "no-id":
            _write(writer, 200, _bytes(answer | {"messageId": "", "error": ""}))
        case _:
            _write(writer, status, body)


async def _drip(writer: asyncio.StreamWriter, status: int, body: bytes, last_s: float) -> None:
    _write(writer, status, b"", length=len(body))
    for at in range(0, len(body), 10):
        writer.write(body[at : at + 10])
        await writer.drain()
        await asyncio.sleep(last_s * 10 / len(body))


async def _read(reader: asyncio.StreamReader) -> _Request | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("authorization") != f"Token {KEY}":
        return None
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return _Request(method, path, json.loads(body) if body else {})


def _write(writer: asyncio.StreamWriter, status: int, body: bytes, more: str = "", length: int | None = None) -> None:
    size = len(body) if length is None else length
    writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: {size}\r\n{more}\r\n".encode() + body)


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # the client was faster
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _bytes(found: dict[str, Any]) -> bytes:
    return json.dumps(found).encode()


def _fields(body: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """An answer's fields (API document, response body)."""
    parts = parts_of(body["message"])
    return {
        "error": "",
        "messageId": "",
        "estimateParts": parts,
        "estimateMicro": round(PRICE_MICRO * settings.price_factor) * parts,
        "estimate": f"0.0{2 * parts}",
        "deliveryDeadline": "2030-01-01T00:00:00Z",
        "contactId": int(body.get("contactId", 0)),
        "to": _phone(body),
        "message": body["message"],
    }


def _phone(body: dict[str, Any]) -> str:
    """Whose phone rings."""
    return body["to"] if "to" in body else phone_of(int(body["contactId"]))


def _listing(message: dict[str, Any], *, shows_ref: bool) -> dict[str, Any]:
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(message["created"]))
    return {
        "id": message["messageId"],
        "direction": "out",
        "created": created,
        "recipient": message["to"],
        "contactId": message["contactId"],
        "message": message["message"],
        "client_ref": message["ref"] if shows_ref else "",
        "error": "",
        "done": False,
    }


@dataclass
class Hostile:
    """A hostile server that runs for as long as the context lasts.

    Args:
        log: where it writes what it saw.
        settings: how it misbehaves.
    """

    log: Path
    settings: Settings

    def __enter__(self) -> Self:
        arguments = [str(self.log), json.dumps(asdict(self.settings))]
        self._process: Process
        if can_fork({}, ""):
            self._process = forks().start(arguments, Path.cwd(), os.environ, 2, subprocess.PIPE, _SERVES)
        else:
            code = f"import sys\nsys.path[:] = {sys.path!r}\n{_SERVES}"
            self._process = subprocess.Popen(
                [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True
            )
        assert self._process.stdout is not None
        self.base_url = f"http://127.0.0.1:{self._process.stdout.readline().strip()}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def change(self, settings: Settings) -> None:
        """Let it behave otherwise from now on; what was sent to it before is dealt with as before."""
        time.sleep(0.05)  # what a killed client sent last may still be in its sockets
        body, head = json.dumps(asdict(settings)).encode(), {"Authorization": f"Token {KEY}"}
        asked = urllib.request.Request(f"{self.base_url}/settings", body, head, method="PUT")
        with urllib.request.urlopen(asked, timeout=30):
            self.settings = settings

    def seen(self) -> int:
        """How many records it has noted."""
        return self.log.read_bytes().count(b"\n") if self.log.exists() else 0

    def records(self, what: str = "") -> list[dict[str, Any]]:
        """What it noted: ``request``, ``accepted``, ``duplicate`` or ``answered``, or all of them; in order.

        A line that is being written is left for the next look: of one over the end of a page only the first part shows.
        """
        whole, _, _ = (self.log.read_bytes() if self.log.exists() else b"").rpartition(b"\n")
        lines = whole.splitlines()
        return [record for record in map(json.loads, lines) if what in ("", record["what"])]


async def _main(log: Path, settings: Settings) -> None:
    server = await asyncio.start_server(_Server(log, settings).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 -- whoever started it reads the port
    await server.serve_forever()


def main() -> None:
    """Be the server, by the words of the command."""
    asyncio.run(_main(Path(sys.argv[1]), Settings(**json.loads(sys.argv[2]))))
