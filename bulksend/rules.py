"""The rules behind remarks, each with an id that stays: what a remark is about, and where it is written up.

``docs/rules.md`` says of each when it fires, and from where it is known; a test holds the two together.
"""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """A rule, by its id; the values stand in run files, in settings, and beside the sentences that people see."""

    PH_HOURS = "PH-HOURS"
    PH_OPTOUT = "PH-OPTOUT"
    PH_NAME = "PH-NAME"
    PH_SHORT = "PH-SHORT"
    PH_LINK_SIM = "PH-LINK-SIM"
    PH_LINK_BANK = "PH-LINK-BANK"
    PH_LINK_PLAIN = "PH-LINK-PLAIN"
    PH_SENDER = "PH-SENDER"
    PH_TEST = "PH-TEST"
    PH_CONTENT = "PH-CONTENT"
    PH_PERMIT = "PH-PERMIT"
    US_HOURS = "US-HOURS"
    US_SENDER = "US-SENDER"
    COUNTRY = "COUNTRY"
    COUNTRY_CONTACT = "COUNTRY-CONTACT"
    FREQ = "FREQ"
    CONSENT = "CONSENT"
    OPTOUT_CONTACT = "OPTOUT-CONTACT"

    VALUE_NONE = "VALUE-NONE"
    VALUE_FORMULA = "VALUE-FORMULA"
    VALUE_GARBLED = "VALUE-GARBLED"
    VALUE_MARKUP = "VALUE-MARKUP"
    VALUE_FIELD = "VALUE-FIELD"
    VALUE_EMPTY = "VALUE-EMPTY"
    TEXT_UCS2 = "TEXT-UCS2"
    TEXT_GSM = "TEXT-GSM"
    TEXT_PLAIN = "TEXT-PLAIN"
    TEXT_API = "TEXT-API"
    OWN_TEXT = "OWN-TEXT"
    OWN_SENDER = "OWN-SENDER"

    NUMBER_ABROAD = "NUMBER-ABROAD"
    NUMBER_NEW = "NUMBER-NEW"
    NUMBER_FIXED = "NUMBER-FIXED"
    NUMBER_ZEROS = "NUMBER-ZEROS"
    NUMBER_SERIES = "NUMBER-SERIES"
    TWICE_TEXT = "TWICE-TEXT"
    TWICE_PHONE = "TWICE-PHONE"
    TWICE_CONTACT = "TWICE-CONTACT"
    EXCLUDE_LIST = "EXCLUDE-LIST"
    EXCLUDE_CELL = "EXCLUDE-CELL"
    EXCLUDE_CONTACT = "EXCLUDE-CONTACT"

    COLUMN_GUESS = "COLUMN-GUESS"
    COLUMN_CONTACT = "COLUMN-CONTACT"
    COLUMN_TRIED = "COLUMN-TRIED"
    COLUMN_BAR = "COLUMN-BAR"
    COLUMN_VALUE = "COLUMN-VALUE"
    READ_TEXT = "READ-TEXT"
    READ_HEADER = "READ-HEADER"
    READ_SHEET = "READ-SHEET"
    READ_HIDDEN = "READ-HIDDEN"
    READ_LOOK = "READ-LOOK"

    @property
    def is_strict(self) -> bool:
        """Whether it is about what stands in texts and senders, so that strictness makes an error of it."""
        return self in _STRICT


_STRICT = frozenset({
    Rule.PH_OPTOUT, Rule.PH_NAME, Rule.PH_SHORT, Rule.PH_LINK_SIM, Rule.PH_LINK_BANK, Rule.PH_LINK_PLAIN,
    Rule.PH_SENDER, Rule.PH_TEST, Rule.PH_CONTENT, Rule.PH_PERMIT, Rule.US_SENDER,
    Rule.VALUE_NONE, Rule.VALUE_FORMULA, Rule.VALUE_GARBLED, Rule.VALUE_MARKUP, Rule.VALUE_FIELD,
})  # fmt: skip
"""What a carrier may drop, a rule asks for, or nobody means; not what only costs more, nor whom and when."""
