"""``bulksend web``: the same on a local page, in the browser."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bulksend import runs
from bulksend.cli.codes import ExitCode
from bulksend.cli.console import console
from bulksend.cli.options import BASE_URL, DATABASE
from bulksend.cli.settings import Command, option
from bulksend.cli.values import USD
from bulksend.errors import UsageError

if TYPE_CHECKING:
    from bulksend.web import PageSettings

_NEEDED = ("jinja2", "aiohttp_sse")


@click.command(
    cls=Command,
    examples=("bulksend web", "bulksend web campaigns --no-open", "bulksend web --database postgresql://user@host/db"),
    exits={
        ExitCode.OK: "it was ended, as it is meant to be",
        ExitCode.USAGE: "usage, the port is taken, or the database cannot be used",
        ExitCode.STOPPED: "the database cannot be reached",
    },
)
@click.argument("folder", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path))
@option("--port", metavar="N", type=click.IntRange(0, 65535), default=0, show_default=True, help="0: any free one.")
@option("--no-open", is_flag=True, help="Only say which file opens the page.")
@option(
    "--confirm-above",
    metavar="USD",
    type=USD,
    default=50,
    show_default="50",
    help="What costs more is sent only when somebody writes the amount.",
)
@DATABASE
@BASE_URL
def command(
    folder: Path | None, *, port: int, no_open: bool, confirm_above: int, database: str | None, base_url: str
) -> ExitCode:  # fmt: skip
    """Open a page in the browser, on this machine alone, that plans and sends the campaigns of a folder.

    With --database it shows the runs of that database, and leaves what is sent to workers.

    Ctrl-C ends it; what it sends then ends in order, and goes on when somebody says so.
    """
    folder = folder or Path()
    if not folder.is_dir():
        raise UsageError(f"{folder}: this is no folder")
    if not all(map(importlib.util.find_spec, _NEEDED)):
        raise UsageError("the page needs an extra: in bulksend's folder, pip install '.[web]'")
    if database:
        runs.trusted(database)
    from bulksend.web import PageSettings  # noqa: PLC0415 -- an extra

    settings = PageSettings(
        folder,
        runs.state_folder() / "web",
        port,
        base_url.rstrip("/"),
        confirm_above=confirm_above,
        database=database or "",
    )
    return asyncio.run(_serve(settings, opens=not no_open))


async def _serve(settings: PageSettings, *, opens: bool) -> ExitCode:
    from bulksend.web import PageServer  # noqa: PLC0415 -- an extra

    out, ended = console(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with PageServer(settings) as server:
        address = server.entry.resolve().as_uri()
        is_open = opens and await asyncio.to_thread(webbrowser.open, address)
        says = "The page is open in your browser" if is_open else f"Open this within a minute: {address}"
        out.print(f"{says}. It is for this machine alone, at port {server.port}, and ends with Ctrl-C.", soft_wrap=True)
        await ended.wait()
        out.print("What is being sent ends in order ...")
    return ExitCode.OK
