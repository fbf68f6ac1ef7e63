"""The table of outcomes: what each answer, and each way of getting none, says of a message.

HTTP and the API's own words end here: what comes out is a `Verdict`, which sending understands.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from bulksend.model import Answer, Event
from bulksend.sending import ACCEPTED, DOUBTED, FAILED, REJECTED, Repeat, Ruling, StopReason, Verdict, Voice


class Fault(Enum):
    """The ways of getting no usable answer."""

    UNREACHABLE = auto()
    UNTRUSTED = auto()
    TIMED_OUT = auto()
    BROKEN_OFF = auto()
    UNREADABLE = auto()
    OVERSIZED = auto()


class Reply(NamedTuple):
    """What came back of one POST.

    Attributes:
        http_status: the answer's status, or None if there was no answer.
        fault: why there is no usable answer, or None.
        answer: the API's words, where its body could be read.
        error: the API's ``error`` field, or the system's word for the fault; safe to show.
        echoed: whether the answer held our own clientDedup.
        matches: False if the answer speaks of another number, text or key than ours.
        retry_after_s: how long the server asks to be left alone.
    """

    http_status: int | None
    fault: Fault | None = None
    answer: Answer | None = None
    error: str = ""
    echoed: bool = False
    matches: bool = True
    retry_after_s: float | None = None


class Rule(NamedTuple):
    """One line of the table.

    Attributes:
        ruling: what follows.
        says: the sentence for people; ``{error}`` is the API's own or the system's word, ``{status}`` the HTTP status.
    """

    ruling: Ruling
    says: str


def _ends(why: StopReason, event: Event = Event.PUT_OFF) -> Ruling:
    return Ruling(event, Repeat.NEVER, counts=False, ends=why)


_SENT = Rule(ACCEPTED, "")

# API document, "List of Possible HTTP Status Codes", unless said otherwise.
_BY_STATUS = {
    400: Rule(REJECTED, "the API rejected it: {error}"),
    401: Rule(_ends(StopReason.KEY_REFUSED), "the API refused the key ({error})"),
    402: Rule(
        _ends(StopReason.OUT_OF_FUNDS),
        "the account is out of funds ({error})",
    ),
    # Undocumented: what a wrong base URL answers.
    404: Rule(_ends(StopReason.NO_ENDPOINT), "the server knows no such endpoint (404)"),
    # Undocumented; by HTTP's own meaning (RFC 6585, section 4) it was not processed.
    429: Rule(FAILED, "the server asked to slow down (429)"),
    500: Rule(FAILED, "the API had an internal error (500): {error}"),
}
_REDIRECTED = Rule(
    _ends(StopReason.REDIRECTED),
    "the server redirects elsewhere ({status}), which is not followed",
)
_REFUSED = Rule(REJECTED, "the server refused it ({status}): {error}")
_BLOCKED = Rule(
    _ends(StopReason.BLOCKED),
    "somebody before the API refused it ({status})",
)
_FOREIGN = Rule(DOUBTED, "the answer speaks of another message: it may or may not have been accepted")
_SOME_DUPLICATE = Rule(DOUBTED, "the API calls it a duplicate but does not say of which message: {error}")
_GATEWAY = Rule(DOUBTED, "a gateway answered {status}: it may or may not have been accepted")
_NOT_OURS = Rule(
    _ends(StopReason.FOREIGN_KEY, Event.REJECTED),
    "the API says that this row's key was used for another number or text",
)
_ACCEPTED_BUT = Rule(REJECTED, "the API reported an error: {error}")

_BY_FAULT = {
    Fault.UNREACHABLE: Rule(FAILED, "the server could not be reached: {error}"),
    Fault.UNTRUSTED: Rule(_ends(StopReason.UNTRUSTED), "the server's certificate is not trusted: {error}"),
    Fault.TIMED_OUT: Rule(DOUBTED, "no answer in time: it may or may not have been accepted"),
    Fault.BROKEN_OFF: Rule(DOUBTED, "the connection broke before the answer: it may or may not have been accepted"),
    Fault.UNREADABLE: Rule(DOUBTED, "the answer could not be read ({status}): it may or may not have been accepted"),
    Fault.OVERSIZED: Rule(
        DOUBTED, "the answer was too long to be the API's ({status}): it may or may not have been accepted"
    ),
}


def judge(reply: Reply) -> Verdict:
    """What a reply says of its message."""
    rule = _rule(reply)
    return Verdict(
        rule.ruling,
        reply.http_status,
        reply.answer,
        _explain(rule, reply),
        reply.echoed,
        reply.retry_after_s,
        slow=reply.http_status == 429 or reply.retry_after_s is not None,
        voice=_voice(reply),
        is_duplicate=reply.http_status == 409,
    )


def _voice(reply: Reply) -> Voice:
    """Who spoke: the document's structure has an ``error`` or a messageId, and no status of it is a gateway's."""
    if reply.http_status == 429:
        return Voice.BUSY
    if reply.http_status is None or reply.http_status > 500 or reply.answer is None or not reply.matches:
        return Voice.NONE
    return Voice.API if reply.answer.message_id or reply.error else Voice.NONE


def _rule(reply: Reply) -> Rule:
    status, answer = reply.http_status, reply.answer
    if status is None:
        return _BY_FAULT[reply.fault or Fault.BROKEN_OFF]
    if not reply.matches and not (status == 409 and reply.echoed):
        return _FOREIGN  # whatever its status: it answers another POST and says nothing of ours
    if 200 <= status < 300:
        return _rule_of_success(reply)
    if status == 409 and answer:
        # NOTES on clientDedup: the original was accepted; this is its answer once more.
        if not answer.message_id:
            return _SOME_DUPLICATE
        return _SENT if reply.matches else _NOT_OURS  # our own key, and another message
    if status == 500 and answer is None:
        return _GATEWAY  # not in the API's own words: somebody before it may have lost an accepted message
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status < 400:
        return _REDIRECTED
    if status >= 500:
        return _GATEWAY
    return _REFUSED if answer else _BLOCKED


def _rule_of_success(reply: Reply) -> Rule:
    if reply.answer is None:
        return _BY_FAULT[reply.fault or Fault.UNREADABLE]
    if reply.answer.message_id:
        return _SENT  # accepted: whatever else it says, it has a messageId
    return _ACCEPTED_BUT if reply.error else _BY_FAULT[Fault.UNREADABLE]


def _explain(rule: Rule, reply: Reply) -> str:
    """The rule's sentence for people, with the reply's own words in it; a sent message's ``error``, mostly empty."""
    if not rule.says:
        return reply.error if reply.http_status == 200 else ""
    return rule.says.format(error=reply.error or "no reason given", status=reply.http_status)
