from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulksend.model import ContactId, MicroUSD, PhoneNumber
from bulksend.sms.rates.table import EXAMPLE_RATES, Rates, dollars

RATES = Rates({"1": MicroUSD(7_000), "63": MicroUSD(20_000), "639": MicroUSD(12_500), "64": MicroUSD(0)})
DIGITS = st.text(st.sampled_from("0123456789"), min_size=1, max_size=15)


def test_the_documents_example_price_is_known() -> None:
    assert EXAMPLE_RATES.price(PhoneNumber("639123456789"), 1) == 20_000


@pytest.mark.parametrize(
    ("number", "rate"),
    [("12125550123", 7_000), ("639171234567", 12_500), ("63281234567", 20_000), ("6421123456", 0)],
)
def test_the_longest_beginning_wins(number: str, rate: int) -> None:
    assert RATES.per_part(PhoneNumber(number)) == rate


def test_no_rate_is_none_and_not_free() -> None:
    assert RATES.per_part(PhoneNumber("6591234567")) is None
    assert RATES.price(PhoneNumber("6591234567"), 3) is None


def test_every_part_is_paid() -> None:
    assert RATES.price(PhoneNumber("639171234567"), 3) == 37_500


def test_a_contacts_country_is_not_known_so_neither_is_its_price() -> None:
    assert RATES.price(ContactId(639171234567), 1) is None


@given(st.dictionaries(DIGITS, st.integers(0, 10**6).map(MicroUSD)), DIGITS)
def test_a_rate_belongs_to_the_longest_fitting_prefix(rates: dict[str, MicroUSD], number: str) -> None:
    fitting = [prefix for prefix in rates if number.startswith(prefix)]
    expected = rates[max(fitting, key=len)] if fitting else None
    assert Rates(rates).per_part(PhoneNumber(number)) == expected


@pytest.mark.parametrize(
    ("prefix", "varies"),
    [("1", False), ("63", True), ("6", True), ("639", False), ("6391", False), ("65", False), ("", True)],
)
def test_rates_vary_within_a_prefix_where_a_longer_one_has_its_own(prefix: str, varies: bool) -> None:
    assert RATES.varies_within(prefix) == varies


@given(st.dictionaries(DIGITS, st.integers(0, 10**6).map(MicroUSD)), DIGITS, DIGITS)
def test_where_rates_do_not_vary_within_a_prefix_all_its_numbers_cost_the_same(
    rates: dict[str, MicroUSD], prefix: str, rest: str
) -> None:
    if not Rates(rates).varies_within(prefix):
        assert Rates(rates).per_part(PhoneNumber(prefix + rest)) == Rates(rates).per_part(PhoneNumber(prefix))


def test_rates_say_where_they_come_from() -> None:
    assert EXAMPLE_RATES.source == "the API document's example"


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "$0.00"),
        (20_000, "$0.02"),
        (1_230_000, "$1.23"),
        (1_500_000, "$1.50"),
        (12_500, "$0.0125"),
        (1, "$0.000001"),
        (1_234_567_890_000, "$1,234,567.89"),
        (-2_500_000, "-$2.50"),
    ],
)
def test_dollars_are_written_for_people(micro: int, text: str) -> None:
    assert dollars(micro) == text


@given(st.integers(-(10**18), 10**18))
def test_dollars_are_exact(micro: int) -> None:
    assert Decimal(dollars(micro).replace("$", "").replace(",", "")) * 1_000_000 == micro
