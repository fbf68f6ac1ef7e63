from __future__ import annotations

import itertools
from collections.abc import Sequence

import orjson
import pytest
from conftest import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from planned import PlannedRow, rows_of

from bulksend.errors import Advice, InputError, UsageError
from bulksend.model import Encoding, Endpoint, MicroUSD, Status
from bulksend.planning.columns import FIELDS
from bulksend.planning.planner import Planner, PlanOptions
from bulksend.planning.reading import RawBatch
from bulksend.sms.rates.table import Rates

NUMBER = "639171234567"


def plan(
    columns: Sequence[str], *rows: Sequence[str], options: PlanOptions | None = None, fixed: bool = True
) -> list[PlannedRow]:
    planner = Planner("campaign.csv", options or PlanOptions(), columns, fixed=fixed)
    planned = planner.plan(raw(*rows), columns)
    planner.check()
    return rows_of(planned)


def raw(*rows: Sequence[str], flaws: dict[int, str] | None = None) -> RawBatch:
    return RawBatch([list(cells) for cells in rows], flaws or {})


def only(columns: Sequence[str], cells: Sequence[str], options: PlanOptions | None = None) -> PlannedRow:
    (row,) = plan(columns, cells, options=options)
    return row


def flaw(columns: Sequence[str], cells: Sequence[str], options: PlanOptions | None = None) -> str:
    row = only(columns, cells, options)
    assert row.status == Status.INVALID
    assert (row.text, row.sender, row.encoding, row.parts, row.price) == ("", None, None, 0, None)
    assert orjson.loads(row.cells) == list(cells)
    return row.error


# ---- a row that can go ----


def test_a_row_becomes_a_message_with_its_parts_and_price() -> None:
    assert only(["to", "message", "from"], ["+63 917 123 4567", "Hello", "ACME"]) == PlannedRow(
        row=1,
        status=Status.PENDING,
        recipient="639171234567",  # type: ignore[arg-type]
        sender="ACME",
        text="Hello",
        encoding=Encoding.GSM7,
        parts=1,
        price=MicroUSD(20_000),
        error="",
        cells=b'["+63 917 123 4567","Hello","ACME"]',
    )


def test_a_contact_is_an_integer_and_its_price_is_not_known() -> None:
    row = only(["contactId", "message"], ["123456.0", "Hello"])
    assert (row.recipient, type(row.recipient), row.price) == (123456, int, None)


def test_a_row_may_have_either_recipient() -> None:
    first, second = plan(["to", "contactId", "message"], [NUMBER, "", "a"], [" ", "7", "b"])
    assert (first.recipient, second.recipient) == (NUMBER, 7)


def test_parts_and_encoding_decide_the_price() -> None:
    options = PlanOptions(rates=Rates({"63": MicroUSD(12_345), "1": MicroUSD(7_000)}))
    long, emoji, american, elsewhere = plan(
        ["to", "message"],
        [NUMBER, "x" * 161],
        [NUMBER, "😀" * 36],
        ["+12025550123", "x"],
        ["+442079460018", "x"],
        options=options,
    )
    assert (long.encoding, long.parts, long.price) == (Encoding.GSM7, 2, 24_690)
    assert (emoji.encoding, emoji.parts, emoji.price) == (Encoding.UCS2, 2, 24_690)
    assert american.price == 7_000
    assert (elsewhere.status, elsewhere.price) == (Status.PENDING, None)


def test_the_longest_text_has_seven_parts() -> None:
    assert only(["to", "message"], [NUMBER, "x" * 1_071]).parts == 7
    assert flaw(["to", "message"], [NUMBER, "x" * 1_072]) == "the text needs 8 SMS parts; the API takes 7 at most"


def test_a_number_without_a_dialing_code_is_of_the_country_given() -> None:
    assert only(["to", "message"], ["0917 123 4567", "a"], PlanOptions(country="PH")).recipient == NUMBER


# ---- texts and senders ----


def test_the_message_of_all_is_filled_from_the_row() -> None:
    options = PlanOptions(message="Hi {First Name}, 100% off at {store}! {{contact.firstName}}", sender="{STORE}")
    row = only(["to", "first_name", "Store"], [NUMBER, " Ana ", "Cebu"], options)
    assert row.text == "Hi Ana, 100% off at Cebu! {{contact.firstName}}"
    assert row.sender == "Cebu"


