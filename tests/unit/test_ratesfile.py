from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulksend.errors import UsageError
from bulksend.model import MicroUSD
from bulksend.sms.rates.learning import LearnedRate
from bulksend.sms.rates.ratesfile import read_rates, write_rates

LEARNED = [LearnedRate("63", MicroUSD(20_000), 150), LearnedRate("6391", MicroUSD(25_000), 50, mixed=True)]


def read(folder: Path, name: str, text: str | bytes) -> dict[str, int]:
    return dict(read_rates(write(folder, name, text)).rates)


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "prefix,microUSD\n63,20000\n6391,18000\n",
        "prefix,microUSD,source,date\n63,20000,price list,2026-11-01\n6391,18000,price list,2026-11-01\n",
        "\ufeffprefix,microUSD\r\n+63,20000\r\n +6391 , 18000\r\n",
        "Prefix;Micro USD;Source\n63;20000;x\n6391;18000\n",
        "country,MICRO_USD,p_refix\nPhilippines,20000,63\nGlobe,18000,6391\n",
        '\n\nprefix,microUSD\n\n"63","20000"\n,,\n6391,18000',
    ],
    ids=["two columns", "four columns", "BOM and plus", "semicolons", "other columns and order", "blank lines"],
)
def test_a_csv_file_of_rates_is_read(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, "rates.csv", text) == {"63": 20_000, "6391": 18_000}


def test_a_toml_file_of_rates_is_read(tmp_path: Path) -> None:
    text = 'source = "price list"\ndate = 2026-11-01\n[rates]\n63 = 20000\n"6391" = 18_000\n"+1" = 0\n'
    path = write(tmp_path, "rates.toml", text)
    assert dict(read_rates(path).rates) == {"63": 20_000, "6391": 18_000, "1": 0}
    assert read_rates(path).source == "rates.toml (price list, 2026-11-01)"


@pytest.mark.parametrize(
    ("rows", "source"),
    [
        ("63,20000,price list,2026-11-01\n1,1,price list,2026-11-01", "rates.csv (price list, 2026-11-01)"),
        ("63,20000,price list,", "rates.csv (price list)"),
        ("63,20000,,2026-11-01", "rates.csv (2026-11-01)"),
        ("63,20000", "rates.csv"),
        ("63,20000,price list,\n1,1,hearsay,", "rates.csv (several sources)"),
        ("63,20000,a\x1b[2Jb,", "rates.csv (a [2Jb)"),
    ],
)
def test_rates_say_which_file_and_which_list_they_come_from(tmp_path: Path, rows: str, source: str) -> None:
    path = write(tmp_path, "rates.csv", f"prefix,microUSD,source,date\n{rows}\n")
    assert read_rates(path).source == source


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (
            "63,0.02",
            "line 2: '0.02' is no whole number of micro-USD, of which a dollar has 1000000: write 20000 for $0.02",
        ),
        ("63,$0.0125", "line 2: '$0.0125' is no whole number of micro-USD, .* write 12500 for $0.0125"),
        ('63,"0,02"', "line 2: '0,02' is no whole number of micro-USD, .* write 20000 for $0.02"),
        ("63,20000.0", "'20000.0' is no whole number of micro-USD, .* write 20000 for $0.02"),
        ("63,NaN", "'NaN' is no whole number of micro-USD"),
        ("63,sNaN", "'sNaN' is no whole number of micro-USD"),
        ("63,-1e999999999", "-1e999999999 is below zero"),
        ("63,1e-999999999", "'1e-999999999' is no whole number"),
        ("63,1e999999999", "'1e999999999' is no whole number"),
        ("63,\u0665", "is no whole number of micro-USD"),
        ("63,", "line 2: '' is no whole number of micro-USD, .* write 20000 for $0.02"),
        ("63", "line 2: '' is no whole number of micro-USD"),
        ("63,20000\n1,-5", "line 3: -5 is below zero: write a price of 0 or more, in micro-USD"),
        ("63,639171234567", "line 2: 639171234567 is over $1,000.00 for one SMS part"),
        ("63," + "9" * 5_000, "is over $1,000.00 for one SMS part"),
        ("63,1\n1,1\n+63,2", "line 4: the prefix 63 has a rate already: keep one of the two"),
        ("PH,20000", "line 2: 'PH' is no prefix: write the digits that numbers begin with, such as 63917"),
        ("63x,20000", "line 2: '63x' is no prefix"),
        (",20000", "line 2: '' is no prefix"),
        ("+,20000", "is no prefix"),
        ("\u0666\u0663,1", "is no prefix"),
        ("0917,20000", "line 2: the prefix 0917 begins with 0: write it with its dialing code"),
        ("6391712345678901,1", "has over 15 digits, more than any number has"),
        ("", "there are no rates in it"),
        ('63,"2', "line 2: this is not CSV"),
    ],
)
def test_a_wrong_line_is_told_with_its_place_and_what_to_do(tmp_path: Path, rows: str, complaint: str) -> None:
    said = refusal(write(tmp_path, "rates.csv", f"prefix,microUSD\n{rows}\n"))
    assert re.search(complaint.replace("$", r"\$"), said), said


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "63,20000\n",
            "there is no column prefix in the header, which has 63, 20000: it must begin with prefix,microUSD",
        ),
        ("prefix,price\n63,20000\n", "there is no column microUSD in the header, which has prefix, price"),
        ("prefix,micro USD,MICROUSD\n", "the header names the column microUSD twice"),
        ("", "there is no column prefix in the header, which has nothing"),
        (b"prefix,microUSD\n63,1,\xff\n", "this is not UTF-8 text: save it as CSV (UTF-8)"),
    ],
)
def test_a_csv_file_that_is_no_table_of_rates_is_refused(tmp_path: Path, text: str | bytes, complaint: str) -> None:
    assert complaint in refusal(write(tmp_path, "rates.csv", text))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("63 = 20000\n", "there is no table [rates] in it: write [rates], and below it lines such as 63 = 20000"),
        ("rates = 5\n", "there is no table [rates]"),
        ("[rates]\n", "there are no rates in it"),
        ("63 = 1\n[rates]\n63 = 1\n", "'63' is not known there: only source and date stand above [rates]"),
        ("[rates]\n63 = 0.02\n", "rates.toml, '63': '0.02' is no whole number of micro-USD"),
        ("[rates]\n63 = -1\n", "rates.toml, '63': -1 is below zero"),
        ("[rates]\n63 = true\n", "rates.toml, '63': '?' is no whole number"),
        ("[rates]\n63.9 = 1\n", "rates.toml, '63': '?' is no whole number"),
        ("[rates]\nPH = 1\n", "rates.toml, 'PH': 'PH' is no prefix"),
        ('[rates]\n63 = 1\n"+63" = 2\n', "rates.toml, '+63': the prefix 63 has a rate already"),
        ("[rates]\n63 = 1\n63 = 2\n", "this is not TOML"),
        ("[rates\n", "this is not TOML"),
        (b"[rates]\n63 = 1 # \xff\n", "this is not UTF-8 text: save it as TOML (UTF-8)"),
    ],
)
def test_a_toml_file_that_is_no_table_of_rates_is_refused(tmp_path: Path, text: str | bytes, complaint: str) -> None:
    assert complaint in refusal(write(tmp_path, "rates.toml", text))


