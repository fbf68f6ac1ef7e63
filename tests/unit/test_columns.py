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


@pytest.mark.parametrize("name", ["Name", "Phone model", "House number", "No", "Contact", "numbers of points"])
def test_what_is_no_usual_name_for_numbers_is_not_guessed(name: str) -> None:
    with pytest.raises(InputError, match="there is no column for the recipient"):
        columns("message", name)


def test_two_columns_that_could_be_the_number_are_not_chosen_between() -> None:
    with pytest.raises(InputError) as error:
        columns("Phone", "Mobile", "message")
    assert advised(error.value) == (
        "campaign.csv: 'Phone' or 'Mobile' could be the recipient's number: say which with --map to='Mobile'"
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


# ---- which of several columns ----


def told(found: Columns) -> list[str]:
    return [advised(note) for note in found.notes]


def question(*names: str, mapping: tuple[tuple[str, str], ...] = ()) -> str:
    with pytest.raises(InputError) as error:
        columns(*names, mapping=mapping)
    return advised(error.value).removeprefix("campaign.csv: ")


@pytest.mark.parametrize(
    ("names", "chosen", "beside"),
    [
        (("Home Phone", "Mobile Phone", "Business Phone"), 1, "'Home Phone', 'Business Phone'"),
        (("Phone 1 - Value", "Phone 2 - Value"), 0, "'Phone 2 - Value'"),
        (("SMS", "Phone"), 1, "'SMS'"),
        (("Default Address Phone", "Phone"), 1, "'Default Address Phone'"),
        (("Work Phone", "Phone 2", "Phone 3", "Phone 4", "Phone"), 4, "'Work Phone', 'Phone 2', 'Phone 3' and 1 more"),
    ],
)
def test_the_column_that_fits_best_is_taken_and_those_passed_over_are_named(
    names: tuple[str, ...], chosen: int, beside: str
) -> None:
    found = columns("message", *names)
    assert found.to == chosen + 1
    assert told(found) == [
        f"the numbers are taken from the column {names[chosen]!r}, not from {beside}: --map to=COLUMN says otherwise"
    ]


@pytest.mark.parametrize(
    ("names", "offered"),
    [
        (("Phone Number", "Mobile Phone Number"), "Mobile Phone Number"),
        (("Primary Phone", "Mobile Phone", "Home Phone"), "Mobile Phone"),
        (("WhatsApp", "SMS"), "SMS"),
        (("WhatsApp", "Phone"), "Phone"),
        (("phonenumber", "household/mobile"), "phonenumber"),
    ],
)
def test_of_columns_that_fit_alike_the_likeliest_is_offered(names: tuple[str, ...], offered: str) -> None:
    says = question("message", *names)
    assert says.endswith(f"could be the recipient's number: say which with --map to={offered!r}")


@pytest.mark.parametrize("name", ["Home Phone", "Phone 2 - Value", "household/mobile", "Parent Mobile"])
def test_a_phone_that_may_be_another_persons_is_never_taken_unasked(name: str) -> None:
    assert "there is no column for the recipient" in question("message", name)


# ---- contact ids ----


@pytest.mark.parametrize("name", ["contactId", "ContactID", "CONTACTID", " contactId ", "\ufeffcontactid"])
def test_only_contact_id_as_the_api_writes_it_is_surely_the_apis(name: str) -> None:
    assert columns(name, "Phone", "message").contact == 0
    assert columns(name, "to", "message").contact == 0
    assert columns("Contact ID", name, "message").contact == 1


@pytest.mark.parametrize("name", ["Contact ID", "contact_id", "CONTACT ID"])
def test_a_look_alike_beside_the_numbers_column_is_a_merge_field_and_said(name: str) -> None:
    for found in (columns(name, "to", "message"), columns(name, "Phone", "message", mapping=(("to", "phone"),))):
        assert (found.to, found.contact) == (1, None)
        (note,) = told(found)
        assert note == (
            f"{name!r} is a merge field here, for only a column 'contactId' is surely engageSPARK's: "
            f"--map contactId={name!r} takes it"
        )


@pytest.mark.parametrize("numbers", ["Phone", "Home Phone", "WhatsApp", "household/mobile"])
def test_a_look_alike_beside_numbers_is_a_question(numbers: str) -> None:
    assert question("Contact ID", "Name", numbers, "message") == (
        f"the recipient could be the number in {numbers!r}, or the engageSPARK contact whose id is in 'Contact ID': "
        f"say which with --map to={numbers!r} or --map contactId='Contact ID'"
    )
    chosen = columns("Contact ID", "Name", numbers, "message", mapping=(("contactId", "Contact ID"),))
    assert (chosen.to, chosen.contact) == (None, 0)


def test_a_look_alike_alone_is_taken() -> None:
    found = columns("Contact ID", "Name", "message")
    assert (found.contact, found.is_alike) == (0, True)


@pytest.mark.parametrize("better", ["to", "Phone", "contactId"])
def test_a_look_alike_that_was_taken_is_a_question_when_something_better_comes(better: str) -> None:
    found = columns("Contact ID", fixed=False)
    with pytest.raises(InputError, match=f"the number in '{better}'|whose id is in 'Contact ID'"):
        found.bind(["Contact ID", better])


# ---- mappings ----


def test_a_field_is_switched_off() -> None:
    off = (("contactId", ""), ("message", ""), ("from", ""))
    found = columns("contactId", "Phone", "Message", "From", mapping=off)
    assert (found.to, found.contact, found.places["message"], found.places["from"]) == (1, None, (), ())


def test_a_field_that_is_switched_off_has_no_column() -> None:
    with pytest.raises(UsageError, match="the field 'message' has a column, and is to have none"):
        columns("to", "Text", mapping=(("message", "Text"), ("message", "")))


def test_several_columns_of_a_field_keep_their_order() -> None:
    found = columns("Home", "Mobile", "message", mapping=(("to", "Mobile"), ("to", "home"), ("to", "MOBILE")))
    assert found.places["to"] == (1, 0)
    with pytest.raises(UsageError, match="there is no column 'Work' for the field 'to'"):
        columns("Home", "Mobile", "message", mapping=(("to", "Mobile"), ("to", "Work")))


def test_a_mapped_number_goes_before_a_contact_that_is_not_mapped_and_that_is_said() -> None:
    found = columns("contactId", "Mobile", "message", mapping=(("to", "Mobile"),))
    assert found.number_wins
    assert told(found) == [
        "'contactId' counts only in rows whose 'Mobile' is empty: --map contactId= leaves that column out"
    ]
    assert not columns("contactId", "Mobile", mapping=(("to", "Mobile"), ("contactId", "contactId"))).number_wins
