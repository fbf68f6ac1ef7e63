"""What the core remarks, in the words that a language of the page has for it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from sheets import planned, xlsx

from bulksend.campaign.hours import hour_remarks
from bulksend.errors import Remark
from bulksend.planning import Lint, PlanOptions
from bulksend.rules import Rule
from bulksend.web.wording import LANGUAGES, advised, speak

WORDS = ROOT / "bulksend" / "web" / "words" / "remarks"


@pytest.fixture(autouse=True)
def _filipino() -> Iterator[None]:
    speak("fil")
    yield
    speak("en")


def test_it_is_of_rules_that_there_are() -> None:
    for path in WORDS.glob("*.toml"):
        assert path.stem in LANGUAGES
        assert tomllib.loads(path.read_text(encoding="utf-8")).keys() <= set(Rule)


def test_a_remark_whose_values_are_not_those_of_the_words_stays_as_it_is() -> None:
    assert advised(Remark("a filter is set in the sheet", Rule.READ_HIDDEN)) == "a filter is set in the sheet"
    older = Remark("2 rows have the same number", Rule.TWICE_TEXT)
    assert advised(older) == "2 rows have the same number"
    braces = Remark("so", Rule.TWICE_TEXT, about={"count": "{rows}", "rows": "row {count}"})
    assert advised(braces).startswith("{rows} row ang may kaparehong numero")
    assert advised(Remark("read as UTF-16 text", None)) == "read as UTF-16 text"


def test_what_a_campaign_in_the_philippines_commonly_meets_is_said_in_filipino(tmp_path: Path) -> None:
    path = tmp_path / "june.xlsx"
    numbers = [
        "639171234567",
        "639171234567",
        "639171234567",
        "639181234568",
        "639181234569",
        "639181234570",
        "6328123456",
    ]
    texts = ["Sale \u2013 ngayon", "Sale \u2013 ngayon", "Iba", "Kumusta ŵ", "Hi http://bit.ly/a", "Hi", "Hi"]
    lines = [["Ulat"], ["to", "message"], *([to, text] for to, text in zip(numbers, texts, strict=True))]
    path.write_bytes(xlsx(*lines, hidden=(4,)))
    plan, _ = planned(path, PlanOptions(lint=Lint(company=("ACME",))))
    remarks = [*plan.findings.warnings, *plan.findings.notes, *hour_remarks(plan.overview, 0.0, 3_600.0 * 20)]
    known = tomllib.loads((WORDS / "fil.toml").read_text(encoding="utf-8"))
    said = {remark.rule: advised(remark) for remark in remarks if remark.rule in known}
    assert said.keys() >= {
        Rule.PH_HOURS, Rule.PH_SENDER, Rule.PH_SHORT, Rule.PH_LINK_SIM, Rule.PH_OPTOUT, Rule.PH_NAME, Rule.READ_HIDDEN,
        Rule.READ_HEADER, Rule.TEXT_UCS2, Rule.TWICE_TEXT, Rule.TWICE_PHONE,
    }  # fmt: skip
    for remark in remarks:
        if remark.rule in said:
            assert said[remark.rule] != remark.says, remark
            assert "639171234567" not in "".join(remark.about.values()), "what stands in cells is quoted alone"
