"""How numbers end, all of a column at once."""

from __future__ import annotations

from collections.abc import Sequence

_ZEROS = 4
_DIGITS = 6  # at a number's end are looked at


def odd_tails(numbers: Sequence[str]) -> bool:
    """Say whether any ends in four zeros, or may differ from the one before it in its last digit only.

    A no is certain, a yes is not. Each place of digits is looked at as one large integer: number by number this would
    take a tenth of all planning.
    """
    return odd_tails_of("".join([f"{number}\n" for number in numbers]), len(numbers))


def odd_tails_of(lines: str, size: int) -> bool:
    """Say the same of so many numbers, each with a line's end, as one text."""
    width = len(lines) // size if size else 0
    digits = lines.encode()
    if width <= _DIGITS or len(digits) != width * size or digits[width - 1 :: width].strip(b"\n"):
        return size > 0  # of different lengths
    last, *others = (int.from_bytes(digits[width - 2 - place :: width]) for place in range(_DIGITS))
    all_zeros = int.from_bytes(b"0" * size)
    zeros, alike = last ^ all_zeros, 0
    for place, column in enumerate(others, 1):
        if place < _ZEROS:
            zeros |= column ^ all_zeros
        alike |= column ^ (column >> 8)
    return 0 in zeros.to_bytes(size) or 0 in alike.to_bytes(size)
