"""Names of a house as people spell them: whether letters are large, and what stands between them, says nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable


class Names:
    """Finds names in texts, where they are words of their own, and in sender ids, which are one word.

    Args:
        names: what is looked for.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(filter(None, map(_squeezed, names)))
        self._patterns = tuple(map(_as_words, self._names))

    def stand_in(self, text: str) -> bool:
        """Whether one of them stands in a text; not if it is glued to other letters or digits."""
        if not self._patterns:
            return False
        text = text.lower()
        return any(pattern.search(text) for pattern in self._patterns)

    def are_in(self, sender: str) -> bool:
        """Whether one of them is in a sender id, or a part of it."""
        sender = _squeezed(sender)
        return any(name in sender for name in self._names)


def words_of(name: str) -> list[str]:
    """The words of a name."""
    return re.findall(rf"{_ALNUM}+", name)


def _squeezed(text: str) -> str:
    """Letters and digits, in lower case."""
    return "".join(filter(str.isalnum, text.lower()))


def _as_words(name: str) -> re.Pattern[str]:
    """What finds a squeezed name in a text in lower case."""
    first, *others = map(re.escape, name)
    # That nothing is glued to its front is asked behind its first letter, for which the text is searched ten times as
    # fast so.
    return re.compile(rf"{first}(?<!{_ALNUM}.)" + "".join(rf"[\W_]*+{each}" for each in others) + rf"(?!{_ALNUM})")


_ALNUM = r"[^\W_]"
