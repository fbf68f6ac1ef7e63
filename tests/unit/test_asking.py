"""Receipts are asked for in few requests, and what the server did not tell is never told as something."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date
from math import ceil

import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from bulksend.engagespark.account import Listed, Looked, Page
from bulksend.engagespark.receipts import ask_for_receipts
from bulksend.model import MicroUSD, PhoneNumber, Reached, Receipt

PAGE = 100
SENT_AT = 1_800_000_000.0


def message(number: int, to_phone: Reached = Reached.CONFIRMED) -> Listed:
    """The account's n-th message; one comes every second."""
    number_of_ana, created = PhoneNumber("639171234567"), SENT_AT + number
    return Listed(f"SMS{number:06}", "", number_of_ana, 7, "Hi", created, MicroUSD(20_000), True, to_phone)


class Server:
    """Has so many messages of the account.

    Args:
        count: how many.
        takes_dates: whether it takes an endDate.
        answers: what it answers first, in this order; None for what it has.
        always: the only page that it shows.
    """

    def __init__(
        self,
        count: int,
        *,
        takes_dates: bool = True,
        answers: Sequence[Looked | None] = (),
        always: Page | None = None,
    ) -> None:
        self.messages_of = [message(number) for number in range(count)]
        self.takes_dates = takes_dates
        self.asked: list[str] = []
        self._answers = list(answers)
        self._always = always

    async def messages(self, after: str | None, end: date | None = None) -> Page | Looked:
        self.asked.append("list")
        if self._answers and (said := self._answers.pop(0)):
            return said
        if end and not self.takes_dates:
            return Looked.NOT_UNDERSTOOD
        if self._always:
            return self._always
        until = len(self.messages_of) if after is None else int(after)
        first = max(0, until - PAGE)
        return Page(self.messages_of[first:until][::-1], f"{first}" if first else None)

    async def message(self, message_id: str) -> Listed | Looked:
        self.asked.append(message_id)
        if self._answers and (said := self._answers.pop(0)):
            return said
        number = int(message_id.removeprefix("SMS"))
        return self.messages_of[number] if number < len(self.messages_of) else Looked.NO_SUCH


class Kept:
    """What is awaited, and what was told of it."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._open = {f"SMS{number:06}" for number in numbers}
        self.left = len(self._open)
        self.since_s, self.until_s = SENT_AT + min(numbers), SENT_AT + max(numbers)
        self.told: list[Receipt] = []

    def note(self, receipts: Sequence[Receipt]) -> int:
        fresh = [receipt for receipt in receipts if receipt.message_id in self._open]
        self._open -= {receipt.message_id for receipt in fresh}
        self.told += fresh
        self.left = len(self._open)
        return len(fresh)

    def next(self, after: str, limit: int) -> list[str]:
        return sorted(message_id for message_id in self._open if message_id > after)[:limit]


async def ask(server: Server, kept: Kept, pauses: list[float] | None = None) -> Looked:
    async def pause(seconds: float) -> None:
        if pauses is not None:
            pauses.append(seconds)

    return await ask_for_receipts(server, kept, nullcontext(), pause)


async def test_a_run_just_sent_takes_one_request_a_hundred_messages() -> None:
    server, kept = Server(1_000), Kept(range(700, 1_000))
    assert await ask(server, kept) is Looked.THROUGH
    assert (len(kept.told), server.asked) == (300, ["list"] * 3)
    assert kept.told[0] == message(999).receipt()


async def test_the_last_of_an_old_run_are_looked_up_one_by_one() -> None:
    server, kept = Server(1_000), Kept([3, 700])
    assert await ask(server, kept) is Looked.THROUGH
    assert server.asked == ["list", "list", "SMS000003", "SMS000700"]
    assert [receipt.message_id for receipt in kept.told] == ["SMS000003", "SMS000700"]


async def test_nothing_is_asked_where_nothing_is_awaited() -> None:
    server, kept = Server(10), Kept([3])
    kept.left = 0
    assert await ask(server, kept) is Looked.THROUGH
    assert server.asked == []


@settings(max_examples=examples(100))
@given(
    st.integers(1, 1_500).flatmap(lambda size: st.tuples(st.just(size), st.sets(st.integers(0, size - 1), min_size=1)))
)
async def test_it_never_takes_more_than_twice_the_fewest_requests(account: tuple[int, set[int]]) -> None:
    size, wanted = account
    server, kept = Server(size), Kept(sorted(wanted))
    assert await ask(server, kept) is Looked.THROUGH
    assert len(kept.told) == len(wanted)
    by_pages = ceil((size - min(wanted)) / PAGE)
    assert len(server.asked) <= 2 * min(by_pages, len(wanted))


async def test_what_the_server_does_not_know_is_not_told() -> None:
    server, kept = Server(50), Kept([10, 900])
    assert await ask(server, kept) is Looked.THROUGH
    assert [receipt.message_id for receipt in kept.told] == ["SMS000010"]


@pytest.mark.parametrize("why", [Looked.REFUSED, Looked.NO_SUCH, Looked.NOT_UNDERSTOOD, Looked.NOT_REACHED])
async def test_a_list_that_cannot_be_read_is_said_and_tells_nothing(why: Looked) -> None:
    server, kept = Server(50, answers=[why] * 9), Kept([10])
    assert await ask(server, kept) is why
    assert kept.told == []


async def test_what_was_told_before_the_list_broke_off_is_kept() -> None:
    server, kept = Server(1_000, answers=[None, *[Looked.NOT_REACHED] * 3]), Kept(range(700, 1_000))
    assert await ask(server, kept) is Looked.IN_PART
    assert len(kept.told) == 100


async def test_look_ups_that_broke_off_are_a_part() -> None:
    server, kept = Server(1_000, answers=[None, None, None, *[Looked.NOT_REACHED] * 3]), Kept([3, 700])
    assert await ask(server, kept) is Looked.IN_PART
    assert [receipt.message_id for receipt in kept.told] == ["SMS000003"]


async def test_a_server_that_has_no_answer_now_is_asked_again_a_little_later() -> None:
    pauses: list[float] = []
    server, kept = Server(50, answers=[Looked.NOT_REACHED]), Kept([10])
    assert await ask(server, kept, pauses) is Looked.THROUGH
    assert (len(kept.told), pauses) == (1, [0.5])


async def test_a_server_that_does_not_take_our_dates_is_asked_without() -> None:
    server, kept = Server(50, takes_dates=False), Kept([10])
    assert await ask(server, kept) is Looked.THROUGH
    assert len(kept.told) == 1


async def test_an_answer_about_another_message_is_none() -> None:
    server, kept = Server(1_000), Kept([3])
    server.messages_of[3] = message(4)
    assert await ask(server, kept) is Looked.IN_PART
    assert kept.told == []


async def test_a_list_that_goes_round_in_circles_ends_in_look_ups() -> None:
    server, kept = Server(1_000, always=Page([message(900)], "again")), Kept([3, 4, 5])
    assert await ask(server, kept) is Looked.THROUGH
    assert server.asked == ["list", "list", "SMS000003", "SMS000004", "SMS000005"]


async def test_what_a_page_hides_is_looked_up() -> None:
    server, kept = Server(50, always=Page([message(5)], None, is_whole=False)), Kept([4, 5])
    assert await ask(server, kept) is Looked.THROUGH
    assert len(kept.told) == 2
