from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from bulksend.engagespark.sandbox import SandboxOptions
from bulksend.engagespark.sandbox.answers import Message
from bulksend.engagespark.sandbox.ledger import Ledger
from bulksend.engagespark.sandbox.listing import Query, page, view

NOON = datetime(2019, 7, 23, 12, tzinfo=UTC).timestamp()
HOUR = 3600


def messages(count: int, gap_s: float = 120) -> list[Message]:
    ledger = Ledger(SandboxOptions(), Random(7))
    for i in range(count):
        body = {"orgId": 1, "to": "639123456789", "message": f"Text {i}", "clientRef": f"row-{i}"}
        ledger.accept(body, NOON + i * gap_s)
    return ledger.messages


def texts(found: dict[str, object]) -> list[str]:
    shown = found["messages"]
    assert isinstance(shown, list)
    return [message["message"] for message in shown]


def asked(sent: list[Message], **parameters: str) -> list[str]:
    return texts(page(sent, Query.read(parameters)))


def test_pages_walk_back_from_the_newest_message_to_the_first() -> None:
    sent = messages(250)
    seen: list[str] = []
    parameters: dict[str, str] = {}
    while True:
        found = page(sent, Query.read(parameters))
        seen += texts(found)
        if not found["hasNextPage"]:
            break
        parameters = {"after": str(found["nextPage"])}
    assert seen == [f"Text {i}" for i in reversed(range(250))]
    assert found["nextPage"] == ""


def test_a_message_that_comes_meanwhile_moves_no_page() -> None:
    sent = messages(4)
    first = page(sent[:3], Query.read({"limit": "2"}))
    second = page(sent, Query.read({"limit": "2", "after": str(first["nextPage"])}))
    assert texts(first) + texts(second) == ["Text 2", "Text 1", "Text 0"]


def test_a_page_has_the_limit_and_never_over_a_hundred() -> None:
    sent = messages(150)
    assert len(asked(sent, limit="7")) == 7
    assert len(asked(sent, limit="1000")) == 100
    assert page(sent[:7], Query.read({"limit": "7"}))["hasNextPage"] is False


def test_filters_choose_messages() -> None:
    sent = messages(8, gap_s=1)  # the last three are over the phone's cap
    assert asked(sent, failed="true") == ["Text 7", "Text 6", "Text 5"]
    assert asked(sent, failed="false", limit="1") == ["Text 4"]
    assert asked(sent, search="TEXT 3") == ["Text 3"]
    assert asked(sent, search="row-2") == ["Text 2"]
    assert len(asked(sent, search="639123")) == 8
    assert asked(sent, search="nothing") == asked(sent, dir="in") == []
    assert len(asked(sent, dir="out")) == 8


def test_dates_bound_what_is_shown() -> None:
    sent = messages(24, gap_s=HOUR)  # from noon of the 23rd to 11 o'clock of the 24th
    assert len(asked(sent, startDate="2019-07-24")) == 12
    assert len(asked(sent, endDate="2019-07-23")) == 12
    assert len(asked(sent, startDate="2019-07-23", endDate="2019-07-24")) == 24
    assert asked(sent, startDate="2019-07-23T13:00:00Z", endDate="2019-07-23T22:00:00+08:00") == ["Text 1"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "0"), ("limit", "x"), ("after", "-1"), ("dir", "up"), ("failed", "x"), ("startDate", "x")],
)
def test_an_unreadable_filter_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"invalid '{name}'"):
        Query.read({name: value})


def test_a_message_looks_as_on_the_live_service() -> None:
    assert view(messages(1)[0]) == {
        "id": "SMS20190723T120000-1-0001",
        "direction": "out",
        "created": "2019-07-23T12:00:00Z",
        "sender": "",
        "recipient": "639123456789",
        "contactId": 100_001,
        "pricePerPart": 20_000,
        "done": True,
        "successPartCount": 1,
        "successT": "2019-07-23T12:00:00Z",
        "message": "Text 0",
        "error": "",
        "deliveredToTelco": True,
        "deliveredToPhone": "confirmed",
        "deliveryError": "",
        "client_ref": "row-0",
        "chargedMicro": 20_000,
        "chargedHuman": "$0.02",
    }


def test_a_message_over_the_cap_is_shown_as_failed_and_charged() -> None:
    lost = view(messages(6, gap_s=0)[-1])
    assert (lost["deliveredToPhone"], lost["successPartCount"], lost["chargedMicro"]) == ("failed", 0, 20_000)
    assert lost["deliveryError"]


def test_what_came_in_is_listed_by_its_direction_and_its_sender() -> None:
    ledger = Ledger(SandboxOptions(), Random(7))
    ledger.accept({"orgId": 1, "to": "639123456789", "message": "Hi", "from": "ACME"}, NOON)
    came = ledger.receive("639123456789", "STOP", NOON + 1)
    assert asked(ledger.messages, dir="in") == ["STOP"]
    assert asked(ledger.messages, dir="out") == ["Hi"]
    assert asked(ledger.messages) == ["STOP", "Hi"]
    shown = view(came)
    assert (shown["direction"], shown["sender"], shown["recipient"]) == ("in", "639123456789", "")
    assert ledger.find(came.message_id) is came
    assert ledger.balance_micro == SandboxOptions().balance_micro - 20_000


def receipts(options: SandboxOptions, count: int, now: float) -> list[tuple[object, object, object]]:
    ledger = Ledger(options, Random(7))
    for i in range(count):
        ledger.accept({"orgId": 1, "to": f"6391234567{i:02}", "message": "Hi"}, NOON)
    told = [view(message, now) for message in ledger.messages]
    return [(each["done"], each["deliveredToPhone"], each["deliveryError"]) for each in told]


def test_until_its_receipt_is_in_nobody_knows_of_a_message() -> None:
    options = SandboxOptions(undelivered=1, receipt_delay_s=60)
    assert receipts(options, 1, NOON + 59) == [(False, "unknown", "")]
    assert [told[:2] for told in receipts(options, 1, NOON + 60)] == [(True, "failed")]


def test_a_share_does_not_reach_its_phone_and_says_why() -> None:
    told = receipts(SandboxOptions(undelivered=0.5), 40, NOON)
    assert 10 < sum(phone == "failed" for _, phone, _ in told) < 30
    assert {error for _, phone, error in told if phone == "failed"} == {"absent subscriber", "unknown subscriber"}
    assert {error for _, phone, error in told if phone == "confirmed"} == {""}


def test_what_is_not_known_to_have_failed_is_not_listed_as_that() -> None:
    ledger = Ledger(SandboxOptions(undelivered=1, receipt_delay_s=60), Random(7))
    ledger.accept({"orgId": 1, "to": "639123456789", "message": "Hi"}, NOON)
    failed = Query.read({"failed": "true"})
    assert texts(page(ledger.messages, failed, NOON)) == []
    assert texts(page(ledger.messages, failed, NOON + 60)) == ["Hi"]