def test_a_rows_own_message_is_sent_as_it_stands() -> None:
    own = " Hi {Name}, {{contact.firstName}} 50% {} } \n"
    row = only(["to", "message", "Name"], [NUMBER, own, "Ana"], PlanOptions(message="other {Name}"))
    assert row.text == own


def test_a_row_without_its_own_message_or_sender_takes_those_of_all() -> None:
    options = PlanOptions(message="for all", sender="ALL")
    own, none, blank = plan(
        ["to", "message", "from"], [NUMBER, "own", "OWN"], [NUMBER, "", ""], [NUMBER, " \t", " "], options=options
    )
    assert (own.text, own.sender) == ("own", "OWN")
    assert (none.text, none.sender) == (blank.text, blank.sender) == ("for all", "ALL")


def test_without_any_sender_there_is_none() -> None:
    assert only(["to", "message", "from"], [NUMBER, "a", " "]).sender is None


def test_spaces_around_a_rows_own_sender_are_no_part_of_it() -> None:
    assert only(["to", "message", "from"], [NUMBER, "a", " ACME "]).sender == "ACME"


# ---- flaws of a row ----


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["", "", "hello"], "no recipient: neither a number (to) nor a contactId is given"),
        ([" \t", "\xa0", "hello"], "no recipient: neither a number (to) nor a contactId is given"),
        ([NUMBER, "7", "hello"], "both a number (to) and a contactId are given: leave one of them empty"),
        (["", "0", "hello"], "not a contact id: it is out of range"),
        (["", "-7", "hello"], "not a contact id: write a whole number such as 123456"),
        (["", "9" * 19, "hello"], "not a contact id: it is out of range"),
        (["6.39171E+11", "", "hello"], "digits lost to scientific notation"),
        (["#REF!", "", "hello"], "a spreadsheet's error, no number"),
        (["call me", "", "hello"], "letters in it: write digits only"),
        ([NUMBER, "", ""], "no text: its message is empty, and there is none for all rows"),
        ([NUMBER, "", " \n\t"], "no text: its message is empty, and there is none for all rows"),
    ],
)
def test_a_bad_row_says_what_is_wrong(cells: list[str], says: str) -> None:
    assert flaw(["to", "contactId", "message"], cells).startswith(says)


def test_a_number_that_is_none_is_a_flaw_with_a_reason() -> None:
    assert flaw(["to", "message"], ["9123456789012345678", "hello"])
    assert flaw(["to", "message"], ["12", "hello"])


def test_the_phonenumber_endpoint_takes_no_contact() -> None:
    options = PlanOptions(endpoint=Endpoint.PHONENUMBER)
    says = "the phonenumber endpoint takes no contactId"
    assert flaw(["to", "contactId", "message"], ["", "7", "a"], options) == says
    assert only(["to", "contactId", "message"], [NUMBER, "", "a"], options).recipient == NUMBER


@pytest.mark.parametrize("cell", ["", "  ", "\t"])
def test_an_empty_merge_field_is_named_with_what_it_is_in(cell: str) -> None:
    options = PlanOptions(message="Hi {First Name}")
    assert flaw(["to", "first name"], [NUMBER, cell], options) == (
        "{First Name} is empty in this row: fill the column in, or give the row its own message"
    )
    sender = PlanOptions(message="Hi", sender="{Store}")
    assert flaw(["to", "Store"], [NUMBER, cell], sender).endswith("or give the row its own sender id")


def test_a_bad_row_keeps_its_recipient_once_that_is_known() -> None:
    row = only(["to", "message"], [NUMBER, ""])
    assert (row.status, row.recipient) == (Status.INVALID, NUMBER)


def test_a_row_that_the_reader_found_bad_keeps_the_readers_reason_and_cells() -> None:
    planner = Planner("campaign.csv", PlanOptions(), ["to", "message"], fixed=True)
    batch = raw([NUMBER, "a"], [NUMBER, "a", " b"], flaws={1: "the row has 3 cells"})
    good, bad = rows_of(planner.plan(batch, ["to", "message"]))
    assert good.status == Status.PENDING
    assert (bad.row, bad.status, bad.error) == (2, Status.INVALID, "the row has 3 cells")
    assert orjson.loads(bad.cells) == [NUMBER, "a", " b"]


# ---- columns ----


