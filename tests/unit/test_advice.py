"""What can be done is named by the core, and worded by the command line."""

from __future__ import annotations

import re

import pytest

from bulksend.cli import COMMANDS
from bulksend.cli.advice import _WORDS, advised
from bulksend.cli.settings import every_command
from bulksend.errors import Advice, InputError, Why


def flags() -> set[str]:
    return {flag for command in every_command().values() for param in command.params for flag in param.opts}


@pytest.mark.parametrize("advice", Advice)
def test_the_command_line_has_words_for_each_advice_and_flags_that_are_there(advice: Advice) -> None:
    words = _WORDS[advice]
    assert set(re.findall(r"--[a-z][a-z-]*", words)) <= flags()
    assert set(re.findall(r"bulksend ([a-z]+)", words)) <= set(COMMANDS)


def test_a_sentence_is_told_with_its_advice() -> None:
    assert advised(Why("so it is")) == "so it is"
    assert advised(Why("no dialing code", Advice.SAY_COUNTRY)) == (
        "no dialing code: write 63917… instead of 0917…, or give --country PH"
    )
    error = InputError("either {0} could be it", Advice.CHOOSE_COLUMN, column="Phone's")
    assert advised(error) == 'either {0} could be it: say which with --map to="Phone\'s"'
