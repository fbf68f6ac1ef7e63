"""The sandbox's HTTP side: takes requests in, lets the ledger decide, and carries its decisions out."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from random import Random
from types import TracebackType
from typing import Self

import orjson
from aiohttp import web

from bulksend.engagespark.sandbox import answers, listing, log
from bulksend.engagespark.sandbox.answers import Error, Response
from bulksend.engagespark.sandbox.behaviour import SandboxOptions
from bulksend.engagespark.sandbox.ledger import Ledger
from bulksend.engagespark.sandbox.request import is_number
from bulksend.errors import UsageError
from bulksend.model import Endpoint

HOST = "127.0.0.1"
"""Nobody else on the network shall reach a sandbox."""


def steady_clock() -> Callable[[], float]:
    """Make a clock of Unix time that never goes back, whatever happens to the system's."""
    epoch = time.time() - time.monotonic()
    return lambda: epoch + time.monotonic()


class Sandbox:
    """A running sandbox: ``async with Sandbox(options) as sandbox: ... sandbox.base_url``.

    Args:
        options: how it behaves.
        port: where it listens on 127.0.0.1; 0 lets the system choose a free one.
        clock: the Unix time of arrivals; must not go back.
        sleep: waits for so many seconds before an answer.

    Attributes:
        ledger: its messages, contacts and balance.
    """

    def __init__(
        self,
        options: SandboxOptions | None = None,
        port: int = 0,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._options = options or SandboxOptions()
        self._port = port
        self._clock = clock or steady_clock()
        self._sleep = sleep
        self._runner: web.AppRunner | None = None
        self._log = log.Log()
        self.ledger = Ledger(self._options, Random(self._options.seed))  # noqa: S311 - no cryptography

    async def __aenter__(self) -> Self:
        self._log = log.Log(self._options.log_path)
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._port, backlog=_BACKLOG).start()
        except (OSError, OverflowError) as error:
            await runner.cleanup()
            self._log.close()
            in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            reason = "the port is in use" if in_use else str(error)
            raise UsageError(
                f"the sandbox cannot listen on {HOST}:{self._port}: {reason}; choose another port"
            ) from error
        self._runner = runner
        self._port = runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._log.close()

    @property
    def base_url(self) -> str:
        """Where to send, without a slash at its end; valid while the sandbox runs."""
        return f"http://{HOST}:{self._port}"

    @property
    def records(self) -> Sequence[log.LoggedSend]:
        """Every send that arrived, in order."""
        return self._log.records

    def summary(self) -> log.Summary:
        """Count what happened so far."""
        return self._log.summary(self.ledger.balance_micro, self.ledger.worst)

    def _app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.post("/v1/sms/contact", self._send_to_contact),
                web.post("/v1/sms/phonenumber", self._send_to_phonenumber),
                web.get("/sandbox/log", self._get_log),
                web.get("/sandbox/summary", self._get_summary),
                web.post("/sandbox/contacts", self._post_contact),
                web.post("/sandbox/received", self._post_received),
            ]
        )
        if not self._options.legacy:
            organization = "/v1/organizations/{org_id}"
            app.add_routes(
                [
                    web.get(f"{organization}/balance.json", self._get_balance),
                    web.get(f"{organization}/messages/", self._get_messages),
                    web.get(f"{organization}/messages/{{message_id}}/", self._get_message),
                ]
            )
        return app

    async def _send_to_contact(self, request: web.Request) -> web.Response:
        return await self._send(request, Endpoint.CONTACT)

    async def _send_to_phonenumber(self, request: web.Request) -> web.Response:
        return await self._send(request, Endpoint.PHONENUMBER)

    async def _send(self, request: web.Request, endpoint: Endpoint) -> web.Response:
        """Take a send in, note it, and only then let its answer be late, or lost."""
        body = _json_object(await request.read())
        arrived = self._clock()
        if not self._authorized(request):
            response = answers.refusal(Error.TOKEN, legacy=self._options.legacy)
        elif body is None:
            response = answers.refusal(Error.JSON, legacy=self._options.legacy)
        else:
            response = self.ledger.accept(body, arrived, endpoint)
        self._log.add(log.record(arrived, request.path, body or {}, response))
        if response.delay_s:
            await self._sleep(response.delay_s)
        if not response.answered and request.transport is not None:
            request.transport.abort()
        return _response(response)

    async def _get_balance(self, request: web.Request) -> web.Response:
        refusal = self._refuse_read(request)
        if refusal is not None:
            return refusal
        micro = self.ledger.balance_micro
        return _json(
            {
                "balance": micro / 1_000_000,
                "balanceMicro": micro,
                "balanceHuman": f"${answers.dollars(micro)}",
                "autoRecharge": self._options.recharge_micro > 0,
                "autoRechargeThreshold": 0,
                "autoRechargeAmount": self._options.recharge_micro / 1_000_000,
            }
        )

    async def _get_messages(self, request: web.Request) -> web.Response:
        refusal = self._refuse_read(request)
        if refusal is not None:
            return refusal
        try:
            query = listing.Query.read(request.query)
        except ValueError as error:
            return _json({"error": str(error)}, status=400)
        return _json(listing.page(self.ledger.messages, query, self._clock()))

    async def _get_message(self, request: web.Request) -> web.Response:
        refusal = self._refuse_read(request)
        if refusal is not None:
            return refusal
        message = self.ledger.find(request.match_info["message_id"])
        if message is None:
            return _json({"error": "message not found"}, status=404)
        return _json(listing.view(message, self._clock()))

    async def _get_log(self, request: web.Request) -> web.StreamResponse:
        """Stream the log as it is now, in pieces, so that sends go on being answered meanwhile."""
        response = web.StreamResponse(headers={"Content-Type": _JSONL})
        await response.prepare(request)
        records = self._log.records
        total = len(records)
        for start in range(0, total, _LOG_BATCH):
            batch = records[start : min(start + _LOG_BATCH, total)]
            await response.write(b"".join(record.to_json() for record in batch))
            await asyncio.sleep(0)
        await response.write_eof()
        return response

    async def _get_summary(self, _request: web.Request) -> web.Response:
        fields = asdict(self.summary())
        fields["balanceMicro"] = fields.pop("balance_micro")
        return _json(fields)

    async def _post_contact(self, request: web.Request) -> web.Response:
        body = _json_object(await request.read()) or {}
        number = body.get("number")
        contact_id = self.ledger.contacts.create(number) if isinstance(number, str) and is_number(number) else 0
        if not contact_id:
            return _json({"error": "no contact can be created: 'number' must be 8 to 15 digits"}, status=400)
        return _json({"contactId": contact_id, "number": number}, status=201)

    async def _post_received(self, request: web.Request) -> web.Response:
        body = _json_object(await request.read()) or {}
        number, text = body.get("number"), body.get("message")
        if not (isinstance(number, str) and is_number(number) and isinstance(text, str)):
            return _json({"error": "nothing came: 'number' must be 8 to 15 digits, and 'message' a text"}, status=400)
        message = self.ledger.receive(number, text, self._clock())
        return _json({"id": message.message_id, "number": number}, status=201)

    def _authorized(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Token {self._options.token}"

    def _refuse_read(self, request: web.Request) -> web.Response | None:
        """Refuse to show anything to who has no token, or about an organization that is not there."""
        if not self._authorized(request):
            return _json({"error": Error.TOKEN.text}, status=401)
        if request.match_info["org_id"] != str(self._options.org_id):
            return _json({"error": "organization not found"}, status=404)
        return None


_SHUTDOWN_S = 0.1
"""What a closing sandbox waits for answers still on their way."""

_BACKLOG = 1024
_LOG_BATCH = 1000
_JSONL = "application/jsonl; charset=utf-8"
_HTML = "text/html; charset=UTF-8"

_SEND_HEADERS = {"Content-Type": _JSONL}
"""The live service answers sends so, one object or not."""

_RETRY_AFTER = {429: "1", 503: "1"}
"""Statuses that say when to come back, in seconds."""


def _response(response: Response) -> web.Response:
    headers = {"Content-Type": _HTML} if response.page else _SEND_HEADERS
    if response.status in _RETRY_AFTER:
        headers = headers | {"Retry-After": _RETRY_AFTER[response.status]}
    body = response.page.encode() if response.page else orjson.dumps(response.fields, option=orjson.OPT_APPEND_NEWLINE)
    return web.Response(status=response.status, body=body, headers=headers)


def _json(fields: dict[str, object], status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(fields), content_type="application/json")


def _json_object(raw: bytes) -> dict[str, object] | None:
    """Decode a JSON object; None for everything else."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
