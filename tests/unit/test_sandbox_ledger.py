from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from bulksend.engagespark.sandbox import SandboxOptions
from bulksend.engagespark.sandbox.answers import Response
from bulksend.engagespark.sandbox.contacts import PRELOADED
from bulksend.engagespark.sandbox.ledger import Ledger
from bulksend.model import Endpoint, MicroUSD
from bulksend.sms.rates.table import Rates

T0 = 1_563_896_665.5  # 2019-07-23T15:44:25.5Z
OPTIONS = SandboxOptions(org_id=123)
LEGACY = replace(OPTIONS, legacy=True)
DOCUMENTED = [
    "error",
    "messageId",
    "estimateParts",
    "estimateMicro",
    "estimate",
    "deliveryDeadline",
    "contactId",
    "to",
    "message",
]


def ledger(options: SandboxOptions = OPTIONS) -> Ledger:
    return Ledger(options, Random(7))


def body(**fields: object) -> dict[str, object]:
    """Take the document's sample, with fields changed; None leaves a field out."""
    sample: dict[str, object] = {
        "orgId": 123,
        "to": "639123456789",
        "from": "engageSPARK",
        "message": "Sample message to you.",
    }
    return {name: value for name, value in (sample | fields).items() if value is not None}


def error_of(reply: Response) -> tuple[int, object]:
    return reply.status, reply.fields["error"]


def test_the_documents_sample_gets_the_documents_answer() -> None:
    reply = ledger().accept(body(), T0)
    assert reply.status == 200
    assert reply.fields == {
        "error": "",
        "messageId": "SMS20190723T154425-123-0001",
        "estimateParts": 1,
        "estimateMicro": 20000,
        "estimate": "0.02",
        "deliveryDeadline": "2019-07-24T15:44:25.5Z",
        "contactId": 100_001,
        "to": "639123456789",
        "message": "Sample message to you.",
    }
    assert list(reply.fields) == DOCUMENTED


def test_message_ids_count_up_and_grow_beyond_four_digits() -> None:
    book = ledger(replace(OPTIONS, balance_micro=10**12))
    for i in range(10_000):
        last = book.accept(body(to=f"491511{i:07d}"), T0)
    assert book.messages[1].message_id == "SMS20190723T154425-123-0002"
    assert last.fields["messageId"] == "SMS20190723T154425-123-10000"
    assert book.find("SMS20190723T154425-123-10000") is last.message


@pytest.mark.parametrize("message_id", ["", "1", "0001", "SMS20190723T154426-123-0001", "x-0000", "x-" + "9" * 5000])
def test_an_unknown_message_id_finds_nothing(message_id: str) -> None:
    book = ledger()
    book.accept(body(), T0)
    assert book.find(message_id) is None


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"orgId": None}, "invalid 'orgId'"),
        ({"orgId": 124}, "invalid 'orgId'"),
        ({"orgId": "abc"}, "invalid 'orgId'"),
        ({"orgId": True}, "invalid 'orgId'"),
        ({"orgId": 123.0}, "invalid 'orgId'"),
        ({"to": None}, "either 'to' or 'contactId' is required"),
        ({"contactId": 1001}, "only one of 'to' and 'contactId' is allowed"),
        ({"fullPhoneNumber": "639123456789"}, "only one of 'to' and 'contactId' is allowed"),
        ({"to": ""}, "invalid 'to' number"),
        ({"to": 639123456789}, "invalid 'to' number"),
        ({"to": "+639123456789"}, "invalid 'to' number"),
        ({"to": "09123456789"}, "invalid 'to' number"),
        ({"to": "6391234"}, "invalid 'to' number"),
        ({"to": "6391234567890123"}, "invalid 'to' number"),
        ({"to": "63912 456789"}, "invalid 'to' number"),
        ({"to": "639123456789\n"}, "invalid 'to' number"),
        ({"to": "٦٣٩١٢٣٤٥٦٧٨٩"}, "invalid 'to' number"),
        ({"to": None, "contactId": 999_999}, "invalid 'contactId'"),
        ({"to": None, "contactId": 0}, "invalid 'contactId'"),
        ({"to": None, "contactId": -1001}, "invalid 'contactId'"),
        ({"to": None, "contactId": "x"}, "invalid 'contactId'"),
        ({"message": None}, "'message' is required"),
        ({"message": ""}, "'message' is required"),
        ({"message": 5}, "'message' is required"),
        ({"message": "x" * (7 * 153 + 1)}, "'message' is too long: at most 7 parts"),
        ({"message": "я" * (7 * 67 + 1)}, "'message' is too long: at most 7 parts"),
        ({"from": 5}, "invalid 'from'"),
        ({"clientDedup": 5}, "'clientDedup', 'clientRef' and 'clientPushURL' must be strings"),
    ],
)
def test_a_bad_request_is_refused_in_the_documents_structure(fields: dict[str, object], error: str) -> None:
    book = ledger()
    reply = book.accept(body(**fields), T0)
    assert error_of(reply) == (400, error)
    assert list(reply.fields) == [*DOCUMENTED, "errorCode"]
    assert all(reply.fields[name] in ("", 0) for name in DOCUMENTED[1:])
    assert not reply.accepted
    assert book.messages == []
    assert book.balance_micro == OPTIONS.balance_micro


