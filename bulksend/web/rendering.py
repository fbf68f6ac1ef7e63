"""Pages made of templates, in the words of a catalogue; whatever comes from elsewhere is escaped."""

from __future__ import annotations

import time
from functools import cache

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from bulksend.sms import dollars
from bulksend.web.countries import countries
from bulksend.web.guarding import SESSION
from bulksend.web.languages import page_of
from bulksend.web.wording import LANGUAGES, advised, many, say, spoken
from bulksend.when import local
from bulksend.words import printable, time_of

_REFUSED = frozenset({401, 403, 421})


def render(request: web.Request, template: str, status: int = 200, **about: object) -> web.Response:
    """A page, or a piece of one."""
    session = request.app[SESSION]
    csrf = session.csrf if status not in _REFUSED and session.is_of(request) else ""  # nobody else's business
    here = page_of(request.path) if request.method == "POST" else ""  # where it is found again without its form
    text = fragment(template, csrf=csrf, path=request.path, **({"here": here} | about))
    return web.Response(text=text, status=status, content_type="text/html")


def fragment(template: str, **about: object) -> str:
    """The text of a page, or of a piece of one."""
    return _templates().get_template(template).render(**about)


def is_piece(request: web.Request) -> bool:
    """Whether only a piece of a page is wanted, for a page that is open."""
    return request.headers.get("HX-Request") == "true"


@cache
def _templates() -> Environment:
    found = Environment(
        loader=PackageLoader("bulksend.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["say"] = say
    found.filters |= {
        "advised": advised,
        "dollars": dollars,
        "many": many,
        "printable": printable,
        "sentence": _sentence,
    }
    found.filters |= {"span": time_of, "when": _when, "moment": _moment}
    found.globals |= {"spoken": spoken, "languages": LANGUAGES, "countries": countries}
    return found


def _sentence(says: str) -> str:
    """What the core says, as a sentence of its own; a name that it begins with stays as it is."""
    return f"{says[0].upper()}{says[1:]}" if says.partition(" ")[0].isalpha() else says


def _when(seconds: float | None) -> str:
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _moment(seconds: float, zone: str) -> str:
    return f"{local(seconds, zone):%Y-%m-%d %H:%M} ({zone})" if zone else _when(seconds)