def test_rates_are_in_a_file_whose_ending_says_its_format(tmp_path: Path) -> None:
    assert "rates are in a .csv or a .toml file" in refusal(write(tmp_path, "rates.xlsx", "x"))
    assert read(tmp_path, "RATES.CSV", "prefix,microUSD\n63,1\n") == {"63": 1}


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path / "rates.csv") == f"{tmp_path}/rates.csv: there is no such file of rates"
    (tmp_path / "folder.csv").mkdir()
    assert "the rates cannot be read: Is a directory" in refusal(tmp_path / "folder.csv")


@pytest.mark.parametrize("name", ["rates.csv", "rates.toml"])
def test_what_was_written_is_read_again(tmp_path: Path, name: str) -> None:
    write_rates(tmp_path / name, LEARNED, 'learned from "a,b;c\\d".run', "2026-11-24")
    rates = read_rates(tmp_path / name)
    assert dict(rates.rates) == {"63": 20_000, "6391": 25_000}
    assert rates.source == f'{name} (learned from "a,b;c\\d".run, 2026-11-24)'


@given(source=st.text(st.characters(codec="utf-8"), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", ["rates.csv", "rates.toml"])
def test_any_source_can_be_written(tmp_path: Path, name: str, source: str) -> None:
    write_rates(tmp_path / name, LEARNED, source, "2026-11-24")
    assert dict(read_rates(tmp_path / name).rates) == {"63": 20_000, "6391": 25_000}


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(tmp_path: Path) -> None:
    path = write(tmp_path, "rates.csv", "prefix,microUSD\n63,1\n")
    with pytest.raises(UnicodeEncodeError):
        write_rates(path, LEARNED, "\ud800", "2026-11-24")
    assert dict(read_rates(path).rates) == {"63": 1}
    assert list(tmp_path.iterdir()) == [path]


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_rates(path)
    said = str(caught.value)
    assert said.startswith(str(path))
    assert "\n" not in said
    return said
