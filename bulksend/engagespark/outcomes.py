"""The table of outcomes: what each answer, and each way of getting none, says of a message.

HTTP and the API's own words end here: what comes out is a `Verdict`, which sending understands.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from bulksend.model import Answer, Event
from bulksend.sending import ACCEPTED, DOUBTED, FAILED, REJECTED, Repeat, Ruling, StopReason, Verdict, Voice


class Fault(StrEnum):
    """The ways of getting no usable answer; the values stand in logs."""

    UNREACHABLE = "unreachable"
    PROXY_FAILED = "proxy failed"
    PROXY_REFUSED = "proxy refused"
    UNTRUSTED = "untrusted"
    NO_TLS = "no tls"
    """What came in place of a TLS handshake is another protocol."""
    TLS_ALERT = "tls alert"
    """The server ended the TLS handshake."""
    TIMED_OUT = "timed out"
    BROKEN_OFF = "broken off"
    NO_HTTP = "no http"
    """What came in place of an answer is another protocol, or broken HTTP."""
    UNREADABLE = "unreadable"
    OVERSIZED = "oversized"


class Reply(NamedTuple):
    """What came back of one POST.

    Attributes:
        http_status: the answer's status, or None if there was no answer.
        fault: why there is no usable answer, or None.
        answer: the API's words, where its body could be read.
        error: the API's ``error`` field, or the system's word for the fault; safe to show.
        echoed: whether the answer held our own clientDedup: then it is ours, whatever else it names.
        matches: False if the answer names another phone, contact or key than ours, or another message's text.
        retry_after_s: how long the server asks to be left alone; above 0.
        slow: whether it asks to be asked less, for however long.
        at_api: whether the API has spoken at this address before; until then, it may be a wrong one.
    """

    http_status: int | None
    fault: Fault | None = None
    answer: Answer | None = None
    error: str = ""
    echoed: bool = False
    matches: bool = True
    retry_after_s: float | None = None
    slow: bool = False
    at_api: bool = True

    @property
    def has_id(self) -> bool:
        """Whether it holds a messageId: something was accepted."""
        return self.answer is not None and self.answer.message_id != ""

    @property
    def is_own_error(self) -> bool:
        """Whether it is the document's structure of a refusal: an ``error``, and no messageId."""
        return self.answer is not None and self.error != "" and not self.has_id

    @property
    def is_the_apis(self) -> bool:
        """Whether the API itself gave it, and of our message: whoever else speaks knows nothing certain."""
        return (self.matches or self.echoed) and (self.is_own_error or self.has_id)


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


def _ends_in_doubt(why: StopReason) -> Ruling:
    return Ruling(Event.DOUBTED, Repeat.UNDER_KEY, counts=True, ends=why)


_IN_DOUBT = "it may or may not have been accepted"
_SENT = Rule(ACCEPTED, "")
_API = Voice.API

_IN_THE_APIS_WORDS = {
    400: Rule(REJECTED, "the API rejected it: {error}"),
    401: Rule(_ends(StopReason.KEY_REFUSED), "the API refused the key ({error})"),
    402: Rule(_ends(StopReason.OUT_OF_FUNDS), "the account is out of funds ({error})"),
    404: Rule(_ends(StopReason.NO_ENDPOINT), "the server knows no such endpoint ({status})"),  # undocumented
    500: Rule(FAILED, "the API had an internal error (500): {error}"),
}
"""What its own structure makes certain (API document, "List of Possible HTTP Status Codes", unless said otherwise)."""
_REFUSED = Rule(REJECTED, "the server refused it ({status}): {error}")

_NOT_PROCESSED = {
    # RFC 9110, sections 15.5.9 and 15.5.20; RFC 8470, section 5.2; RFC 6585, section 4.
    408: Rule(FAILED, "the server did not wait for the request (408)"),
    421: Rule(FAILED, "the server does not answer for this address (421)"),
    425: Rule(FAILED, "the server finds it too early to be asked (425)"),
    429: Rule(FAILED, "the server asked to slow down (429)"),
}
"""What HTTP's own meaning makes certain, whoever speaks."""
_NOT_THERE = frozenset({404, 405})  # RFC 9110, sections 15.5.5 and 15.5.6: what a wrong base URL answers
_REDIRECTS = frozenset({301, 302, 307, 308})  # RFC 9110, section 15.4: the request is to be made elsewhere
_REDIRECTED = Rule(_ends(StopReason.REDIRECTED), "the server redirects elsewhere ({status}), which is not followed")
_SENT_ON = Rule(
    _ends_in_doubt(StopReason.REDIRECTED),
    f"the server points elsewhere ({{status}}), which is not followed: {_IN_DOUBT}",
)

_LOST = Rule(
    _ends_in_doubt(StopReason.NO_ENDPOINT), f"no such endpoint, in other words than the API's ({{status}}): {_IN_DOUBT}"
)
_BY_A_STRANGER = {
    400: Rule(DOUBTED, f"somebody before the API answered 400: {_IN_DOUBT}"),
    401: Rule(
        _ends_in_doubt(StopReason.KEY_REFUSED), f"the key was refused in other words than the API's (401): {_IN_DOUBT}"
    ),
    404: _LOST,
    405: _LOST,
    409: Rule(DOUBTED, f"somebody before the API answered 409: {_IN_DOUBT}"),
}
"""Not in the API's words: who speaks knows nothing certain of the message, but may show that no other does better."""
_BLOCKED = Rule(_ends_in_doubt(StopReason.BLOCKED), f"somebody before the API refused it ({{status}}): {_IN_DOUBT}")
_GATEWAY = Rule(DOUBTED, f"a gateway answered {{status}}: {_IN_DOUBT}")
_ODD = Rule(DOUBTED, f"the server answered {{status}}, which says nothing: {_IN_DOUBT}")
_CONTRADICTION = Rule(DOUBTED, f"the server answered {{status}}, yet with a messageId: {_IN_DOUBT}")

