"""How the command line words advice: the core names what can be done, and here it gets its flags and commands."""

from __future__ import annotations

from bulksend.errors import Advice, BulksendError, Remark

_WORDS: dict[Advice, str] = {}
"""What to write after the sentence; names in braces are what an error is about."""


def advised(said: BulksendError | Remark) -> str:
    """A sentence with its advice."""
    if isinstance(said, Remark):
        return said.says if said.advice is None else f"{said.says}: {_WORDS[said.advice]}"
    if said.advice is None:
        return str(said)
    return f"{said}: {_WORDS[said.advice].format(**said.about)}"
