"""What people answer who want no more messages: short words, in the languages of whom is texted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

STOP_WORDS = {
    "English": (
        "stop", "stopall", "stop all", "stop it", "stop now", "stop texting", "stop texting me", "stop messaging me",
        "stop sending", "stop sending me messages", "unsubscribe", "unsubscribe me", "unsub", "cancel", "end", "quit",
        "opt out", "optout", "remove me", "no more", "no more texts", "no more messages", "do not text me",
        "dont text me",
    ),
    "Filipino": (
        "tigil", "tigil na", "itigil", "itigil na", "itigil nyo na", "itigil ninyo na", "hinto", "hinto na", "ihinto",
        "ihinto na", "tama na", "ayoko na", "ayaw ko na", "ayaw na", "wag na", "huwag na", "wag na mag text",
        "wag na magtext", "huwag nang mag text", "huwag na kayong mag text", "stop na", "stop nyo na", "alisin nyo ako",
        "tanggalin nyo ako",
    ),
    "Spanish": (
        "alto", "parar", "pare", "paren", "basta", "baja", "dar de baja", "darme de baja", "denme de baja", "cancelar",
        "detener", "salir", "anular", "no mas", "no mas mensajes", "no molestar", "no quiero mas mensajes",
    ),
}  # fmt: skip
"""By language, what is a stop if it is all that somebody says."""

_WORD = re.compile(r"\w+")
_POLITE = frozenset({"please", "pls", "plz", "po", "thanks", "thank", "you", "salamat", "por", "favor", "gracias"})


class Stops:
    """Tells what says stop.

    Args:
        more: other words or phrases that mean it.
    """

    def __init__(self, more: Collection[str] = ()) -> None:
        self._phrases = {_folded(phrase) for phrases in (*STOP_WORDS.values(), more) for phrase in phrases} - {""}
        self._first = {phrase for phrase in self._phrases if " " not in phrase}

    def means(self, text: str) -> bool:
        """Whether a stop is all that a text says; case, accents, signs and politeness do not matter."""
        return _folded(text) in self._phrases

    def may_mean(self, text: str) -> bool:
        """Whether a text begins with such a word and goes on: that may mean it, or anything else."""
        folded = _folded(text)
        return folded.partition(" ")[0] in self._first and folded not in self._phrases


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("'", "").replace("\u2019", "")).casefold()
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(word for word in _WORD.findall(letters) if word not in _POLITE)
