"""The names that people and programs give to columns of phone numbers."""

from __future__ import annotations

import pytest

from bulksend.planning.usual import Fit, fit_of

MOBILE = (
    "Mobile", "MOBILE NO.", "Cell Phone 1", "Phone (Mobile)", "Mobile number (for SMS)", "Mobile Phone Number",
    "Celular", "Contact Mobile No", "SMS Phone Number", "Handynummer", "No. HP", "Número de celular",
    "Person - Phone - Mobile", "Phone : mobile", "Mobile Number (09xxxxxxxxx)",
)  # fmt: skip
PHONE = (
    "Phone", "Primary Phone", "Phone 1", "Phone1", "Customer Phone", "Contact Phone Number", "Phone 1 - Value",
    "URN:Tel", "Numero", "Número", "Teléfono", "Billing Phone", "Phone number (required)", "Number", "Contact #",
    "Recipients", "Respondent phone",
)  # fmt: skip
OTHER = (
    "Home Phone", "Home Phone 2", "Phone 2 - Value", "Business Phone", "Assistant's Phone", "Shipping Phone",
    "Mobile 2", "Default Address Phone", "Emergency Contact Number", "Phone (Home)", "Parent Mobile",
    "Person - Phone - Work",
)  # fmt: skip
NONE = (
    "Name", "Phone 1 - Type", "Phone model", "House number", "No", "Contact", "numbers of points", "Business Fax",
    "SMS Consent", "Customer Number", "Mobile Number (Guardian)", "Hotel", "Contact ID",
)  # fmt: skip
NAMES = [
    *((name, Fit.MOBILE) for name in MOBILE),
    *((name, Fit.PHONE) for name in PHONE),
    *((name, Fit.MESSENGER) for name in ("Viber", "WhatsApp Number")),
    ("SMS", Fit.SMS),
    *((name, Fit.GROUPED) for name in ("household/mobile_number", "emergency_contact/phone")),
    *((name, Fit.OTHER) for name in OTHER),
    *((name, None) for name in NONE),
]


@pytest.mark.parametrize(("name", "fit"), NAMES)
def test_a_name_tells_how_well_its_column_fits_an_sms(name: str, fit: Fit | None) -> None:
    assert fit_of(name) is fit