@pytest.mark.parametrize(
    "fields",
    [
        {"orgId": "123"},
        {"to": None, "contactId": 1001},
        {"to": None, "contactId": "1001"},
        {"to": None, "fullPhoneNumber": "639123456789"},
        {"to": "12345678"},
        {"to": "123456789012345"},
        {"from": None},
        {"message": "x" * (7 * 153)},
        {"unheard": "of"},
    ],
)
def test_a_good_request_is_accepted(fields: dict[str, object]) -> None:
    assert ledger().accept(body(**fields), T0).status == 200


def test_a_null_is_a_field_left_out() -> None:
    assert ledger().accept(body() | {"contactId": None, "from": None}, T0).status == 200


def test_an_existing_contact_gets_its_message_at_its_number() -> None:
    reply = ledger().accept(body(to=None, contactId=1001), T0)
    assert (reply.fields["contactId"], reply.fields["to"]) == (1001, "639170001001")
    assert PRELOADED[1050] == "639170001050"


def test_a_new_number_becomes_a_contact_and_keeps_it() -> None:
    book = ledger()
    first, second, other = (book.accept(body(to=to), T0) for to in ("639111111111", "639111111111", "639222222222"))
    assert first.fields["contactId"] == second.fields["contactId"] != other.fields["contactId"]


def test_a_number_goes_to_its_most_recently_created_contact() -> None:
    book = ledger()
    assert book.accept(body(to="639170001001"), T0).fields["contactId"] == 1001
    newer = book.contacts.create("639170001001")
    assert book.accept(body(to="639170001001"), T0).fields["contactId"] == newer
    assert book.accept(body(to=None, contactId=1001), T0).fields["contactId"] == 1001


def test_a_number_that_ends_in_0000_gets_its_message_with_contact_id_0() -> None:
    reply = ledger().accept(body(to="639170010000"), T0)
    assert (reply.status, reply.fields["contactId"]) == (200, 0)


def test_the_twin_for_bare_numbers_takes_and_makes_no_contacts() -> None:
    book = ledger()
    refused = book.accept(body(to=None, contactId=1001), T0, Endpoint.PHONENUMBER)
    sent = book.accept(body(to="639170001001"), T0, Endpoint.PHONENUMBER)
    book.accept(body(to="639555555555"), T0, Endpoint.PHONENUMBER)
    assert error_of(refused) == (400, "'contactId' is not supported here")
    assert (sent.status, sent.fields["contactId"]) == (200, 0)
    assert book.accept(body(to="639666666666"), T0).fields["contactId"] == 100_001


def test_a_long_message_costs_its_parts_and_the_estimate_is_rounded_down_to_cents() -> None:
    book = ledger(replace(OPTIONS, price_micro_per_part=6_700))
    reply = book.accept(body(message="x" * 161), T0)
    assert (reply.fields["estimateParts"], reply.fields["estimateMicro"]) == (2, 13_400)
    assert reply.fields["estimate"] == "0.01"
    assert book.balance_micro == OPTIONS.balance_micro - 13_400


