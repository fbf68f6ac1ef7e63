"""Which language the page speaks: what somebody chose, or else what the browser asks for."""

from __future__ import annotations

from aiohttp import web

from bulksend.web.guarding import Handler
from bulksend.web.wording import LANGUAGES, speak

CHOICE = "/language"
_COOKIE = "bulksend-language"
_YEAR_S = 365 * 24 * 3600
_ALSO = {"tl": "fil"}  # what else browsers call it
_PAGES = frozenset({"sheet", "text", "who", "price", "sending", "rows"})


@web.middleware
async def choose_language(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Speak it for as long as a request lasts."""
    chosen = request.cookies.get(_COOKIE, "")
    speak(chosen if chosen in LANGUAGES else _asked(request.headers.get("Accept-Language", "")))
    return await handler(request)


async def keep_choice(request: web.Request) -> web.StreamResponse:
    """Take what somebody chose, and show the same page in it."""
    form = await request.post()
    language, back = str(form.get("language", "")), str(form.get("back", ""))
    if language not in LANGUAGES:
        raise web.HTTPBadRequest
    answer = web.HTTPSeeOther(page_of(back))
    answer.set_cookie(_COOKIE, language, max_age=_YEAR_S, httponly=True, samesite="Strict", path="/")
    raise answer


def page_of(path: str) -> str:
    """The page that an address is part of, and that can be shown again; the first one where there is none."""
    empty, campaigns, key, step, *_ = [*path.split("/"), "", "", "", ""]
    if not empty and campaigns == "c" and step in _PAGES and key.isalnum() and key.isascii():
        return f"/c/{key}/{step}"
    return path if path in {"/find", "/optouts"} else "/"


def _asked(header: str) -> str:
    """The first of what a browser asks for, by its own order of preference, that is known here."""
    asked = []
    for place, each in enumerate(header[:500].split(",")):
        tag, _, weight = each.partition(";q=")
        asked.append((-_number(weight), place, tag.strip().partition("-")[0].lower()))
    known = (_ALSO.get(tag, tag) for _, _, tag in sorted(asked))
    return next((tag for tag in known if tag in LANGUAGES), "en")


def _number(weight: str) -> float:
    try:
        return float(weight or 1)
    except ValueError:
        return 0.0
