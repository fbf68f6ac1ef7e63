from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from bulksend.model import MicroUSD, PhoneNumber
from bulksend.sms.rates.learning import LearnedRate, Observed, learn
from bulksend.sms.rates.table import Rates

RATES = st.sampled_from([7_000, 12_500, 20_000, 0])
CODES = st.sampled_from(["63", "1", "852"])
FEW_DIGITS = st.text(st.sampled_from("019"), max_size=5)


def table(lines: list[LearnedRate]) -> dict[str, int]:
    return {line.prefix: line.micro for line in lines}


def seen(**starts: int) -> list[Observed]:
    """One message each; keyword names cannot begin with a digit."""
    return [Observed(start.removeprefix("n"), micro, 1) for start, micro in starts.items()]


def rates_of(lines: list[LearnedRate]) -> Rates:
    return Rates({line.prefix: line.micro for line in lines})


def test_a_country_of_one_rate_is_one_line() -> None:
    observed = [Observed("639171234", 20_000, 150), Observed("639181234", 20_000, 50)]
    assert learn(observed) == [LearnedRate("63", MicroUSD(20_000), messages=200)]


def test_countries_are_told_apart_by_their_dialing_codes() -> None:
    assert table(learn(seen(n639171234=20_000, n121255501=7_000, n852212345=30_000))) == {
        "1": 7_000,
        "63": 20_000,
        "852": 30_000,
    }


def test_a_network_that_costs_more_gets_the_shortest_prefix_that_is_its_own() -> None:
    observed = [Observed("639171234", 20_000, 9), Observed("639051234", 25_000, 2), Observed("639059999", 25_000, 1)]
    assert learn(observed) == [
        LearnedRate("63", MicroUSD(20_000), messages=9),
        LearnedRate("6390", MicroUSD(25_000), messages=3),
    ]


def test_an_exception_within_an_exception_gets_the_longest_prefix_it_needs() -> None:
    lines = learn(seen(n63211111=20_000, n63911111=25_000, n63922222=25_000, n63933333=25_000, n63933344=10_000))
    assert table(lines) == {"63": 25_000, "632": 20_000, "6393334": 10_000}


def test_a_dialing_code_has_the_rate_of_most_messages_not_of_most_prefixes() -> None:
    observed = [Observed("639171234", 20_000, 100), *seen(n63211111=10_000, n63311111=10_000)]
    assert table(learn(observed)) == {"63": 20_000, "632": 10_000, "633": 10_000}


def test_of_several_rates_that_no_prefix_tells_apart_the_highest_is_taken_and_said() -> None:
    observed = [Observed("639171234", 20_000, 99), Observed("639171255", 25_000, 1), Observed("639181234", 25_000, 1)]
    assert learn(observed) == [LearnedRate("63", MicroUSD(25_000), messages=101, mixed=True)]


def test_a_rate_that_was_rounded_up_is_marked() -> None:
    assert learn([Observed("639171234", 6_667, 1, rounded=True)]) == [LearnedRate("63", MicroUSD(6_667), 1, mixed=True)]


def test_numbers_of_no_country_are_left_out() -> None:
    assert learn(seen(n999123456=20_000)) == []
    assert learn([]) == []


def test_short_numbers_and_longer_ones_of_the_same_beginning_keep_their_rates() -> None:
    lines = learn(seen(n6834=10_000, n683412345=20_000, n683499999=20_000))
    rates = rates_of(lines)
    assert rates.per_part(PhoneNumber("6834")) == 10_000
    assert rates.per_part(PhoneNumber("6834123")) == 20_000


@given(st.dictionaries(st.tuples(CODES, FEW_DIGITS).map("".join), RATES), st.sets(st.tuples(CODES, FEW_DIGITS)))
@example({"63": 1, "639": 2, "6391": 1, "63917": 3}, {("63", "21111"), ("63", "91733"), ("63", "91899")})
def test_the_table_gives_back_every_rate_of_a_price_list(prices: dict[str, int], starts: set[tuple[str, str]]) -> None:
    price_list = Rates({prefix: MicroUSD(micro) for prefix, micro in prices.items()})
    observed = [
        Observed(code + digits, rate, 1)
        for code, digits in starts
        if (rate := price_list.per_part(PhoneNumber(code + digits))) is not None
    ]
    lines = learn(observed)
    rates = rates_of(lines)
    assert [rates.per_part(PhoneNumber(each.start)) for each in observed] == [each.micro for each in observed]
    assert sum(line.messages for line in lines) == len(observed)
    assert not any(line.mixed for line in lines)


@given(
    st.lists(st.builds(Observed, st.tuples(CODES, FEW_DIGITS).map("".join), RATES, st.integers(1, 9), st.booleans()))
)
def test_no_estimate_by_the_table_is_below_what_was_charged(observed: list[Observed]) -> None:
    rates = rates_of(learn(observed))
    for each in observed:
        assert (rates.per_part(PhoneNumber(each.start)) or 0) >= each.micro


@given(
    st.dictionaries(
        st.text(st.sampled_from("0123"), min_size=3, max_size=3),
        st.tuples(st.sampled_from([1, 2, 3]), st.integers(1, 9)),
    )
)
@example({"000": (1, 1), "010": (1, 1), "020": (1, 1), "030": (2, 9), "100": (2, 9)})
def test_no_smaller_table_gives_the_same_rates_and_the_dialing_code_its_own(seen: dict[str, tuple[int, int]]) -> None:
    lines = table(learn([Observed(f"63{digits}", *found) for digits, found in seen.items()]))
    prices = {digits: micro for digits, (micro, _) in seen.items()}
    assert not prices or len(lines) == 1 + fewest_lines(prices, "", lines["63"])


def fewest_lines(prices: dict[str, int], prefix: str, above: int) -> int:
    """How many lines the prefixes below one need: all ways are tried."""
    if prefix in prices:
        return 0 if prices[prefix] == above else 99
    children = {digits[: len(prefix) + 1] for digits in prices if digits.startswith(prefix)}
    return sum(
        min(fewest_lines(prices, child, rate) + (rate != above) for rate in set(prices.values()) | {above})
        for child in children
    )
