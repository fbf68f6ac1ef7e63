"""What happened over time, as pictures that need nothing but themselves: drawn by lets-plot, coloured by the page."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NamedTuple

from bulksend.errors import UsageError
from bulksend.reports.wording import ahead_s, local
from bulksend.runs import Slice, Stretch
from bulksend.words import figure

SIZE = (440, 210)
"""Width and height that the texts are made for; a page may draw them somewhat larger or smaller."""

_DAY_S = 86_400
_SLICES = 90  # so many steps still read as a line
_WIDTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, _DAY_S)
_MANY = 10  # SMS a second, so that a whole number of them tells enough
_LABELS = 4  # along the bottom
_PAUSE, _PAUSES = 0.04, 0.3  # of the picture's width, for each pause and for all
_MARKED = 12  # pauses; more are no marks but a pattern
_PARTLY = 1 / 3  # of a slice's width
_LEAST = 4  # slices; of fewer a picture tells less than the figures

# Colours that stand for others: the page has its own for each, by day and by night.
_INKS = {"line": (1, 1, 1), "band": (2, 2, 2), "grid": (3, 3, 3), "pause": (4, 4, 4)}
_COLOURS = {name: "#{:02x}{:02x}{:02x}".format(*ink) for name, ink in _INKS.items()}


class Chart(NamedTuple):
    """A picture.

    Attributes:
        title: what it shows, and in which unit.
        says: what can be read from it, in words.
        svg: the picture, safe to be put into a page as it is.
    """

    title: str
    says: str
    svg: str


def check_extra() -> None:
    """See that pictures can be drawn here.

    Raises:
        UsageError: a part of the installation is missing.
    """
    if find_spec("lets_plot") is None or find_spec("jinja2") is None:
        raise UsageError("for a page, lets-plot and Jinja2 are needed: in bulksend's folder, pip install '.[report]'")


def width_for(stretches: Sequence[Stretch]) -> float:
    """How wide slices of time are to be so that they read as a line, in seconds."""
    lasted_s = sum(each.until_s - each.since_s for each in stretches)
    return next((width for width in _WIDTHS_S if lasted_s / width <= _SLICES), lasted_s / _SLICES)


def charts(stretches: Sequence[Stretch], slices: Sequence[Slice], width_s: float) -> list[Chart]:
    """What was sent over time, and how long answers took; none for a run that was too short to tell."""
    steps = _steps(stretches, slices, width_s)
    if len(steps) < _LEAST:
        return []
    axis = _Axis(stretches)
    per_second = [step.told.sent / step.lasted_s for step in steps]
    is_short = width_s < 60 and max(per_second) >= _MANY  # its minutes would tell of more than it has sent
    unit, rates = ("second", per_second) if is_short else ("minute", [60 * each for each in per_second])
    says = f"{max(rates):,.0f} at most, in a slice of {_span(width_s)}."
    made = [Chart(f"SMS accepted a {unit}", says, _drawn(axis, steps, [rates]))]
    medians, slowest = [step.told.median_s for step in steps], [step.told.slow_s for step in steps]
    known = sorted(each for each in medians if each is not None)
    if known:
        worst = max(each for each in slowest if each is not None)
        unit, factor = ("s", 1.0) if worst >= 1 else ("ms", 1_000.0)
        curves = [[None if each is None else each * factor for each in values] for values in (slowest, medians)]
        says = (
            f"Line: half of the answers took no longer, mostly {figure(known[len(known) // 2] * factor)} {unit}. "
            f"Shade: 95 of 100 took no longer, {figure(worst * factor)} {unit} at most."
        )
        made.append(Chart(f"Time until the answer, in {unit}", says, _drawn(axis, steps, curves)))
    return made


class _Step(NamedTuple):
    """A slice of time, as far as it is of one stretch; in all stretches together it lasted as long as is said."""

    since_s: float
    until_s: float
    lasted_s: float
    told: Slice


class _Axis:
    """Time from left to right, pauses cut short."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self.stretches = stretches
        self._lasted_s = max(sum(each.until_s - each.since_s for each in stretches), 1.0)
        self._gap_s = self._lasted_s * min(_PAUSE, _PAUSES / len(stretches))
        self._starts: list[float] = []
        place = 0.0
        for each in stretches:
            self._starts.append(place)
            place += each.until_s - each.since_s + self._gap_s
        self.end = place - self._gap_s

    def place(self, at_s: float) -> float:
        """Where a time stands; one in a pause stands at its edge."""
        for start, each in zip(reversed(self._starts), reversed(self.stretches), strict=True):
            if at_s >= each.since_s:
                return min(start + min(at_s, each.until_s) - each.since_s, self.end)
        return 0.0

    @property
    def pauses(self) -> list[float]:
        """The middle of every pause."""
        return [start - self._gap_s / 2 for start in self._starts[1:]]

    @property
    def labels(self) -> dict[float, str]:
        """Some times in words, by where they stand; the first of a day has its date if there are several."""
        step_s = next((width for width in _WIDTHS_S if self._lasted_s / width <= _LABELS), _DAY_S)
        days = {local(each.since_s).date() for each in self.stretches} | {local(self.stretches[-1].until_s).date()}
        found: dict[float, str] = {}
        seen: set[object] = set()
        for each in self.stretches:
            shift_s = ahead_s(each.since_s)
            first_s = -(-(each.since_s + shift_s) // step_s) * step_s - shift_s
            at_s = each.since_s if len(self.stretches) > 1 else first_s
            while at_s <= each.until_s:
                here, then = self.place(at_s), local(at_s)
                if not found or (here - max(found) >= self._lasted_s / (_LABELS + 1) and here < 0.94 * self.end):
                    date = f"{then.day} {then:%b}" if len(days) > 1 and then.date() not in seen else ""
                    hour = "" if step_s >= _DAY_S else then.strftime("%H:%M:%S" if step_s < 60 else "%H:%M")
                    found[here] = f"{date} {hour}".strip()
                    seen.add(then.date())
                at_s = first_s if at_s < first_s else at_s + step_s
        return found


def _steps(stretches: Sequence[Stretch], slices: Sequence[Slice], width_s: float) -> list[_Step]:
    """The slices in each stretch, with those in which nothing happened; what is hardly of one tells too little."""
    known = {round(each.at_s / width_s): each for each in slices}
    pieces = [
        (place, max(each.since_s, place * width_s), min(each.until_s, (place + 1) * width_s), each)
        for each in stretches
        for place in range(int(each.since_s // width_s), math.ceil(each.until_s / width_s))
    ]
    lasted_s: defaultdict[int, float] = defaultdict(float)
    for place, since_s, until_s, _ in pieces:
        lasted_s[place] += until_s - since_s
    return [
        _Step(since_s, until_s, lasted_s[place], known.get(place, Slice(place * width_s, 0, None, None)))
        for place, since_s, until_s, stretch in pieces
        if until_s > since_s and lasted_s[place] >= _PARTLY * min(width_s, stretch.until_s - stretch.since_s)
    ]


def _drawn(axis: _Axis, steps: Sequence[_Step], curves: Sequence[Sequence[float | None]]) -> str:
    """The last of the curves as a line, the first as the shade below it."""
    import lets_plot as gg  # noqa: PLC0415 -- an extra, and only needed here

    def points(values: Sequence[float | None]) -> dict[str, list[float]]:
        """Both ends of each slice, so that a value holds through it; where there is none, or a pause, a piece ends."""
        found: dict[str, list[float]] = {"x": [], "y": [], "piece": []}
        piece, until_s = 0, steps[0].since_s
        for step, value in zip(steps, values, strict=True):
            if value is None or step.since_s > until_s:
                piece += 1
            if value is not None:
                found["x"] += [axis.place(step.since_s), axis.place(step.until_s)]
                found["y"] += [value, value]
                found["piece"] += [piece, piece]
            until_s = step.until_s
        return found

    top = max((value for values in curves for value in values if value is not None), default=0.0)
    heights = _heights(top)
    labels = axis.labels
    plot = (
        gg.ggplot()
        + gg.geom_area(
            gg.aes("x", "y", group="piece"),
            data=points(curves[0]),
            stat="identity",
            fill=_COLOURS["band"],
            size=0,
            alpha=1,
            tooltips="none",
        )
        + gg.geom_line(
            gg.aes("x", "y", group="piece"), data=points(curves[-1]), color=_COLOURS["line"], size=0.9, tooltips="none"
        )
        + gg.scale_x_continuous(breaks=list(labels), labels=list(labels.values()), limits=[0, axis.end], expand=[0, 0])
        + gg.scale_y_continuous(
            breaks=heights, labels=[f"{each:,.10g}" for each in heights], limits=[0, heights[-1]], expand=[0, 0]
        )
        + gg.theme_minimal()
        + gg.theme(
            axis_title=gg.element_blank(),
            plot_background=gg.element_blank(),
            panel_background=gg.element_blank(),
            axis_text_x=gg.element_text(angle=0, margin=[5, 0, 0, 0]),
            axis_ticks=gg.element_blank(),
            panel_grid_major_x=gg.element_blank(),
            panel_grid_minor=gg.element_blank(),
            panel_grid_major_y=gg.element_line(color=_COLOURS["grid"], size=0.6),
            plot_margin=[8, 22, 2, 0],
        )
        + gg.ggsize(*SIZE)
    )
    if 0 < len(axis.pauses) <= _MARKED:
        plot += gg.geom_vline(
            gg.aes(xintercept="x"), data={"x": axis.pauses}, color=_COLOURS["pause"], linetype="dashed", tooltips="none"
        )
    return _coloured_by_the_page(plot.to_svg())


def _coloured_by_the_page(svg: str) -> str:
    """A picture without colours, letters and a size of its own."""
    svg = re.sub(r"<style.*?</style>| style=\"[^\"]*\"", "", svg, flags=re.DOTALL)
    for name, ink in _INKS.items():
        svg = re.sub(rf'(fill|stroke)="rgb\({",".join(map(str, ink))}\)"', rf'data-\1="{name}"', svg)
    width, height = SIZE
    return re.sub(r"<svg [^>]*>", f'<svg viewBox="0 0 {width} {height}" aria-hidden="true">', svg, count=1)


def _heights(top: float) -> list[float]:
    """Round values from 0 to what is at least the top."""
    exact = max(top, 1e-6) / 3
    size = (
        10.0 ** len(str(int(exact))) / 10 if exact >= 1 else 10.0 ** -next(n for n in range(1, 9) if exact * 10**n >= 1)
    )
    step = next(size * each for each in (1, 2, 2.5, 5, 10) if size * each >= exact)
    return [round(step * each, 9) for each in range(4) if step * each < top + step]


def _span(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 60 else f"{seconds / 60:g} min"
