"""Which column is what: by its name, by a mapping, or by a guess that is told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bulksend.errors import Advice, InputError, Remark, UsageError
from bulksend.planning.reading import shown
from bulksend.sms import column_key

FIELDS = ("to", "contactId", "message", "from")
"""What a column can be, beside a merge field; these names are found whatever their case, spaces and ``_``."""

USUAL_NAMES = frozenset(
    f"{kind}{what}"
    for kind in ("", "phone", "mobile", "cell", "cellphone", "mobilephone", "contact", "cp", "tel", "telephone", "sms")
    for what in ("", "number", "numbers", "no", "nr", "num", "#")
) - {"", "contact", "no", "nr", "num", "#", "sms", "numbers"} | frozenset({"msisdn", "recipient", "recipients",
    "phonenumberto", "fullphonenumber", "celphone", "handphone", "whatsapp", "whatsappnumber", "gsm"})  # fmt: skip
"""What people call the column of the phone numbers; compared without case, spaces and punctuation."""

_SHOWN = 20


class Columns:
    """Where in a row its fields are.

    Args:
        name: the input's name, for errors.
        mapping: (field, column name) pairs, where a column has another name than its field.
        fixed: whether no more columns can come.

    Attributes:
        names: the input's columns.
        to: index of the number's column; None if there is none, as with the others.
        notes: what was guessed.
    """

    def __init__(self, name: str, mapping: Sequence[tuple[str, str]], *, fixed: bool) -> None:
        self.is_fixed = fixed
        self.names: list[str] = []
        self.notes: list[Remark] = []
        self.to: int | None = None
        self.contact: int | None = None
        self.message: int | None = None
        self.sender: int | None = None
        self._name = name
        self._mapping = mapping
        self._guessed: str | None = None

    def bind(self, names: Sequence[str]) -> None:
        """Find the fields among the input's columns, as far as they are known.

        Raises:
            InputError: the columns do not fit.
            UsageError: a mapping names a column that is not there.
        """
        self.names = list(names)
        self._keys = [column_key(name) for name in names]
        mapped = {field: self._mapped(column) for field, column in self._mapping}
        taken = set(mapped.values())
        self.to, self.contact, self.message, self.sender = (
            mapped[field] if field in mapped else self._place(column_key(field), taken) for field in FIELDS
        )
        if "to" not in mapped and (self._guessed or (self.to is None and self.contact is None)):
            self.to = self._guess({*taken, self.message, self.sender})
        if self.is_fixed:
            self.check()

    def check(self) -> None:
        """Once all columns are known: see that there is one for the recipient, and those that a mapping names.

        Raises:
            InputError: there is none.
            UsageError: a mapping names a column that is not there.
        """
        for field, column in self._mapping:
            if column_key(column) not in self._keys:
                raise UsageError(
                    f"there is no column {column!r} for the field {field!r}; the columns are {self._shown()}",
                    Advice.MAP_FIELD,
                    field=field,
                )
        if self.to is None and self.contact is None:
            raise InputError(
                f"{shown(self._name)}: there is no column for the recipient; the columns are {self._shown()}",
                Advice.MAP_RECIPIENT,
            )

    def name_of(self, field: str) -> str:
        """The input's own name of a field's column; the field's name if there is none."""
        place = {"to": self.to, "contactId": self.contact, "message": self.message, "from": self.sender}[field]
        return field if place is None else self.names[place]

    def _place(self, key: str, taken: set[int | None]) -> int | None:
        places = [i for i, its_key in enumerate(self._keys) if its_key == key and i not in taken]
        if len(places) > 1:
            raise InputError(
                f"{shown(self._name)}: the header names a needed column twice: {self._these(places, 'and')}; rename or "
                "remove one"
            )
        return places[0] if places else None

    def _mapped(self, column: str) -> int | None:
        return self._place(column_key(column), set())

    def _guess(self, taken: set[int | None]) -> int | None:
        """The one column that has a usual name for numbers; also if another would have been chosen later on."""
        places = [
            i
            for i, name in enumerate(self.names)
            if i not in taken and (usual_key(name) in USUAL_NAMES or i == self.to)
        ]
        if not places:
            return None
        if len(places) > 1:
            raise InputError(
                f"{shown(self._name)}: {self._these(places, 'or')} could be the recipient's number",
                Advice.CHOOSE_COLUMN,
                column=self.names[places[0]],
            )
        if self._guessed is None:
            self._guessed = self.names[places[0]]
            self.notes.append(Remark(f"the numbers are taken from the column {self._guessed!r}", Advice.MAP_OTHER))
        return places[0]

    def _these(self, places: Sequence[int], word: str) -> str:
        return f" {word} ".join(repr(self.names[i]) for i in places)

    def _shown(self) -> str:
        return ", ".join(repr(name) for name in self.names[:_SHOWN]) or "none"


def usual_key(name: str) -> str:
    """What is compared of a column's name when guessing."""
    return re.sub(r"[^\w#]|_", "", name.casefold())
