"""In lists of those to leave out, every column that holds numbers is read, and nothing that may be one is dropped."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulksend.errors import InputError
from bulksend.model import PhoneNumber
from bulksend.planning.exclusions import Exclusions, read_exclusions
from bulksend.sms.phones import resembles

ANA, BEN, CY = "639171234567", "639181234567", "639191234567"


def read(path: Path, text: str, country: str | None = None, *, new_prefixes: bool = False) -> Exclusions:
    path.write_text(text, encoding="utf-8")
    return read_exclusions([path], country, new_prefixes=new_prefixes)


def refusal(path: Path, text: str, country: str | None = None) -> str:
    with pytest.raises(InputError) as error:
        read(path, text, country)
    return str(error.value).removeprefix(f"{path}: ")


# ---- a numbers' column, by its name or by what most of its cells are: every cell must be one ----


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("6.39E+11", "digits lost to scientific notation"),
        ("######", "the column was too narrow"),
        ("#N/A", "a spreadsheet's error"),
        ('"=VLOOKUP(A1,B:B,1)"', "a formula, not its value"),
        ("0475/12.34.56", "no dialing code"),
        ("06.12.34.56.78", "no dialing code"),
        ("91712345", "too short"),
        ("+6391", "too short"),
        ("2024-11-24", "a date, no phone number"),
        ("see notes", "letters in it"),
    ],
)
@pytest.mark.parametrize("header", ["Unsubscribed", "Home Phone", "phone"])
def test_a_cell_among_numbers_that_is_not_read_refuses_the_list(
    tmp_path: Path, header: str, cell: str, why: str
) -> None:
    says = refusal(tmp_path / "opt.csv", f"{header},x\n+{ANA},a\n{cell},b\n")
    assert says.startswith("row 2: ")
    assert f" cannot be left out: {why}" in says
    assert f"(column '{header}')" in says


def says(found: Exclusions) -> tuple[str, ...]:
    return tuple(note.says for note in found.notes)


def test_where_the_country_is_known_its_spellings_are_read(tmp_path: Path) -> None:
    found = read(tmp_path / "opt.csv", "Unsubscribed\n06.12.34.56.78\n+63 917 123 4567\n0612/34.56.79\n", "FR")
    assert found.recipients == {"33612345678", ANA, "33612345679"}


def test_a_bare_number_that_does_not_fit_the_country_refuses_the_list(tmp_path: Path) -> None:
    says = refusal(tmp_path / "opt.csv", f"phone\n+{ANA}\n6591234567\n", "PH")
    assert says.startswith("row 2: '6591234567' cannot be left out: no number of PH; if it is +65 …")


def test_a_bare_number_that_may_be_philippine_leaves_both_out(tmp_path: Path) -> None:
    found = read(tmp_path / "opt.csv", f"phone\n{ANA}\n9611234567\n+9611234568\n")
    assert found.recipients == {ANA, "9611234567", "639611234567", "9611234568"}
    (warning,) = found.warnings
    assert "1 row is read as foreign, but may be Philippine" in warning
    assert "row 2 (9611234567)" in warning


# ---- every column that holds numbers ----


def test_all_columns_of_an_address_book_are_read_and_told(tmp_path: Path) -> None:
    path = tmp_path / "opt.csv"
    found = read(path, f"First Name,Home Phone,Mobile Phone,Other Phone\nAna,+{CY},+{ANA},+{BEN}\nBea,,+{ANA},\n")
    assert found.recipients == {ANA, BEN, CY}
    assert says(found) == (
        f"{path}: 3 numbers to leave out: column 'Home Phone' (1), column 'Mobile Phone' (1), column 'Other Phone' (1)",
    )
    assert found.warnings == ()


def test_a_number_in_an_unnamed_column_counts_beside_a_named_one(tmp_path: Path) -> None:
    found = read(tmp_path / "opt.csv", f"Name,phone,Remark\nAna,+{ANA},+{BEN}\n+{CY},+{CY},\n")
    assert found.recipients == {ANA, BEN, CY}


@pytest.mark.parametrize("cell", ["6.39E+11", "#########", "0917 123 4567", "texted STOP from 0918 123 4567"])
def test_what_may_be_a_number_beside_a_named_column_is_told(tmp_path: Path, cell: str) -> None:
    found = read(tmp_path / "opt.csv", f"phone,Remark\n+{ANA},asked by mail\n+{BEN},{cell}\n")
    assert found.recipients == {ANA, BEN}
    (warning,) = found.warnings
    assert "column 'Remark' is not named for numbers, but 1 cell there may be one that cannot be read" in warning
    assert f"{cell!r} in row 2" in warning


def test_what_may_be_a_number_refuses_a_list_in_which_no_column_is_named(tmp_path: Path) -> None:
    says = refusal(tmp_path / "opt.csv", f"a,b\n+{ANA},x\n,6.39E+11\n")
    assert says.startswith("row 2: '6.39E+11' cannot be left out: digits lost")
    assert "(column 'b')" in says


def test_a_list_without_a_header_names_its_columns_by_their_place(tmp_path: Path) -> None:
    says = refusal(tmp_path / "opt.csv", f"+{ANA}\n+{BEN}\n6.39E+11\n")
    assert says.startswith("row 2: ")
    assert "(column 1)" in says
    says = refusal(tmp_path / "opt.csv", f"6.39E+11\n+{BEN}\n")
    assert says.startswith("first line: '6.39E+11' cannot be left out")


# ---- a sound list stays sound ----

SOUND = {
    "mailing list": (
        "Email Address,First Name,Phone Number,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,"
        "LONGITUDE,GMTOFF,CC,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,LEID,EUID,NOTES\n"
        f"ana@mail.test,Ana,+{ANA},2,2024-11-24 10:00:00,203.0.113.15,2024-11-24 10:00:05,203.0.113.15,14.599512,"
        "120.984219,8,PH,2025-01-02 08:30:11,Christmas,1234567890,Not interested,512345678,a1b2c3d4e5,\n"
    ),
    "shop": (
        "Customer ID,First Name,Email,Accepts Email Marketing,Default Address Zip,Default Address Phone,Phone,"
        "Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags\n"
        f"'6940095086789,Ana,a@b.test,no,1200,'+{BEN},'+{ANA},no,\"1,234,567.00\",3,,no,vip\n"
    ),
    "customer base": (
        "Record ID,First Name,Phone Number,Mobile Phone Number,Create Date,Last Activity Date,Lead Status\n"
        f"100123456789,Ana,+{ANA},+{BEN},2024-11-24 10:00,24/11/2024 10:30,Open\n"
    ),
    "address book": (
        "Name,Given Name,Phone 1 - Type,Phone 1 - Value,Phone 2 - Type,Phone 2 - Value,Birthday\n"
        f"Ana,Ana,Mobile,+{ANA},Home,+{BEN},1990-01-31\n"
    ),
    "text service": (
        "Contact UUID,URN Scheme,URN:Tel,Group,Opted Out On,Message Sid\n"
        f"0b5a1c9e-1c1a-4f60-9f0e-1234567890ab,tel,{ANA},Stop,2024-11-24T10:00:00Z,SM0123456789abcdef0123456789abcdef\n"
    ),
    "lead form": (
        "id,created_time,ad_id,campaign_id,full_name,phone_number,is_organic\n"
        f"l:1234567890123456,2024-11-24T10:00:00+08:00,ag:12033000000000,c:12033000000001,Ana,p:+{ANA},false\n"
    ),
    "own results": (
        "row,status,to,contactId,messageId,estimateParts,estimateMicro,sentAt,input_phone\n"
        f"1,sent,{ANA},,fee91b47-1234567890,1,20000,2024-11-24T10:00:00Z,0917 123 4567\n"
    ),
    "times": f"Number;Date;Time;Amount;Age;Points\n{ANA};24.11.2024;10:30:00;-1.234,50;41;123456\n",
}


@pytest.mark.parametrize("export", SOUND)
def test_dates_ids_and_amounts_refuse_no_sound_list(tmp_path: Path, export: str) -> None:
    found = read(tmp_path / "opt.csv", SOUND[export], "PH")
    assert ANA in found.recipients
    assert found.recipients <= {ANA, BEN}
    assert found.warnings == ()


@pytest.mark.parametrize("cell", ["N/A", "null", "None", "\\N", "-", "—"])
def test_a_cell_that_says_that_there_is_none_refuses_nothing(tmp_path: Path, cell: str) -> None:
    found = read(tmp_path / "opt.csv", f"Home Phone,Mobile\n{cell},+{ANA}\n+{BEN},+{CY}\n")
    assert found.recipients == {ANA, BEN, CY}
    if cell.strip("-—"):
        (warning,) = found.warnings
        assert "column 'Home Phone' has no number in 1 row: row 1" in warning


@pytest.mark.parametrize(("cell", "is_told"), [("#N/A", True), ("12345", True), ("yes", False), ("2024-11-24", False)])
def test_a_column_named_for_numbers_that_has_none_is_told_unless_it_holds_words(
    tmp_path: Path, cell: str, *, is_told: bool
) -> None:
    found = read(tmp_path / "opt.csv", f"Home Phone,phone\n{cell},+{ANA}\n,+{BEN}\n")
    assert found.recipients == {ANA, BEN}
    assert [warning.split(": ", 1)[1] for warning in found.warnings] == (
        [f"column 'Home Phone' cannot be read in 1 row: row 1 ({cell})"] if is_told else []
    )


def test_rows_of_whom_no_number_is_known_are_told(tmp_path: Path) -> None:
    found = read(tmp_path / "opt.csv", f"name,phone\nAna,+{ANA}\nBen,\n,\nCy,\n")
    assert [warning.split(": ", 1)[1] for warning in found.warnings] == [
        "2 rows have no number, so that nobody is left out for them: row 2, row 3 (line 5)"
    ]


@pytest.mark.parametrize("text", ["phone\n", "", "First Name,Home Phone\n", "Unsubscribed\r\n"])
def test_an_empty_list_is_only_a_note(tmp_path: Path, text: str) -> None:
    path = tmp_path / "opt.csv"
    found = read(path, text)
    assert found.recipients == frozenset()
    assert found.digest
    assert says(found) == (f"{path}: this list of those to leave out is empty",)


def test_a_header_that_is_a_number_which_cannot_be_read_is_no_empty_list(tmp_path: Path) -> None:
    assert "cannot be left out: no dialing code" in refusal(tmp_path / "opt.csv", "0917 123 4567\n")


def test_a_new_prefix_in_a_list_is_allowed_with_those_of_the_input(tmp_path: Path) -> None:
    text = "phone\n0904 123 4567\n"
    assert "phonenumbers" in refusal(tmp_path / "opt.csv", text, "PH")
    assert read(tmp_path / "opt.csv", text, "PH", new_prefixes=True).recipients == {"639041234567"}


# ---- one phone, several numbers ----


@pytest.mark.parametrize(
    ("listed", "sent"),
    [("+54 11 2345-6789", "5491123456789"), ("+54 9 11 2345-6789", "541123456789"), (f"+{ANA}", ANA)],
)
def test_who_is_left_out_is_so_by_each_number_of_the_phone(tmp_path: Path, listed: str, sent: str) -> None:
    found = read(tmp_path / "opt.csv", f"phone\n{listed}\n")
    assert found.has(PhoneNumber(sent), sent[:2])
    assert not found.has(PhoneNumber(sent[:-1] + "0"), sent[:2])
    assert not found.has(None, "")


# ---- what resembles a number ----


@pytest.mark.parametrize(
    "cell",
    [
        "6.39E+11",
        "6,39E+11",
        "4.479E+11",
        "###",
        "0917 123 4567",
        "06.12.34.56.78",
        "0475/12.34.56",
        "9,171,234,567.00",
        "Ana 0917-123-4567",
        "63917l234567",
        "=A1&B1",
        "\uff10\uff19\uff11\uff17\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
        "12345678",
    ],
)
def test_what_may_have_been_meant_as_a_number_resembles_one(cell: str) -> None:
    assert resembles(cell)


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "Ana",
        "123456",
        "2024-11-24",
        "24/11/2024",
        "2024-11-24 10:00:00+08:00",
        "1,234,567.00",
        "-1.234,50",
        "₱1,234.50",
        "14.599512",
        "203.0.113.15",
        "ana.1234567890@mail.test",
        "https://x.test/1234567890",
        "SM0123456789abcdef0123456789abcdef",
        "0b5a1c9e-1c1a-4f60-9f0e-1234567890ab",
        "1E3",
        "Building 5, 1200 Makati",
    ],
)
def test_other_things_resemble_none(cell: str) -> None:
    assert not resembles(cell)


@given(st.text())
def test_any_text_resembles_a_number_or_does_not(cell: str) -> None:
    assert resembles(cell) in {True, False}
