from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bulksend.errors import UsageError
from bulksend.sms.template import BoundTemplate, Template, column_key

COLUMNS = ["to", "First Name", "Store", "Points"]
CELLS = ["639171234567", "Niño", "SM North", "120"]
NO_BRACES = st.text(st.characters(exclude_characters="{}"))
FILLED = st.text(min_size=1).map(str.strip).filter(bool)


def fill(text: str, cells: list[str] = CELLS) -> str:
    return filled(Template.parse(text).bind(COLUMNS), cells)


def filled(template: BoundTemplate, cells: Sequence[str]) -> str:
    (text,) = template.fill([[cells[column]] for column in template.columns], 1)
    return text


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Hi {First Name}, {Points} points", "Hi Niño, 120 points"),
        ("{First Name}{Points}{First Name}", "Niño120Niño"),
        ("{first_name} {FIRSTNAME} { First  Name }", "Niño Niño Niño"),
        ("Hi {{contact.firstName}} of {Store}", "Hi {{contact.firstName}} of SM North"),
        ("{{ contact.custom.a_b }}{{}}", "{{ contact.custom.a_b }}{{}}"),
        ("{{a}}{Store}{{b}}", "{{a}}SM North{{b}}"),
        ("100 % {Points} %s %%", "100 % 120 %s %%"),
        ("two\nlines {Points}\n", "two\nlines 120\n"),
        ("", ""),
    ],
)
def test_fields_are_filled_and_the_apis_own_are_left_alone(text: str, filled: str) -> None:
    assert fill(text) == filled


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "Hi {First Name, you",
            "unclosed { at character 4 of the message: close the merge field, as in {First Name}",
        ),
        (
            "{{contact.firstName}",
            "unclosed { at character 1 of the message: close the merge field, as in {First Name}",
        ),
        ("{a {b}}", "unclosed { at character 1 of the message: close the merge field, as in {First Name}"),
        (
            "Hi First Name}",
            "stray } at character 14 of the message: open the merge field, as in {First Name}",
        ),
        ("Hi {}", "{} at character 4 of the message names no column: write it as in {First Name}"),
        ("Hi { _ }", "{ _ } at character 4 of the message names no column: write it as in {First Name}"),
    ],
)
def test_a_wrong_brace_is_told_with_its_place_and_what_to_do(text: str, error: str) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(error)}$"):
        Template.parse(text)


def test_fields_are_named_once_as_first_written_and_in_order() -> None:
    template = Template.parse("{Store} {first_name} {{api}} {STORE} {First Name}")
    assert template.fields == ("Store", "first_name")
    assert Template.parse("none").fields == ()


def test_an_unknown_field_names_the_columns_and_the_nearest() -> None:
    with pytest.raises(UsageError) as error:
        Template.parse("{Frist Name}").bind(COLUMNS)
    assert str(error.value) == (
        "the input has no column for {Frist Name}: did you mean {First Name}? "
        "its columns are to, First Name, Store, Points"
    )


def test_an_unknown_field_that_is_like_none_suggests_none() -> None:
    with pytest.raises(UsageError, match=r"^the input has no column for \{Balance\}: its columns are to, "):
        Template.parse("{Balance}").bind(COLUMNS)


def test_a_wide_sheet_is_not_listed_in_full() -> None:
    with pytest.raises(UsageError, match=r"c0, c1, .*, c19 and 30 more$"):
        Template.parse("{Balance}").bind([f"c{number}" for number in range(50)])


def test_a_field_that_fits_two_columns_is_refused_but_other_doubles_do_not_matter() -> None:
    columns = ["Store", "store", "Points"]
    with pytest.raises(UsageError, match=r"^\{Store\} fits 2 columns of the input: rename all but one$"):
        Template.parse("{Store}").bind(columns)
    assert filled(Template.parse("{Points}").bind(columns), ["a", "b", "7"]) == "7"


def test_a_template_can_be_bound_again_when_more_columns_are_known() -> None:
    template = Template.parse("{Points} at {Store}")
    with pytest.raises(UsageError):
        template.bind(["Points"])
    assert filled(template.bind(["Points", "Store"]), ["7", "SM"]) == "7 at SM"
    assert filled(template.bind(["Store", "to", "Points"]), ["SM", "", "7"]) == "7 at SM"


def test_rows_are_filled_column_by_column() -> None:
    template = Template.parse("{Store}: {Points}").bind(["Points", "to", "Store"])
    assert template.fill([["SM", "Ayala"], ["1", "2"]], 2) == ["SM: 1", "Ayala: 2"]
    assert Template.parse("100 %").bind([]).fill([], 3) == ["100 %"] * 3


def test_a_cell_that_is_not_needed_may_be_empty() -> None:
    assert fill("{First Name}", ["", "Ana", "", ""]) == "Ana"


@pytest.mark.parametrize(
    "name", ["First Name", "first_name", "FIRSTNAME", "\ufeffFirst\xa0Name", "\ufb01rst name", " first  name_"]
)
def test_case_spaces_and_underscores_do_not_matter_in_column_names(name: str) -> None:
    assert column_key(name) == "firstname"


