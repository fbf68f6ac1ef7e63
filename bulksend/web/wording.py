"""The words of the page, which stand in a catalogue a language; what the core says gets its advice in them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from bulksend.errors import BulksendError, Remark, Why

LANGUAGE = "en"


@cache
def words(language: str) -> Mapping[str, str]:
    """The catalogue of a language: its sentences by their keys."""
    text = (files("bulksend.web") / "words" / f"{language}.toml").read_text(encoding="utf-8")
    return {str(key): str(sentence) for key, sentence in tomllib.loads(text).items()}


def say(key: str, **about: object) -> str:
    """A sentence of the catalogue."""
    return words(LANGUAGE)[key].format(**about)


def advised(said: BulksendError | Remark | Why) -> str:
    """A sentence, and what can be done about it on the page; where it is nothing that the page can do, without."""
    says = str(said) if isinstance(said, BulksendError) else said.says
    key = f"advice.{said.advice.value}" if said.advice else ""
    about = {} if isinstance(said, Why) else said.about
    return f"{says}: {say(key, **about)}" if key in words(LANGUAGE) else says