def test_server_side_fields_pass_untouched() -> None:
    text = "Hi {{contact.firstName}}"
    assert ledger().accept(body(message=text), T0).fields["message"] == text


def test_the_balance_can_be_spent_to_the_last_part_and_no_further() -> None:
    book = ledger(replace(OPTIONS, balance_micro=50_000))
    statuses = [book.accept(body(), T0 + i).status for i in range(3)]
    refused = book.accept(body(), T0 + 3)
    assert statuses == [200, 200, 402]
    assert error_of(refused) == (402, "insufficient funds")
    assert book.balance_micro == 10_000
    assert len(book.messages) == 2


def test_a_number_with_a_rate_costs_that_and_others_the_common_price() -> None:
    book = ledger(replace(OPTIONS, rates=Rates({"639": MicroUSD(15_000), "6391": MicroUSD(1)})))
    charged = [
        book.accept(body(to=to), T0).fields["estimateMicro"] for to in ("639223456789", "639123456789", "85212345678")
    ]
    assert charged == [15_000, 1, 20_000]
    assert book.balance_micro == OPTIONS.balance_micro - 35_001


def test_an_account_that_recharges_itself_never_runs_out_of_funds() -> None:
    book = ledger(replace(OPTIONS, balance_micro=50_000, recharge_micro=100_000))
    assert {book.accept(body(), T0 + i).status for i in range(20)} == {200}
    assert book.balance_micro == 50_000 - 20 * 20_000 + 4 * 100_000


def test_what_a_recharge_cannot_pay_is_refused_and_adds_nothing() -> None:
    book = ledger(replace(OPTIONS, balance_micro=5_000, recharge_micro=10_000))
    assert book.accept(body(), T0).status == 402
    assert book.balance_micro == 5_000


def test_what_the_client_adds_comes_back_as_an_echo() -> None:
    extras: dict[str, object] = {
        "clientDedup": "k",
        "clientRef": "row 1",
        "clientPushURL": "http://127.0.0.1/",
    }
    reply = ledger().accept(body(**extras), T0)
    assert {name: reply.fields[name] for name in extras} == extras
    assert list(ledger().accept(body(clientDedup=""), T0).fields) == DOCUMENTED


def test_a_known_dedup_key_gets_the_originals_answer_and_no_second_message() -> None:
    book = ledger()
    first = book.accept(body(clientDedup="k"), T0)
    again = book.accept(body(clientDedup="k", message="another text", to="639999999999"), T0 + 5)
    assert again.status == 409
    assert again.fields == first.fields | {
        "error": "duplicate clientDedup",
        "errorCode": "sms.clientdedup",
        "dedupMessageId": first.fields["messageId"],
    }
    assert not again.accepted
    assert len(book.messages) == 1
    assert book.balance_micro == OPTIONS.balance_micro - 20_000
    assert book.worst == 1


def test_a_refused_dedup_key_is_not_known() -> None:
    book = ledger(replace(OPTIONS, balance_micro=20_000))
    assert book.accept(body(clientDedup="k", message="x" * 161), T0).status == 402
    assert book.accept(body(clientDedup="k"), T0).status == 200


def test_a_duplicate_is_told_even_where_the_money_has_run_out() -> None:
    book = ledger(replace(OPTIONS, balance_micro=20_000))
    assert [book.accept(body(clientDedup="k"), T0).status for _ in range(2)] == [200, 409]


def test_a_legacy_server_knows_the_document_alone() -> None:
    book = ledger(LEGACY)
    extras: dict[str, object] = {"clientDedup": "k", "clientRef": 5, "clientPushURL": "u"}
    replies = [book.accept(body(**extras), T0) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 200]
    assert all(list(reply.fields) == DOCUMENTED for reply in replies)
    assert len(book.messages) == 2
    assert list(book.accept(body(to="1"), T0).fields) == DOCUMENTED