def test_an_accent_is_the_same_however_it_is_composed() -> None:
    assert column_key("Nin\u0303o") == column_key("NI\u00d1O")


@given(NO_BRACES)
def test_a_text_without_braces_passes_unchanged(text: str) -> None:
    template = Template.parse(text)
    assert template.fields == ()
    assert filled(template.bind([]), []) == text


@given(NO_BRACES, NO_BRACES, NO_BRACES, FILLED, FILLED)
def test_filling_puts_the_cells_between_the_literals_whatever_they_hold(
    before: str, between: str, after: str, first: str, second: str
) -> None:
    template = Template.parse(f"{before}{{Store}}{between}{{Points}}{after}")
    assert filled(template.bind(COLUMNS), ["", "", first, second]) == before + first + between + second + after


@given(st.text(st.sampled_from("{}a %"), max_size=20))
def test_any_text_is_either_a_template_or_a_usage_error(text: str) -> None:
    try:
        template = Template.parse(text)
    except UsageError:
        return
    fillable = template.bind(template.fields)
    assert filled(fillable, template.fields).count("{{") == text.count("{{")


# ---- a value for empty cells ----


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="{}", exclude_categories=["C"]), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "column", "fallback"),
    [
        ("{Store|our shop}", "Store", "our shop"),
        ("{ store | our shop }", "store", "our shop"),
        ("{Store|}", "Store", ""),
        ("{Store| }", "Store", ""),
        ("{Store}", "Store", None),
        ("{Store|a|b}", "Store", "a|b"),
        ("{Store|it's 50 % \\ off}", "Store", "it's 50 % \\ off"),
        ("{Store|two\nlines}", "Store", "two\nlines"),
    ],
)
def test_a_field_may_have_a_value_for_empty_cells(text: str, column: str, fallback: str | None) -> None:
    bound = Template.parse(text).bind(COLUMNS)
    assert (bound.names, bound.columns, bound.fallbacks) == ((column,), (2,), (fallback,))


@pytest.mark.parametrize(
    ("columns", "name", "fallback"),
    [
        (["a", "a|b", "a|b|c"], "a|b|c", None),
        (["a", "a|b"], "a|b", "c"),
        (["a"], "a", "b|c"),
        (["A | B"], "a|b", "c"),
    ],
)
def test_a_column_whose_own_name_holds_a_bar_goes_first(columns: list[str], name: str, fallback: str | None) -> None:
    bound = Template.parse("{a|b|c}").bind(columns)
    assert (bound.names, bound.fallbacks) == ((name,), (fallback,))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Hi {|there}", "{|there} at character 4 of the message names no column: write it as in {First Name}"),
        ("Hi { _ | there}", "{ _ | there} at character 4 of the message names no column: write it as in {First Name}"),
        (
            "Hi {Name|{Other}}",
            "unclosed { at character 4 of the message: close the merge field, as in {First Name}",
        ),
        (
            "Hi {Name|{{contact.firstName}}}",
            "unclosed { at character 4 of the message: close the merge field, as in {First Name}",
        ),
        (
            "{Name|there",
            "unclosed { at character 1 of the message: close the merge field, as in {First Name}",
        ),
    ],
)
def test_a_fallback_needs_a_name_and_holds_no_braces(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(says)}$"):
        Template.parse(text)


def test_a_field_with_a_fallback_that_is_no_column_is_named_without_it() -> None:
    with pytest.raises(UsageError, match=r"^the input has no column for \{Nmae\}: did you mean \{Name\}\?"):
        Template.parse("{Nmae|there}").bind(["Name"])
    with pytest.raises(UsageError, match=r"^\{Name\} fits 2 columns"):
        Template.parse("{Name|there}").bind(["Name", "name"])


def test_what_is_left_to_the_api_has_no_fallback_here() -> None:
    assert fill("{{contact.firstName|there}} {Store}") == "{{contact.firstName|there}} SM North"


@given(st.lists(NAMES, min_size=1, max_size=4, unique_by=column_key), NAMES, st.data())
def test_the_longest_column_that_a_field_begins_with_is_taken(
    columns: list[str], rest: str, data: st.DataObject
) -> None:
    columns = [each for each in columns if column_key(each.partition("|")[0])]
    assume(columns)
    column = data.draw(st.sampled_from(columns))
    written = f"{column}|{rest}"
    bound = Template.parse(f"a{{{written}}}b").bind(columns)
    (place,), (fallback,) = bound.columns, bound.fallbacks
    parts = written.split("|")
    heads = ["|".join(parts[:count]) for count in range(len(parts), 0, -1)]
    keys = list(map(column_key, columns))
    longest = next(head for head in heads if column_key(head) in keys)
    assert keys[place] == column_key(longest)
    assert fallback == (None if longest == written else written[len(longest) + 1 :].strip())
    assert bound.literals == ("a", "b")
