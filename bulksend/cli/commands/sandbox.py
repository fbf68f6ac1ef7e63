"""``bulksend sandbox``: a local server that behaves as the API's document says."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from bulksend.cli.codes import ExitCode
from bulksend.cli.groups import Group, with_options
from bulksend.cli.settings import Command, option
from bulksend.cli.values import CAP, DURATION
from bulksend.engagespark import Sandbox, SandboxOptions, parse_fail, parse_latency
from bulksend.model import PhoneNumber
from bulksend.sending import PHILIPPINES, Cap, Caps
from bulksend.sms import Rates, read_rates

_MICRO = 1_000_000
_MOBILE = PhoneNumber("639")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the sandbox behaves."""

    port: int
    token: str
    org_id: int
    latency: str
    fail: tuple[str, ...]
    lose_answers: float
    undelivered: float
    receipts_after: float
    balance: float
    auto_recharge: float
    rates: Path | None
    caps: tuple[Cap, ...]
    legacy: bool
    log: Path | None
    seed: int | None

    def options(self) -> SandboxOptions:
        """What the server wants to know."""
        cap = Caps(self.caps).of(_MOBILE) or PHILIPPINES  # the sandbox's telcos are Philippine
        latency_s, jitter_s = parse_latency(self.latency)
        return SandboxOptions(
            token=self.token,
            org_id=self.org_id,
            latency_s=latency_s,
            latency_jitter_s=jitter_s,
            fail=tuple(parse_fail(text) for text in self.fail),
            lose_answers=self.lose_answers,
            undelivered=self.undelivered,
            receipt_delay_s=self.receipts_after,
            balance_micro=round(self.balance * _MICRO),
            recharge_micro=round(self.auto_recharge * _MICRO),
            rates=read_rates(self.rates) if self.rates else Rates({}),
            legacy=self.legacy,
            cap_count=cap.count,
            cap_window_s=cap.window_s,
            seed=self.seed,
            log_path=self.log,
        )


SERVER = Group(
    "server",
    ServerSettings,
    (
        option(
            "--port",
            metavar="N",
            type=click.IntRange(0, 65535),
            default=8080,
            show_default=True,
            help="0: any free one.",
        ),
        option("--token", metavar="KEY", default="sandbox", show_default=True, help="The API key that it takes."),
        option(
            "--org-id", metavar="N", type=click.IntRange(min=1), default=1, show_default=True, help="The organization."
        ),
        option(
            "--latency", metavar="TIME", default="0", show_default=True, help="Of each answer: 0.1, 100ms, 100ms±50ms."
        ),
        option("--fail", metavar="STATUS=SHARE", multiple=True, help="Fail some requests: 500=0.01. Repeatable."),
        option(
            "--lose-answers",
            metavar="SHARE",
            type=click.FloatRange(0, 1),
            default=0.0,
            help="Accept some messages and cut the connection without an answer.",
        ),
        option(
            "--undelivered",
            metavar="SHARE",
            type=click.FloatRange(0, 1),
            default=0.0,
            help="Accept some messages that do not reach their phone, as their receipts tell.",
        ),
        option(
            "--receipts-after",
            metavar="TIME",
            type=DURATION,
            default="0s",
            show_default=True,
            help="How long after a message its delivery receipt is in.",
        ),
        option(
            "--balance", metavar="USD", type=click.FloatRange(min=0), default=10_000.0, show_default=True, help="Funds."
        ),
        option(
            "--auto-recharge",
            metavar="USD",
            type=click.FloatRange(min=0),
            default=0.0,
            help="Add so much when funds run out.",
        ),
        option(
            "--rates",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Prices by prefix.  [default: $0.02 per SMS part]",
        ),
        option(
            "--cap",
            "caps",
            metavar="63=5/60",
            type=CAP,
            multiple=True,
            help=f"The telcos' cap.  [default: {PHILIPPINES}]",
        ),
        option("--legacy", is_flag=True, help="Exactly the document: clientDedup, balance and lists are not known."),
        option("--log", metavar="FILE", type=click.Path(path_type=Path), help="Append what arrives to a JSONL file."),
        option("--seed", metavar="N", type=int, help="Makes chance repeatable."),
    ),
)


@click.command(
    cls=Command,
    examples=("bulksend sandbox", "bulksend sandbox --port 0 --latency 100ms±50ms --fail 500=0.02"),
    exits={ExitCode.OK: "it was ended, as it is meant to be", ExitCode.USAGE: "usage, or the port is taken"},
)
@with_options(SERVER)
def command(server: ServerSettings) -> ExitCode:
    """Run a local server that behaves as the API's document says, until interrupted.

    It listens on 127.0.0.1 only. What it received: GET /sandbox/log and /sandbox/summary.
    """
    return asyncio.run(_serve(server.options(), server.port))


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
