"""The words of the page, which stand in a catalogue a language; what the core says gets its advice in them.

What it remarks is said in the language's own words, as far as it has any for that rule.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from string import Formatter

from bulksend.errors import BulksendError, Remark, Why

LANGUAGES = {"en": "English", "fil": "Filipino"}
"""By what they are called in an address or a header, how they call themselves."""
_SPOKEN = ContextVar("spoken", default="en")


def speak(language: str) -> None:
    """Say everything in a language from now on, in this request or process alone."""
    _SPOKEN.set(language if language in LANGUAGES else "en")


def spoken() -> str:
    """The language that is spoken."""
    return _SPOKEN.get()


@cache
def words(language: str) -> Mapping[str, str]:
    """The catalogue of a language: its sentences by their keys."""
    text = (files("bulksend.web") / "words" / f"{language}.toml").read_text(encoding="utf-8")
    return {str(key): str(sentence) for key, sentence in tomllib.loads(text).items()}


def say(key: str, **about: object) -> str:
    """A sentence of the catalogue."""
    return words(spoken())[key].format(**about)


def many(count: int, noun: str) -> str:
    """So many of something: the catalogue knows how one is called, and how several are."""
    one, _, more = words(spoken())[f"many.{noun}"].partition("|")
    return (one if count == 1 else more).format(count=f"{count:,}")


def advised(said: BulksendError | Remark | Why) -> str:
    """A sentence, and what can be done about it on the page; where it is nothing that the page can do, without."""
    says = str(said) if isinstance(said, BulksendError) else _worded(said) if isinstance(said, Remark) else said.says
    key = f"advice.{said.advice.value}" if said.advice else ""
    about = {} if isinstance(said, Why) else said.about
    return f"{says}: {say(key, **about)}" if key in words(spoken()) else says


def _worded(said: Remark) -> str:
    """A remark in the language's own words, if it has any for what is said by this rule of such values."""
    for sentence in _remarks(spoken()).get(said.rule or "", ()):
        if {name for _, name, _, _ in Formatter().parse(sentence) if name} <= said.about.keys():
            return sentence.format(**said.about)
    return said.says


@cache
def _remarks(language: str) -> Mapping[str, tuple[str, ...]]:
    """What a language says by rules; nothing where the core speaks it, or nobody wrote any."""
    file = files("bulksend.web") / "words" / "remarks" / f"{language}.toml"
    if not file.is_file():
        return {}
    return {str(rule): tuple(said) for rule, said in tomllib.loads(file.read_text(encoding="utf-8")).items()}
