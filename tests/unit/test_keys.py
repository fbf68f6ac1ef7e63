"""A dedup key names the message, not its place in the input."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulksend.model import ContactId, Message, MicroUSD, PhoneNumber, Recipient
from bulksend.sending import Keys

KEYS = Keys("spring", is_shared=True)
BASE = Message(1, PhoneNumber("639171234567"), "ACME", "Hello", 1, None)
Thing = tuple[Recipient, str | None, str]
THINGS = st.tuples(
    st.sampled_from([PhoneNumber("639171234567"), PhoneNumber("5"), ContactId(5)]),
    st.sampled_from([None, "", "ACME"]),
    st.sampled_from(["a", "b", "a\nb", '"', "ACME"]),
)


def numbered(things: Sequence[Thing]) -> list[Message]:
    """Messages in this order, each with the number of its equals before it."""
    return [Message(row, *thing, 1, None, things[: row - 1].count(thing)) for row, thing in enumerate(things, start=1)]


def test_neither_row_nor_price_nor_parts_are_in_it() -> None:
    assert KEYS.of(BASE) == KEYS.of(BASE._replace(row=77, price=MicroUSD(5), parts=3))


@pytest.mark.parametrize(
    "change",
    [
        {"recipient": PhoneNumber("639171234568")},
        {"recipient": ContactId(639171234567)},
        {"sender": None},
        {"sender": ""},
        {"text": "Hello "},
        {"copy": 1},
    ],
    ids=str,
)
def test_whatever_makes_it_another_message_makes_it_another_key(change: dict[str, object]) -> None:
    assert KEYS.of(BASE) != KEYS.of(BASE._replace(**change))  # type: ignore[arg-type]


def test_of_two_to_the_64_messages_two_would_share_a_key() -> None:
    assert re.fullmatch(r"spring-[0-9a-f]{32}", KEYS.of(BASE))


def test_another_campaign_has_other_keys_though_they_begin_alike() -> None:
    long = "a" * 100
    keys = {Keys(campaign, is_shared=True).of(BASE) for campaign in (long, long + "b", "a/b", "a b", "a")}
    assert len(keys) == 5


@given(campaign=st.text(min_size=1).filter(lambda text: text.isprintable()), text=st.text())
def test_it_is_short_goes_into_a_url_and_shows_the_campaign(campaign: str, text: str) -> None:
    key = Keys(campaign, is_shared=True).of(BASE._replace(text=text))
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,65}", key)
    if re.fullmatch(r"[A-Za-z0-9._-]{1,32}", campaign):
        assert key.startswith(f"{campaign}-")


@given(things=st.lists(THINGS, max_size=8), rng=st.randoms(use_true_random=False))
def test_sorting_inserting_and_deleting_change_no_key(things: list[Thing], rng: random.Random) -> None:
    keys = [KEYS.of(message) for message in numbered(things)]
    assert len(set(keys)) == len(things)
    mixed = rng.sample(things, len(things))
    assert {KEYS.of(message) for message in numbered(mixed)} == set(keys)
    assert {KEYS.of(message) for message in numbered(mixed[1:])} < set(keys) or not things


def test_a_run_that_began_with_keys_by_row_goes_on_with_them() -> None:
    assert Keys("golden", is_shared=True, by_row=True).of(BASE._replace(row=7)) == "golden-7"
