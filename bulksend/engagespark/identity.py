"""Whose answer it is: a connection may bring one that was meant for the message before, or that nobody asked for.

Our own key is ours alone and outweighs all else. Without one in the answer, its ``to`` is our phone's or another's in
whatever spelling, and its text is a hint: that of the message before on the same connection is not ours.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from bulksend.engagespark import bodies
from bulksend.model import API_FIELD, Message, Recipient

_OTHER_NEWLINE = re.compile(r"\r\n?")


class Identity(NamedTuple):
    """What an answer tells of whose it is.

    Attributes:
        echoed: whether it holds our own key.
        matches: False if it names another phone, contact or key than ours, or the text of the message before.
        names: whether it names our key, phone or contact.
    """

    echoed: bool = False
    matches: bool = True
    names: bool = False


_OURS = Identity(echoed=True, names=True)
_OURS_FOR_ANOTHER = Identity(echoed=True, matches=False, names=True)
_NAMED = Identity(names=True)
_UNNAMED = Identity()
_FOREIGN = Identity(matches=False)


def identify(
    status: int, said: Mapping[str, Any], message: Message, dedup_key: str | None, before: Message | None
) -> Identity:
    """What an answer tells of whose it is.

    Args:
        status: its HTTP status.
        said: its fields.
        message: what was asked.
        dedup_key: the key it was asked with, or None.
        before: what was asked before on the same connection; None if nothing was.
    """
    key = said.get("clientDedup")
    goes = _goes_to(said, message.recipient)
    if dedup_key is not None and key == dedup_key:
        return _OURS_FOR_ANOTHER if goes is False else _OURS
    if goes is False or (isinstance(key, str) and key):
        return _FOREIGN
    text = said.get("message")
    if isinstance(text, str) and text and not has_same_text(text, message.text):
        # A duplicate is another message's unless it shows that it is ours.
        if status == 409 and API_FIELD not in message.text:
            return _FOREIGN
        if before is not None and has_same_text(text, before.text):
            return _FOREIGN
    if goes:
        return _NAMED
    return _FOREIGN if before is not None and _is_to_phone_before(said, message, before) else _UNNAMED


def are_alike(one: Message, other: Message) -> bool:
    """Whether an answer to one could not be told from an answer to the other, where it holds no key."""
    if one.recipient != other.recipient:
        return False
    return one.text == other.text or API_FIELD in one.text or API_FIELD in other.text


def has_same_text(said: str, text: str) -> bool:
    """Whether a text that a server says is ours; trimmed, escaped, or with other line ends or accents it still is."""
    return said == text or _plain(html.unescape(said)) == _plain(html.unescape(text))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", _OTHER_NEWLINE.sub("\n", text)).strip()


def _goes_to(said: Mapping[str, Any], recipient: Recipient) -> bool | None:
    """Whether an answer is to a recipient; None if it does not tell."""
    if isinstance(recipient, int):
        contact = bodies.integer(said, "contactId")
        return contact == recipient if contact else None
    to = said.get("to")
    if to == recipient:  # as a rule
        return True
    if to is None or to == "":
        return None
    number = bodies.phone(to)
    return number == recipient if number else None


def _is_to_phone_before(said: Mapping[str, Any], message: Message, before: Message) -> bool:
    """Whether an answer that does not tell its contact is to the number that the message before went to."""
    return (
        isinstance(message.recipient, int)
        and isinstance(before.recipient, str)
        and bodies.phone(said.get("to")) == before.recipient
    )
