from __future__ import annotations

import string

import pytest

from bulksend.engagespark import outcomes
from bulksend.engagespark.outcomes import Fault, Reply, Rule, judge
from bulksend.model import Answer, Event
from bulksend.sending import Repeat, Ruling, StopReason, Verdict, Voice
from bulksend.sending.verdict import CUT_SHORT

ACCEPTED = Answer("SMS20190723T154425-123-0123", 1, 20_000, "0.02", "", "639123456789", 654_321, None)
REFUSED = Answer("", None, None, "", "", "", None, None)
NEVER, FREELY, UNDER_KEY = Repeat.NEVER, Repeat.FREELY, Repeat.UNDER_KEY

every_rule = [
    *outcomes._IN_THE_APIS_WORDS.values(),
    *outcomes._NOT_PROCESSED.values(),
    *outcomes._BY_A_STRANGER.values(),
    *outcomes._BY_FAULT.values(),
    *(found for found in vars(outcomes).values() if isinstance(found, Rule)),
]


@pytest.mark.parametrize(
    ("http_status", "event", "repeat", "counts", "ends"),
    [
        # the document's list
        (400, Event.REJECTED, NEVER, False, None),
        (401, Event.PUT_OFF, NEVER, False, StopReason.KEY_REFUSED),
        (402, Event.PUT_OFF, NEVER, False, StopReason.OUT_OF_FUNDS),
        (500, Event.FAILED, FREELY, False, None),
        # what else servers and gateways say
        (301, Event.PUT_OFF, NEVER, False, StopReason.REDIRECTED),
        (307, Event.PUT_OFF, NEVER, False, StopReason.REDIRECTED),
        (404, Event.PUT_OFF, NEVER, False, StopReason.NO_ENDPOINT),
        (403, Event.REJECTED, NEVER, False, None),
        (422, Event.REJECTED, NEVER, False, None),
        (429, Event.FAILED, FREELY, False, None),
        (502, Event.DOUBTED, UNDER_KEY, True, None),
        (503, Event.DOUBTED, UNDER_KEY, True, None),
        (504, Event.DOUBTED, UNDER_KEY, True, None),
        (520, Event.DOUBTED, UNDER_KEY, True, None),
        (524, Event.DOUBTED, UNDER_KEY, True, None),
    ],
)
def test_an_error_in_the_apis_words_means(
    http_status: int, event: Event, repeat: Repeat, ends: StopReason | None, *, counts: bool
) -> None:
    ruling = judge(Reply(http_status, answer=REFUSED, error="why")).ruling
    assert ruling == Ruling(event, repeat, counts, ends)


@pytest.mark.parametrize(
    ("reply", "voice"),
    [
        (Reply(200, answer=ACCEPTED), Voice.API),
        (Reply(200, answer=ACCEPTED, echoed=True, matches=False), Voice.API),  # an alarm, and ours all the same
        (Reply(400, answer=REFUSED, error="why"), Voice.API),
        (Reply(500, answer=REFUSED, error="why"), Voice.API),
        (Reply(429), Voice.BUSY),
        (Reply(502, answer=REFUSED, error="why"), Voice.NONE),
        (Reply(503, answer=REFUSED, error="why"), Voice.NONE),
        (Reply(500, answer=REFUSED), Voice.NONE),
        (Reply(200, Fault.UNREADABLE), Voice.NONE),
        (Reply(200, answer=ACCEPTED, matches=False), Voice.NONE),
        (Reply(None, Fault.TIMED_OUT), Voice.NONE),
    ],
)
def test_the_api_speaks_in_its_own_structure_of_our_message(reply: Reply, voice: Voice) -> None:
    assert judge(reply).voice is voice


@pytest.mark.parametrize("http_status", [200, 201, 202])
def test_a_success_with_a_message_id_is_sent(http_status: int) -> None:
    ruling = judge(Reply(http_status, answer=ACCEPTED)).ruling
    assert ruling == Ruling(Event.ACCEPTED, NEVER, counts=True)


def test_an_accepted_message_is_sent_whatever_else_its_answer_says() -> None:
    reply = Reply(200, answer=ACCEPTED, error="a warning")
    assert judge(reply).ruling.event is Event.ACCEPTED
    assert judge(reply).says == "a warning"


@pytest.mark.parametrize("http_status", [200, 301, 400, 401, 402, 403, 404, 409, 429, 500, 502])
@pytest.mark.parametrize("said", [ACCEPTED, REFUSED])
def test_an_answer_that_speaks_of_another_message_proves_nothing(http_status: int, said: Answer) -> None:
    ruling = judge(Reply(http_status, answer=said, error="why", matches=False)).ruling
    assert (ruling.event, ruling.repeat, ruling.counts, ruling.ends) == (Event.DOUBTED, UNDER_KEY, True, None)


def test_a_success_without_a_message_id_that_tells_an_error_was_not_accepted() -> None:
    reply = Reply(200, answer=REFUSED, error="invalid 'to' number")
    ruling = judge(reply).ruling
    assert ruling == Ruling(Event.REJECTED, NEVER, counts=False)
    assert "invalid 'to' number" in judge(reply).says


@pytest.mark.parametrize(
    "reply",
    [Reply(200, answer=REFUSED), Reply(200), Reply(200, Fault.TIMED_OUT), Reply(200, Fault.OVERSIZED)],
)
def test_a_success_that_does_not_tell_its_message_id_is_unknown(reply: Reply) -> None:
    ruling = judge(reply).ruling
    assert ruling == Ruling(Event.DOUBTED, UNDER_KEY, counts=True)


def test_a_duplicate_key_is_the_originals_success() -> None:
    reply = Reply(409, answer=ACCEPTED, error="duplicate clientDedup")
    assert judge(reply).ruling.event is Event.ACCEPTED
    assert judge(reply).says == ""


