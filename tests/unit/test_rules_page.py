"""The page of rules and the rules are the same."""

from __future__ import annotations

import re
from pathlib import Path

from bulksend.planning.lint import Lint
from bulksend.rules import Rule

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
TEXT = PAGE.read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if re.match(r"\| `[A-Z]", line)]


def test_each_rule_stands_on_the_page_once_and_no_other() -> None:
    assert sorted(row[0].strip("`") for row in ROWS) == sorted(Rule)


def test_the_page_tells_which_are_strict() -> None:
    assert {row[0].strip("`"): row[2] == "yes" for row in ROWS} == {rule.value: rule.is_strict for rule in Rule}
    assert {row[2] for row in ROWS} == {"yes", "no"}


def test_each_rule_tells_when_it_fires_and_from_where_it_is_known() -> None:
    for row in ROWS:
        assert len(row) == 4, row
        assert all(row), row


def test_the_page_names_each_key_of_the_table_of_settings() -> None:
    table = TEXT.partition("[lint]\n")[2].partition("```")[0]
    assert re.findall(r"^(\w+) =", table, re.MULTILINE) == list(Lint.__dataclass_fields__)