@pytest.mark.parametrize(
    ("to", "contact", "message", "sender"),
    [
        ("to", "contactId", "message", "from"),
        ("TO", "ContactID", "MESSAGE", "From"),
        (" To ", "CONTACTID", "Mes sage", "FROM "),
        ("\ufeffto", " contactid", "message\n", "f_r_o_m"),
    ],
)
def test_case_spaces_and_underscores_of_a_column_do_not_matter(
    to: str, contact: str, message: str, sender: str
) -> None:
    first, second = plan([sender, contact, message, to], ["ACME", "", "a", NUMBER], ["ACME", "7", "b", ""])
    assert (first.recipient, first.text, first.sender) == (NUMBER, "a", "ACME")
    assert second.recipient == 7


@pytest.mark.parametrize("contact", ["contact_id", "CONTACT ID"])
def test_what_only_looks_like_a_contact_id_beside_a_number_is_a_merge_field(contact: str) -> None:
    options = PlanOptions(message="{Contact ID}")
    first, second = plan(["to", contact], [NUMBER, "7"], ["", "7"], options=options)
    assert (first.recipient, first.text) == (NUMBER, "7")
    assert second.error == "no recipient: neither a number (to) nor a contactId is given"


def test_columns_are_mapped_to_fields() -> None:
    mapping = (("to", "mobile_no"), ("message", "SMS Text"), ("from", "Store"))
    row = only(
        ["Mobile No", "sms text", "Store", "to", "message"],
        [NUMBER, "mapped", "ACME", "not a number", "not the text"],
        PlanOptions(mapping=mapping),
    )
    assert (row.recipient, row.text, row.sender) == (NUMBER, "mapped", "ACME")


def test_a_mapping_to_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no column 'Mobile' for the field 'to'; the columns are 'to'"):
        plan(["to", "message"], [NUMBER, "a"], options=PlanOptions(mapping=(("to", "Mobile"),)))


@pytest.mark.parametrize("twin", ["TO", "t_o", " to "])
def test_a_header_that_names_a_needed_column_twice_is_refused(twin: str) -> None:
    with pytest.raises(InputError, match="the header names a needed column twice: 'to' and "):
        plan(["to", "message", twin], [NUMBER, "a", NUMBER])


def test_a_mapped_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(InputError, match="twice: 'Mobile' and 'mobile'"):
        plan(["Mobile", "mobile", "message"], options=PlanOptions(mapping=(("to", "Mobile"),)))


def test_a_column_that_nobody_needs_may_be_there_twice() -> None:
    assert only(["to", "message", "Note", "note", ""], [NUMBER, "a", "x", "y", ""]).status == Status.PENDING


def test_an_input_without_a_recipients_column_is_refused_with_its_columns() -> None:
    with pytest.raises(InputError, match=r"no column for the recipient; the columns are 'Who', 'm'$") as error:
        plan(["Who", "m"])
    assert error.value.advice is Advice.MAP_RECIPIENT
    with pytest.raises(InputError, match="the columns are none"):
        plan([], fixed=False)


@pytest.mark.parametrize("option", ["message", "sender"])
def test_a_merge_field_that_is_no_column_is_refused_before_any_row(option: str) -> None:
    options = PlanOptions(sender="{Frist Name}") if option == "sender" else PlanOptions(message="Hi {Frist Name}")
    with pytest.raises(UsageError, match=r"no column for \{Frist Name\}: did you mean \{First Name\}\?"):
        Planner("campaign.csv", options, ["to", "First Name"], fixed=True)


@pytest.mark.parametrize("text", ["Hi {Name", "Hi Name}", "Hi {}", "Hi { }"])
def test_a_template_with_bad_braces_is_refused_before_any_row(text: str) -> None:
    for fixed in (True, False):
        with pytest.raises(UsageError):
            Planner("campaign.csv", PlanOptions(message=text), ["to"], fixed=fixed)


def test_a_country_that_is_none_is_refused_before_any_row() -> None:
    with pytest.raises(UsageError, match="'XX' is no country"):
        Planner("campaign.csv", PlanOptions(country="XX"), ["to"], fixed=True)


def test_a_mapped_number_goes_before_a_contact_that_is_not_mapped() -> None:
    columns, rows = ["Mobile", "contactId", "message"], ([NUMBER, "7", "a"], ["", "7", "b"])
    both, contact = plan(columns, *rows, options=PlanOptions(mapping=(("to", "Mobile"),)))
    assert (both.recipient, contact.recipient) == (NUMBER, 7)
    mapped = PlanOptions(mapping=(("contactId", "contactId"), ("to", "Mobile")))
    assert flaw(columns, [NUMBER, "7", "a"], mapped).startswith("both a number (to) and a contactId are given")
    off = PlanOptions(mapping=(("contactId", ""), ("to", "Mobile")))
    assert flaw(columns, ["", "7", "b"], off).startswith("no recipient")


