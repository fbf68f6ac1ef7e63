"""Which column is what: by its name, by a mapping, or by a guess that is told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from bulksend.errors import Advice, InputError, Remark, Severity, UsageError
from bulksend.planning.reading import shown
from bulksend.planning.usual import Fit, fit_of
from bulksend.rules import Rule
from bulksend.sms import column_key

FIELDS = ("to", "contactId", "message", "from")
"""What a column can be, beside a merge field; these names are found whatever their case, spaces and ``_``."""

_SHOWN = 20
_NAMED = 3


class Columns:
    """Where in a row its fields are.

    Args:
        name: the input's name, for errors.
        mapping: (field, column name) pairs, where a column has another name than its field. Several for one field are
            tried in this order; an empty name says that no column is the field.
        fixed: whether no more columns can come.

    Attributes:
        names: the input's columns.
        places: indices of the columns of each field, in the order in which they are tried.
        tried: the fields for which several columns are named.
        notes: what was guessed.
    """

    def __init__(self, name: str, mapping: Sequence[tuple[str, str]], *, fixed: bool) -> None:
        self.is_fixed = fixed
        self.names: list[str] = []
        self.notes: list[Remark] = []
        self.places: dict[str, tuple[int, ...]] = dict.fromkeys(FIELDS, ())
        self._name = name
        self._mapping = mapping
        self._mapped = {field for field, _ in mapping}
        self.tried = {field for field in FIELDS if len([each for each, _ in mapping if each == field]) > 1}
        self._guessed: str | None = None
        self._alike: str | None = None
        for field, column in mapping:
            if not column and field in self.tried:
                raise UsageError(f"the field {field!r} has a column, and is to have none: leave one of them out")

    def bind(self, names: Sequence[str]) -> None:
        """Find the fields among the input's columns, as far as they are known.

        Raises:
            InputError: the columns do not fit, or it is not clear which of them is the recipient.
            UsageError: a mapping names a column that is not there.
        """
        self.names = list(names)
        self._keys = [column_key(name) for name in names]
        for field in FIELDS:
            self.places[field] = self._mapped_places(field)
        taken = {place for places in self.places.values() for place in places}
        for field in ("to", "message", "from"):
            if field not in self._mapped:
                self.places[field] = self._only(self._free(column_key(field), taken))
        taken.update(self.places["message"] + self.places["from"])
        self.places["contactId"] = self.places["contactId"] or self._find_contact(taken)
        if "to" not in self._mapped and (self._guessed or not (self.to is not None or self.contact is not None)):
            self.places["to"] = self._guess(taken)
        if self.is_fixed:
            self.check()

    def check(self) -> None:
        """Once all columns are known: see that there is one for the recipient, and those that a mapping names.

        Raises:
            InputError: there is none.
            UsageError: a mapping names a column that is not there.
        """
        for field, column in self._mapping:
            if column and column_key(column) not in self._keys:
                raise UsageError(
                    f"there is no column {column!r} for the field {field!r}; the columns are {self.shown}",
                    Advice.MAP_FIELD,
                    field=field,
                )
        if self.to is None and self.contact is None:
            raise InputError(
                f"{shown(self._name)}: there is no column for the recipient; the columns are {self.shown}",
                Advice.MAP_RECIPIENT,
            )

    @property
    def to(self) -> int | None:
        """Index of the number's column, the first of them if there are several; None if there is none."""
        return next(iter(self.places["to"]), None)

    @property
    def contact(self) -> int | None:
        """The same of the contact's id."""
        return next(iter(self.places["contactId"]), None)

    @property
    def of_recipients(self) -> tuple[int, ...]:
        """The places of the recipients' columns."""
        return self.places["to"] + self.places["contactId"]

    @property
    def of_rows_own(self) -> tuple[int, ...]:
        """The places of the columns that hold the rows' own texts and senders."""
        return self.places["message"] + self.places["from"]

    @property
    def is_alike(self) -> bool:
        """Whether the contact's column only looks like the API's own."""
        return self._alike is not None

    @property
    def number_wins(self) -> bool:
        """Whether a row's number counts more than its contact: only the number's column was named on purpose."""
        return "to" in self._mapped and "contactId" not in self._mapped

    @property
    def shown(self) -> str:
        """The input's columns in words."""
        return ", ".join(repr(name) for name in self.names[:_SHOWN]) or "none"

    def name_of(self, field: str) -> str:
        """The input's own name of a field's column, the first of several; the field's name if there is none."""
        return next((self.names[place] for place in self.places[field]), field)

    def passed_over(self) -> str:
        """The columns that hold numbers too, and are no field, in words; empty if there are none."""
        fields = {place for places in self.places.values() for place in places}
        others = [repr(self.names[place]) for place in self._numbers(fields)]
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        return ", ".join(others[:_NAMED]) + more

    def doubt(self, number: int, contact: int) -> InputError:
        """Why nobody knows who the recipient is: it may be a number, or a contact of one or another program."""
        return InputError(
            f"{shown(self._name)}: the recipient could be the number in {self.names[number]!r}, or the engageSPARK "
            f"contact whose id is in {self.names[contact]!r}",
            Advice.CHOOSE_RECIPIENT,
            column=self.names[number],
            contact=self.names[contact],
        )

    # ---- by name ----

    def _mapped_places(self, field: str) -> tuple[int, ...]:
        found = [self._only(self._free(column_key(name), ())) for each, name in self._mapping if each == field and name]
        return tuple(dict.fromkeys(place for places in found for place in places))

    def _free(self, key: str, taken: Collection[int]) -> list[int]:
        return [place for place, its_key in enumerate(self._keys) if its_key == key and place not in taken]

    def _only(self, places: Sequence[int]) -> tuple[int, ...]:
        if len(places) > 1:
            raise InputError(
                f"{shown(self._name)}: the header names a needed column twice: {self._these(places, 'and')}; rename or "
                "remove one"
            )
        return tuple(places)

    def _find_contact(self, taken: Collection[int]) -> tuple[int, ...]:
        """The API's own contactId; one that only looks like it may be another program's, of other people."""
        if "contactId" in self._mapped:
            return ()
        alike = self._free(column_key("contactId"), taken)
        exact = [place for place in alike if self.names[place].strip("\ufeff \t\r\n").casefold() == "contactid"]
        if exact and not self._alike:
            self._note_order(exact[0])
            return self._only(exact)
        if not alike:
            return ()
        numbers = [*self.places["to"], *self._numbers({*taken, *alike})]
        if self._alike or not self.places["to"]:
            if numbers or exact:
                raise self.doubt([*numbers, *exact][0], alike[0])
            found = self._only(alike)
            self._alike = self.names[found[0]]
            return found
        self._note_alike(self.names[alike[0]])
        return ()

    def _note_alike(self, name: str) -> None:
        says = f"{name!r} is a merge field here, for only a column 'contactId' is surely engageSPARK's"
        self._note(Remark(says, Rule.COLUMN_CONTACT, Advice.MAP_CONTACT, about={"column": name}))

    def _note_order(self, contact: int) -> None:
        if self.number_wins and self.places["to"]:
            says = f"{self.names[contact]!r} counts only in rows whose {self.name_of('to')!r} is empty"
            self._note(Remark(says, Rule.COLUMN_CONTACT, Advice.IGNORE_CONTACT, Severity.PERSON))

    def _note(self, remark: Remark) -> None:
        if remark not in self.notes:
            self.notes.append(remark)

    # ---- by a guess ----

    def _numbers(self, taken: Collection[int]) -> list[int]:
        """Columns that may hold numbers, the best first."""
        fits = {place: fit for place, name in enumerate(self.names) if place not in taken and (fit := fit_of(name))}
        return sorted(fits, key=fits.__getitem__)

    def _guess(self, taken: Collection[int]) -> tuple[int, ...]:
        """The one column that has a usual name for numbers; also if another would have been chosen later on."""
        fits = {place: fit for place, name in enumerate(self.names) if place not in taken and (fit := fit_of(name))}
        chosen = {self._keys.index(column_key(self._guessed)), *self.places["to"]} if self._guessed else set()
        places = sorted(chosen | {place for place, fit in fits.items() if fit < Fit.GROUPED})
        if any(fits.get(place, Fit.PHONE) <= Fit.PHONE for place in places):
            places = [place for place in places if fits.get(place) is not Fit.SMS or place in chosen]
        if not places:
            return ()
        places += [place for place, fit in fits.items() if fit is Fit.GROUPED]
        if len(places) > 1:
            raise InputError(
                f"{shown(self._name)}: {self._these(places, 'or')} could be the recipient's number",
                Advice.CHOOSE_COLUMN,
                column=self.names[min(places, key=lambda place: fits.get(place, Fit.MOBILE))],
            )
        if self._guessed is None:
            self._guessed = self.names[places[0]]
            self.places["to"] = tuple(places)
            others = self.passed_over()
            beside = f", not from {others}" if others else ""
            says = f"the numbers are taken from the column {self._guessed!r}{beside}"
            self._note(Remark(says, Rule.COLUMN_GUESS, Advice.MAP_OTHER))
        return tuple(places)

    def _these(self, places: Iterable[int], word: str) -> str:
        return f" {word} ".join(repr(self.names[i]) for i in places)
