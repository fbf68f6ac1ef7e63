"""What nobody means to be read on a phone: told with rows and what it costs, or refused where it can be no value."""

# ruff: noqa: RUF001 -- what is told apart looks alike

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulksend.errors import Severity
from bulksend.model import Status
from bulksend.planning.planner import Planner, PlanOptions
from bulksend.planning.reading import RawBatch
from bulksend.planning.survey import Survey

NUMBER = "639171234567"


def warned(columns: Sequence[str], *rows: Sequence[str], message: str | None = None, sender: str = "ACME") -> list[str]:
    """What is told of texts, after what is told of columns."""
    options = PlanOptions(message=message, sender=sender)
    planner = Planner("c.csv", options, columns, fixed=True)
    survey = Survey("c.csv", options, planner.columns)
    for row in rows:  # batch by batch
        survey.add(planner.plan(RawBatch([list(row)], {}), columns))
    list(survey.repeats())
    remarks = [*planner.notes, *survey.findings((), ()).warnings]
    others = ("OWN-", "PH-")  # which are told beside
    return [
        remark.says
        for remark in remarks
        if remark.severity is Severity.TEXT and not (remark.rule or "").startswith(others)
    ]


def of_values(*values: str) -> list[str]:
    return warned(["to", "Name"], *([NUMBER, value] for value in values), message="Hi {Name}")


def refused(columns: Sequence[str], cells: Sequence[str], message: str | None = None) -> str:
    planner = Planner("c.csv", PlanOptions(message=message, sender="ACME"), columns, fixed=True)
    batch = planner.plan(RawBatch([list(cells)], {}), columns)
    (flaw,) = batch.flaws.values()
    assert flaw.status is Status.INVALID
    return flaw.says


# ---- words for no value ----


def test_words_for_no_value_are_told_with_rows_count_and_cost() -> None:
    (told,) = of_values("NULL", "Ana", "nan", " None ", "undefined", r"\N", "[object Object]")
    assert told == (
        "6 rows have a word for no value in {Name}: row 1 (NULL), row 3 (nan), row 4 (None), …; they are sent so, for "
        "$0.12: fill the cells in, or leave the rows out, unless it is somebody's name"
    )


@pytest.mark.parametrize("word", ["null", "Null", "NaN", "none", "NaT", "<NA>", "n/a", "(blank)", "nil", "[null]"])
def test_each_programs_word_for_nothing_is_known(word: str) -> None:
    assert of_values(word)[0].startswith(f"1 row has a word for no value in {{Name}}: row 1 ({word}); it is sent so")


def test_somebody_who_is_called_null_gets_the_message() -> None:
    planner = Planner("c.csv", PlanOptions(message="Hi {Name}"), ["to", "Name"], fixed=True)
    assert planner.plan(RawBatch([[NUMBER, "Null"]], {}), ["to", "Name"]).texts == ["Hi Null"]


def test_a_merge_field_that_is_used_several_times_is_told_once() -> None:
    told = warned(["to", "Name"], [NUMBER, "NULL"], message="{Name}, {Name}", sender="{Name}")
    assert [one.partition(":")[0] for one in told] == ["1 row has a word for no value in {Name}"]


def test_a_column_that_no_text_uses_is_not_looked_at() -> None:
    assert warned(["to", "Note"], [NUMBER, "NULL"], [NUMBER, "#REF!"], message="Hi") == []


def test_own_messages_and_senders_are_looked_at_too() -> None:
    told = warned(["to", "message", "from"], [NUMBER, "nan", "NULL"])
    assert [one.partition(";")[0] for one in told] == [
        "1 row has a word for no value in the row's own sender id: row 1 (NULL)",
        "1 row has a word for no value in the row's own message: row 1 (nan)",
    ]


# ---- what can be no value ----

ERRORS = ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#NV", "#BEZUG!", "#¡REF!",
          "#VALEUR!", "Err:502", "#####"]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS)
def test_a_spreadsheets_error_is_no_value_as_in_a_workbook(error: str) -> None:
    why = "is a spreadsheet's error in this row, no value: correct the formula, or fill it in by hand"
    assert refused(["to", "Name"], [NUMBER, error], "Hi {Name}") == f"{{Name}} {why}"
    assert refused(["to", "message"], [NUMBER, f" {error} "]) == f"the row's own message {why}"


def test_a_row_with_its_own_message_needs_no_value_of_the_template() -> None:
    columns = ["to", "message", "Name"]
    assert warned(columns, [NUMBER, "Hello", "#N/A"], [NUMBER, "Hello", "NULL"], message="Hi {Name}") == []


def test_a_formula_in_place_of_its_value_is_told() -> None:
    told = of_values('=HYPERLINK("https://x.example","x")', "=VLOOKUP(A2,B:C,2,0)", "=A1", "=)", "= 5")
    assert told[0].startswith("3 rows have a formula in {Name} instead of its value: row 1 (=HYPERLINK(")


# ---- garbled letters, signs of programs ----


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize(
    "text",
    [
        "Peña",
        "PEÑA",
        "Parañaque",
        "José",
        "JOSÉ L.",
        "Ángel",
        "don’t",
        "“Hi”",
        "5 €",
        "Łódź",
        "Жанна",
        "¿Qué?",
        "😀",
        "a\xa0b",
    ],
)
def test_utf8_that_was_read_as_something_else_is_told(text: str, encoding: str) -> None:
    try:
        garbled = text.encode().decode(encoding)
    except UnicodeDecodeError:
        garbled = "".join(bytes([byte]).decode(encoding, "ignore") or chr(byte) for byte in text.encode())
    assert [one for one in of_values(garbled) if "garbled letters in {Name}" in one]


