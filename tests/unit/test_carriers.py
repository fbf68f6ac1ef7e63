from __future__ import annotations

import pytest

from bulksend.sms.carriers import SHORTENERS, sender_flaws
from bulksend.sms.links import links_in


@pytest.mark.parametrize(
    "sender",
    ["engageSPARK", "ACME", "My-Shop.ph", "A_B 24", "Sunrise", "Betsun", "Atmos", "Infotech", "Noticed"],
)
def test_a_brands_name_is_a_good_sender(sender: str) -> None:
    assert sender_flaws(sender) == []


@pytest.mark.parametrize("sender", ["639171234567", "+639171234567", "2158"])
def test_a_number_is_a_good_sender_only_where_it_is_known_as_ones_own(sender: str) -> None:
    (flaw,) = sender_flaws(sender)
    assert flaw == f"the sender id {sender!r} is a number: Philippine carriers take one only if it is your own"
    assert sender_flaws(sender, {sender}) == []


def test_a_sender_that_is_not_among_the_registered_ones_is_told() -> None:
    assert sender_flaws("ACNE", {"ACME", "Shop"}) == ["the sender id 'ACNE' is not among your senders"]
    assert sender_flaws("acme", {"ACME", "Shop"}) == []


@pytest.mark.parametrize("sender", [None, ""])
def test_no_sender_leaves_the_choice_to_the_telco(sender: str | None) -> None:
    assert sender_flaws(sender) == ["no sender id (from): the telco puts a random one of its own, such as INFOSMS"]


@pytest.mark.parametrize(
    ("sender", "flaw"),
    [
        ("MyTest", "the sender id 'MyTest' holds 'Test': Philippine carriers refuse such ones"),
        ("InfoSms", "the sender id 'InfoSms' could be anybody's: Philippine carriers refuse such ones"),
        ("ShopSms", "the sender id 'ShopSms' holds 'Sms': Philippine carriers refuse such ones"),
        ("BizMsg", "the sender id 'BizMsg' holds 'Msg': Philippine carriers refuse such ones"),
        *[
            (sender, f"the sender id {sender!r} could be anybody's: Philippine carriers refuse such ones")
            for sender in ("Info", "INFOSMS", "OTP", "NoteAlert", "REMINDERS", "Notify", "NOTICE", "Pincode")
        ],
        ("AB", "the sender id 'AB' has 2 characters: in the Philippines it has 3 at least"),
        ("MESSAGES", "the sender id 'MESSAGES' holds 'MESSAGE': Philippine carriers refuse such ones"),
        *[
            (sender, f"the sender id {sender!r} holds a carrier's name, {name!r}: Philippine carriers refuse it")
            for sender, name in [
                ("SmartMoney", "Smart"),
                ("MyGLOBE", "GLOBE"),
                ("DITO", "DITO"),
                ("gomo", "gomo"),
                ("PLDTHome", "PLDT"),
                ("TalkNText", "TalkNText"),
                ("TNT promo", "TNT"),
                ("My-TM", "TM"),
                ("SUN_load", "SUN"),
            ]
        ],
        ("Shop123456", "the sender id 'Shop123456' has over 5 digits: Philippine carriers refuse such ones"),
        ("ABCDEFGHIJKL", "the sender id 'ABCDEFGHIJKL' has 12 characters: an SMS carries 11 at most"),
        ("Shop & Co", "the sender id 'Shop & Co' holds '&': use letters, digits, spaces, '-', '.' and '_' only"),
        ("Peña", "the sender id 'Peña' holds 'ñ': use letters, digits, spaces, '-', '.' and '_' only"),
    ],
)
def test_a_flaw_is_one_sentence_with_what_was_seen(sender: str, flaw: str) -> None:
    assert sender_flaws(sender) == [flaw]


def test_each_flaw_of_a_sender_is_told() -> None:
    assert len(sender_flaws("GLOBE TEST 123456!")) == 5
    assert sender_flaws("[ABCDEFGHI]")[1:] == [  # a bracket takes two of the eleven septets
        "the sender id '[ABCDEFGHI]' has 13 characters: an SMS carries 11 at most"
    ]


def shortener_in(text: str) -> str:
    return next((link.host for link in links_in(text) if link.is_short), "")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("see bit.ly/3xYz", "bit.ly"),
        ("see https://bit.ly/3xYz now", "bit.ly"),
        ("see HTTPS://www.Bit.LY/3xYz", "bit.ly"),
        ("(tinyurl.com/abc)", "tinyurl.com"),
        ("t.co/a", "t.co"),
        ("go:is.gd/x", "is.gd"),
        ("https://example.com/ and rb.gy/x", "rb.gy"),
        ("https://example.com/?to=https://t.ly/x", "t.ly"),
    ],
)
def test_a_public_shorteners_link_is_found(text: str, host: str) -> None:
    assert shortener_in(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no link at all",
        "and/or",
        "bit.ly is a shortener",
        "bit.ly/ is one, too",
        "notbit.ly/x",
        "not-bit.ly/x",
        "my.bit.ly/x",
        "me@bit.ly/x",
        "bit.ly.example.com/x",
        "https://example.com/bit.ly/x",
        "https://at.company.com/t.com/x",
    ],
)
def test_other_links_are_no_shorteners(text: str) -> None:
    assert shortener_in(text) == ""


@pytest.mark.parametrize("host", SHORTENERS)
def test_each_shortener_is_found_by_its_whole_host(host: str) -> None:
    assert shortener_in(f"Pay at http://{host}/Ab1.") == host
