"""Draw what benchmarks/results holds: ``python benchmarks/plot.py`` writes the .svg of three of them beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

RESULTS = Path(__file__).resolve().parent / "results"
WIDTH, LEFT, BAR, STEP, TOP = 700, 230, 18, 27, 52
LONGEST = WIDTH - LEFT - 80  # room for the figure behind a bar
# Greys and colours of middling lightness, which show on white and on dark alike.
INK, OURS, OTHERS = "#767d86", "#1f9d6b", "#5b8def"
PAGE = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"
 role="img" aria-label="{title}" font-family="system-ui, sans-serif" font-size="14" fill="{ink}">
<title>{title}</title>
<text x="10" y="22" font-size="16" font-weight="600">{title}</text>
<text x="10" y="40" font-size="12">{subtitle}</text>
{bars}
<text x="10" y="{foot}" font-size="12">{note}</text>
</svg>
"""
ROW = """<text x="{name_x}" y="{text_y}" text-anchor="end"{weight}>{name}</text>
<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar}" rx="2" fill="{colour}" fill-opacity="{fill}"
 stroke="{colour}" stroke-width="1.5"/>
<text x="{value_x:.1f}" y="{text_y}"{weight}>{value}</text>"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a plot: how long it is (0 to 1), what it says, and whether it is filled: keeps a record."""

    name: str
    share: float
    value: str
    is_ours: bool
    is_full: bool = True


def main() -> None:
    for name, plot in (("overhead", overhead), ("peers", peers), ("pacing", pacing)):
        path = RESULTS / f"{name}.json"
        if path.exists():
            record = json.loads(path.read_text())
            path.with_suffix(".svg").write_text(plot(record["result"], where(record)))


def where(record: dict[str, Any]) -> str:
    """What it was measured on."""
    machine = record["machine"]
    return f"{machine['cpu']}, one core for the client; Python {machine['python']}; {record['date']}"


def overhead(result: dict[str, Any], measured_on: str) -> str:
    names = {"bare": "bare aiohttp loop", "bulksend": "bulksend", "floor": "its connections alone"}
    servers = {"document": "", "echo": " (echo)"}
    figures = [
        (names[name] + says, us, name == "bulksend")
        for server, says in servers.items()
        for name, us in result[server]["cpu_us_per_send"].items()
    ]
    longest = max(us for _, us, _ in figures)
    bars = [Bar(name, us / longest, f"{us:.0f} µs", is_ours, is_ours) for name, us, is_ours in figures]
    title = "Processor time per message, start-up included (less is better)"
    note = f"{result['rows']:,} rows. Filled: keeps a record, heeds caps. Echo: a server that proves clientDedup."
    return page(title, measured_on, bars, note)


def peers(result: dict[str, Any], measured_on: str) -> str:
    found = {name: each for name, each in result["peers"].items() if each}
    top = math.ceil(math.log10(max(each["per_s"] for each in found.values())))
    bars = [
        Bar(
            name,
            math.log10(max(each["per_s"], 11) / 10) / (top - 1),
            f"{each['per_s']:,.0f}/s",
            name == "bulksend",
            each["keeps_record"],
        )
        for name, each in sorted(found.items(), key=lambda item: -item[1]["per_s"])
    ]
    note = "Logarithmic scale. Filled: keeps a record of what became of each row. Hollow: keeps none."
    return page("Messages per second, whole process (more is better)", measured_on, bars, note)


def pacing(result: dict[str, Any], measured_on: str) -> str:
    bars = [
        Bar(name, min(1.0, 1 / each["to_best"]), f"{1 / each['to_best']:.2f}", is_ours, is_ours)
        for kind, found in result["kinds"].items()
        for name, each, is_ours in (
            (kind, found, True),
            ("with 32", {"to_best": found["to_best"] / found["to_32"] if found["to_32"] else math.inf}, False),
        )
    ]
    note = "1: the pace of the best fixed number. Filled: the number that finds itself. Hollow: always 32."
    return page("Pace beside the best fixed concurrency (more is better)", measured_on, bars, note)


def page(title: str, subtitle: str, bars: Sequence[Bar], note: str) -> str:
    """A plot of horizontal bars."""
    height = TOP + STEP * len(bars) + 30
    return PAGE.format(
        width=WIDTH,
        height=height,
        ink=INK,
        title=escape(title),
        subtitle=escape(subtitle),
        bars="\n".join(row(bar, TOP + STEP * index) for index, bar in enumerate(bars)),
        foot=height - 10,
        note=escape(note),
    )


def row(bar: Bar, y: int) -> str:
    """One bar, its name before it and its figure behind it."""
    length = max(bar.share * LONGEST, 2)
    return ROW.format(
        name_x=LEFT - 10,
        text_y=y + BAR - 4,
        weight=' font-weight="600"' if bar.is_ours else "",
        name=escape(bar.name),
        left=LEFT,
        y=y,
        length=length,
        bar=BAR,
        colour=OURS if bar.is_ours else OTHERS,
        fill=1 if bar.is_full else 0.12,
        value_x=LEFT + length + 8,
        value=bar.value,
    )


if __name__ == "__main__":
    main()
