from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from bulksend.model import Encoding
from bulksend.sms.phones import BadNumber, normalise, normalise_contact_id
from bulksend.sms.segments import count
from bulksend.sms.template import Template

FOLDER = Path(__file__).parents[2] / "sample_data"


def rows_of(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers_of(rows: list[dict[str, str]]) -> Counter[str]:
    return Counter(normalise(row["to"]) for row in rows if row["to"])


def text_of(row: dict[str, str]) -> str:
    template = Template.parse((FOLDER / "template.txt").read_text(encoding="utf-8").removesuffix("\n"))
    bound = template.bind(list(row))
    cells = list(row.values())
    (filled,) = bound.fill([[cells[column].strip()] for column in bound.columns], 1)
    return row["message"] or filled


def test_every_row_of_the_sample_campaign_can_be_sent() -> None:
    rows = rows_of("campaign.csv")
    numbers = numbers_of(rows)
    assert len(rows) == 200
    assert all(normalise(number).startswith("639") for number in numbers)
    assert sorted(numbers.values(), reverse=True)[:2] == [8, 1]
    assert [normalise_contact_id(row["contactId"]) for row in rows if row["contactId"]] == [1001]


def test_nearly_every_text_of_the_sample_campaign_is_one_part() -> None:
    sizes = Counter((size.encoding, size.parts) for size in map(count, map(text_of, rows_of("campaign.csv"))))
    assert sizes == {
        (Encoding.GSM7, 1): 197,
        (Encoding.GSM7, 2): 1,
        (Encoding.UCS2, 1): 1,  # an emoji
        (Encoding.UCS2, 2): 1,  # the "ó" of a name, which GSM-7 does not have
    }


def test_the_sample_records_are_rows_of_the_sample_campaign() -> None:
    lines = (FOLDER / "campaign.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [{name: cell for name, cell in row.items() if cell} for row in rows_of("campaign.csv")]
    for line in lines:
        assert {name: str(value) for name, value in json.loads(line).items()} in rows


def test_the_sample_with_mistakes_has_two() -> None:
    rows = rows_of("campaign-with-mistakes.csv")
    assert [number for number, row in enumerate(rows, 1) if row["to"] and row["contactId"]] == [14]
    with pytest.raises(BadNumber, match=r"^too short"):
        normalise(rows.pop(6)["to"])
    assert set(numbers_of(rows).values()) == {1}
