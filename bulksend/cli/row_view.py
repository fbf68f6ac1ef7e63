"""One row as people ask after it: what it is, what it costs, what was tried, and what became of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import orjson
from rich.console import Console

from bulksend.cli.console import MEANINGS, table
from bulksend.cli.receipt_words import of_receipt, receipt_words
from bulksend.cli.run_view import in_whose_words, rehearsed
from bulksend.model import Receipt, Status
from bulksend.planning import Lines
from bulksend.runs import Decision, RowTold, Run, State
from bulksend.sms import dollars
from bulksend.words import many, printable

_DECIDED = {
    None: "`bulksend resolve` looks it up, or settles it",
    Decision.RESEND.value: "it is to be sent again, on somebody's word",
    Decision.LEAVE.value: "it was left at that, on somebody's word",
}


def show_row(out: Console, run: Run, row: RowTold, lines: Lines, receipt: Receipt | None = None) -> None:
    """What became of a row, in plain words."""
    said = orjson.loads(row.answer) if row.answer else {}
    rows = table(f"Row {row.row}{lines.beside(row.row)} of {run.place}{rehearsed(run)}")
    rows.add_row("to", _recipient(row))
    if row.text:
        rows.add_row("from", printable(row.sender) if row.sender else "nobody: the telco puts a sender of its own")
        for number, line in enumerate(row.text.splitlines()):
            rows.add_row("" if number else "text", printable(line, 1_000))
        rows.add_row("size", f"{many(row.parts, 'SMS part')}, {row.encoding}")
        rows.add_row("price", _price(row, receipt, in_whose_words(run)))
    rows.add_row("attempts", _attempts(row))
    rows.add_row("outcome", _outcome(row))
    if receipt:
        rows.add_row("receipt", receipt_words(receipt))
    for name in ("messageId", "deliveryDeadline"):
        if said.get(name):
            rows.add_row(name, printable(str(said[name])))
    if row.http_status:
        rows.add_row("last answer", f"HTTP {row.http_status}")
    out.print(rows)


def of_row(row: RowTold, lines: Lines, receipt: Receipt | None = None) -> dict[str, object]:
    """The same for scripts: the names of the results, and what these do not have; of a receipt where there is one."""
    said = orjson.loads(row.answer) if row.answer else {}
    is_contact = isinstance(row.recipient, int)
    status = State(row.state).status if row.state in set(State) else Status(row.state)
    return {
        "row": row.row,
        "line": lines.of(row.row),
        "status": row.state if status is None else status.value,
        "to": row.number if is_contact else row.recipient,
        "contactId": row.recipient if is_contact else said.get("contactId"),
        "from": row.sender,
        "messageSent": row.text or None,
        "encoding": row.encoding,
        "parts": row.parts,
        "priceMicro": row.price,
        **{name: said.get(name) for name in ("messageId", "estimateParts", "estimateMicro", "deliveryDeadline")},
        "chargedMicro": row.charged if receipt is None or receipt.charged is None else receipt.charged,
        "error": row.error or None,
        "httpStatus": row.http_status,
        "attempts": row.attempts,
        "lastAttemptAt": _utc(row.started_at),
        "inDoubtSince": _utc(row.doubt_since),
        "decision": row.decision,
        **of_receipt(receipt),
    }


def _recipient(row: RowTold) -> str:
    if not isinstance(row.recipient, int):
        return row.recipient or "nobody: the row names none that can be sent to"
    return f"contact {row.recipient}" + (f", whose number is {row.number}" if row.number else "")


def _price(row: RowTold, receipt: Receipt | None, whose: str) -> str:
    planned = "no rate known" if row.price is None else f"{dollars(row.price)} estimated"
    if receipt and receipt.charged is not None:
        return f"{planned}; {dollars(receipt.charged)} charged, by its receipt"
    return planned if row.charged is None else f"{planned}; {dollars(row.charged)} charged {whose}"


def _attempts(row: RowTold) -> str:
    if not row.attempts or row.started_at is None:
        return "none"
    return f"{row.attempts:,}, the last at {_local(row.started_at)}"


def _outcome(row: RowTold) -> str:
    """What became of it, why, and what is open."""
    if row.state == State.IN_FLIGHT:
        return "in flight: it is under way, and its outcome is not noted yet"
    status = State(row.state).status if row.state in set(State) else Status(row.state)
    words = [f"{status} ({MEANINGS[status]})" if status else row.state]
    if row.error:
        words.append(printable(row.error))
    if row.state == State.UNKNOWN:
        since = f"since {_local(row.doubt_since)}, " if row.doubt_since else ""
        words.append(since + _DECIDED[row.decision])
    return "; ".join(words)


def _local(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _utc(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
