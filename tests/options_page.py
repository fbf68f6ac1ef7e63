"""The page of commands and options, made of the commands themselves; as a program it writes that anew."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from bulksend.cli import COMMANDS, program
from bulksend.cli.settings import Command

PAGE = Path(__file__).resolve().parents[1] / "docs" / "options.md"

_BEGINNING = """\
# Commands, options and exit codes

This page is made of the commands themselves (`python tests/options_page.py`); `bulksend COMMAND --help` shows the same.

A RUN is a run file, or an input whose run file lies beside it; a rehearsal's is taken only where there is no other, and
that is said. Or it is a name in a PostgreSQL database, `postgresql://user@host/db#june` ([database.md](database.md)).

Every option is also read from the environment as `BULKSEND_<NAME>` (repeatable ones separated by commas,
`BULKSEND_ONLY` and `BULKSEND_SKIP` one a line) and from `bulksend.toml`, by its name; the command line goes before the
environment, and that before the file ([configuration.md](configuration.md)). Progress and talk go to stderr; stdout is
for data.

## Exit codes

| code | meaning |
|---|---|
| 0 | every row was sent, or left out on purpose |
| 1 | finished, but some rows were not sent: invalid, rejected, failed or unknown, or left out because an earlier \
run had sent them; with `--repeat`, `--repeat-after`, `--not-within` or `--exclude-dead` the last is on purpose |
| 2 | usage or configuration, or with `--strict` a remark on texts or senders: nothing was sent |
| 3 | stopped early (`bulksend stop`, no funds, key refused, `--max-cost`, `--max-errors`, its window is closed, its \
moment is further away than `--wait-limit`, the server is for longer than `--patience`, the same rejection for all, \
the run file cannot be written, the answer to the question was no), or rows were tried and none was accepted; the same \
command goes on, after `--max-errors` with a higher one |
| 4 | another process owns the run, or is sending for the account |
| 130, 143 | interrupted, terminated; the same command goes on |

For `estimate`: 0 if all rows can be sent, 1 if some cannot, 2 if the input cannot be read as a whole, or with
`--strict` a remark is an error.
"""


def page() -> str:
    """The page as it should be."""
    sections = (section for name in COMMANDS for section in _sections(_command(program, name), f"bulksend {name}"))
    return "\n".join([_BEGINNING, *sections]).rstrip("\n") + "\n"


def _sections(command: click.Command, name: str) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    arguments = [
        word for word in command.collect_usage_pieces(context) if word not in {"[OPTIONS]", "COMMAND [ARGS]..."}
    ]
    yield f"## `{' '.join([name, *arguments])}`\n"
    yield f"{click.unstyle(_paragraphs(command.help or ''))}\n"
    if rows := [row for param in command.params if (row := _row(param, context))]:
        yield "\n".join(["| option | meaning |", "|---|---|", *rows]) + "\n"
    if isinstance(command, Command):
        yield "\n".join(["```sh", *command.examples, "```"]) + "\n"
        yield "\n".join(["Exit codes:\n", *(f"- **{code:d}** {means}" for code, means in command.exits.items())]) + "\n"
    if isinstance(command, click.Group):
        for part in command.list_commands(context):
            yield from _sections(_command(command, part), f"{name} {part}")


def _command(group: click.Group, name: str) -> click.Command:
    found = group.get_command(click.Context(group), name)
    if found is None:
        raise KeyError(name)
    return found


def _row(param: click.Parameter, context: click.Context) -> str | None:
    if not isinstance(param, click.Option) or param.hidden or param.name == "help":
        return None
    spelled = ", ".join(param.opts) + "".join(f" / {negation}" for negation in param.secondary_opts)
    value = "" if param.is_flag else f" {param.make_metavar(context)}"
    meaning = param.help or ""
    if param.show_default:
        meaning += f" [default: {param.default}]"
    return "| `{}` | {} |".format(*(" ".join(text.split()).replace("|", "\\|") for text in (spelled + value, meaning)))


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.replace("\b", "").split("\n\n") if part.strip())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
