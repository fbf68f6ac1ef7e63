"""Columns that seem to say who agreed to get messages, or does not want any."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from bulksend.errors import Advice, Remark, Severity
from bulksend.planning.batch import PlannedBatch
from bulksend.planning.columns import Columns
from bulksend.planning.remarks.noted import KINDS_MAX
from bulksend.planning.usual import usual_key
from bulksend.rules import Rule
from bulksend.sms import column_key
from bulksend.words import many, printable

_AGAINST = re.compile(
    r"unsub|opt(?:ed|ing)?out|(?:donot|dont)(?:contact|call|text|sms|message|disturb|send)|nosms|nomarketing|"
    r"blacklist|blocklist|suppressed|revoked|withdr[ae]wn|^(?:is|has|on|sms)?(?:dnd|dnc|dncr|blocked|stop|stopped)"
    r"(?:sms|status|list|flag)?$"
)
_FOR = re.compile(
    r"consent|opt(?:ed|s)?in|accepts?.*marketing|marketing(?:allowed|permission|accepted|status|ok)|permission|"
    r"agree.*(?:sms|text|contact|message|receiv|marketing)|^(?:is|has)?(?:sms)?subscri(?:bed|ption(?:status)?$)|"
    r"oktotext|cantext|textok|smsok|receives?sms|^sms(?:marketing|allowed|enabled)"
)
_MAYBE = re.compile(r"^(?:sms|(?:sms|contact|member|subscriber|profile)?status)$")
"""Names of columns that are about consent only if all they hold is."""
_OF_SOMETHING_ELSE = re.compile(r"mail|fax|(?:source|method|ip|url|level|version|by|id|reason)$")
_MOMENT = re.compile(r"(?:time|date|timestamp)$|(?:in|ed)(?:at|on)$")
_NO_WORDS = "no|n|false|0|f|off|none|never|nein|non|nao|nope|unchecked"
_IN_WORDS = "optedin|optin|subscribed"
_NO = re.compile(
    f"{_NO_WORDS}|denied|declined|refused|withdrawn|revoked|optedout|optout|unsubscribed|(?:not|non|never)subscribed|"
    "cleaned|disagreed?"
)
_YES = re.compile(
    f"{_IN_WORDS}|yes|y|true|1|t|on|x|ok|okay|✓|✔|☑|si|oui|ja|sim|oo|opo|checked|given|granted|accepted|agreed?|allowed"
)
_NOT_AGAINST = re.compile(f"{_NO_WORDS}|{_IN_WORDS}|")
_NAMED = 4


class Consent:
    """Messages that a column may speak against.

    Args:
        columns: the input's.
        chosen: names of the columns by which rows are chosen already.
    """

    def __init__(self, columns: Columns, chosen: frozenset[str]) -> None:
        self._columns = columns
        self._chosen = frozenset(map(usual_key, chosen))
        self._known = 0
        self._places: list[int] = []
        self._values: dict[str, Counter[str]] = {}

    def add(self, batch: PlannedBatch, texts: str) -> None:  # noqa: ARG002 -- the topics' signature
        """See `Topic.add`."""
        if len(self._columns.names) != self._known:
            self._look()
        for place in self._places:
            counts = self._values.setdefault(self._columns.names[place], Counter())
            values = Counter(cells[place].strip() for i, cells in enumerate(batch.cells) if i not in batch.flaws)
            for value, rows in values.items():
                counts[value if value in counts or len(counts) < KINDS_MAX else "…"] += rows

    def remarks(self) -> Iterator[Remark]:
        """See `Topic.remarks`."""
        for name, spelled in self._values.items():
            values = _alike(spelled)
            against = _speaks_against(name)
            out = [value for value in values if not _may_go(value, against=against)]
            rows = sum(values[value] for value in out)
            if rows and (all(map(_is_about_consent, values)) or not _MAYBE.search(usual_key(name))):
                says = f"{many(rows, 'message')} {'goes' if rows == 1 else 'go'} to people who may not want them, by "
                yield _advised(f"{says}{name!r}: {_counted(values)}", name, values, out, against=against)

    def _look(self) -> None:
        self._known = len(self._columns.names)
        fields = {place for places in self._columns.places.values() for place in places}
        self._places = [
            place
            for place, name in enumerate(self._columns.names)
            if place not in fields and usual_key(name) not in self._chosen and _is_consent(name)
        ]


def _is_consent(name: str) -> bool:
    key = usual_key(name)
    if _OF_SOMETHING_ELSE.search(key):
        return False
    is_for = _FOR.search(key) and not _MOMENT.search(key)
    return _speaks_against(name) or bool(is_for or _MAYBE.search(key))


def _speaks_against(name: str) -> bool:
    return bool(_AGAINST.search(usual_key(name)))


def _may_go(value: str, *, against: bool) -> bool:
    word = _word(value)
    return bool((_NOT_AGAINST if against else _YES).fullmatch(word))


def _is_about_consent(value: str) -> bool:
    word = _word(value)
    return not word or bool(_YES.fullmatch(word) or _NO.fullmatch(word))


def _word(value: str) -> str:
    return re.sub(r"[\s_.'-]+", "", value.casefold())


def _alike(values: Counter[str]) -> Counter[str]:
    """Those together that a choice of rows does not tell apart, as the first of them is written."""
    found: Counter[str] = Counter()
    names: dict[str, str] = {}
    for value, rows in values.items():
        found[names.setdefault(column_key(value), value)] += rows
    return found


def _counted(values: Counter[str]) -> str:
    named = [f"{_value(value)} in {rows:,}" for value, rows in values.most_common(_NAMED)]
    more = f" and {len(values) - _NAMED:,} other values" if len(values) > _NAMED else ""
    return ", ".join(named) + more


def _advised(says: str, name: str, values: Counter[str], out: list[str], *, against: bool) -> Remark:
    """With the choice of rows that leaves them out, as short as can be."""
    column = printable(name, 300)
    kept = [value for value in values if value not in out]
    advice, choice = Advice.KEEP_BY_CONSENT, f"{column}=VALUE"
    if against and len(out) <= _NAMED:
        advice, choice = Advice.LEAVE_OUT_BY_CONSENT, f"{column}={_listed(out)}"
    elif against or kept:
        choice = f"{column}={_listed(kept)}"
    return Remark(says, Rule.CONSENT, advice, Severity.PERSON, {"choice": choice})


def _listed(values: Iterable[str]) -> str:
    """As a choice of rows is written."""
    return ",".join(f'"{value}"' if "," in value else value for value in values)


def _value(value: str) -> str:
    return repr(printable(value, 30)) if value else "nothing"