@pytest.mark.parametrize(
    "fields",
    [{"orgId": "123"}, {"to": None, "contactId": "1001"}, {"to": None, "fullPhoneNumber": "639123456789"}],
)
def test_a_legacy_server_takes_only_the_documents_names_and_types(fields: dict[str, object]) -> None:
    assert ledger(LEGACY).accept(body(**fields), T0).status == 400


def test_the_sixth_sms_in_a_minute_is_accepted_charged_and_lost() -> None:
    book = ledger()
    replies = [book.accept(body(), T0 + i) for i in range(6)]
    assert [reply.status for reply in replies] == [200] * 6
    assert [message.lost for message in book.messages] == [False] * 5 + [True]
    assert book.balance_micro == OPTIONS.balance_micro - 6 * 20_000
    assert book.worst == 6


def test_a_contact_and_its_number_share_one_window() -> None:
    book = ledger()
    for i in range(3):
        book.accept(body(to=None, contactId=1001), T0 + i)
    for i in range(3):
        book.accept(body(to="639170001001"), T0 + 10 + i, Endpoint.PHONENUMBER)
    assert [message.lost for message in book.messages] == [False] * 5 + [True]


def test_refused_and_duplicate_sends_take_no_room_in_the_window() -> None:
    book = ledger()
    for _ in range(9):
        book.accept(body(clientDedup="k"), T0)
        book.accept(body(message=""), T0)
    assert book.worst == 1


@pytest.mark.parametrize(("status", "error"), [(400, "bad request"), (402, "insufficient funds")])
def test_a_failure_that_the_document_names_has_its_structure(status: int, error: str) -> None:
    reply = ledger(replace(LEGACY, fail=((status, 1.0),))).accept(body(), T0)
    assert error_of(reply) == (status, error)
    assert list(reply.fields) == DOCUMENTED


@pytest.mark.parametrize("status", [429, 502, 503, 504, 522])
def test_any_other_failure_is_a_page_of_the_cdn_and_accepts_nothing(status: int) -> None:
    book = ledger(replace(OPTIONS, fail=((status, 1.0),)))
    reply = book.accept(body(), T0)
    assert (reply.status, reply.fields) == (status, {})
    assert f"<title>Error {status}</title>" in reply.page
    assert book.messages == []
    assert book.worst == 0


def test_failures_come_as_often_as_asked_and_alike_for_a_seed() -> None:
    options = replace(OPTIONS, fail=((500, 0.1), (503, 0.2)), balance_micro=10**12)

    def statuses() -> list[int]:
        book = ledger(options)
        return [book.accept(body(to=f"491511{i:07d}"), T0).status for i in range(5000)]

    seen = statuses()
    assert seen == statuses()
    assert 400 < seen.count(500) < 600
    assert 850 < seen.count(503) < 1150


def test_a_lost_answer_belongs_to_an_accepted_message() -> None:
    book = ledger(replace(OPTIONS, lose_answers=1.0))
    reply = book.accept(body(clientDedup="k"), T0)
    again = book.accept(body(clientDedup="k"), T0)
    refused = book.accept(body(message=""), T0)
    assert (reply.accepted, reply.answered) == (True, False)
    assert (again.status, again.answered) == (409, True)
    assert refused.answered


def test_latency_varies_by_the_jitter_and_never_below_nothing() -> None:
    book = ledger(replace(OPTIONS, latency_s=0.1, latency_jitter_s=0.2))
    delays = [book.accept(body(to=f"491511{i:07d}"), T0).delay_s for i in range(300)]
    assert min(delays) == 0
    assert 0.25 < max(delays) <= 0.3


@pytest.mark.parametrize(
    ("offset", "spelled"),
    [(0.0, "2019-07-24T15:44:25.5Z"), (0.5, "2019-07-24T15:44:26Z"), (0.25, "2019-07-24T15:44:25.75Z")],
)
def test_the_deadline_is_a_day_later_as_go_spells_times(offset: float, spelled: str) -> None:
    assert ledger().accept(body(), T0 + offset).fields["deliveryDeadline"] == spelled
