"""Countries by their names, as people choose them: in the language that is spoken, as far as it has words for them."""

from __future__ import annotations

import tomllib
import unicodedata
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from bulksend.web.wording import spoken

_OFTEN = "PH"  # the country whose telcos' rules the program knows best: it stands first


class Country(NamedTuple):
    """One.

    Attributes:
        code: its two letters.
        name: its name.
    """

    code: str
    name: str


def countries() -> tuple[Country, ...]:
    """Those whose numbers can be sent to."""
    return _countries(spoken())


@cache
def _countries(language: str) -> tuple[Country, ...]:
    names = _names("en") | _names(language)
    found = [Country(code, name) for code, name in names.items()]
    return tuple(sorted(found, key=_turn))


def _turn(country: Country) -> tuple[bool, str]:
    letters = unicodedata.normalize("NFKD", country.name)
    return country.code != _OFTEN, "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


def _names(language: str) -> dict[str, str]:
    """By their letters; none where nobody wrote any."""
    file = files("bulksend.web") / "words" / "countries" / f"{language}.toml"
    if not file.is_file():
        return {}
    return {code: str(name) for code, name in tomllib.loads(file.read_text(encoding="utf-8")).items()}
