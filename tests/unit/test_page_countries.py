"""Countries are chosen by their names on the page, in the language that is spoken as far as it has words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bulksend.sms import phones
from bulksend.web.countries import countries
from bulksend.web.wording import LANGUAGES, speak


@pytest.fixture(autouse=True)
def _spoken() -> Iterator[None]:
    yield
    speak("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_country_that_can_be_sent_to_has_a_name_once(language: str) -> None:
    speak(language)
    found = countries()
    assert len({each.code for each in found}) == len({each.name for each in found}) == len(found) > 200
    for each in found:
        assert phones.check_country(each.code) == each.code
        assert not each.name.startswith("*")
        assert each.name != each.code


def test_the_philippines_stand_first_and_others_by_their_names() -> None:
    names = [each.name for each in countries()]
    assert names[:3] == ["Philippines", "Afghanistan", "Åland Islands"]
    assert names[-1] == "Zimbabwe"


def test_filipino_has_its_own_words_and_else_english() -> None:
    speak("fil")
    named = {each.code: each.name for each in countries()}
    assert (named["PH"], named["JP"], named["AF"]) == ("Pilipinas", "Hapon", "Afghanistan")
