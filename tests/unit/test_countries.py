"""Which countries may be texted at all."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned import PlannedRow, rows_of

from bulksend.errors import Remark, UsageError
from bulksend.model import PhoneNumber, Status
from bulksend.planning.countries import Countries
from bulksend.planning.planner import Planner, PlanOptions
from bulksend.planning.reading import RawBatch
from bulksend.sms import phones

ANA, BEN, CY = "639171234567", "6581234567", "12025550123"
SHARED = {code: regions for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items() if len(regions) > 1}


def planned(
    countries: tuple[str, ...], *recipients: str, column: str = "to", country: str | None = None
) -> tuple[list[PlannedRow], list[Remark]]:
    columns = [column, "message"]
    planner = Planner("in.csv", PlanOptions(countries=countries, country=country), columns, fixed=True)
    rows = rows_of(planner.plan(RawBatch([[who, "Hi"] for who in recipients], {}), columns))
    return rows, planner.warnings


def test_numbers_of_other_countries_are_skipped_with_the_reason() -> None:
    rows, _ = planned(("PH", "US"), ANA, BEN, CY)
    assert [(row.status, row.error) for row in rows] == [
        (Status.PENDING, ""),
        (Status.SKIPPED, "it is a number of SG, and only PH, US may be texted"),
        (Status.PENDING, ""),
    ]


def test_however_a_number_is_spelled_its_country_counts() -> None:
    rows, _ = planned(("PH",), "0917 123 4567", "+65 8123 4567", "0065 8123-4567", country="PH")
    assert [row.status for row in rows] == [Status.PENDING, Status.SKIPPED, Status.SKIPPED]


def test_without_any_said_all_are_texted() -> None:
    rows, warnings = planned((), ANA, BEN, CY)
    assert {row.status for row in rows} == {Status.PENDING}
    assert warnings == []


def test_a_contacts_country_is_not_known_and_that_is_told() -> None:
    rows, warnings = planned(("PH",), "7", "8", column="contactId")
    assert {row.status for row in rows} == {Status.PENDING}
    assert [(each.rule, each.says) for each in warnings] == [
        (
            "COUNTRY-CONTACT",
            "2 rows go to contacts, whose country nobody knows before an answer tells their number: they are sent",
        )
    ]
    assert planned((), "7", column="contactId")[1] == []


def test_a_country_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="'XX' is no country"):
        Countries(("PH", "XX"))


@pytest.mark.parametrize("region", [region for regions in SHARED.values() for region in regions])
def test_countries_that_share_a_dialing_code_are_told_apart(region: str) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example is None or (found := phonenumbers.region_code_for_number(example)) is None:
        return
    number = PhoneNumber(f"{example.country_code}{phonenumbers.national_significant_number(example)}")
    assert phones.country_of_number(number) == found
    assert Countries((found,)).why(number) == ""
    assert (Countries(("PH",)).why(number) == "") is False


@given(st.sampled_from(["201", "212", "415", "809", "876", "787", "416", "604", "242", "671"]), st.integers(0, 9_999))
def test_an_american_area_is_all_of_one_country(area: str, last: int) -> None:
    number = PhoneNumber(f"1{area}555{last:04}")
    library = phonenumbers.region_code_for_number(phonenumbers.parse(f"+{number}"))
    assert library in {None, phones.country_of_number(number)}
