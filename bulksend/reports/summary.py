"""A run in a few lines, as they stand before its rows."""

from __future__ import annotations

from datetime import datetime

from bulksend.model import Status
from bulksend.reports.wording import why_ended
from bulksend.reports.workbook import Mark, Summary
from bulksend.runs import Run, name_of, place_of
from bulksend.sms import dollars


def summary_of(run: Run, chosen: str = "") -> Summary:
    """What became of a run as a whole, and when.

    Args:
        run: the run.
        chosen: by what its rows were chosen, if only some of them follow.
    """
    tally, facts = run.tally(), run.facts
    stretches = run.figures.stretches()
    lines: list[tuple[str, str | int]] = [("run", name_of(place_of(run.place))), ("input", facts.input_name)]
    if facts.address.is_rehearsal:
        lines.append(("rehearsal", "sent to a private sandbox: nothing reached a phone, and nothing was paid"))
    lines.append(("rows", tally.rows))
    lines += [(status.value, tally.statuses[status]) for status in Status]
    if tally.in_flight:
        lines.append(("in flight", tally.in_flight))
    if run.receipts.were_fetched:
        known = run.receipts.deliveries(0)
        lines += [("reached", known.reached), ("not reached", known.failed), ("not known yet", known.open)]
    lines.append(("charged", f"{dollars(tally.charged)} by the API's words"))
    if stretches:
        lines += [("first attempt", _moment(stretches[0].since_s)), ("last outcome", _moment(stretches[-1].until_s))]
    if (end := run.spell.end) is not None:
        lines.append(("last send ended", why_ended(end)))
    if chosen:
        lines.append(("only rows with", chosen))
    doubts = tally.statuses[Status.UNKNOWN] + tally.in_flight
    return Summary(lines, Mark(tally.statuses[Status.SENT], doubts, facts.plan_id))


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
