from __future__ import annotations

from pathlib import Path

import pytest

from bulksend.errors import InputError, Remark
from bulksend.planning.exclusions import read_exclusions
from bulksend.rules import Rule

ANA, BEN = "639171234567", "639181234567"


def listed(path: Path, text: str, country: str | None = None) -> set[object]:
    path.write_text(text, encoding="utf-8")
    return set(read_exclusions([path], country).recipients)


@pytest.mark.parametrize(
    "text",
    [
        f"to\n{ANA}\n{BEN}\n",
        f"{ANA}\n+63 918 123 4567\n",  # no header
        f"Name;Mobile No.\nAna;{ANA}\nBen;{BEN}\n",
        f"Mobile,since\n{ANA},2024-11-24\n{BEN},24/11/2024\n",
        f"who,one,other\nx,{ANA},\ny,,{BEN}\n",  # no usual name: every column
    ],
)
def test_numbers_are_found_in_whatever_column_they_stand(tmp_path: Path, text: str) -> None:
    assert listed(tmp_path / "list.csv", text) == {ANA, BEN}


def test_several_lists_count_together_and_are_known_by_their_content(tmp_path: Path) -> None:
    one, two = tmp_path / "1.csv", tmp_path / "2.csv"
    one.write_text(f"to\n{ANA}\n")
    two.write_text(f"to\n{BEN}\n")
    both = read_exclusions([one, two], None)
    assert both.recipients == {ANA, BEN}
    assert both.digest == read_exclusions([two, one], None).digest != read_exclusions([one], None).digest
    assert read_exclusions([], None).digest == ""


def test_json_lines_with_numbers_and_contacts(tmp_path: Path) -> None:
    text = f'{{"to": "{ANA}"}}\n{{"contactId": 123}}\n'
    assert listed(tmp_path / "list.jsonl", text) == {ANA, 123}
    assert listed(tmp_path / "list.csv", f"contactId,phone\n7,\n,{ANA}\n639171111111,{BEN}\n") == {
        7, ANA, BEN, 639171111111,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"to\n{ANA}\n0917 123 4567\n", "row 2: '0917 123 4567' cannot be left out: no dialing code"),
        ("customer_id,phone\n2025550123,0917 123 4567\n", "row 1: '0917 123 4567' cannot be left out"),
        (f"phone\n{ANA}\nunknown\n", "row 2: 'unknown' cannot be left out: letters in it"),
        (f"a,b\n{ANA},12345678\n", "; no column is named 'to', so that all are looked at"),
        (f"contactId,to\nx7,\n,{ANA}\n", "row 1: 'x7' cannot be left out: not a contact id"),
        ("Name\nAna\n", "there is no phone number in this list"),
        (f"to\n{ANA},more\n", "row 1 of those to leave out: the row has 2 cells"),
    ],
)
def test_a_list_in_which_somebody_would_be_missed_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError) as error:
        listed(tmp_path / "list.csv", text)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_broken_json_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="row 2 of those to leave out: line 2 is not JSON"):
        listed(tmp_path / "list.jsonl", f'{{"to": "{ANA}"}}\n{{"to": \n')


def test_numbers_without_a_dialing_code_are_of_the_country(tmp_path: Path) -> None:
    assert listed(tmp_path / "list.csv", "to\n0917-123-4567\n", "PH") == {ANA}


def test_how_a_list_was_understood_is_told(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"to;name\n{ANA};x\n")
    assert read_exclusions([path], None).notes == (Remark(f"{path}: its columns are separated by ';'", Rule.READ_TEXT),)
