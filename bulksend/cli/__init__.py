"""The command line: options in, progress and tables out, exit codes. The only place that prints."""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, cast

import click
from click.exceptions import Exit

from bulksend import __version__
from bulksend.cli import interrupts
from bulksend.cli.advice import advised
from bulksend.cli.codes import ExitCode
from bulksend.cli.configuration import read_configuration
from bulksend.cli.streams import is_lost, open_closed, silence, talk_on
from bulksend.errors import BulksendError, UsageError

COMMANDS = {
    "estimate": "Plan and price a campaign; send nothing.",
    "send": "Plan, show the price, ask, send, write results; the same command again goes on.",
    "status": "Say where a run stands, also while it works.",
    "worker": "Send the runs of a database, beside as many others as are wanted.",
    "stop": "End a running send in order, from anywhere.",
    "results": "Write a run's results again.",
    "retry": "Write the rows that were not sent into a sheet, to be mended and sent.",
    "show": "Show what one row, or one person, got.",
    "runs": "Show the campaigns of a folder: when, what, state, sent, cost.",
    "find": "Say what a phone got, over all runs.",
    "report": "Write a page about a run, for whoever answers for it.",
    "receipts": "Fetch into a run which of its messages reached their phones.",
    "resolve": "Settle rows that may have been accepted: look them up, resend, or leave them.",
    "purge": "Take numbers, texts and cells out of a run, for good.",
    "optouts": "Keep the list of who is to get nothing more; it works on a run that is being sent.",
    "database": "Make the tables of a database in which runs are kept, or check them.",
    "history": "Forget who got what, so long ago.",
    "rates": "Learn what SMS parts cost from what earlier runs were charged.",
    "config": "Show what holds for each option, and where it comes from.",
    "web": "Plan and send on a local page, in the browser.",
    "sandbox": "Run a local server that behaves as the API's document says.",
}
"""Every command and its first line of help, so that ``--help`` need not import them."""

_RARELY = (
    10_000,
    20,
    10,
)  # when garbage is looked for: starting makes thousands of objects, and nearly all of them stay


_YES = frozenset({"1", "true", "t", "yes", "y", "on"})  # as click reads a flag in the environment


class _Commands(click.Group):
    """Imports a command's module when it is called."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """See click; options such as ``--help`` write here already."""
        with _output():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        with _output():
            code = super().invoke(ctx)
            sys.stdout.flush()
            return code

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- see above
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"bulksend.cli.commands.{cmd_name}")
        return cast("click.Command", module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- see above
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="bulksend")
def program() -> None:
    """Send an SMS campaign from a spreadsheet: never over a phone's cap, never twice, never lost.

    Every option is also read from the environment as BULKSEND_<NAME>, and from bulksend.toml in the current folder or,
    at home, in one above it.
    """


def main() -> NoReturn:
    """Run the command line and exit."""
    gc.set_threshold(*_RARELY)
    open_closed()
    talk_on()
    code = run(sys.argv[1:])
    gc.freeze()  # or Python would search all that was loaded for cycles once more
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command; its exit code. What the user did wrong is told in a sentence, never as a traceback."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, interrupts.terminated)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupts.interrupted)
    try:
        _check_addresses(arguments)
        return int(program.main(arguments, prog_name="bulksend", standalone_mode=False) or ExitCode.OK)
    except click.ClickException as error:
        error.show()
        return _failed(error.exit_code, error.format_message(), arguments)
    except click.Abort:
        if sys.stderr.isatty():
            click.echo(err=True)  # below the terminal's ^C
        click.echo("Interrupted.", err=True)
        return _failed(ExitCode.INTERRUPTED, "interrupted", arguments)
    except BulksendError as error:
        says = advised(error)
        if error.quotes and not (sys.stderr.isatty() or {"-v", "--verbose"} & {*arguments}):
            from bulksend.cli.people import unquoted  # noqa: PLC0415 -- most commands succeed

            says = unquoted(says, error.quotes)
        _say(f"Error: {says}")
        return _failed(interrupts.code_of(error), says, arguments)


@contextmanager
def _output() -> Iterator[None]:
    """If whoever reads the output has gone, click itself would end with 1, which speaks of rows.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        yield
    except BrokenPipeError:
        for stream in (sys.stdout, sys.stderr):
            silence(stream)
        raise Exit(ExitCode.STOPPED) from None
    except OSError as error:
        if not is_lost(sys.stdout):
            raise
        raise UsageError(f"standard output cannot be written: {error.strerror}") from error


def _check_addresses(arguments: list[str]) -> None:
    """See that no address of a database holds a password, before anything could repeat it."""
    for each in arguments:
        value = each.partition("=")[2] if each.startswith("-") else each
        if value.lower().startswith("postgres"):
            from bulksend.runs import check_database, is_database  # noqa: PLC0415 -- most commands name none

            if is_database(value):
                check_database(value)


def _say(sentence: str) -> None:
    """Say it on stderr, on a terminal in lines of whole words."""
    if not sys.stderr.isatty():
        click.echo(sentence, err=True)
        return
    from bulksend.cli.console import wrapped  # noqa: PLC0415 -- most commands succeed

    for line in wrapped(sentence, shutil.get_terminal_size().columns):
        click.echo(line, err=True)


def _failed(code: int, reason: str, arguments: list[str]) -> int:
    """The exit code of a command that came to nothing; a script that asked for an object gets one all the same."""
    if _wants_object(arguments):
        from bulksend.cli import summary  # noqa: PLC0415 -- most commands succeed

        summary.write_end({"exit": int(code), "reason": reason})
    return int(code)


def _wants_object(arguments: list[str]) -> bool:
    """Whether ``--json`` was said, here, in the environment or in the settings; what is no command takes none."""
    if "--json" in arguments:
        return True
    context = click.Context(program)
    command = next((found for each in arguments if (found := program.get_command(context, each))), None)
    flag = next((param for param in command.params if param.name == "as_json"), None) if command else None
    if command is None or flag is None:
        return False
    said = os.environ.get(f"{flag.envvar}", "")
    with suppress(BulksendError):
        said = said or str(read_configuration().settings.get("json", ""))
    return said.strip().lower() in _YES
