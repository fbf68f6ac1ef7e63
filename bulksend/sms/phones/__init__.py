"""Phone numbers and contact ids as people write them in spreadsheets, made into what the API takes.

``spelling`` makes a cell into digits, ``numbering`` holds the countries' numbering plans as compiled
patterns, ``cells`` decides with both, and ``traits`` tells what a number is once it is read.
"""

from bulksend.sms.phones.cells import Column, normalise, normalise_all, normalise_contact_id
from bulksend.sms.phones.numbering import check_country
from bulksend.sms.phones.spelling import BadNumber
from bulksend.sms.phones.traits import country_of, dialing_code, may_be_mobile, read_abroad

__all__ = [
    "BadNumber",
    "Column",
    "check_country",
    "country_of",
    "dialing_code",
    "may_be_mobile",
    "normalise",
    "normalise_all",
    "normalise_contact_id",
    "read_abroad",
]
