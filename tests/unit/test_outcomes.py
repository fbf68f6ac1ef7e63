from __future__ import annotations

import string

import pytest

from bulksend.engagespark import outcomes
from bulksend.engagespark.outcomes import Fault, Repeat, Reply, Rule, explain, judge
from bulksend.model import Answer, Status

ACCEPTED = Answer("SMS20190723T154425-123-0123", 1, 20_000, "0.02", "", "639123456789", 654_321, None)
REFUSED = Answer("", None, None, "", "", "", None, None)
NEVER, FREELY, WITH_DEDUP = Repeat.NEVER, Repeat.FREELY, Repeat.WITH_DEDUP

every_rule = [
    *outcomes._BY_STATUS.values(),
    *outcomes._BY_FAULT.values(),
    *(found for found in vars(outcomes).values() if isinstance(found, Rule)),
]


@pytest.mark.parametrize(
    ("http_status", "status", "repeat", "arrived", "stops"),
    [
        # the document's list
        (400, Status.REJECTED, NEVER, False, False),
        (401, Status.PENDING, NEVER, False, True),
        (402, Status.PENDING, NEVER, False, True),
        (500, Status.FAILED, FREELY, False, False),
        # what else servers and gateways say
        (301, Status.PENDING, NEVER, False, True),
        (307, Status.PENDING, NEVER, False, True),
        (404, Status.PENDING, NEVER, False, True),
        (403, Status.REJECTED, NEVER, False, False),
        (422, Status.REJECTED, NEVER, False, False),
        (429, Status.FAILED, FREELY, False, False),
        (502, Status.UNKNOWN, WITH_DEDUP, True, False),
        (503, Status.UNKNOWN, WITH_DEDUP, True, False),
        (504, Status.UNKNOWN, WITH_DEDUP, True, False),
        (520, Status.UNKNOWN, WITH_DEDUP, True, False),
        (524, Status.UNKNOWN, WITH_DEDUP, True, False),
    ],
)
def test_an_error_in_the_apis_words_means(
    http_status: int, status: Status, repeat: Repeat, *, arrived: bool, stops: bool
) -> None:
    rule = judge(Reply(http_status, answer=REFUSED, error="why"))
    assert (rule.status, rule.repeat, rule.arrived, rule.stops) == (status, repeat, arrived, stops)


@pytest.mark.parametrize("http_status", [200, 201, 202])
def test_a_success_with_a_message_id_is_sent(http_status: int) -> None:
    rule = judge(Reply(http_status, answer=ACCEPTED))
    assert (rule.status, rule.repeat, rule.arrived, rule.stops) == (Status.SENT, NEVER, True, False)


def test_an_accepted_message_is_sent_whatever_else_its_answer_says() -> None:
    reply = Reply(200, answer=ACCEPTED, error="a warning")
    assert judge(reply).status is Status.SENT
    assert explain(judge(reply), reply) == "a warning"


@pytest.mark.parametrize("http_status", [200, 301, 400, 401, 402, 403, 404, 409, 429, 500, 502])
@pytest.mark.parametrize("said", [ACCEPTED, REFUSED])
def test_an_answer_that_speaks_of_another_message_proves_nothing(http_status: int, said: Answer) -> None:
    rule = judge(Reply(http_status, answer=said, error="why", matches=False))
    assert (rule.status, rule.repeat, rule.arrived, rule.stops) == (Status.UNKNOWN, WITH_DEDUP, True, False)


def test_a_success_without_a_message_id_that_tells_an_error_was_not_accepted() -> None:
    reply = Reply(200, answer=REFUSED, error="invalid 'to' number")
    rule = judge(reply)
    assert (rule.status, rule.repeat, rule.arrived) == (Status.REJECTED, NEVER, False)
    assert "invalid 'to' number" in explain(rule, reply)


