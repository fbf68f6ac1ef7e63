"""Countries are chosen by their names on the page, in the language that is spoken as far as it has words."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import phonenumbers
import pytest

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
    assert {each.code for each in found} == phonenumbers.SUPPORTED_REGIONS
    assert len({each.name for each in found}) == len(found) > 200
    assert all(len(each.name) > len(each.code) for each in found)


def test_their_names_cost_no_memory_that_would_be_missed() -> None:
    """The library has names, too, beside the places of all numbers of the world: 100 MB."""
    told = "import sys; from bulksend.web.countries import countries; countries(); print('phonenumbers' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


def test_the_philippines_stand_first_and_others_by_their_names() -> None:
    names = [each.name for each in countries()]
    assert names[:3] == ["Philippines", "Afghanistan", "Åland Islands"]
    assert names[-1] == "Zimbabwe"


def test_filipino_has_its_own_words_and_else_english() -> None:
    speak("fil")
    named = {each.code: each.name for each in countries()}
    assert (named["PH"], named["JP"], named["AF"]) == ("Pilipinas", "Hapon", "Afghanistan")
