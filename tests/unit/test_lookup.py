from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bulksend.engagespark import Looked, LookUp, look_up
from bulksend.engagespark.account import Listed, Page
from bulksend.engagespark.lookup import match
from bulksend.model import ContactId, MicroUSD, PhoneNumber, RowInDoubt

ANA = PhoneNumber("639171234567")
BEN = PhoneNumber("639181234567")
ROW = RowInDoubt(1, ANA, "Hello", "spring-1", 1_000.0, 1_010.0, "no answer in time")
LISTED = Listed("SMS1", "", ANA, 7, "Hello", 1_005.0, MicroUSD(20_000))


class List:
    """An API whose list is given; it notes which pages were asked for."""

    def __init__(self, *pages: Sequence[Listed]) -> None:
        self.pages = pages
        self.asked: list[str | None] = []

    async def messages(self, after: str | None) -> Page | Looked:
        self.asked.append(after)
        place = int(after or 0)
        if place >= len(self.pages):
            return Looked.NO_SUCH
        return Page(self.pages[place], f"{place + 1}" if place + 1 < len(self.pages) else None)


def test_a_message_is_known_by_its_client_ref_whatever_else_it_says() -> None:
    other = replace(LISTED, message_id="SMS2", client_ref="spring-1", text="Hello (edited)")
    answers = match([ROW], [LISTED, other])
    assert answers[1].message_id == "SMS2"
    assert (answers[1].to, answers[1].contact_id, answers[1].charged) == (ANA, 7, 20_000)


def test_without_a_client_ref_number_text_and_time_must_fit() -> None:
    assert match([ROW], [LISTED])[1].message_id == "SMS1"
    for wrong in (
        replace(LISTED, number=BEN),
        replace(LISTED, text="Hello!"),
        replace(LISTED, created=1_000.0 - 16),
        replace(LISTED, created=1_010.0 + 16),
        replace(LISTED, client_ref="autumn-1"),
    ):
        assert match([ROW], [wrong]) == {}


def test_two_messages_that_fit_one_row_prove_nothing() -> None:
    assert match([ROW], [LISTED, replace(LISTED, message_id="SMS2")]) == {}


def test_one_message_that_fits_two_rows_proves_nothing() -> None:
    assert match([ROW, replace(ROW, row=2, key="spring-2")], [LISTED]) == {}


def test_a_contact_is_known_by_its_id() -> None:
    row = replace(ROW, recipient=ContactId(7))
    assert match([row], [LISTED])[1].message_id == "SMS1"
    assert match([replace(row, recipient=ContactId(8))], [LISTED]) == {}


def test_a_text_with_the_apis_own_fields_is_known_by_client_ref_only() -> None:
    row = replace(ROW, text="Hi {{contact.firstName}}")
    assert match([row], [replace(LISTED, text="Hi {{contact.firstName}}")]) == {}
    assert match([row], [replace(LISTED, client_ref="spring-1", text="Hi Ana")])[1].message_id == "SMS1"


async def test_the_list_is_read_back_to_the_first_attempt_and_no_further() -> None:
    old = replace(LISTED, message_id="SMS0", created=500.0)
    api = List([replace(LISTED, message_id="SMS9", created=2_000.0)], [LISTED, old], [old])
    seen = await look_up(api, [ROW], (), 5.0)
    assert (set(seen.found), seen.looked) == ({1}, Looked.THROUGH)
    assert api.asked == [None, "1"]


async def test_what_is_known_to_be_another_row_is_not_found_again() -> None:
    assert await look_up(List([LISTED]), [ROW], {"SMS1"}, 5.0) == LookUp({}, Looked.THROUGH)


@pytest.mark.parametrize(
    ("pages", "looked"), [((), Looked.NO_SUCH), (([replace(LISTED, created=5_000.0)],), Looked.THROUGH)]
)
async def test_a_server_without_a_list_or_with_nothing_in_it_settles_nothing(
    pages: tuple[list[Listed], ...], looked: Looked
) -> None:
    assert await look_up(List(*pages), [ROW], (), 5.0) == LookUp({}, looked)


async def test_a_list_that_has_no_end_is_read_in_part() -> None:
    late = [replace(LISTED, created=5_000.0)]
    api = List(*[late] * 300)
    assert await look_up(api, [ROW], (), 5.0) == LookUp({}, Looked.IN_PART)
    assert len(api.asked) == 200


async def test_without_rows_in_doubt_nothing_is_asked() -> None:
    api = List([LISTED])
    assert await look_up(api, [], (), 5.0) == LookUp({}, Looked.THROUGH)
    assert api.asked == []
