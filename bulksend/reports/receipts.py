"""What stands of delivery receipts in the results."""

from __future__ import annotations

from collections.abc import Iterable

from bulksend.model import Receipt
from bulksend.runs import Run

COLUMNS = ("deliveredToTelco", "deliveredToPhone", "deliveryError", "chargedMicro")
"""They stand before the message, once receipts were fetched."""

_NO_MORE: tuple[int, Receipt | None] = (0, None)
_SPELLED = {True: "true", False: "false", None: None}  # as the API has it, and not as Python


class ReceiptCells:
    """The cells of a run's rows, which are asked for in input order.

    Args:
        run: the run.
        rows: which are asked for; None for all.
        has_types: whether what they are written into knows truth from text.

    Attributes:
        columns: the names of the cells; none if no receipt was fetched.
    """

    def __init__(self, run: Run, rows: range | None = None, *, has_types: bool) -> None:
        self.columns = COLUMNS if run.receipts.were_fetched else ()
        self._has_types = has_types
        self._receipts = iter(_found(run, rows) if self.columns else ())
        self._next = next(self._receipts, _NO_MORE)

    def of(self, row: int) -> tuple[object, ...]:
        """Those of a row."""
        which, receipt = self._next
        if which != row or receipt is None:
            return (None,) * len(self.columns)
        self._next = next(self._receipts, _NO_MORE)
        to_telco = receipt.to_telco if self._has_types else _SPELLED[receipt.to_telco]
        return (to_telco, receipt.to_phone, receipt.error or None, receipt.charged)


def _found(run: Run, rows: range | None) -> Iterable[tuple[int, Receipt]]:
    return run.receipts.all() if rows is None else sorted(run.receipts.of(list(rows)).items())
