"""The table of outcomes: what each answer, and each way of getting none, says of a message.

A message is *certain* when it is known whether the API accepted it. Only what certainly was not accepted may be sent
again freely; what may have been accepted is repeated only with a clientDedup that the server has shown to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from bulksend.model import Answer, Status


class Repeat(Enum):
    """Whether the message may be sent once more."""

    NEVER = auto()
    FREELY = auto()
    """It certainly was not accepted."""
    WITH_DEDUP = auto()
    """It may have been accepted: only under the same key, where the server has echoed one."""


class Fault(Enum):
    """The ways of getting no usable answer."""

    UNREACHABLE = auto()
    UNTRUSTED = auto()
    TIMED_OUT = auto()
    BROKEN_OFF = auto()
    UNREADABLE = auto()
    OVERSIZED = auto()
    CUT_OFF = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from an answer or a fault.

    Attributes:
        status: what the message is if it is not, or no longer, to be repeated; PENDING: to be sent by a later run.
        repeat: whether it may be sent once more now.
        arrived: whether the SMS may have reached the telco, so that it counts against the phone's cap.
        stops: whether no other message can do better: the run stops.
        says: the sentence for people; ``{error}`` is the API's own or the system's word, ``{status}`` the HTTP status.
    """

    status: Status
    repeat: Repeat
    says: str
    arrived: bool = True
    stops: bool = False


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


_SENT = Rule(Status.SENT, Repeat.NEVER, "")

# API document, "List of Possible HTTP Status Codes", unless said otherwise.
_BY_STATUS = {
    400: Rule(Status.REJECTED, Repeat.NEVER, "the API rejected it: {error}", arrived=False),
    401: Rule(
        Status.PENDING,
        Repeat.NEVER,
        "the API refused the key ({error}): check the API key and --org-id",
        arrived=False,
        stops=True,
    ),
    402: Rule(
        Status.PENDING,
        Repeat.NEVER,
        "the account is out of funds ({error}): top it up, then run the same command again",
        arrived=False,
        stops=True,
    ),
    # Undocumented: what a wrong base URL answers.
    404: Rule(
        Status.PENDING,
        Repeat.NEVER,
        "the server knows no such endpoint (404): check --base-url",
        arrived=False,
        stops=True,
    ),
    # Undocumented; by HTTP's own meaning (RFC 6585, section 4) it was not processed.
    429: Rule(Status.FAILED, Repeat.FREELY, "the server asked to slow down (429)", arrived=False),
    500: Rule(Status.FAILED, Repeat.FREELY, "the API had an internal error (500): {error}", arrived=False),
}
_REDIRECTED = Rule(
    Status.PENDING,
    Repeat.NEVER,
    "the server redirects elsewhere ({status}), which is not followed: check --base-url",
    arrived=False,
    stops=True,
)
_REFUSED = Rule(Status.REJECTED, Repeat.NEVER, "the server refused it ({status}): {error}", arrived=False)
_BLOCKED = Rule(
    Status.PENDING,
    Repeat.NEVER,
    "somebody before the API refused it ({status}): check --base-url, and whether this machine may reach the API",
    arrived=False,
    stops=True,
)
_FOREIGN = Rule(
    Status.UNKNOWN,
    Repeat.WITH_DEDUP,
    "the answer speaks of another message: it may or may not have been accepted",
)
_SOME_DUPLICATE = Rule(
    Status.UNKNOWN,
    Repeat.WITH_DEDUP,
    "the API calls it a duplicate but does not say of which message: {error}",
)
_GATEWAY = Rule(Status.UNKNOWN, Repeat.WITH_DEDUP, "a gateway answered {status}: it may or may not have been accepted")
_NOT_OURS = Rule(
    Status.REJECTED,
    Repeat.NEVER,
    "the API says that this row's key was used for another number or text: plan anew with another --campaign",
    arrived=False,
    stops=True,
)
_ACCEPTED_BUT = Rule(Status.REJECTED, Repeat.NEVER, "the API reported an error: {error}", arrived=False)

_BY_FAULT = {
    Fault.UNREACHABLE: Rule(Status.FAILED, Repeat.FREELY, "the server could not be reached: {error}", arrived=False),
    Fault.UNTRUSTED: Rule(
        Status.PENDING,
        Repeat.NEVER,
        "the server's certificate is not trusted: {error}",
        arrived=False,
        stops=True,
    ),
    Fault.TIMED_OUT: Rule(Status.UNKNOWN, Repeat.WITH_DEDUP, "no answer in time: it may or may not have been accepted"),
    Fault.BROKEN_OFF: Rule(
        Status.UNKNOWN,
        Repeat.WITH_DEDUP,
        "the connection broke before the answer: it may or may not have been accepted",
    ),
    Fault.UNREADABLE: Rule(
        Status.UNKNOWN,
        Repeat.WITH_DEDUP,
        "the answer could not be read ({status}): it may or may not have been accepted",
    ),
    Fault.OVERSIZED: Rule(
        Status.UNKNOWN,
        Repeat.WITH_DEDUP,
        "the answer was too long to be the API's ({status}): it may or may not have been accepted",
    ),
    Fault.CUT_OFF: Rule(
        Status.UNKNOWN,
        Repeat.WITH_DEDUP,
        "the run was stopped before the answer came: it may or may not have been accepted",
    ),
}


def judge(reply: Reply) -> Rule:
    """What a reply says of its message."""
    status, answer = reply.http_status, reply.answer
    if status is None:
        return _BY_FAULT[reply.fault or Fault.BROKEN_OFF]
    if not reply.matches and not (status == 409 and reply.echoed):
        return _FOREIGN  # whatever its status: it answers another POST and says nothing of ours
    if 200 <= status < 300:
        return _judge_success(reply)
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


def explain(rule: Rule, reply: Reply) -> str:
    """The rule's sentence for people, with the reply's own words in it; a sent message's ``error``, mostly empty."""
    if not rule.says:
        return reply.error if reply.http_status == 200 else ""
    return rule.says.format(error=reply.error or "no reason given", status=reply.http_status)


def _judge_success(reply: Reply) -> Rule:
    if reply.answer is None:
        return _BY_FAULT[reply.fault or Fault.UNREADABLE]
    if reply.answer.message_id:
        return _SENT  # accepted: whatever else it says, it has a messageId
    return _ACCEPTED_BUT if reply.error else _BY_FAULT[Fault.UNREADABLE]
