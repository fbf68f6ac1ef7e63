"""The options of a help that has many, by what they are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

FEW = 20  # options that are read at one look

SECTIONS = {
    "What": (
        *("from", "message", "message-file", "map", "preview", "strict"),
        *("encoding", "delimiter", "sheet", "header-row", "gsm"),
    ),
    "Who": (
        *("only", "skip", "visible-only", "exclude", "exclude-dead", "duplicates", "one-per-number"),
        *("country", "countries", "allow-new-prefixes", "limit", "test-to", "row"),
        *("repeat", "repeat-after", "not-within", "history-days"),
    ),
    "Where": ("org-id", "base-url", "sandbox", "endpoint", "api-key-file", "api-key-command", "campaign", "no-dedup"),
    "Pace": (
        *("concurrency", "concurrency-max", "rate", "cap", "cap-counts"),
        *("timeout", "retries", "patience"),
    ),
    "Money": ("max-cost", "max-errors", "rates"),
    "When": ("start-at", "window", "window-end", "tz", "wait", "wait-limit", "detach"),
    "Output": (
        *("run", "new", "results", "output", "save", "dry-run", "yes", "no-progress", "quiet", "verbose", "json"),
        *("on-finish", "webhook", "webhook-secret-file", "log-file", "metrics-port", "metrics-file"),
        *("force", "config", "help"),
    ),
}
"""The options of each section, in their order. What stands in none comes first, under "Options"."""

_OTHERS = "Options"


def sections_of(
    listed: Sequence[tuple[click.Option, tuple[str, str]]],
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The lines of a help by section; of a few options there is one.

    Args:
        listed: the options with their lines, in the order in which a command declares them.
    """
    if len(listed) <= FEW:
        yield _OTHERS, [record for _, record in listed]
        return
    places = {name: (title, place) for title, names in SECTIONS.items() for place, name in enumerate(names)}
    found: dict[str, list[tuple[int, tuple[str, str]]]] = {title: [] for title in (_OTHERS, *SECTIONS)}
    for param, record in listed:
        title, place = places.get(max(param.opts, key=len).removeprefix("--"), (_OTHERS, 0))
        found[title].append((place, record))
    for title, placed in found.items():
        if placed:
            yield title, [record for _, record in sorted(placed, key=lambda each: each[0])]
