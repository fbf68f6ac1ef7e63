"""Options that belong together reach a command as one typed object."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

G = TypeVar("G")
_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Group(Generic[G]):
    """A group of options.

    Attributes:
        name: the command's parameter that gets them.
        kind: a named tuple, or a frozen dataclass, with a field for each of them.
        options: click's decorators, in the order of the help.
    """

    name: str
    kind: type[G]
    options: Sequence[Callable[[Any], Any]]

    def take(self, given: dict[str, Any]) -> G:
        """The object, made of what click gives, from which its fields are taken out."""
        return self.kind(**{name: given.pop(name) for name in self.kind.__annotations__})


def with_options(*groups: Group[Any] | Sequence[Callable[[Any], Any]]) -> Callable[[_F], _F]:
    """Give a command groups of options, and single ones, in this order of its help."""

    def decorate(function: _F) -> _F:
        @functools.wraps(function)
        def command(**given: Any) -> Any:
            for group in groups:
                if isinstance(group, Group):
                    given[group.name] = group.take(given)
            return function(**given)

        decorated: Any = command
        for group in reversed(groups):
            for option in reversed(group.options if isinstance(group, Group) else group):
                decorated = option(decorated)
        return decorated  # type: ignore[no-any-return]

    return decorate
