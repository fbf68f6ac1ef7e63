"""Who asks for no more is understood in short words, and nothing is read into what else people write."""

from __future__ import annotations

import pytest

from bulksend.sms import STOP_WORDS, Stops


@pytest.mark.parametrize("phrase", [phrase for phrases in STOP_WORDS.values() for phrase in phrases])
@pytest.mark.parametrize("dress", ["{}", "  {}.", "{}!!!", "{} po", "{}, please", "Please {}", "¡{}!", "{} salamat po"])
def test_a_stop_is_one_however_it_is_dressed(phrase: str, dress: str) -> None:
    for text in (dress.format(phrase), dress.format(phrase).upper(), dress.format(phrase.capitalize())):
        assert Stops().means(text)
        assert not Stops().may_mean(text)


def test_accents_and_apostrophes_do_not_matter() -> None:
    for text in (
        "No más",
        "NO MÁS MENSAJES",
        "no ma\u0301s",
        "Don't text me",
        "don\u2019t text me",
        "\uff33\uff34\uff2f\uff30",
    ):
        assert Stops().means(text)


@pytest.mark.parametrize(
    "text", ["", " ", "hello", "Nonstop!", "I will not stop", "ok po", "thank you", "para", "tama"]
)
def test_other_words_are_none(text: str) -> None:
    assert not Stops().means(text)
    assert not Stops().may_mean(text)


@pytest.mark.parametrize("text", ["Stop by the shop tomorrow?", "STOP sending this junk to mom", "Cancel my order"])
def test_what_begins_so_and_goes_on_is_for_somebody_to_read(text: str) -> None:
    assert not Stops().means(text)
    assert Stops().may_mean(text)


def test_words_can_be_added() -> None:
    says = Stops(["Hold Na", "Enough", ""])
    assert says.means("hold na po")
    assert says.means("ENOUGH!")
    assert says.may_mean("enough of that")
    assert says.means("STOP")
    assert not says.means("")
