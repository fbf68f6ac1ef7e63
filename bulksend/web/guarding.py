"""Who may ask: this browser, through this page. Every request passes here, and every answer bears the headers."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from aiohttp import BodyPartReader, MultipartReader, web

from bulksend.web.wording import say

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"
ENTRY = "/enter"
_STATIC = "/static/"
_SAFE = frozenset({"GET", "HEAD"})
_TOKEN_MAX = 200  # bytes


class Session:
    """The one browser that entered, and what its forms must bear.

    Attributes:
        cookie: the name of its cookie, which bears the port, for cookies know none.
        csrf: what every form bears.
    """

    def __init__(self) -> None:
        self.cookie = "bulksend"
        self.csrf = secrets.token_urlsafe(32)
        self._secret = secrets.token_urlsafe(32)

    def is_of(self, request: web.Request) -> bool:
        """Whether a request bears the cookie."""
        return _is_same(request.cookies.get(self.cookie, ""), self._secret)

    def open_for(self, answer: web.StreamResponse) -> None:
        """Give the browser its cookie."""
        answer.set_cookie(self.cookie, self._secret, httponly=True, samesite="Strict", path="/")

    def allows(self, token: str) -> bool:
        """Whether a form bears what ours bear."""
        return _is_same(token, self.csrf)


def _is_same(said: str, secret: str) -> bool:
    """Whether somebody knows a secret; headers may hold bytes that are no text."""
    return secrets.compare_digest(said.encode(errors="surrogateescape"), secret.encode())


SESSION: web.AppKey[Session] = web.AppKey("session", Session)
PORT: web.AppKey[list[int]] = web.AppKey("port", list)
PARTS: web.RequestKey[MultipartReader] = web.RequestKey("parts", MultipartReader)


async def bear_headers(_request: web.Request, answer: web.StreamResponse) -> None:
    """Set the headers on whatever is answered, errors too."""
    answer.headers.update(HEADERS)


@web.middleware
async def check_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse whatever was not asked by this address: another name may lead here, and belong to somebody else."""
    port = request.app[PORT][0]
    is_ours = request.headers.getall("Host", []) in ([f"127.0.0.1:{port}"], [f"localhost:{port}"])
    if not is_ours or not request.raw_path.startswith("/"):  # which could name another, as if to a proxy
        raise web.HTTPMisdirectedRequest(text=say("guard.host"))
    return await handler(request)


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site has the browser do. The file that opens the page has no origin, and a token instead."""
    if request.path != ENTRY and not _is_our_own(request):
        raise web.HTTPForbidden(text=say("guard.origin"))
    if request.path == ENTRY and request.headers.get("Origin") not in {"null", _origin(request)}:
        raise web.HTTPForbidden(text=say("guard.origin"))
    return await handler(request)


def _is_our_own(request: web.Request) -> bool:
    """Whether a page of ours asks. Its forms, which tell no referrer, have no origin: then the browser says whose."""
    origin = request.headers.get("Origin")
    if origin == "null":
        return request.headers.get("Sec-Fetch-Site") == "same-origin"
    return origin == _origin(request) or (origin is None and request.method in _SAFE)


def _origin(request: web.Request) -> str:
    return f"http://{request.headers['Host']}"


@web.middleware
async def check_session(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse who did not enter; pictures and styles are nobody's secret."""
    if request.path != ENTRY and not request.path.startswith(_STATIC) and not request.app[SESSION].is_of(request):
        raise web.HTTPUnauthorized(text=say("guard.session"))
    return await handler(request)


@web.middleware
async def check_form(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a form that is none of ours."""
    if request.method not in _SAFE and request.path != ENTRY:
        token = request.headers.get(CSRF_HEADER) or await _token_in(request)
        if not request.app[SESSION].allows(token):
            raise web.HTTPForbidden(text=say("guard.form"))
    return await handler(request)


async def _token_in(request: web.Request) -> str:
    if request.content_type != "multipart/form-data":
        return str((await request.post()).get(CSRF_FIELD, ""))
    try:
        parts = await request.multipart()  # a file may follow, which is only read if the token is ours
        first = await parts.next()
    except (ValueError, AssertionError) as error:
        raise web.HTTPBadRequest(text=say("guard.unread")) from error
    request[PARTS] = parts
    if not isinstance(first, BodyPartReader) or first.name != CSRF_FIELD:
        return ""
    return (await first.read_chunk(_TOKEN_MAX)).decode(errors="replace").strip()


GUARDS = (check_host, check_origin, check_session, check_form)
