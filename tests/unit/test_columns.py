from __future__ import annotations

import pytest

from bulksend.cli.advice import advised
from bulksend.errors import InputError, UsageError
from bulksend.planning.columns import Columns


def columns(*names: str, mapping: tuple[tuple[str, str], ...] = (), fixed: bool = True) -> Columns:
    found = Columns("campaign.csv", mapping, fixed=fixed)
    found.bind(names)
    return found


@pytest.mark.parametrize(
    "name",
    [
        "phone", "Phone Number", "PHONE_NO.", "Mobile", "Mobile #", "mobile no", "Mobile Number", "MSISDN", "cellphone",
        "Cell", "Cellphone No.", "Number", "contact number", "Contact No", "CP Number", "Tel. No.", "Telephone",
        "Recipient", "fullPhoneNumber",
    ],
)  # fmt: skip
def test_a_usual_name_for_numbers_is_taken_for_the_recipient_and_said(name: str) -> None:
    found = columns("message", name, "Name")
    assert found.to == 1
    assert [advised(note) for note in found.notes] == [
        f"the numbers are taken from the column {name!r}: --map to=COLUMN says otherwise"
    ]


@pytest.mark.parametrize("name", ["Name", "Phone model", "House number", "No", "Contact", "numbers of points", "sms"])
def test_what_is_no_usual_name_for_numbers_is_not_guessed(name: str) -> None:
    with pytest.raises(InputError, match="there is no column for the recipient"):
        columns("message", name)


def test_two_columns_that_could_be_the_number_are_not_chosen_between() -> None:
    with pytest.raises(InputError) as error:
        columns("Phone", "Mobile", "message")
    assert advised(error.value) == (
        "campaign.csv: 'Phone' or 'Mobile' could be the recipient's number: say which with --map to='Phone'"
    )
    assert columns("Phone", "Mobile", "message", mapping=(("to", "Mobile"),)).to == 1


@pytest.mark.parametrize("known", ["to", "contactId"])
def test_nothing_is_guessed_where_a_column_has_the_right_name(known: str) -> None:
    found = columns("Phone", known, "message")
    assert (found.to, found.contact) == ((1, None) if known == "to" else (None, 1))
    assert found.notes == []


def test_a_column_that_is_mapped_to_something_else_is_not_guessed() -> None:
    assert columns("Phone", "Number", mapping=(("message", "Number"),)).to == 0


def test_a_guess_stays_when_more_columns_come_and_a_better_one_is_refused() -> None:
    found = columns("phone", fixed=False)
    found.bind(["phone", "Name"])
    assert (found.to, len(found.notes)) == (0, 1)
    for better in ("to", "mobile"):
        with pytest.raises(InputError, match=f"'phone' or '{better}' could be the recipient's number"):
            found.bind(["phone", "Name", better])


def test_columns_have_the_inputs_own_names_or_the_fields() -> None:
    found = columns("Mobile No", "Text", mapping=(("message", "text"),))
    assert [found.name_of(field) for field in ("to", "contactId", "message", "from")] == [
        "Mobile No", "contactId", "Text", "from",
    ]  # fmt: skip


def test_a_mapping_to_nothing_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        columns("to", mapping=(("to", "Mobile"),))
    assert advised(error.value) == (
        "there is no column 'Mobile' for the field 'to'; the columns are 'to': name one of these with --map to=COLUMN"
    )
