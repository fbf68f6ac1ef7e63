from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulksend.errors import UsageError
from bulksend.model import MicroUSD
from bulksend.sending import Budget, ErrorLimit


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("0", ErrorLimit(0, is_percent=False)),
        (" 20 ", ErrorLimit(20, is_percent=False)),
        ("5%", ErrorLimit(5, is_percent=True)),
    ],
)
def test_an_error_limit_is_a_number_or_a_share(text: str, limit: ErrorLimit) -> None:
    assert ErrorLimit.parse(text) == limit
    assert ErrorLimit.parse(str(limit)) == limit


@pytest.mark.parametrize("text", ["", "-1", "5 %", "101%", "1.5", "many", "٣"])
def test_what_is_no_error_limit_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="such as 20"):
        ErrorLimit.parse(text)


def test_so_many_errors_are_allowed_and_one_more_is_not() -> None:
    limit = ErrorLimit(2, is_percent=False)
    assert not limit.is_exceeded(2, 2)
    assert limit.is_exceeded(3, 1_000)


def test_a_share_is_judged_from_the_hundredth_row_on() -> None:
    limit = ErrorLimit(5, is_percent=True)
    assert not limit.is_exceeded(99, 99)
    assert not limit.is_exceeded(5, 100)
    assert limit.is_exceeded(6, 100)


def budget(limit: int, spent: int = 0, dearest: int = 20, in_doubt: dict[int, int | None] | None = None) -> Budget:
    return Budget(MicroUSD(limit), spent=spent, dearest=dearest, in_doubt=in_doubt or {})


def test_what_is_in_flight_counts() -> None:
    money = budget(50)
    assert money.hold(1, 20)
    assert money.hold(2, 20)
    assert not money.hold(3, 20)
    money.not_sent(1)
    assert money.hold(3, 20)


def test_a_message_of_no_known_price_is_taken_for_the_dearest() -> None:
    money = budget(100, dearest=30)
    assert money.hold(1, None)
    money.accepted(1, 60)
    assert not money.hold(2, None)  # 40 are left, and one of its like may cost 60
    assert money.hold(3, 40)


def test_what_may_have_been_accepted_stays_spent_and_its_repeat_costs_nothing_more() -> None:
    money = budget(60, in_doubt={7: 20, 8: None})
    assert money.hold(7, 20)
    assert money.hold(1, 20)
    assert not money.hold(2, 1)
    money.accepted(7, 20)
    assert not money.hold(2, 1)


def test_what_was_spent_before_counts() -> None:
    assert not budget(100, spent=90).hold(1, 20)


@given(
    st.integers(0, 500),
    st.lists(
        st.tuples(st.integers(1, 20), st.integers(0, 100), st.sampled_from(["sent", "unsent", "unknown"])), max_size=60
    ),
)
def test_no_order_of_holds_and_ends_overshoots_the_limit(limit: int, moves: list[tuple[int, int, str]]) -> None:
    money = budget(limit)
    held: dict[int, int] = {}
    spent = 0
    for row, price, end in moves:
        if row not in held and money.hold(row, price):
            held[row] = price
        assert spent + sum(held.values()) <= limit
        if row in held and end == "sent":
            money.accepted(row, held[row])
            spent += held.pop(row)
        elif row in held and end == "unsent":
            money.not_sent(row)
            held.pop(row)
