"""The summary objects of ``--json``; their names are fixed, for scripts rely on them."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from bulksend import campaign
from bulksend.cli.receipt_words import of_deliveries, of_receipt
from bulksend.cli.streams import silence
from bulksend.model import Status
from bulksend.planning import Plan, Tally
from bulksend.runs import Asked, AtWork, Owner, Place, Run, Stand

if TYPE_CHECKING:
    from bulksend.campaign import SendOptions
    from bulksend.cli.codes import ExitCode
    from bulksend.cli.sending import EndTold
    from bulksend.engagespark import Balance, Looked
    from bulksend.runs import Deliveries
    from bulksend.when import Schedule

_STATUSES = (
    Status.SENT,
    Status.REJECTED,
    Status.FAILED,
    Status.UNKNOWN,
    Status.INVALID,
    Status.SKIPPED,
    Status.PENDING,
)


def of_run(place: str, tally: Tally) -> dict[str, object]:
    """What became of a run's rows."""
    return {
        "run": place,
        "rows": tally.rows,
        **{status.value: tally.statuses[status] for status in _STATUSES},
        "attempts": tally.attempts,
        "estimateMicro": tally.charged,
        "leftOut": tally.left_out,
    }


def of_stand(stand: Stand) -> dict[str, object]:
    """Where a run stands; who has it, and as long as somebody has, it has not ended."""
    end = stand.end
    return of_run(stand.place, stand.tally) | {
        "inFlight": stand.tally.in_flight,
        "state": stand.standing.value,
        "owner": stand.owner and of_owner(stand.owner),
        "workers": stand.shared and [of_worker(each) for each in stand.shared.here],
        "startsAt": stand.schedule.start and utc(stand.schedule.start.at_s),
        "waitsUntil": utc(stand.waits_until),
        "startedAt": utc(stand.spell.started_at),
        "endedAt": end and utc(end.at_s),
        "reason": end and end.reason,
        "purgedAt": stand.purge and utc(stand.purge.at_s),
    }


def of_runs(found: Sequence[Stand | campaign.Unread]) -> list[dict[str, object]]:
    """Where several runs stand, and which could not be read."""
    return [
        {"run": each.place, "state": "gone" if each.is_gone else "unreadable", "error": each.says}
        | {"startedAt": utc(each.began_at)}
        if isinstance(each, campaign.Unread)
        else of_stand(each) | {"input": each.input_name, "sandbox": each.is_rehearsal}
        for each in found
    ]


def of_search(found: campaign.Search) -> dict[str, object]:
    """What a phone got; a text that is not kept is null, and so is the beginning of a history that holds nothing."""
    return {
        "found": [
            {"run": hit.place, "row": hit.row, "status": hit.state, "at": utc(hit.at_s), "message": hit.text}
            | {"error": hit.error, "messageId": hit.message_id or None, "sandbox": hit.is_rehearsal}
            | of_receipt(hit.receipt)
            for hit in found.hits
        ],
        "runs": found.runs,
        "historySince": utc(found.since_s),
        "notLookedAt": [{"place": each.place, "error": each.says} for each in found.unread],
        "unknownContacts": found.nameless,
    }


def of_stop(run: Place, asked: Asked | None) -> dict[str, object]:
    """Who was asked to end, if anybody sends the run."""
    return {
        "run": str(run),
        "asked": asked is not None,
        "askedAt": asked and utc(asked.at_s),
        "owner": of_owner(asked.owner) if asked and asked.owner else None,
    }


def of_owner(owner: Owner) -> dict[str, object]:
    """Who has a run."""
    return {"pid": owner.pid, "host": owner.host, "since": utc(owner.since)}


def of_worker(worker: AtWork) -> dict[str, object]:
    """A worker that sends a run beside others."""
    return of_owner(worker.owner) | {"shards": worker.shards, "leaseSeconds": round(worker.left_s, 3)}


def utc(seconds: float | None) -> str | None:
    """A time for scripts: ISO 8601, UTC."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def of_send(run: Run, told: EndTold, results: Path) -> dict[str, object]:
    """How a send ended; what the rest costs is told of the messages whose price is known."""
    ending, ended = told.ending, told.ending.ended
    rest, balance = ending.rest, ended.balance
    lines = run.lines()
    return of_run(run.place, ended.tally) | {
        "seconds": round(ended.seconds, 3),
        "rate": round(ending.mean, 1),
        "exit": int(told.code),
        "reason": told.reason,
        "results": str(results),
        "finish": ending.finish.value,
        "stop": ended.stop and ended.stop.reason.value,
        "startedAt": utc(ended.since_s),
        "endedAt": utc(ended.until_s),
        "plannedMicro": sum(each.estimated for each in ending.charges),
        "notSent": [
            {"status": status.value, "rows": each.rows, "reason": each.says or None, "first": list(each.first)}
            | {"lines": [lines.of(row) for row in each.first]}
            for status, _, reasons in campaign.grouped(ending)
            for each in reasons
        ],
        "leftMicro": rest and rest.micro,
        "balanceMicro": balance and balance.micro,
        "topUpMicro": ending.top_up,
        "next": told.command or None,
    }


def of_receipts(run: Run, known: Deliveries, looked: Looked, code: ExitCode) -> dict[str, object]:
    """What became of a run's sent messages; `looked` says how asking went, and only then what is open is not told."""
    return {
        "run": run.place,
        "sent": known.sent,
        **of_deliveries(known),
        "reasons": [{"deliveryError": why.says or None, "rows": why.rows, "first": why.first} for why in known.reasons],
        "chargedMicro": known.charged if known.priced else None,
        "estimateMicro": known.estimated if known.priced else None,
        "charged": known.priced,
        "looked": looked.value,
        "exit": int(code),
    }


def of_estimate(
    plan: Plan, options: SendOptions, schedule: Schedule, now_s: float, balance: Balance | None
) -> dict[str, object]:
    """What a plan comes to; the price is of the messages with a known rate, null if there is none.

    The least time is from the first message to the last: what its windows are closed in between is part of it.
    """
    tally, overview = plan.tally, plan.overview
    least_s = campaign.least_s(overview, options)
    begins, ends = schedule.span(now_s, least_s)
    is_timed = not schedule.is_any_time and overview.rows > 0
    return {
        "rows": tally.rows,
        "sendable": overview.rows,
        "invalid": tally.statuses[Status.INVALID],
        "skipped": tally.statuses[Status.SKIPPED],
        "leftOut": tally.left_out,
        "parts": overview.parts,
        "estimateMicro": None if overview.rows and overview.unpriced == overview.rows else overview.price,
        "currency": "USD",
        "minSeconds": (round(ends - begins, 3) if ends < math.inf else None) if is_timed else round(least_s, 3),
        "startsAt": utc(begins) if is_timed else None,
        "endsAt": utc(ends) if is_timed and ends < math.inf else None,
        "balanceMicro": None if balance is None else balance.micro,
    }


def write(summary: object) -> None:
    """Put a summary on stdout, on one line."""
    sys.stdout.write(orjson.dumps(summary).decode() + "\n")
    sys.stdout.flush()


def write_end(summary: object) -> None:
    """The same of what was done: the exit code tells how it went also where nobody reads that any more."""
    try:
        write(summary)
    except OSError as error:
        silence(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            click.echo(f"The summary is not told: standard output cannot be written: {error.strerror}.", err=True)
