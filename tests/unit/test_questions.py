"""Questions, in lines of whole words on a terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from click.testing import CliRunner
from rich.console import Console

from bulksend.cli.commands.resolve import _left_in_doubt
from bulksend.cli.console import confirmed

QUESTION = "Send 1,998 messages ($39.94 estimated, and 1 message without a known rate)?"


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (60, [QUESTION[:52], "    without a known rate)? [y/N]: y"]),
        (80, [QUESTION, "    [y/N]: y"]),
        (140, [f"{QUESTION} [y/N]: y"]),
    ],
)
def test_no_word_of_a_question_is_broken_and_the_answer_fits_behind_it(width: int, shown: list[str]) -> None:
    out = Console(file=StringIO(), width=width, force_terminal=True)
    with CliRunner().isolation(input="y\n") as (_, stderr, _):
        assert confirmed(QUESTION, out)
        assert stderr.getvalue().decode().rstrip("\n").split("\n") == shown


@pytest.mark.parametrize("answer", ["\n", "n\n", "No\n"])
def test_nothing_is_agreed_to_in_silence(answer: str) -> None:
    with CliRunner().isolation(input=answer):
        assert not confirmed(QUESTION, Console(file=StringIO()))


@pytest.mark.parametrize(("rows", "words"), [(1, "1 row left in doubt: --resend sends it again"), (2, "sends them")])
def test_one_row_is_no_them(rows: int, words: str) -> None:
    assert words in _left_in_doubt(rows)
    assert ("them" in _left_in_doubt(rows)) == (rows > 1)
