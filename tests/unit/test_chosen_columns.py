"""What is told of columns before anything is sent: rows' own texts and senders, and what looks like consent."""

from __future__ import annotations

from contextlib import closing
from csv import writer
from operator import attrgetter
from pathlib import Path

import pytest

from bulksend.cli.advice import advised
from bulksend.errors import Remark
from bulksend.planning.planner import PlanOptions
from bulksend.planning.planning import plan_into
from bulksend.planning.reading import Source

GIVEN = PlanOptions(message="Hi", sender="ACME")


def found(tmp_path: Path, *rows: tuple[str, ...], options: PlanOptions = GIVEN) -> tuple[Remark, ...]:
    with (tmp_path / "c.csv").open("w", encoding="utf-8", newline="") as file:
        writer(file).writerows(rows)
    with closing(Source(str(tmp_path / "c.csv"))) as source:
        return plan_into(source, options, None).plan.findings.warnings


def warnings(tmp_path: Path, *rows: tuple[str, ...], options: PlanOptions = GIVEN) -> list[str]:
    return [advised(warning) for warning in found(tmp_path, *rows, options=options)]


def consent(tmp_path: Path, column: str, *values: str, options: PlanOptions = GIVEN) -> list[str]:
    rows = [(f"63917{1234567 + 7919 * row}", value) for row, value in enumerate(values)]
    return warnings(tmp_path, ("to", column), *rows, options=options)


def test_rows_own_texts_and_senders_beside_given_ones_are_counted_with_an_example(tmp_path: Path) -> None:
    rows = (
        ("to", "From", "Message"),
        ("639171234567", "Facebook ad", "I would like to come"),
        ("639181234567", "Google", ""),
        ("bad", "Google", "x"),
    )
    text, sender = warnings(tmp_path, *rows)
    assert text == (
        "1 row has its own text in 'Message', sent in place of the given one: row 1 (I would like to come): "
        "--map message= sends the given one to all"
    )
    assert sender == (
        "2 rows have sender ids of their own in 'From', used in place of the given one: row 1 (Facebook ad): "
        "--map from= uses the given one for all"
    )
    off = PlanOptions(message="Hi", sender="ACME", mapping=(("from", ""), ("message", "")))
    assert warnings(tmp_path, *rows, options=off) == []


def test_rows_own_texts_are_no_news_where_none_is_given(tmp_path: Path) -> None:
    rows = (("to", "from", "message"), ("639171234567", "ACME", "a"))
    assert warnings(tmp_path, *rows, options=PlanOptions()) == []


@pytest.mark.parametrize(
    "column",
    [
        "Unsubscribed", "HasOptedOut", "Opted Out", "DND", "Do Not Contact", "Do Not Call", "SMS opt-out", "On DNC",
        "Don't text", "Blocked", "Opted out of SMS", "Group:Opted Out",
    ],
)  # fmt: skip
def test_a_column_that_says_who_wants_none_is_told_with_its_values(tmp_path: Path, column: str) -> None:
    (found,) = consent(tmp_path, column, "FALSE", "TRUE", "", "FALSE", "true")
    choice = f"{column}=TRUE"
    assert found == (
        f"2 messages go to people who may not want them, by {column!r}: 'FALSE' in 2, 'TRUE' in 2, nothing in 1: "
        f"--skip {choice!r} leaves them out"
    )


@pytest.mark.parametrize(
    "column",
    [
        "Accepts SMS Marketing", "Accepts Marketing", "SMS Consent", "consent", "Opted In", "Opt-in", "Subscribed",
        "SMS Subscription Status", "Do you agree to receive text messages?", "Marketing permission", "SMS", "Status",
    ],
)  # fmt: skip
def test_a_column_that_says_who_agreed_is_told_with_its_values(tmp_path: Path, column: str) -> None:
    (found,) = consent(tmp_path, column, "yes", "no", "yes", "")
    assert found == (
        f"2 messages go to people who may not want them, by {column!r}: 'yes' in 2, 'no' in 1, nothing in 1: "
        f"--only '{column}=yes' sends to the others alone"
    )


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("Unsubscribed", ("no", "FALSE", "0", "")),
        ("SMS Consent", ("yes", "TRUE", "Opted-in", "SUBSCRIBED")),
        ("Accepts Email Marketing", ("no",)),
        ("Email Opt Out", ("1",)),
        ("SMS Consent Timestamp", ("2026-06-01",)),
        ("Status", ("active", "shipped")),
        ("SMS", ("Hello there",)),
        ("Description", ("no",)),
        ("Options", ("no",)),
        ("Bus stop", ("no",)),
    ],
)
def test_nothing_is_told_where_nobody_objects_or_something_else_is_meant(
    tmp_path: Path, column: str, values: tuple[str, ...]
) -> None:
    assert consent(tmp_path, column, *values) == []


def test_a_day_on_which_somebody_opted_out_speaks_against(tmp_path: Path) -> None:
    days = [f"2026-06-{day:02}" for day in range(1, 8)]
    (told,) = consent(tmp_path, "Unsubscribed At", *days, "", "")
    assert told.startswith("7 messages go to people who may not want them, by 'Unsubscribed At': nothing in 2, ")
    assert told.endswith(" and 4 other values: --only 'Unsubscribed At=' sends to the others alone")


def test_what_nobody_agreed_to_has_no_value_to_keep(tmp_path: Path) -> None:
    (told,) = consent(tmp_path, "Consent", "No, thanks", "")
    assert told.endswith("'No, thanks' in 1, nothing in 1: --only 'Consent=VALUE' sends to the others alone")


def test_a_value_with_a_comma_is_written_as_it_can_be_said(tmp_path: Path) -> None:
    (told,) = consent(tmp_path, "Opted out", "Yes, always", "no")
    assert told.endswith("""--skip 'Opted out="Yes, always"' leaves them out""")
    skip = PlanOptions(message="Hi", sender="ACME", skip=(("Opted out", "Yes, always"),))
    assert consent(tmp_path, "Opted out", "Yes, always", "no", options=skip) == []


def test_only_messages_that_go_are_counted_and_a_choice_that_was_made_is_not_questioned(tmp_path: Path) -> None:
    rows = (
        ("to", "City", "DND"),
        ("639171234567", "Cebu", "yes"),
        ("639181234567", "Davao", "yes"),
        ("bad", "Cebu", "yes"),
    )
    (told,) = warnings(tmp_path, *rows, options=PlanOptions(message="Hi", sender="ACME", only=(("City", "Cebu"),)))
    assert told.startswith("1 message goes to people who may not want them, by 'DND': 'yes' in 1:")
    chosen = PlanOptions(message="Hi", sender="ACME", only=(("dnd", "yes"),))
    assert warnings(tmp_path, *rows, options=chosen) == []


def test_people_come_before_money(tmp_path: Path) -> None:
    rows = (("to", "DND"), ("639171234567", "yes"), ("639171234567", "yes"))
    first, second = sorted(found(tmp_path, *rows), key=attrgetter("severity"))
    assert "may not want them" in first.says
    assert "the same number and text" in second.says