_FOREIGN = Rule(DOUBTED, f"the answer speaks of another message: {_IN_DOUBT}")
_SOME_DUPLICATE = Rule(DOUBTED, "the API calls it a duplicate but does not say of which message: {error}")
_NOT_OURS = Rule(
    _ends(StopReason.FOREIGN_KEY, Event.REJECTED),
    "the API says that this row's key was used for another number",
)
_ACCEPTED_BUT = Rule(REJECTED, "the API reported an error: {error}")
_ALARM = "the API names another recipient under this row's key: {to}"

_BY_FAULT = {
    Fault.UNREACHABLE: Rule(FAILED, "the server could not be reached: {error}"),
    Fault.PROXY_FAILED: Rule(FAILED, "the proxy could not reach the server: {error}"),
    Fault.PROXY_REFUSED: Rule(_ends(StopReason.BLOCKED), "the proxy refuses to reach the server: {error}"),
    Fault.UNTRUSTED: Rule(_ends(StopReason.UNTRUSTED), "the server's certificate is not trusted: {error}"),
    Fault.NO_TLS: Rule(_ends(StopReason.UNTRUSTED), "the server does not speak TLS there: {error}"),
    Fault.TLS_ALERT: Rule(FAILED, "the server ended the TLS handshake: {error}"),
    Fault.TIMED_OUT: Rule(DOUBTED, f"no answer in time: {_IN_DOUBT}"),
    Fault.BROKEN_OFF: Rule(DOUBTED, f"the connection broke before the answer: {_IN_DOUBT}"),
    Fault.NO_HTTP: Rule(DOUBTED, f"what came is no HTTP: {_IN_DOUBT}"),
    Fault.UNREADABLE: Rule(DOUBTED, f"the answer could not be read ({{status}}): {_IN_DOUBT}"),
    Fault.OVERSIZED: Rule(DOUBTED, f"the answer was too long to be the API's ({{status}}): {_IN_DOUBT}"),
}


def judge(reply: Reply) -> Verdict:
    """What a reply says of its message."""
    if reply.http_status == 200 and reply.matches and reply.has_id:  # as a rule
        return Verdict(ACCEPTED, 200, reply.answer, reply.error, reply.echoed, None, False, _API)
    rule = _rule(reply)
    return Verdict(
        rule.ruling,
        reply.http_status,
        reply.answer,
        _explain(rule, reply),
        reply.echoed,
        reply.retry_after_s,
        reply.slow,
        _voice(reply),
        reply.fault.value if reply.fault else "",
    )


def _voice(reply: Reply) -> Voice:
    """Who spoke: the document's structure has an ``error`` or a messageId, and no status of it is a gateway's."""
    if reply.http_status == 429:
        return Voice.BUSY
    if reply.http_status is None or reply.http_status > 500:
        return Voice.NONE
    return Voice.API if reply.is_the_apis else Voice.NONE


def _rule(reply: Reply) -> Rule:
    status = reply.http_status
    if status is None:
        return _BY_FAULT[reply.fault or Fault.BROKEN_OFF]
    if not reply.matches and not reply.echoed:
        return _FOREIGN  # whatever its status: it answers another POST and says nothing of ours
    if 200 <= status < 300:
        return _rule_of_success(reply)
    if status == 409 and reply.answer:
        return _rule_of_duplicate(reply)
    if reply.has_id:
        return _CONTRADICTION
    if status in _NOT_PROCESSED:
        return _NOT_PROCESSED[status]
    if reply.is_own_error and 400 <= status <= 500:
        return _IN_THE_APIS_WORDS.get(status, _REFUSED)
    return _rule_of_stranger(status, at_api=reply.at_api)


def _rule_of_success(reply: Reply) -> Rule:
    if reply.has_id:
        return _SENT  # accepted: whatever else it says, it has a messageId
    return _ACCEPTED_BUT if reply.is_own_error else _BY_FAULT[reply.fault or Fault.UNREADABLE]


def _rule_of_duplicate(reply: Reply) -> Rule:
    """A duplicate clientDedup: the original was accepted; this is its answer once more."""
    if reply.has_id:
        return _SENT if reply.matches else _NOT_OURS  # our own key, and another phone
    return _SOME_DUPLICATE if reply.is_own_error else _BY_A_STRANGER[409]


def _rule_of_stranger(status: int, *, at_api: bool) -> Rule:
    if status in _NOT_THERE and not at_api:
        return _IN_THE_APIS_WORDS[404]
    if status in _REDIRECTS:
        return _REDIRECTED
    if status < 200 or status == 304:
        return _ODD
    if status < 400:
        return _SENT_ON
    return _GATEWAY if status >= 500 else _BY_A_STRANGER.get(status, _BLOCKED)


def _explain(rule: Rule, reply: Reply) -> str:
    """The rule's sentence for people, with the reply's own words in it; a sent message's ``error``, mostly empty."""
    if rule.says:
        says = rule.says.format(error=reply.error or "no reason given", status=reply.http_status)
    else:
        says = reply.error if reply.http_status == 200 else ""
    if reply.matches or not reply.echoed or rule is _NOT_OURS or reply.answer is None:
        return says
    alarm = _ALARM.format(to=reply.answer.to or reply.answer.contact_id)
    return f"{says}; {alarm}" if says else alarm