@pytest.mark.parametrize(
    ("mobile", "home"), [(NUMBER, "+639181234567"), ("", NUMBER), (" - ", NUMBER), ("N/A", NUMBER)]
)
def test_of_several_columns_of_a_field_the_first_counts_that_says_something(mobile: str, home: str) -> None:
    options = PlanOptions(mapping=(("to", "Mobile"), ("to", "Home")))
    assert only(["Home", "Mobile", "message"], [home, mobile, "a"], options).recipient == NUMBER


def test_a_number_that_is_none_does_not_fall_back_to_another_column() -> None:
    planner = Planner("c.csv", PlanOptions(mapping=(("to", "A"), ("to", "B"))), ["A", "B", "message"], fixed=True)
    batch = planner.plan(raw(["12", NUMBER, "a"], ["", "13", "a"], ["", "", "a"]), ["A", "B", "message"])
    assert [(flaw.column, flaw.value) for flaw in batch.flaws.values()] == [("A", "12"), ("B", "13"), ("A", "")]


def test_it_is_told_how_many_rows_used_which_column() -> None:
    mapping = (("message", "Offer"), ("message", "Text"), ("to", "A"), ("to", "B"), ("to", "C"))
    columns = ["A", "B", "C", "Text", "Offer"]
    planner = Planner("c.csv", PlanOptions(mapping=mapping, skip=(("Text", "no"),)), columns, fixed=True)
    rows = (
        [NUMBER, "", "", "a", "x"],
        ["", NUMBER, "", "b", "-"],
        ["", NUMBER, "", "c", ""],
        [NUMBER, "", "", "no", ""],
    )
    assert [row.text for row in rows_of(planner.plan(raw(*rows), columns))] == ["x", "b", "c", ""]
    assert [note.says for note in planner.notes] == [
        "the numbers are taken from 'A' in 1 row, 'B' in 2 rows, 'C' in 0 rows",
        "the texts are taken from 'Offer' in 1 row, 'Text' in 2 rows",
    ]


def test_rows_are_counted_before_the_second_column_comes_too() -> None:
    columns = ["A", "message"]
    planner = Planner("c.jsonl", PlanOptions(mapping=(("to", "A"), ("to", "B"))), columns, fixed=False)
    planner.plan(raw([NUMBER, "a"]), columns)
    columns.append("B")
    planner.plan(raw(["", "a", NUMBER]), columns)
    assert [note.says for note in planner.notes] == ["the numbers are taken from 'A' in 1 row, 'B' in 1 row"]


def contact_notes(columns: list[str], *rows: list[str]) -> list[str]:
    planner = Planner("c.csv", PlanOptions(), columns, fixed=True)
    planner.plan(raw(*rows), columns)
    return [note.says for note in planner.notes]


def test_rows_that_go_to_contacts_are_told() -> None:
    assert contact_notes(["contactId", "message"], ["7", "a"], ["8", "b"]) == [
        "2 rows go to the engageSPARK contacts whose ids stand in 'contactId'"
    ]
    assert contact_notes(["contactId", "Phone", "message"], ["7", NUMBER, "a"]) == [
        "1 row goes to the engageSPARK contacts whose ids stand in 'contactId', not to the numbers in 'Phone'"
    ]
    assert contact_notes(["ContactID", "Phone", "message"], ["003x", NUMBER, "a"]) == [
        "rows go to the engageSPARK contacts in 'ContactID', not to the numbers in 'Phone'"
    ]
    assert contact_notes(["contactId", "to", "message"], ["", NUMBER, "a"]) == []


def test_another_programs_contact_ids_are_known_by_the_numbers_beside_them() -> None:
    with pytest.raises(InputError, match="the number in 'Recapito', or the engageSPARK contact whose id is in"):
        plan(["Contact ID", "Recapito", "message"], ["202", "+63 917 123 4567", "a"], ["203", "", "b"])
    columns = ["Contact ID", "Order", "message"]
    assert [row.recipient for row in plan(columns, ["202", "1017", "a"], ["203", "", "b"])] == [202, 203]


