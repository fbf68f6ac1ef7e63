from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulksend.model import Encoding
from bulksend.sms.lookalikes import LOOKALIKES, explain, plain
from bulksend.sms.segments import BASIC, EXTENSION, count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It\u2019s \u2018ok\u2019 \u201ayes\u2032", "It's 'ok' 'yes'"),
        ("`quoted\u00b4", "'quoted'"),
        ("\u201cHi\u201d \u201elow\u201d 5\u2033", '"Hi" "low" 5"'),
        ("9\u201312 \u2014 9\u201112 9\u201012 \u22125 \u2015", "9-12 - 9-12 9-12 -5 -"),
        ("wait\u2026", "wait..."),
        ("a\u00a0b\u2009c\u202fd\u3000e\tf", "a b c d e f"),
        ("\ufeffa\u200bb\u200cc\u200dd\u00ade\u200ef\u202ag\u202ch\u2060i", "abcdefghi"),
        ("a\u2028b\u2029c\vd", "a\nb\nc\nd"),
        ("Nin\u0303o, cafe\u0301", "Niño, café"),
        ("\ufb01t \ufb02at o\ufb00 o\ufb03ce wa\ufb04e", "fit flat off office waffle"),
        ("\u2022 first\n\u2022 second", "* first\n* second"),
        ("5 \u212b and 3 \u2126", "5 Å and 3 Ω"),  # the signs for angstrom and ohm are letters, says Unicode
    ],
    ids=ascii,
)
def test_what_reads_the_same_in_gsm7_is_replaced(text: str, expected: str) -> None:
    assert plain(text) == expected
    assert count(expected).encoding is Encoding.GSM7


@pytest.mark.parametrize(
    "text",
    [
        "It\u2019s 100\u20b1",
        "It\u2019s \U0001f600",
        "\U0001f469\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f",
        "\u201c\u4f60\u597d\u201d",
        "gar\u00e7on\u2026",
        "c\u0327a",  # its c and cedilla make one letter, but not one of GSM-7
    ],
    ids=ascii,
)
def test_a_text_that_would_stay_ucs2_is_not_changed_at_all(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize("text", ["", "plain", BASIC + EXTENSION, "a\r\nb", "Ni\u00f1o \u20ac5"], ids=ascii)
def test_a_text_in_gsm7_is_not_changed(text: str) -> None:
    assert plain(text) == text


def test_what_the_api_fills_in_is_never_altered() -> None:
    assert plain("Hi {{contact.firstName}}, it\u2019s us") == "Hi {{contact.firstName}}, it's us"
    odd = "Hi {{contact.mother\u2019s}}, it\u2019s us"
    assert plain(odd) == odd  # it stays UCS-2 with that name
    assert plain("{{a}}\u0301") == "{{a}}\u0301"


def test_a_change_that_would_cost_more_parts_is_not_made() -> None:
    dots = "\u2026" * 70
    assert (count(dots).parts, count("..." * 70).parts) == (1, 2)
    assert plain(dots) == dots


FIELDS = st.sampled_from(["{{contact.firstName}}", "{{a\u2019b}}", "{{n\u0303}}", "{{\t}}"])
PIECES = (
    st.sampled_from(["a", "\u00f1", "\u20ac", "n\u0303", "\u0301", "{", "}", "\U0001f600", *LOOKALIKES])
    | st.characters()
)
TEXTS = st.lists(PIECES | FIELDS).map("".join)


@given(TEXTS)
def test_a_text_is_changed_into_gsm7_or_not_at_all_and_never_twice(text: str) -> None:
    changed = plain(text)
    assert changed == text or count(changed).encoding is Encoding.GSM7
    assert count(changed).parts <= count(text).parts
    assert plain(changed) == changed


@given(st.lists(st.sampled_from(["It\u2019s", "\t", "n\u0303", " "]) | FIELDS).map("".join))
def test_a_field_of_the_api_comes_out_as_it_went_in(text: str) -> None:
    assert re.findall(r"\{\{.*?\}\}", plain(text)) == re.findall(r"\{\{.*?\}\}", text)


@pytest.mark.parametrize("character", LOOKALIKES, ids=ascii)
def test_each_lookalike_makes_a_text_ucs2_and_its_replacement_does_not(character: str) -> None:
    assert count(character).encoding is Encoding.UCS2
    assert count(LOOKALIKES[character]).encoding is Encoding.GSM7
    assert plain(character * 3) == LOOKALIKES[character] * 3 or LOOKALIKES[character] == "..."


def test_every_space_and_every_mark_of_direction_that_unicode_knows_is_a_lookalike() -> None:
    everything = [chr(code) for code in range(0x110000)]
    spaces = {c for c in everything if unicodedata.category(c) in {"Zs", "Zl", "Zp"}} - {" "}
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert spaces | {c for c in everything if unicodedata.bidirectional(c) in turning} <= set(LOOKALIKES)


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\u2019", "\u2019 (right single quotation mark)"),
        ("\u20b1", "\u20b1 (peso sign)"),
        ("\U0001f600", "\U0001f600 (grinning face)"),
        ("\t", "U+0009"),
        ("\u200b", "U+200B (zero width space)"),
        ("\u00a0", "U+00A0 (no-break space)"),
        ("\u0303", "U+0303 (combining tilde)"),
        ("\ue000", "U+E000"),
    ],
    ids=ascii,
)
def test_a_character_is_explained_to_people(character: str, name: str) -> None:
    assert explain(character) == name
