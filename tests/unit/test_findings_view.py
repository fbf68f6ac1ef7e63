"""What planning found, on one page of the terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bulksend.cli.findings_view import show_findings
from bulksend.cli.page import LINES, Page
from bulksend.errors import Advice, Remark, Severity
from bulksend.model import Status
from bulksend.planning import Example, Findings, Reason
from bulksend.rules import Rule

WIDTH = 80
ROWS = "(Rows are counted from 1 below the header; empty ones do not count.)"
GOES_WRONG = Findings(
    reasons=(
        Reason(Status.INVALID, "too short", 4, (Example(2, "to", "1"), Example(3, "to", "2"), Example(5, "to", "3"))),
        Reason(Status.SKIPPED, "on the list", 1, (Example(9),), Advice.SEND_DUPLICATES),
    ),
    notes=(Remark("guessed", None), Remark("contacts of another list", None, Advice.MAP_OTHER, Severity.PERSON)),
    warnings=(
        Remark("ugly", None, None, Severity.STYLE),
        Remark("dear", None, None, Severity.MONEY),
        Remark("garbled", None, None, Severity.TEXT),
        Remark("dear, too", None, Advice.REPLACE_TYPOGRAPHIC, Severity.MONEY),
        Remark("abroad", None, None, Severity.PERSON),
    ),
)
WORST_FIRST = [
    "warning: abroad",
    "warning: contacts of another list: --map to=COLUMN says otherwise",
    "warning: garbled",
    "invalid: 4 rows: too short",
    "  row 2, column to: '1'",
    "  row 3, column to: '2'",
    "  row 5, column to: '3'",
    "skipped: 1 row: on the list: --duplicates send sends them all the same",
    "  row 9",
    "warning: dear",
    "warning: dear, too: --gsm replaces them",
    "warning: ugly",
    "note: guessed",
    ROWS,
]


def shown(findings: Findings, *, kept: int = 0, terminal: bool = True, verbose: bool = False) -> list[str]:
    said = StringIO()
    out = Console(
        file=said,
        width=WIDTH,
        force_terminal=terminal,
        color_system=None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    show_findings(Page(out, verbose=verbose), findings, kept)
    return said.getvalue().splitlines()


def test_what_is_worst_is_told_first_and_how_the_input_was_read_last() -> None:
    assert shown(GOES_WRONG) == WORST_FIRST


def test_a_reason_and_its_rows_are_told_in_one_line_where_the_page_is_short() -> None:
    told = shown(GOES_WRONG, kept=LINES - 10)
    assert told[3] == "invalid: 4 rows: too short: row 2, column to: '1'; row 3, column to: '2'; row 5, column to: '3'"
    assert "skipped: 1 row: on the list: --duplicates send sends them all the same: row 9" in shown(GOES_WRONG, kept=28)


def test_the_rule_that_a_remark_comes_of_stands_behind_it_and_behind_its_advice() -> None:
    dear = Remark("dear", Rule.TEXT_GSM, Advice.REPLACE_TYPOGRAPHIC, Severity.MONEY)
    assert shown(Findings(notes=(Remark("guessed", Rule.COLUMN_GUESS),), warnings=(dear,))) == [
        "warning: dear: --gsm replaces them [TEXT-GSM]",
        "note: guessed [COLUMN-GUESS]",
    ]


def test_what_does_not_fit_is_counted_and_the_worst_is_what_fits() -> None:
    assert shown(GOES_WRONG, kept=LINES - 6) == [*WORST_FIRST[:3], "6 more remarks: -v tells all.", ROWS]
    assert shown(GOES_WRONG, kept=LINES - 8)[-2:] == ["4 more remarks: -v tells all.", ROWS]


@pytest.mark.parametrize(("terminal", "verbose"), [(True, True), (False, True)])
def test_all_is_told_where_that_is_asked_for(terminal: bool, verbose: bool) -> None:
    assert shown(GOES_WRONG, kept=LINES - 6, terminal=terminal, verbose=verbose) == WORST_FIRST


def test_a_log_has_no_end_and_gets_all_remarks() -> None:
    told = shown(GOES_WRONG, kept=LINES - 6, terminal=False)
    assert [line for line in told if line.startswith("warning")] == [
        line for line in WORST_FIRST if line.startswith("warning")
    ]


def test_of_many_reasons_the_commonest_are_told_and_the_rest_counted() -> None:
    many = Findings(tuple(Reason(Status.INVALID, f"reason {n}", 30 - n, (Example(n),)) for n in range(20)))
    assert "198 more rows for 12 other reasons: -o FILE tells them all." in shown(many)
    assert len([line for line in shown(many, verbose=True) if line.startswith("invalid")]) == 20


SENTENCES = st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=300)
EXAMPLES = st.lists(st.builds(Example, st.integers(1, 9_999), st.just("to"), SENTENCES), max_size=3).map(tuple)
REASONS = st.builds(Reason, st.just(Status.INVALID), SENTENCES, st.integers(1, 9_999), EXAMPLES)
RULES = st.sampled_from([None, *Rule])
REMARKS = st.lists(st.builds(Remark, SENTENCES, RULES, st.none(), st.sampled_from(Severity)), max_size=15).map(tuple)


@given(
    findings=st.builds(Findings, st.lists(REASONS, max_size=12).map(tuple), REMARKS, REMARKS),
    kept=st.integers(0, LINES - 3),
)
def test_whatever_is_found_fits_on_one_page_and_nothing_worse_is_left_out(findings: Findings, kept: int) -> None:
    told = shown(findings, kept=kept)
    assert sum(max(1, -(-len(line) // WIDTH)) for line in told) <= LINES - kept
    everything = shown(findings, terminal=False)
    if findings.reasons:
        told, everything = told[:-1], everything[:-1]
    if told and told[-1].endswith("-v tells all."):
        told = told[:-1]
    heads = [[line for line in lines if not line.startswith("  row")] for lines in (told, everything)]
    assert all(one.startswith(whole) or whole.startswith(one) for one, whole in zip(*heads, strict=False))
