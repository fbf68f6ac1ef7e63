"""``bulksend sandbox``: a local server that behaves as the API's document says."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import click

from bulksend.cli.codes import ExitCode
from bulksend.cli.options import CAP
from bulksend.cli.settings import Command, option
from bulksend.engagespark.sandbox import Sandbox, SandboxOptions, parse_fail, parse_latency
from bulksend.model import PhoneNumber
from bulksend.sending import PHILIPPINES, Caps
from bulksend.sms.rates.file import read_rates
from bulksend.sms.rates.table import Rates

_MICRO = 1_000_000
_MOBILE = PhoneNumber("639")


@click.command(cls=Command)
@option("--port", metavar="N", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any free one.")
@option("--token", metavar="KEY", default="sandbox", show_default=True, help="The API key that it takes.")
@option("--org-id", metavar="N", type=click.IntRange(min=1), default=1, show_default=True, help="The organization.")
@option("--latency", metavar="TIME", default="0", show_default=True, help="Of each answer: 0.1, 100ms, 100ms±50ms.")
@option("--fail", metavar="STATUS=SHARE", multiple=True, help="Fail some requests: 500=0.01. Repeatable.")
@option(
    "--lose-answers",
    metavar="SHARE",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Accept some messages and cut the connection without an answer.",
)
@option("--balance", metavar="USD", type=click.FloatRange(min=0), default=10_000.0, show_default=True, help="Funds.")
@option(
    "--auto-recharge", metavar="USD", type=click.FloatRange(min=0), default=0.0, help="Add so much when funds run out."
)
@option(
    "--rates", metavar="FILE", type=click.Path(path_type=Path), help="Prices by prefix.  [default: $0.02 per SMS part]"
)
@option("--cap", "caps", metavar="63=5/60", type=CAP, multiple=True, help=f"The telcos' cap.  [default: {PHILIPPINES}]")
@option("--legacy", is_flag=True, help="Exactly the document: clientDedup, balance and lists are not known.")
@option("--log", metavar="FILE", type=click.Path(path_type=Path), help="Append what arrives to a JSONL file.")
@option("--seed", metavar="N", type=int, help="Makes chance repeatable.")
def command(**given: Any) -> ExitCode:
    """Run a local server that behaves as the API's document says, until interrupted.

    It listens on 127.0.0.1 only. What it received: GET /sandbox/log and /sandbox/summary.
    """
    return asyncio.run(_serve(_options(given), given["port"]))


def _options(given: dict[str, Any]) -> SandboxOptions:
    cap = Caps(given["caps"]).of(_MOBILE) or PHILIPPINES  # the sandbox's telcos are Philippine
    latency_s, jitter_s = parse_latency(given["latency"])
    return SandboxOptions(
        token=given["token"],
        org_id=given["org_id"],
        latency_s=latency_s,
        latency_jitter_s=jitter_s,
        fail=tuple(parse_fail(text) for text in given["fail"]),
        lose_answers=given["lose_answers"],
        balance_micro=round(given["balance"] * _MICRO),
        recharge_micro=round(given["auto_recharge"] * _MICRO),
        rates=read_rates(given["rates"]) if given["rates"] else Rates({}),
        legacy=given["legacy"],
        cap_count=cap.count,
        cap_window_s=cap.window_s,
        seed=given["seed"],
        log_path=given["log"],
    )


async def _serve(settings: SandboxOptions, port: int) -> ExitCode:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with Sandbox(settings, port=port) as sandbox:
        sys.stdout.write(f"{sandbox.base_url}\n")
        sys.stdout.flush()
        click.echo(
            f"The sandbox listens on {sandbox.base_url}, organization {settings.org_id}, API key {settings.token!r}.\n"
            f"Send to it: BULKSEND_API_KEY={settings.token} bulksend send INPUT --base-url {sandbox.base_url} "
            f"--org-id {settings.org_id}\nIt ends with Ctrl-C.",
            err=True,
        )
        await ended.wait()
        seen = sandbox.summary()
        click.echo(f"{seen.accepted:,} accepted, {seen.refused:,} refused, {seen.lost:,} lost to the cap.", err=True)
    return ExitCode.OK  # being stopped is how it is meant to end
