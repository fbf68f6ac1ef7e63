"""The judge of what reached phones under several names: it asks of senders what they could know, and all of that."""

from __future__ import annotations

from typing import Any

from arriving import HEARD_S, crowds

PHONE, CONTACT = "639171234500", 500


def sent(at: float, contact: int = 0, text: str = "Hello") -> list[dict[str, Any]]:
    record = {"to": PHONE, "contact": contact, "from": "", "text": f"{text} {at}", "key": None, "at": at}
    return [record | {"what": "request"}, record | {"what": "accepted"}]


def full(*more: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Four to the number within 0.4 s, and some more."""
    numbers = [record for nth in range(4) for record in sent(9.0 + nth / 10)]
    return sorted([*numbers, *(record for each in more for record in each)], key=lambda record: record["at"])


def judged(records: list[dict[str, Any]], noted_at: dict[int, float]) -> list[bool]:
    return [crowd.is_known for crowd in crowds(records, noted_at)]


def test_as_long_as_a_number_is_not_noted_nobody_can_know_whoever_was_answered() -> None:
    records = full(sent(9.5, CONTACT), sent(9.6))
    answered = records[-2] | {"what": "answered", "contact": CONTACT, "status": 200, "at": 9.55}
    assert judged([*records[:-2], answered, *records[-2:]], {}) == [False]


def test_what_was_sent_to_a_contact_counts_for_its_phone_once_that_is_noted() -> None:
    records = full(sent(8.9, CONTACT), sent(9.8))
    assert judged(records, {CONTACT: 9.8 - HEARD_S - 0.01}) == [True]
    assert judged(records, {CONTACT: 9.8 - HEARD_S + 0.01}) == [False]


def test_whoever_sends_to_a_contact_must_know_it_too() -> None:
    assert judged(full(sent(9.4), sent(9.5, CONTACT)), {CONTACT: 9.5 - HEARD_S - 0.01}) == [True]
    assert judged(full(sent(9.4), sent(9.5, CONTACT)), {}) == [False]


def test_parts_count_and_what_is_a_window_apart_does_not() -> None:
    assert judged(full(sent(9.5, text="x" * 161)), {}) == [True]
    assert judged(full(sent(9.5), sent(10.0)), {}) == []
    assert judged(full(sent(9.5), sent(9.99)), {}) == [True]
