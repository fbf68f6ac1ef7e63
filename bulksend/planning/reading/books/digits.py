"""The digits of a number, at the places that a format's section has for them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from bulksend.planning.reading.books.plain import plain

_GENERAL_SIZE = 11  # characters that a sheet spends on a fraction
_EXACTLY = Context(prec=400)


class Token(NamedTuple):
    """A piece of a section: its kind, by the group of `shown._TOKEN`, and its text."""

    kind: str
    text: str


def general(value: float) -> str:
    """A number without a format: whole ones with all digits, others in as many characters as a sheet takes for one."""
    text = plain(value)
    if "." not in text or "e" in text or len(text) <= _GENERAL_SIZE:
        return text
    whole = len(text.lstrip("-").partition(".")[0])
    return plain(round(value, max(_GENERAL_SIZE - 1 - whole, 0))) if abs(value) >= 1e-4 else text


def usual(how: tuple[str, str, Decimal, str], value: float) -> str:
    """A number without its sign, where only few things are to be looked at."""
    before, grouped, place, after = how
    rounded = Decimal(f"{value:.15g}").quantize(place, ROUND_HALF_UP, _EXACTLY)
    return f"{before}{rounded:{grouped}f}{after}"


def number(tokens: tuple[Token, ...], value: float) -> str | None:
    """A number without its sign; None for a fraction such as 1/2, and for what makes no sense."""
    if any(token == ("mark", "/") for token in tokens):
        return None
    if any(token.kind == "general" or token == ("mark", "@") for token in tokens):
        return "".join(
            general(value) if token.kind == "general" or token == ("mark", "@") else token.text for token in tokens
        )
    places = [i for i, token in enumerate(tokens) if token.kind == "digit"]
    if not places:
        return "".join(token.text for token in tokens)
    powers = [i for i, token in enumerate(tokens) if token.kind == "power"]
    if powers:
        return _scientific(tokens, powers[0], value) if len(powers) == 1 else None
    return _fixed(tokens, Decimal(f"{value:.15g}"), places)


def _fixed(tokens: tuple[Token, ...], value: Decimal, places: list[int]) -> str | None:
    points = [i for i, token in enumerate(tokens) if token == ("mark", ".")]
    if len(points) > 1:
        return None
    point = points[0] if points else len(tokens)
    whole = [i for i in places if i < point]
    parts = [i for i in places if i > point]
    last = whole[-1] if whole else point
    commas = [i for i, token in enumerate(tokens) if token == ("mark", ",")]
    scale = sum(i > last and all(tokens[j] == ("mark", ",") for j in range(last + 1, i)) for i in commas)
    if parts:
        scale += sum(i > parts[-1] and all(tokens[j] == ("mark", ",") for j in range(parts[-1] + 1, i)) for i in commas)
    grouped = any(whole and whole[0] < i < last for i in commas)
    percents = sum(token == ("mark", "%") for token in tokens)
    value = value.scaleb(2 * percents - 3 * scale)
    rounded = value.quantize(Decimal(1).scaleb(-len(parts)), ROUND_HALF_UP, _EXACTLY)
    digits, _, fraction = f"{rounded:f}".partition(".")
    written = _whole([tokens[i].text for i in whole], digits, grouped=grouped)
    kept = _fraction([tokens[i].text for i in parts], fraction)
    filled = dict(zip(whole, written, strict=True)) | dict(zip(parts, kept, strict=True))
    if not whole and digits != "0" and points:
        filled[point] = digits + "."
    return "".join(filled.get(i, "" if token == ("mark", ",") else token.text) for i, token in enumerate(tokens))


def _whole(placeholders: list[str], digits: str, *, grouped: bool) -> list[str]:
    """What stands at each placeholder before the point: one digit each, all that are too many at the first."""
    if not placeholders:
        return []
    digits = "" if digits == "0" else digits
    written: list[str] = []
    count = 0
    for place, kind in enumerate(reversed(placeholders)):
        is_first = place == len(placeholders) - 1
        taken = digits[: len(digits) - place] if is_first else digits[len(digits) - place - 1 : len(digits) - place]
        if place >= len(digits):
            taken = "0" if kind == "0" else " " if kind == "?" else ""
        text = ""
        for digit in reversed(taken):
            if grouped and count and count % 3 == 0 and digit != " ":
                text = "," + text
            text = digit + text
            count += 1
        written.append(text)
    return written[::-1]


def _fraction(placeholders: list[str], digits: str) -> list[str]:
    """What stands at each placeholder after the point; zeros at the end only where they are asked for."""
    kept = [*digits.ljust(len(placeholders), "0")]
    for place in range(len(placeholders) - 1, -1, -1):
        if kept[place] != "0" or placeholders[place] == "0":
            break
        kept[place] = "" if placeholders[place] == "#" else " "
    return kept


def _scientific(tokens: tuple[Token, ...], power: int, value: float) -> str | None:
    mantissa, exponent = tokens[:power], tokens[power + 1 :]
    whole = [i for i, token in enumerate(mantissa) if token.kind == "digit" and ("mark", ".") not in mantissa[:i]]
    places = [i for i, token in enumerate(mantissa) if token.kind == "digit"]
    if len(whole) != 1 or any(token.kind not in {"digit", "literal"} for token in exponent):
        return None
    decimals = len(places) - 1
    digits, _, size = f"{Decimal(f'{value:.15g}'):.{decimals}e}".partition("e")
    number = int(size)
    sign = "-" if number < 0 else "+" if tokens[power].text[1] == "+" else ""
    width = sum(token.kind == "digit" for token in exponent)
    written = _fixed(mantissa, Decimal(digits), places)
    return None if written is None else f"{written}E{sign}{abs(number):0{width}}"
