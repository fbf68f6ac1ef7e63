"""What people and programs call the column of the phone numbers."""

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum
from functools import cache

_WHAT = "(?:numbers?|no|nr|num|nummer|#)"
_WHOSE = (
    "(?:your|my|primary|main|default|preferred|personal|full|customers?|clients?|contacts?|billing|recipients?|leads?|"
    "subscribers?|members?|users?|buyers?|guests?|patients?|persons?|attendees?|respondents?|donors?|employees?)"
)
_NOTED = "(?:1|1value|value|primary|main|required|optional|forsms|sms|withcountrycode|[0-9x]{4,})"
_MOBILE = (
    "(?:mob(?:ile)?(?:tele)?(?:phone)?|cell(?:ular)?(?:phone)?|cel(?:phone)?|handphone|gsm|cp|sms(?:phone|mobile)|"
    "(?:telefono)?(?:celular|movil)|telephoneportable|mobil(?:telefon)?|handy)"
)
_PHONE = "(?:phone|tel|telephone|telefono?|telefone|contact(?:phone|tel))"
_IS_MOBILE = "(?:mobile|cell|cellphone)"
_NUMERO = "(?:numero(?:de)?|nomor|no)"

_MOBILES = (
    f"{_WHOSE}?(?:contact)?{_MOBILE}{_WHAT}?{_NOTED}?|{_WHOSE}?(?:{_PHONE}{_WHAT}?|{_WHAT}){_IS_MOBILE}|msisdn|sms{_WHAT}|"
    f"{_NUMERO}(?:telefono)?(?:celular|movil|hp|handphone)"
)
_PHONES = (
    f"{_WHOSE}?{_PHONE}{_WHAT}?{_NOTED}?|contact{_WHAT}|number|urntel|recipients?(?:number)?|phonenumberto|rufnummer|"
    f"numero|{_NUMERO}(?:telefono?|telephone|telefone|tel|telepon|contacto)"
)
_MESSENGERS = f"{_WHOSE}?(?:whatsapp|viber)(?:phone)?{_WHAT}?"
_OTHERS = (
    f".*(?:phone|mobile|celular|telefono|contact{_WHAT}|landline){_WHAT}?[0-9]?(?:value)?|"
    f"{_WHOSE}?{_PHONE}{_WHAT}?(?:home|work|office|business|other|[2-9])"
)


class Fit(IntEnum):
    """How well a column's name fits the number that an SMS is to go to, best first."""

    MOBILE = 1
    PHONE = 2
    SMS = 3
    """Numbers, if no other column is there; it may as well hold texts, or who agreed to get some."""
    MESSENGER = 4
    """A messenger's name; most of its users have the SMS on the same number."""
    GROUPED = 5
    """Any of these in a group of a form's questions, whose person may be another: a doubt beside any other column."""
    OTHER = 6
    """Another phone of the person, or another person's: never taken unasked."""


_FITS = {
    Fit.MOBILE: _MOBILES,
    Fit.PHONE: _PHONES,
    Fit.SMS: "sms",
    Fit.MESSENGER: _MESSENGERS,
    Fit.OTHER: _OTHERS,
}
_compiled = cache(re.compile)  # many a sheet names its columns as bulksend does, and none is asked for


def fit_of(name: str) -> Fit | None:
    """How well a column's name fits; None if it tells of no phone."""
    key = usual_key(name)
    found = next((fit for fit, pattern in _FITS.items() if _compiled(pattern).fullmatch(key)), None)
    if "/" in name and found in {None, Fit.OTHER} and is_usual(name.rpartition("/")[2]):
        return Fit.GROUPED
    return found


def is_usual(name: str) -> bool:
    """Whether a column of this name surely holds the recipients' numbers."""
    return fit_of(name) in {Fit.MOBILE, Fit.PHONE, Fit.MESSENGER}


def usual_key(name: str) -> str:
    """What is compared of a column's name when guessing: letters without their accents, digits and ``#``."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^\w#]|_", "", letters)
