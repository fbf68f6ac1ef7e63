from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from bulksend.engagespark import Looked, LookUp, look_up, read_back_to
from bulksend.engagespark.account import Listed, Page
from bulksend.engagespark.lookup import match
from bulksend.model import ContactId, MicroUSD, PhoneNumber, Recipient, RowInDoubt

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


def found(
    rows: Sequence[RowInDoubt],
    listed: Sequence[Listed],
    taken: Collection[str] = (),
    rivals: Collection[tuple[Recipient, str]] = (),
) -> dict[int, str]:
    """By row, which message it is."""
    matched = match(rows, listed, taken, rivals)
    assert not matched.contested & set(matched.found)
    return {row: answer.message_id for row, answer in matched.found.items()}


def in_doubt(
    rows: Sequence[RowInDoubt],
    listed: Sequence[Listed],
    taken: Collection[str] = (),
    rivals: Collection[tuple[Recipient, str]] = (),
) -> Collection[int]:
    """The rows that a message looks like, none of which is found."""
    matched = match(rows, listed, taken, rivals)
    assert not matched.found
    return matched.contested


def test_a_message_is_known_by_its_client_ref_if_number_text_and_time_agree() -> None:
    named = replace(LISTED, message_id="SMS2", client_ref="spring-1")
    assert found([ROW], [LISTED, named]) == {1: "SMS2"}
    answer = match([ROW], [named]).found[1]
    assert (answer.to, answer.contact_id, answer.charged) == (ANA, 7, 20_000)
    assert found([ROW], [replace(named, text=" Hello\r\n", created=1_000.0 - 100)]) == {1: "SMS2"}
    for wrong in (
        replace(named, number=BEN),
        replace(named, text="Hello (edited)"),
        replace(named, created=1_000.0 - 121),
        replace(named, created=1_010.0 + 121),
    ):
        assert found([ROW], [wrong]) == {}


def test_without_a_client_ref_number_text_and_time_must_fit() -> None:
    assert found([ROW], [LISTED]) == {1: "SMS1"}
    assert found([ROW], [replace(LISTED, text="Hello ")]) == {1: "SMS1"}
    for wrong in (
        replace(LISTED, number=BEN),
        replace(LISTED, text="Hello!"),
        replace(LISTED, created=1_000.0 - 16),
        replace(LISTED, created=1_010.0 + 16),
        replace(LISTED, client_ref="autumn-1"),
    ):
        assert found([ROW], [wrong]) == {}


def test_what_another_run_sent_just_before_or_after_is_not_taken_for_a_rows() -> None:
    for created in (1_000.0 - 1, 1_010.0 + 5):
        assert found([ROW], [replace(LISTED, created=created)]) == {1: "SMS1"}
    for created in (1_000.0 - 1.01, 1_010.0 + 5.01):
        assert found([ROW], [replace(LISTED, created=created)]) == {}


def test_two_messages_that_fit_one_row_prove_nothing() -> None:
    assert in_doubt([ROW], [LISTED, replace(LISTED, message_id="SMS2")]) == {1}


def test_one_message_that_fits_two_rows_proves_nothing() -> None:
    assert in_doubt([ROW, replace(ROW, row=2, key="spring-2")], [LISTED]) == {1, 2}
    contact = replace(ROW, row=2, key="spring-2", recipient=ContactId(7))  # it may be the same phone
    assert in_doubt([ROW, contact], [LISTED]) == {1, 2}


def test_a_message_that_another_row_may_have_caused_proves_nothing() -> None:
    """That row was left in doubt, is under way, or took several attempts, of which one id is known."""
    for rival in ((ANA, "Hello"), (ContactId(7), "Hello"), (ANA, "Hello\r\n"), (ANA, "Hi {{contact.firstName}}")):
        assert in_doubt([ROW], [LISTED], (), [rival]) == {1}
    for stranger in ((BEN, "Hello"), (ANA, "Hello!"), (ContactId(8), "Hello")):
        assert found([ROW], [LISTED], (), [stranger]) == {1: "SMS1"}
    named = replace(LISTED, client_ref="spring-1")
    assert found([ROW], [named], (), [(ANA, "Hello")]) == {1: "SMS1"}


def test_where_the_list_hands_client_refs_back_a_message_without_one_is_not_ours() -> None:
    other = replace(LISTED, message_id="SMS2", client_ref="spring-9", number=BEN)
    assert in_doubt([ROW], [LISTED, other]) == {1}
    assert in_doubt([ROW], [LISTED, other], {"SMS2"}) == {1}


def test_what_is_known_to_be_another_rows_leaves_the_other_message_for_ours() -> None:
    second = replace(LISTED, message_id="SMS2")
    assert found([ROW], [second, LISTED], {"SMS1"}) == {1: "SMS2"}


def test_a_contact_is_known_by_its_id() -> None:
    row = replace(ROW, recipient=ContactId(7))
    assert found([row], [LISTED]) == {1: "SMS1"}
    assert found([replace(row, recipient=ContactId(8))], [LISTED]) == {}
    named = replace(LISTED, client_ref="spring-1")
    assert found([replace(row, recipient=ContactId(8))], [named]) == {}
    assert found([row], [replace(named, contact_id=0)]) == {1: "SMS1"}


def test_a_text_with_the_apis_own_fields_is_known_by_client_ref_only() -> None:
    row = replace(ROW, text="Hi {{contact.firstName}}")
    assert found([row], [replace(LISTED, text="Hi {{contact.firstName}}")]) == {}
    assert found([row], [replace(LISTED, client_ref="spring-1", text="Hi Ana")]) == {1: "SMS1"}


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


async def test_known_ids_are_asked_for_as_far_back_as_the_list_is_read() -> None:
    assert read_back_to([ROW, replace(ROW, row=2, since=2_000.0)]) == 1_000.0 - 120


async def test_only_a_list_with_the_newest_first_is_not_read_to_its_end() -> None:
    old = replace(LISTED, message_id="SMS0", created=500.0)
    api = List([replace(old, created=400.0), old], [LISTED])
    assert set((await look_up(api, [ROW], (), 5.0)).found) == {1}


async def test_pages_that_overlap_show_a_message_once() -> None:
    api = List([LISTED], [LISTED])
    assert set((await look_up(api, [ROW], (), 5.0)).found) == {1}


async def test_a_list_that_goes_round_in_circles_is_read_in_part() -> None:
    class Circle(List):
        async def messages(self, after: str | None) -> Page | Looked:
            self.asked.append(after)
            return Page([replace(LISTED, created=5_000.0)], "again")

    api = Circle()
    assert (await look_up(api, [ROW], (), 5.0)).looked is Looked.IN_PART
    assert len(api.asked) == 2


async def test_a_page_of_which_not_all_could_be_read_counts_and_is_only_a_part() -> None:
    class Torn(List):
        async def messages(self, after: str | None) -> Page | Looked:
            self.asked.append(after)
            return Page([LISTED], None, is_whole=False)

    seen = await look_up(Torn(), [ROW], (), 5.0)
    assert (set(seen.found), seen.looked) == ({1}, Looked.IN_PART)


async def test_a_list_that_has_no_end_is_read_in_part() -> None:
    late = [replace(LISTED, created=5_000.0)]
    api = List(*[late] * 300)
    assert await look_up(api, [ROW], (), 5.0) == LookUp({}, Looked.IN_PART)
    assert len(api.asked) == 200


async def test_without_rows_in_doubt_nothing_is_asked() -> None:
    api = List([LISTED])
    assert await look_up(api, [], (), 5.0) == LookUp({}, Looked.THROUGH)
    assert api.asked == []
