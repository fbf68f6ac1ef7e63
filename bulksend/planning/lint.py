"""What a house knows of its own texts and senders, by which they are looked at more closely."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from bulksend.errors import UsageError
from bulksend.rules import Rule

E = TypeVar("E", bound=StrEnum)


class Sector(StrEnum):
    """What kind of house it is, as far as there are rules for it."""

    BANK = "bank"
    """A bank, or one that keeps electronic money."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Lint:
    """What a house says of itself; nothing is looked for of which it says nothing.

    Attributes:
        company: its names; a text or its sender has one of them.
        link_hosts: the hosts its links lead to, in lower case; parts of them are, too.
        senders: its registered sender ids.
        sector: what kind of house it is.
        allow: rules that strictness makes no error of; they are told all the same.
    """

    company: tuple[str, ...] = ()
    link_hosts: frozenset[str] = frozenset()
    senders: frozenset[str] = frozenset()
    sector: Sector = Sector.OTHER
    allow: frozenset[Rule] = frozenset()


def lint_from(table: Mapping[str, object]) -> Lint:
    """Read what a table of settings says; its keys are the attributes of `Lint`, with dashes or underscores.

    Raises:
        UsageError: a key is none of them, or a value is of another kind; the sentence names the key.
    """
    said = {key.replace("-", "_"): value for key, value in table.items()}
    for key in said:
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(_KEYS))}"
            raise UsageError(f"lint: there is no key {key!r}; {hint}")
    return Lint(**{key: _KEYS[key](key, value) for key, value in said.items()})  # type: ignore[arg-type]


def _names(key: str, value: object) -> tuple[str, ...]:
    """One name, or several."""
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(each, str) and each.strip() for each in found):
        raise UsageError(f"lint: {key!r} takes a text, or a list of texts, not {value!r}")
    return tuple(each.strip() for each in found)


def _hosts(key: str, value: object) -> frozenset[str]:
    hosts = [name.lower().removeprefix("www.") for name in _names(key, value)]
    for host in hosts:
        if "/" in host or "." not in host:
            raise UsageError(f"lint: {key!r} takes hosts such as 'acme.example', without scheme or path, not {host!r}")
    return frozenset(hosts)


def _senders(key: str, value: object) -> frozenset[str]:
    return frozenset(_names(key, value))


def _sector(key: str, value: object) -> Sector:
    return _one_of(Sector, key, value)


def _rules(key: str, value: object) -> frozenset[Rule]:
    return frozenset(_one_of(Rule, key, name.upper()) for name in _names(key, value))


def _one_of(kind: type[E], key: str, value: object) -> E:
    known = [each.value for each in kind]
    if value not in known:
        near = get_close_matches(str(value), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it is one of {', '.join(known)}"
        raise UsageError(f"lint: {key!r} cannot be {value!r}; {hint}")
    return kind(value)


_KEYS: Mapping[str, Callable[[str, object], object]] = {
    "company": _names,
    "link_hosts": _hosts,
    "senders": _senders,
    "sector": _sector,
    "allow": _rules,
}
