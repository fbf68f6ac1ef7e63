from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bulksend.errors import UsageError
from bulksend.model import Answer, Attempt, ContactId, Event, Message, MicroUSD, PhoneNumber, Queued, Recipient
from bulksend.sending import Budget, Caps, ErrorLimit, Errors
from bulksend.sending.budget import Room
from bulksend.sending.dispatcher import Dispatcher
from bulksend.sending.limits import alike_max
from bulksend.sending.purse import Purse


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


def test_so_many_messages_rejected_alike_are_no_accident() -> None:
    assert [alike_max(concurrency) for concurrency in (1, 12, 13, 32)] == [50, 50, 52, 128]


PHILIPPINES, CONTACTS = "63", ""


def message(row: int, price: int | None, to: str = "639171234567", parts: int = 1, text: str = "Hi") -> Message:
    recipient = ContactId(int(to)) if len(to) < 10 else PhoneNumber(to)
    return Message(row, recipient, None, text, parts, None if price is None else MicroUSD(price))


def charge(micro: int | None, parts: int = 1) -> Answer:
    return Answer("SMS1", parts, micro, "", "", "", None, None if micro is None else MicroUSD(micro))


def kind_of(recipient: Recipient) -> str:
    return CONTACTS if isinstance(recipient, int) else recipient[:2]


def budget(
    limit: int,
    spent: int = 0,
    dearest: int = 20,
    in_doubt: Sequence[Message] = (),
    told: Mapping[str, int] = {},
    known: Sequence[str] = ("639171234567",),
) -> Budget:
    """A budget that was told of some recipients' kinds that parts cost no more than planned."""
    money = Budget(
        MicroUSD(limit), spent=spent, dearest_part=dearest, told=told, in_doubt=in_doubt, kind_of=kind_of
    )  # fmt: skip
    for recipient in known:
        first = message(0, 0, to=recipient)
        assert holds(money, first)
        money.accepted(first, charge(None))
    return money


def holds(money: Budget, *of: Message) -> bool:
    return [money.hold(each) for each in of][-1] is Room.IS_THERE


def test_what_is_in_flight_counts() -> None:
    money = budget(50)
    assert holds(money, message(1, 20))
    assert holds(money, message(2, 20))
    assert not holds(money, message(3, 20))
    money.not_sent(1)
    assert holds(money, message(3, 20))


def test_a_message_of_no_known_price_is_taken_for_the_dearest() -> None:
    money = budget(100, dearest=30)
    first = message(1, None)
    assert holds(money, first)
    money.accepted(first, charge(60))
    assert not holds(money, message(2, None))  # 40 are left, and one of its like may cost 60
    assert holds(money, message(3, 40, to="447700900123"))


def test_a_message_of_no_known_price_costs_the_dearest_part_as_often_as_it_has_parts() -> None:
    money = budget(100, dearest=20, known=["101"])
    assert holds(money, message(1, None, to="101", parts=3))
    assert not holds(money, message(2, None, to="102", parts=3))
    assert holds(money, message(3, None, to="103", parts=2))


def test_what_may_have_been_accepted_stays_spent_and_its_repeat_costs_nothing_more() -> None:
    money = budget(60, in_doubt=[message(7, 20), message(8, None)])
    assert holds(money, message(7, 20))
    assert holds(money, message(1, 20))
    assert not holds(money, message(2, 1))
    money.accepted(message(7, 20), charge(20))
    assert not holds(money, message(2, 1))


def test_what_was_spent_before_counts() -> None:
    assert not holds(budget(100, spent=90), message(1, 20))


def test_until_an_answer_tells_the_price_one_message_of_a_kind_is_under_way() -> None:
    money = budget(1_000, known=())
    assert money.hold(message(1, 20)) is Room.IS_THERE
    assert money.hold(message(2, 20)) is Room.NOT_YET
    assert money.hold(message(3, 20, to="447700900123")) is Room.IS_THERE
    assert money.hold(message(4, 20, to="101")) is Room.IS_THERE
    money.accepted(message(1, 20), charge(60))
    assert money.hold(message(2, 20)) is Room.IS_THERE
    assert money.hold(message(5, 20)) is Room.IS_THERE
    money.accepted(message(3, 20, to="447700900123"), charge(20))
    for row in range(6, 100):
        money.hold(message(row, 20))
    assert not holds(money, message(100, 20))
    money.not_sent(2)
    assert holds(money, message(101, 20))
    assert not holds(money, message(102, 20, to="447700900123", parts=4))


