"""Digits as they stand in spreadsheets, near the valid numbers of all countries."""

from __future__ import annotations

import phonenumbers
from hypothesis import strategies as st

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def spellings_of(region: str) -> st.SearchStrategy[str]:
    """Digits near a region's valid numbers, with and without dialing code, trunk prefix and junk."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
    assert plan is not None
    kinds = [kind for kind in (plan.mobile, plan.fixed_line, plan.toll_free, plan.general_desc) if kind]
    national = st.one_of([st.from_regex(k.national_number_pattern or "", fullmatch=True) for k in kinds])
    national = national.map(lambda digits: "".join(str(int(digit)) for digit in digits))
    code = str(plan.country_code)
    prefix = st.sampled_from(["", "", code, code, code + "0", "0", plan.national_prefix or "", "1", "8"])
    return st.builds("".join, st.tuples(prefix, national, st.sampled_from(["", "", "", "7"])))
