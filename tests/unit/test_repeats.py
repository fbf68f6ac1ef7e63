from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from bulksend.model import ContactId, PhoneNumber, Recipient
from bulksend.planning.repeats import RepeatedMessage, Repeats

ANA, BEN = PhoneNumber("639171234567"), PhoneNumber("639181234599")
WHO = st.sampled_from([ANA, BEN, PhoneNumber("12025550167"), ContactId(int(ANA)), ContactId(7), ContactId(67), None])


def groups_of(repeats: Repeats) -> dict[tuple[type, Recipient], list[RepeatedMessage]]:
    found = {(type(who), who): messages for who, messages in repeats.groups()}
    repeats.close()
    return found


@given(st.lists(st.lists(st.tuples(WHO, st.sampled_from("ab"), st.integers(1, 7)), max_size=8), max_size=4))
def test_it_finds_what_a_table_of_everything_would_find(batches: list[list[tuple[Recipient | None, str, int]]]) -> None:
    repeats, first = Repeats(), 1
    table: dict[tuple[type, Recipient], list[RepeatedMessage]] = defaultdict(list)
    for batch in batches:
        repeats.add(first, [who for who, _, _ in batch], [text for _, text, _ in batch], [n for _, _, n in batch])
        for row, (who, text, parts) in enumerate(batch, first):
            if who is not None:
                table[type(who), who].append(RepeatedMessage(row, parts, hash(text)))
        first += len(batch)
    assert groups_of(repeats) == {who: messages for who, messages in table.items() if len(messages) > 1}


def test_what_no_longer_fits_into_memory_is_found_all_the_same() -> None:
    repeats, size = Repeats(), 1_000
    numbers: list[Recipient | None] = [PhoneNumber(f"63917{row:07}") for row in range(size)]
    for first in range(1, 200 * size, size):
        repeats.add(first, [*numbers[:-1], PhoneNumber(f"63918{first:07}")], ["a"] * size, [1] * size)
    found = groups_of(repeats)
    assert {who for _, who in found} == set(numbers[:-1])
    assert all(len(messages) == 200 for messages in found.values())
    assert [message.row for message in found[str, PhoneNumber("639170000041")]] == list(range(42, 200 * size, size))
