"""The options by which other programs are told what happens while something is sent."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click

from bulksend.cli.groups import Group
from bulksend.cli.settings import option


class WatchSettings(NamedTuple):
    """Which programs are told meanwhile."""

    log_file: Path | None
    metrics_port: int | None
    metrics_file: Path | None


WATCHING = Group(
    "watched",
    WatchSettings,
    (
        option(
            "--log-file",
            metavar="F",
            type=click.Path(path_type=Path),
            help="A file to which every attempt is added in JSON lines, and what happens to the run; numbers masked.",
        ),
        option(
            "--metrics-port",
            metavar="N",
            type=click.IntRange(1, 65_535),
            help="Serve metrics for Prometheus at this port of this machine, while it sends; needs the extra metrics.",
        ),
        option(
            "--metrics-file",
            metavar="F",
            type=click.Path(path_type=Path),
            help="Write them into a file for a textfile collector, every 5 s and at the end.",
        ),
    ),
)
