"""The summary objects of ``--json``; their names are fixed, for scripts rely on them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from bulksend.cli.codes import ExitCode
from bulksend.engagespark import Balance
from bulksend.model import Status
from bulksend.planning.duration import min_seconds
from bulksend.planning.overview import Plan, Tally
from bulksend.sending import SendOptions

if TYPE_CHECKING:
    from bulksend.campaign import SendReport

_STATUSES = (
    Status.SENT,
    Status.REJECTED,
    Status.FAILED,
    Status.UNKNOWN,
    Status.INVALID,
    Status.SKIPPED,
    Status.PENDING,
)


def of_run(run: Path, tally: Tally) -> dict[str, object]:
    """Where a run stands."""
    return {
        "run": str(run),
        "rows": tally.rows,
        **{status.value: tally.statuses[status] for status in _STATUSES},
        "attempts": tally.attempts,
        "estimateMicro": tally.charged,
    }


def of_send(run: Path, report: SendReport, code: ExitCode) -> dict[str, object]:
    """How a send ended."""
    return of_run(run, report.tally) | {
        "seconds": round(report.seconds, 3),
        "rate": round(report.sent_now / report.seconds, 1) if report.seconds else 0,
        "exit": int(code),
    }


def of_estimate(plan: Plan, options: SendOptions, balance: Balance | None) -> dict[str, object]:
    """What a plan comes to; the price is of the messages with a known rate, null if there is none."""
    tally, overview = plan.tally, plan.overview
    return {
        "rows": tally.rows,
        "sendable": overview.rows,
        "invalid": tally.statuses[Status.INVALID],
        "skipped": tally.statuses[Status.SKIPPED],
        "parts": overview.parts,
        "estimateMicro": None if overview.rows and overview.unpriced == overview.rows else overview.price,
        "currency": "USD",
        "minSeconds": round(max(min_seconds(overview, options)), 3),
        "balanceMicro": None if balance is None else balance.micro,
    }


def write(summary: dict[str, object]) -> None:
    """Put a summary on stdout, on one line."""
    sys.stdout.write(orjson.dumps(summary).decode() + "\n")
