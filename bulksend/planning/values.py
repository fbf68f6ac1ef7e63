"""Cells that go into texts: trimmed, and looked at for what nobody means."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from bulksend.errors import Remark, Severity, Why
from bulksend.model import API_FIELD
from bulksend.planning.batch import FilledIn, Flaw, refuse
from bulksend.planning.oddities import Odd, Oddity, Signs
from bulksend.rules import Rule

_FOREIGN_FIELD = "its cell holds {{...}}, which the API would take for one of its own fields: remove the braces"
_ERROR = "is a spreadsheet's error in this row, no value: correct the formula, or fill it in by hand"
_IN_TEMPLATE = {
    Oddity.GARBLED: "garbled letters",
    Oddity.MARKUP: "a sign of a web page or a program",
    Oddity.PLACEHOLDER: "a placeholder that nobody fills in",
}
_KEPT = 10_000  # different values of a merge field
_SHOWN = 20  # characters
_SPACES = "".join(filter(str.isspace, map(chr, range(0x3001)))).replace("\n", "").replace(" ", "")
_ASCII_SPACES = "".join(filter(str.isascii, _SPACES))
_NONE: frozenset[str] = frozenset()


def barred(names: Iterable[str]) -> list[Remark]:
    """What to say of merge fields that are columns with a bar in their names."""
    return [
        Remark(f"{{{name}}} is the column {name!r}, not another one with a value for empty cells", Rule.COLUMN_BAR)
        for name in dict.fromkeys(names)
        if "|" in name
    ]


class ValueCheck:
    """Looks at what goes into the texts of an input's rows.

    Cells are looked at all together, each different one once, and not again where batches before had no others: a
    look at each takes longer than all else that is done with it.

    Args:
        columns: names of the input's columns.
        kind: what the texts are, for people.
        matters: whether a value may say something by itself, so that its text is to be looked at by itself.
    """

    def __init__(self, columns: Collection[str], kind: str, matters: Callable[[str], bool]) -> None:
        self._kind = kind
        self._matters = matters
        self._singular: set[int] = set()
        self._signs = Signs(columns)
        self._found: list[Odd] = []
        self._filled_in: list[FilledIn] = []
        self._good: dict[str, set[str]] = {}  # what was looked at lately, and is as it should be

    def merged(
        self, cells: Sequence[str], name: str, needed: Sequence[int], flaws: dict[int, Flaw],
        fallback: str | None = None,
    ) -> Sequence[str]:  # fmt: skip
        """A merge field's values: there is one in each row that needs it, and none that the API would fill.

        Args:
            cells: of all rows of a batch.
            name: the merge field's.
            needed: the rows that it is filled in for.
            flaws: gets those that cannot be sent.
            fallback: what is filled in for an empty cell; None where there must be something.
        """
        place = f"{{{name}}}"
        different = set(cells)
        if different <= self._good.get(place, _NONE):
            return cells
        together = "\n".join(different)
        if not _is_trimmed(together, len(different)):
            cells = list(map(str.strip, cells))
            different = set(cells)
            together = "\n".join(different)
        if "" in different and fallback is not None:
            self._filled_in += [FilledIn(i, place, fallback) for i in needed if not cells[i]]
            cells = [cell or fallback for cell in cells]
            different = set(cells)
            together = "\n".join(different)
        is_good = self._is_good(cells, different, together, place, name, needed, flaws)
        if "" in different and fallback is None:
            says = f"{place} is empty in this row: fill the column in, or give the row its own {self._kind}"
            refuse(flaws, (i for i in needed if not cells[i]), Why(says), name)
        if API_FIELD in together:
            refuse(flaws, (i for i in needed if API_FIELD in cells[i]), Why(_FOREIGN_FIELD), name, cells)
        if self._matters(together) and (said := set(filter(self._matters, different))):
            self._singular.update(i for i in needed if cells[i] in said)
            is_good = False
        if is_good and "" not in different and API_FIELD not in together:
            good = self._good.setdefault(place, set())
            if len(good) > _KEPT:
                good.clear()
            good |= different
        return cells

    def own(self, cells: Sequence[str], name: str, rows: Sequence[int], flaws: dict[int, Flaw]) -> None:
        """Look at the texts that rows have of their own.

        Args:
            cells: of all rows of a batch, trimmed.
            name: their column's.
            rows: those that have one.
            flaws: gets those that cannot be sent.
        """
        self._singular.update(rows)
        self._is_good(cells, cells, "\n".join(cells), f"the row's own {self._kind}", name, rows, flaws)

    def template(self, literals: Iterable[str]) -> list[Remark]:
        """What is odd in the text for all rows, between its merge fields."""
        found = filter(None, map(self._signs.odd_in, literals))
        return [
            Remark(
                f"the {self._kind} for all rows has {seen!r}, {_IN_TEMPLATE[odd]}: it is sent so in each",
                odd.rule,
                severity=Severity.TEXT,
            )
            for odd, seen in found
        ]

    def taken(self) -> list[Odd]:
        """What was found since this was asked before; once, however often a merge field is used."""
        found, self._found = self._found, []
        return list(dict.fromkeys(found))

    def filled_in(self) -> list[FilledIn]:
        """Where a fallback was filled in since this was asked before; once, however often a merge field is used."""
        found, self._filled_in = self._filled_in, []
        return list(dict.fromkeys(found))

    def singular(self) -> frozenset[int]:
        """The rows, since this was asked before, whose text is to be looked at by itself."""
        found, self._singular = frozenset(self._singular), set()
        return found

    def _is_good(
        self,
        cells: Sequence[str],
        different: Collection[str],
        together: str,
        place: str,
        name: str,
        rows: Sequence[int],
        flaws: dict[int, Flaw],
    ) -> bool:
        """Whether there is nothing odd in a column's cells; what there is, is noted of the rows that it matters for."""
        odd = self._signs.odd_of(different, together)
        if not odd:
            return True
        found = [Odd(i, odd[cells[i]][0], place, _seen(cells[i], *odd[cells[i]])) for i in rows if cells[i] in odd]
        self._found += [each for each in found if each.kind is not Oddity.ERROR]
        errors = (each.row for each in found if each.kind is Oddity.ERROR)
        refuse(flaws, errors, Why(f"{place} {_ERROR}"), name, cells)
        return False


def _seen(cell: str, kind: Oddity, odd: str) -> str:
    """What to show of a cell: garbled letters say more within their word."""
    return cell if kind is Oddity.GARBLED and len(cell) <= _SHOWN else odd


def _is_trimmed(together: str, count: int) -> bool:
    """Whether none of so many cells, a line each, has a space at its ends."""
    return (
        together.count("\n") == count - 1
        and " \n" not in together
        and "\n " not in together
        and not together.startswith(" ")
        and not together.endswith(" ")
        and not any(map(together.__contains__, _ASCII_SPACES if together.isascii() else _SPACES))
    )