@pytest.mark.parametrize(
    "reply",
    [Reply(200, answer=REFUSED), Reply(200), Reply(200, Fault.TIMED_OUT), Reply(200, Fault.OVERSIZED)],
)
def test_a_success_that_does_not_tell_its_message_id_is_unknown(reply: Reply) -> None:
    rule = judge(reply)
    assert (rule.status, rule.repeat, rule.arrived) == (Status.UNKNOWN, WITH_DEDUP, True)


def test_a_duplicate_key_is_the_originals_success() -> None:
    reply = Reply(409, answer=ACCEPTED, error="duplicate clientDedup")
    assert judge(reply).status is Status.SENT
    assert explain(judge(reply), reply) == ""


def test_our_own_key_with_another_message_is_rejected_with_advice() -> None:
    reply = Reply(409, answer=ACCEPTED, error="duplicate clientDedup", echoed=True, matches=False)
    assert judge(reply).status is Status.REJECTED
    assert "--campaign" in explain(judge(reply), reply)


def test_a_500_in_other_words_than_the_apis_is_a_gateways() -> None:
    rule = judge(Reply(500, Fault.UNREADABLE))
    assert (rule.status, rule.repeat, rule.arrived) == (Status.UNKNOWN, WITH_DEDUP, True)


@pytest.mark.parametrize(
    ("fault", "status", "repeat", "arrived", "stops"),
    [
        (Fault.UNREACHABLE, Status.FAILED, FREELY, False, False),
        (Fault.UNTRUSTED, Status.PENDING, NEVER, False, True),
        (Fault.TIMED_OUT, Status.UNKNOWN, WITH_DEDUP, True, False),
        (Fault.BROKEN_OFF, Status.UNKNOWN, WITH_DEDUP, True, False),
        (Fault.UNREADABLE, Status.UNKNOWN, WITH_DEDUP, True, False),
        (Fault.OVERSIZED, Status.UNKNOWN, WITH_DEDUP, True, False),
        (Fault.CUT_OFF, Status.UNKNOWN, WITH_DEDUP, True, False),
    ],
)
def test_no_answer_means(fault: Fault, status: Status, repeat: Repeat, *, arrived: bool, stops: bool) -> None:
    rule = judge(Reply(None, fault, error="why"))
    assert (rule.status, rule.repeat, rule.arrived, rule.stops) == (status, repeat, arrived, stops)


def test_every_fault_has_its_rule() -> None:
    assert set(outcomes._BY_FAULT) == set(Fault)


def test_every_http_status_has_a_rule_with_and_without_the_apis_words() -> None:
    for http_status in range(100, 600):
        for reply in (Reply(http_status, answer=REFUSED), Reply(http_status, Fault.UNREADABLE)):
            assert isinstance(judge(reply), Rule)


@pytest.mark.parametrize("rule", every_rule)
def test_every_sentence_can_be_said(rule: Rule) -> None:
    said = explain(rule, Reply(499, error="{status} {no field} 100 %"))
    fields = {name for _, name, _, _ in string.Formatter().parse(rule.says) if name}
    assert fields <= {"error", "status"}
    assert ("{status} {no field} 100 %" in said) == ("error" in fields)
    assert ("499" in said) == ("status" in fields)


@pytest.mark.parametrize("rule", [rule for rule in every_rule if "{error}" in rule.says])
def test_a_sentence_without_the_servers_word_still_reads_well(rule: Rule) -> None:
    assert "no reason given" in explain(rule, Reply(499))


@pytest.mark.parametrize("rule", every_rule)
def test_what_may_be_repeated_freely_was_certainly_not_accepted(rule: Rule) -> None:
    if rule.repeat is FREELY:
        assert not rule.arrived
        assert rule.status is Status.FAILED
    if rule.status is Status.UNKNOWN:
        assert rule.arrived
        assert rule.repeat is WITH_DEDUP
    if rule.stops:
        assert rule.status in {Status.PENDING, Status.REJECTED}
        assert rule.repeat is NEVER
    assert rule.status in {Status.SENT, Status.PENDING} or rule.says