def test_without_any_text_there_is_nothing_to_plan() -> None:
    for options in (PlanOptions(), PlanOptions(message=""), PlanOptions(message=" \n")):
        with pytest.raises(UsageError, match="there is no text to send: none is given for all rows") as error:
            Planner("c.csv", options, ["to", "Name"], fixed=True)
        assert error.value.advice is Advice.GIVE_MESSAGE_OR_COLUMN
    with pytest.raises(UsageError, match="there is no text to send"):
        plan(["to", "message"], [NUMBER, "a"], options=PlanOptions(mapping=(("message", ""),)))
    with pytest.raises(UsageError, match="there is no text to send"):
        plan(["to"], [NUMBER], fixed=False)


# ---- batches, and columns that come later ----


def test_rows_are_numbered_from_one_across_batches() -> None:
    columns = ["to", "message"]
    planner = Planner("campaign.csv", PlanOptions(), columns, fixed=True)
    batches = [raw(*[[NUMBER, "a"]] * size) for size in (3, 0, 2)]
    numbers = [row.row for batch in batches for row in rows_of(planner.plan(batch, columns))]
    assert numbers == [1, 2, 3, 4, 5]


def test_json_lines_may_bring_their_columns_later() -> None:
    columns: list[str] = []
    planner = Planner("c.jsonl", PlanOptions(message="Hi {Name}", sender="{Store}"), columns, fixed=False)
    columns += ["Note"]
    (early,) = rows_of(planner.plan(raw(["x"]), columns))
    assert early.error == "no recipient: neither a number (to) nor a contactId is given"
    columns += ["to"]
    (nameless,) = rows_of(planner.plan(raw(["x", NUMBER]), columns))
    assert "no column for {Store}" in nameless.error
    columns += ["name", "Store"]
    named, own = rows_of(planner.plan(raw(["x", NUMBER, "Ana", "ACME"], ["x", NUMBER, "", "ACME"]), columns))
    assert (named.row, named.text, named.sender) == (3, "Hi Ana", "ACME")
    assert "{Name} is empty" in own.error
    planner.check()


def test_json_lines_may_bring_a_mapped_column_later() -> None:
    columns = ["contactId", "message"]
    planner = Planner("c.jsonl", PlanOptions(mapping=(("to", "Mobile"),)), columns, fixed=False)
    (first,) = rows_of(planner.plan(raw(["7", "a"]), columns))
    columns.append("Mobile")
    (second,) = rows_of(planner.plan(raw(["", "b", NUMBER]), columns))
    assert (first.recipient, second.recipient) == (7, NUMBER)


def test_json_lines_that_never_bring_a_recipient_are_refused_at_the_end() -> None:
    columns = ["message"]
    planner = Planner("c.jsonl", PlanOptions(), columns, fixed=False)
    planner.plan(raw(["a"]), columns)
    with pytest.raises(InputError, match="no column for the recipient"):
        planner.check()


# ---- whatever comes ----

TEXTS = st.one_of(
    st.sampled_from(["", " ", NUMBER, "7", "hello", "{Name}", "x" * 2_000, "+63 917 123 4567", "#N/A", "=1"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)


@settings(max_examples=examples(200))
@given(
    order=st.permutations([*FIELDS, "Name", "Note"]),
    rows=st.lists(st.lists(TEXTS, min_size=6, max_size=6), max_size=4),
    message=st.sampled_from([None, "Hi {Name}", "Hi {{x}}"]),
    country=st.sampled_from([None, "PH"]),
)
def test_every_row_is_either_whole_or_has_a_reason_and_its_cells_are_kept(
    order: list[str], rows: list[list[str]], message: str | None, country: str | None
) -> None:
    planned = plan(order, *rows, options=PlanOptions(message=message, country=country))
    assert [row.row for row in planned] == list(range(1, len(rows) + 1))
    for row, cells in zip(planned, rows, strict=True):
        assert orjson.loads(row.cells) == cells
        if row.status == Status.PENDING:
            assert row.recipient
            assert row.text.strip()
            assert 1 <= row.parts <= 7
            assert not row.error
        else:
            assert row.status == Status.INVALID
            assert row.error
            assert "\n" not in row.error


def test_every_field_can_be_mapped() -> None:
    for field, column in itertools.product(FIELDS, ["Other"]):
        columns = ["Other", *(name for name in ("to", "message") if name != field)]
        cells = ["7" if field == "contactId" else NUMBER if field == "to" else "text"] + [
            NUMBER if name == "to" else "text" for name in columns[1:]
        ]
        if field == "contactId":
            cells[columns.index("to")] = ""
        row = only(columns, cells, PlanOptions(mapping=((field, column),)))
        assert row.status == Status.PENDING, (field, row.error)