def test_a_message_is_held_at_the_dearest_part_that_an_answer_told() -> None:
    told = {PHILIPPINES: 60}
    assert not holds(budget(119, told=told), message(1, 40, parts=2))
    assert holds(budget(120, told=told), message(1, 40, parts=2))
    assert not holds(budget(119, told=told), message(1, 120, parts=2))  # or as it was planned, if that is dearer


def test_a_dearer_answer_raises_what_is_held_of_its_kind() -> None:
    money = budget(120, told={PHILIPPINES: 20, "44": 20})
    for row in (1, 2, 3):
        assert holds(money, message(row, 20))
    money.accepted(message(1, 20), charge(60))  # so the other two may cost 60 each, and nothing is left
    assert money.hold(message(4, 20, to="447700900123")) is Room.FILLED
    money.not_sent(2)
    money.not_sent(3)
    assert holds(money, message(4, 20, to="447700900123"))


@pytest.mark.parametrize("end", ["refused", "in doubt"])
def test_if_the_first_of_a_kind_tells_no_price_the_next_one_goes_alone(end: str) -> None:
    money = budget(1_000, known=())
    assert holds(money, message(1, 20))
    if end == "refused":
        money.not_sent(1)
    else:
        money.doubted(1)
    assert money.hold(message(2, 20)) is Room.IS_THERE
    assert money.hold(message(3, 20)) is Room.NOT_YET


@pytest.mark.parametrize("charged", [None, 0])
def test_where_an_answer_names_no_cost_the_plans_price_counts(charged: int | None) -> None:
    money = budget(50, known=())
    assert holds(money, message(1, 20))
    money.accepted(message(1, 20), charge(charged))
    assert holds(money, message(2, 20))
    assert not holds(money, message(3, 20))


def test_what_the_api_fills_in_may_take_seven_parts() -> None:
    assert not holds(budget(7 * 20 - 1), message(1, 20, text="Hi {{contact.firstName}}"))
    assert holds(budget(7 * 20), message(1, 20, text="Hi {{contact.firstName}}"))
    money = budget(200)
    assert holds(money, message(1, 20, text="Hi {{contact.firstName}}"))
    assert not holds(money, message(2, 20, text="Hi {{contact.firstName}}"))
    money.accepted(message(1, 20, text="Hi {{contact.firstName}}"), charge(40, parts=2))
    assert holds(money, message(2, 20, text="Hi {{contact.firstName}}"))


# -- The messages that wait for money


def attempt(row: int, doubt_since: float | None = None) -> Attempt:
    return Attempt(message(row, 20), 1, doubt_since, row)


def opens(purse: Purse, of: Attempt) -> bool:
    return purse.opens_for(Queued(of.message.row, of.message.recipient, 1), of)


def test_what_may_have_been_accepted_keeps_its_price_whatever_becomes_of_its_repeats() -> None:
    purse = Purse(budget(20), Dispatcher(Caps()))
    assert opens(purse, attempt(1))
    purse.settle(attempt(1), Event.DOUBTED, None, 0.0)
    assert not opens(purse, attempt(2))
    for end in (Event.DOUBTED, Event.REJECTED, Event.FAILED, Event.PUT_OFF, Event.CALLED_OFF):
        purse.settle(attempt(1, doubt_since=0.0), end, None, 0.0)
        assert purse.is_filled
        assert purse.aside == 1


@pytest.mark.parametrize("end", [Event.REJECTED, Event.FAILED, Event.PUT_OFF, Event.CALLED_OFF, Event.KNOWN])
def test_what_certainly_was_not_accepted_leaves_its_price_to_the_next(end: Event) -> None:
    dispatcher = Dispatcher(Caps())
    purse = Purse(budget(20), dispatcher)
    assert opens(purse, attempt(1))
    assert not opens(purse, attempt(2))
    purse.settle(attempt(1), end, None, 0.0)
    assert (purse.is_filled, purse.aside) == (False, 0)
    assert [item.row for item in dispatcher.take(0.0, 9)] == [2]