@pytest.mark.parametrize(
    "garbled",
    ["Pe\ufffda", "Peï¿½a", "Espa¤a", "ESPA¥A", "5 ¤", "Pe√±a", "Pe=C3=B1a", "=50=65=C3=B1=61"],
)  # fmt: skip
def test_other_garbled_letters_are_told(garbled: str) -> None:
    assert of_values(garbled)[0].startswith("1 row has garbled letters in {Name}: row 1 (")


@pytest.mark.parametrize(
    "sign", ["A&amp;B", "it&#39;s", "a&nbsp;b", "Pe&ntilde;a", "a<br>b", "</p>", r"a\nb", r"Ni\u00f1o", r"https:\/\/x"]
)
def test_signs_of_web_pages_and_programs_are_told(sign: str) -> None:
    assert "signs of a web page or a program in {Name}" in of_values(sign)[0]


# ---- placeholders ----

NO_BRACES = [
    "[Name]", "*|FNAME|*", "%name%", "%%FIRST_NAME%%", "<<Name>>", "<Name>", "«Name»", "$name", "[[name]]",
    "{{ name }}", "{{ Store }}", "<%= name %>", "#Name#",
]  # fmt: skip
PLACEHOLDERS = [*NO_BRACES, "${name}", "#{name}", "{Name}", "{ name }", "{first_name}", "{% name %}"]


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_a_placeholder_that_nobody_fills_in_is_told(placeholder: str) -> None:
    (told,) = warned(["to", "message", "Name"], [NUMBER, f"Dear {placeholder}, hello", "Ana"], [NUMBER, "a", "b"])
    assert told == (
        f"1 row has a placeholder in the row's own message that nobody fills in: row 1 ({placeholder}); it is sent so, "
        "for $0.02: write what is meant"
    )


@pytest.mark.parametrize("placeholder", NO_BRACES)
def test_one_in_the_message_for_all_is_told_once(placeholder: str) -> None:
    told = warned(["to", "Store"], [NUMBER, "Ana"], [NUMBER, "Ben"], message=f"Hi {placeholder.replace('Store', 'x')}")
    says = "a placeholder that nobody fills in: it is sent so in each"
    assert told == [f"the message for all rows has {placeholder.replace('Store', 'x')!r}, {says}"]


FINE = [
    "Ana", "", "AT&T", "R&B; soul", "50% off, 20% more", "100%cotton", "[GCash] Hi", "[PROMO] x", "$5", "$ 5",
    "US$20", "<3", "a < b > c", "a <b", "https://x.example/?a=1&copy=2&n=%C3%B1o%20x", "NÃO", "AMANHÃ…",
    "“AMANHÃ”", "Ñandú", "PEÑA’S", "naïve", "âge", "château", "ð", "JÄGER", "Ä…", "¥500", "Null Ana", "Nana",
    "none of it", "Nonette", "#1", "#promo", "C:\\dir", "¯\\_(ツ)_/¯", "{}", "x=C3", "Hi {{contact.firstName}}",
    "a=b", "= 5", "«Bonjour»", "5 €", "Москва", "Łódź",
]  # fmt: skip


@pytest.mark.parametrize("text", [text for text in FINE if text and "{{" not in text])
def test_what_people_write_is_not_told(text: str) -> None:
    assert of_values(text) == []
    assert warned(["to", "message", "Name"], [NUMBER, text, "Ana"]) == []


def test_a_field_of_the_api_in_an_own_message_is_no_placeholder() -> None:
    assert warned(["to", "message"], [NUMBER, "Hi {{contact.firstName}} {{ contact.lastName }}"]) == []


# ---- cells as they are filled in ----


def test_spaces_around_a_cells_text_are_left_out() -> None:
    planner = Planner("c.csv", PlanOptions(message="Hi {First Name}!"), ["to", "First Name"], fixed=True)
    assert planner.plan(RawBatch([[NUMBER, "  Ana Maria \n"]], {}), ["to", "First Name"]).texts == ["Hi Ana Maria!"]


CELLS = st.lists(
    st.sampled_from([*FINE[:9], " a ", "\u2003b", "NULL", "a\nb", " \n", "[Name]", "#N/A"]), min_size=1, max_size=8
)


@given(batches=st.lists(CELLS, min_size=1, max_size=4))
def test_cells_looked_at_together_are_told_as_each_alone(batches: list[list[str]]) -> None:
    columns = ["to", "Name"]
    together = Planner("c.csv", PlanOptions(message="{Name}."), columns, fixed=True)
    for cells in batches:
        batch = together.plan(RawBatch([[NUMBER, cell] for cell in cells], {}), columns)
        for index, cell in enumerate(cells):
            alone = Planner("c.csv", PlanOptions(message="{Name}."), columns, fixed=True)
            one = alone.plan(RawBatch([[NUMBER, cell]], {}), columns)
            assert batch.texts[index] == one.texts[0] == ("" if one.flaws else f"{cell.strip()}.")
            assert batch.flaws.get(index) == one.flaws.get(0)
            assert [odd._replace(row=0) for odd in batch.oddities if odd.row == index] == one.oddities
