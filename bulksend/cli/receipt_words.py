"""Delivery receipts in words: of one message, and of a run's; and the same for scripts."""

from __future__ import annotations

from bulksend.model import Reached, Receipt
from bulksend.runs import Deliveries, Run
from bulksend.words import printable


def receipt_words(receipt: Receipt) -> str:
    """Whether it reached its phone, as far as that is told."""
    match receipt.to_phone:
        case Reached.CONFIRMED:
            return "it reached the phone"
        case Reached.FAILED:
            return "it did not reach the phone" + (f": {printable(receipt.error)}" if receipt.error else "")
        case _:
            took = {None: "", True: "; the telco took it", False: "; the telco has not taken it"}[receipt.to_telco]
            return f"not known yet whether it reached the phone{took}"


def of_receipt(receipt: Receipt | None) -> dict[str, object]:
    """The same for scripts, by the names of the results; nothing where there is none."""
    if receipt is None:
        return {}
    return {
        "deliveredToTelco": receipt.to_telco,
        "deliveredToPhone": receipt.to_phone.value,
        "deliveryError": receipt.error or None,
    }


def deliveries_of(run: Run) -> Deliveries | None:
    """What became of a run's sent messages; None if no receipts were fetched into it."""
    return run.receipts.deliveries(0) if run.receipts.were_fetched else None


def delivery_words(known: Deliveries) -> str:
    """How many reached their phones."""
    others = ((known.failed, "not reached"), (known.open, "not known yet"))
    beside = ", ".join(f"{count:,} {what}" for count, what in others if count)
    return f"{known.reached:,}  (by their receipts{f'; {beside}' if beside else ''})"


def of_deliveries(known: Deliveries | None) -> dict[str, object]:
    """The same for scripts; nothing where no receipts were fetched."""
    if known is None:
        return {}
    return {"delivered": known.reached, "notDelivered": known.failed, "notKnown": known.open}