def test_what_waits_for_money_keeps_its_order_behind_what_there_is_no_room_for() -> None:
    dispatcher = Dispatcher(Caps())
    purse = Purse(budget(40), dispatcher)
    for each in (attempt(1), attempt(2)):
        assert opens(purse, each)
    dear, cheap = Attempt(message(3, 30), 1, None, 3), attempt(4)
    assert not opens(purse, dear)
    assert not opens(purse, cheap)
    purse.settle(attempt(1), Event.REJECTED, None, 0.0)
    assert (purse.is_filled, purse.aside) == (True, 2)
    purse.settle(attempt(2), Event.REJECTED, None, 0.0)
    assert [item.row for item in dispatcher.take(0.0, 9)] == [3, 4]


CODES = ("639171234567", "447700900123", "101")
MOVES = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 2]),
        st.integers(1, 3),
        st.one_of(st.none(), st.just(20)),
        st.sampled_from(["sent", "untold", "unsent", "unknown", "later"]),
    ),
    max_size=40,
)
PRICES = st.tuples(*[st.integers(1, 10)] * 3)


@given(limit=st.integers(0, 3_000), commands=st.lists(st.tuples(PRICES, MOVES), min_size=1, max_size=3))
@example(  # what the first command was told holds no more in the second
    limit=100,
    commands=[((2, 2, 2), [(0, 1, 20, "sent")]), ((10, 2, 2), [(0, 1, 20, "later"), (0, 1, 20, "later")])],
)
def test_whatever_parts_really_cost_only_the_first_of_a_kind_can_overshoot(
    limit: int, commands: list[tuple[tuple[int, ...], list[tuple[int, int, int | None, str]]]]
) -> None:
    """Real prices are up to five times the planned ones, each kind its own, and others in each command.

    Answers come in any order. What is under way when a command is cut off is in doubt for the next, and was accepted.
    """
    spent, beyond, row = 0, 0, 0  # what answers told; what the first ones cost above their plan
    doubts: dict[int, tuple[Message, int]] = {}
    dearest = dict.fromkeys([PHILIPPINES, "44", CONTACTS], 0)
    for factors, moves in commands:
        in_doubt = [each for each, _ in doubts.values()]
        earlier = {kind: part for kind, part in dearest.items() if part}
        money = budget(limit, spent=spent, told=earlier, known=(), in_doubt=in_doubt)
        told: set[str] = set()
        later: list[tuple[Message, int]] = []
        for kind, parts, part_price, end in moves:
            row += 1
            each = message(row, part_price and part_price * parts, CODES[kind], parts)
            real = 10 * factors[kind] * parts
            if money.hold(each) is not Room.IS_THERE:
                continue
            if kind_of(each.recipient) not in told:
                assert kind_of(each.recipient) not in {kind_of(other.recipient) for other, _ in later}
                beyond += max(0, real - 20 * parts)  # nobody can know what the first one costs
            later.append((each, real))
            if end == "later":
                continue
            each, real = later.pop(0 if end == "sent" else -1)
            if end in {"sent", "untold"}:
                money.accepted(each, charge(real, each.parts))
                spent += real
                told.add(kind_of(each.recipient))
                dearest[kind_of(each.recipient)] = max(dearest[kind_of(each.recipient)], real // each.parts)
            elif end == "unsent":
                money.not_sent(each.row)
            else:
                money.doubted(each.row)
                doubts[each.row] = each, real  # the server may have it all the same
        doubts |= {each.row: (each, real) for each, real in later}
    assert spent + sum(real for _, real in doubts.values()) <= limit + beyond


def test_errors_are_counted_over_the_whole_run_and_once_a_row() -> None:
    errors = Errors(ErrorLimit(4, is_percent=False), done=10, for_good=2, so_far=[7, 8])
    assert (errors.count, errors.done) == (4, 10)
    errors.not_sent(7)  # failed before, and again
    assert not errors.is_exceeded
    errors.sent(8)
    errors.not_sent(9)
    assert (errors.count, errors.done) == (4, 11)
    errors.not_sent(11)
    assert errors.is_exceeded


def test_a_row_that_is_to_be_repeated_safely_is_no_error_yet() -> None:
    errors = Errors(ErrorLimit(0, is_percent=False), done=1, so_far=[7])
    errors.hope(7)
    assert not errors.is_exceeded
    errors.not_sent(7)
    assert errors.is_exceeded