def test_our_own_key_with_another_message_is_rejected_and_ends_the_run() -> None:
    reply = Reply(409, answer=ACCEPTED, error="duplicate clientDedup", echoed=True, matches=False)
    assert judge(reply).ruling.event is Event.REJECTED
    assert judge(reply).ruling.ends is StopReason.FOREIGN_KEY


def test_a_500_in_other_words_than_the_apis_is_a_gateways() -> None:
    ruling = judge(Reply(500, Fault.UNREADABLE)).ruling
    assert ruling == Ruling(Event.DOUBTED, UNDER_KEY, counts=True)


@pytest.mark.parametrize(
    ("fault", "event", "repeat", "counts", "ends"),
    [
        (Fault.UNREACHABLE, Event.FAILED, FREELY, False, None),
        (Fault.PROXY_FAILED, Event.FAILED, FREELY, False, None),
        (Fault.PROXY_REFUSED, Event.PUT_OFF, NEVER, False, StopReason.BLOCKED),
        (Fault.UNTRUSTED, Event.PUT_OFF, NEVER, False, StopReason.UNTRUSTED),
        (Fault.NO_TLS, Event.PUT_OFF, NEVER, False, StopReason.UNTRUSTED),
        (Fault.TLS_ALERT, Event.FAILED, FREELY, False, None),
        (Fault.TIMED_OUT, Event.DOUBTED, UNDER_KEY, True, None),
        (Fault.BROKEN_OFF, Event.DOUBTED, UNDER_KEY, True, None),
        (Fault.NO_HTTP, Event.DOUBTED, UNDER_KEY, True, None),
        (Fault.UNREADABLE, Event.DOUBTED, UNDER_KEY, True, None),
        (Fault.OVERSIZED, Event.DOUBTED, UNDER_KEY, True, None),
    ],
)
def test_no_answer_means(fault: Fault, event: Event, repeat: Repeat, ends: StopReason | None, *, counts: bool) -> None:
    ruling = judge(Reply(None, fault, error="why")).ruling
    assert ruling == Ruling(event, repeat, counts, ends)


def test_an_answer_that_nobody_waited_for_is_in_doubt() -> None:
    assert CUT_SHORT.ruling == Ruling(Event.DOUBTED, UNDER_KEY, counts=True)
    assert "stopped before the answer came" in CUT_SHORT.says


def test_a_verdict_brings_what_came_with_the_reply() -> None:
    reply = Reply(429, answer=REFUSED, error="why", echoed=True, retry_after_s=7.0, slow=True)
    verdict = judge(reply)
    assert (verdict.http_status, verdict.answer, verdict.echoed, verdict.retry_after_s) == (429, REFUSED, True, 7.0)
    assert verdict.slow


def test_what_may_be_sent_freely_once_more_is_told_by_the_apis_own_error_by_http_or_by_no_connection() -> None:
    for http_status in range(100, 600):
        for reply in (
            Reply(http_status, Fault.UNREADABLE),
            Reply(http_status, answer=REFUSED),
            Reply(http_status, answer=REFUSED, error="why"),
            Reply(http_status, answer=ACCEPTED, error="why"),
        ):
            is_certain = http_status in {408, 421, 425, 429} or (http_status == 500 and reply.is_own_error)
            assert (judge(reply).ruling.repeat is FREELY) == (is_certain and not reply.has_id)


def test_nothing_is_rejected_or_put_off_on_the_word_of_a_stranger() -> None:
    for http_status in {*range(100, 600)} - {301, 302, 307, 308, 408, 421, 425, 429}:
        for reply in (Reply(http_status, Fault.UNREADABLE), Reply(http_status, answer=REFUSED)):
            assert judge(reply).ruling.event is Event.DOUBTED


def test_every_fault_has_its_rule() -> None:
    assert set(outcomes._BY_FAULT) == set(Fault)


def test_every_http_status_has_a_rule_with_and_without_the_apis_words() -> None:
    for http_status in range(100, 600):
        for reply in (Reply(http_status, answer=REFUSED), Reply(http_status, Fault.UNREADABLE)):
            assert isinstance(judge(reply), Verdict)


@pytest.mark.parametrize("rule", every_rule)
def test_every_sentence_can_be_said(rule: Rule) -> None:
    said = outcomes._explain(rule, Reply(499, error="{status} {no field} 100 %"))
    fields = {name for _, name, _, _ in string.Formatter().parse(rule.says) if name}
    assert fields <= {"error", "status"}
    assert ("{status} {no field} 100 %" in said) == ("error" in fields)
    assert ("499" in said) == ("status" in fields)


@pytest.mark.parametrize("rule", [rule for rule in every_rule if "{error}" in rule.says])
def test_a_sentence_without_the_servers_word_still_reads_well(rule: Rule) -> None:
    assert "no reason given" in outcomes._explain(rule, Reply(499))


@pytest.mark.parametrize("rule", every_rule)
def test_what_may_be_repeated_freely_was_certainly_not_accepted(rule: Rule) -> None:
    ruling = rule.ruling
    if ruling.repeat is FREELY:
        assert not ruling.counts
        assert ruling.event is Event.FAILED
    if ruling.event is Event.DOUBTED:
        assert ruling.counts
        assert ruling.repeat is UNDER_KEY
    if ruling.ends:
        assert ruling.event in {Event.PUT_OFF, Event.REJECTED, Event.DOUBTED}
        assert ruling.repeat is (UNDER_KEY if ruling.event is Event.DOUBTED else NEVER)
    assert ruling.event in {Event.ACCEPTED, Event.PUT_OFF} or rule.says
