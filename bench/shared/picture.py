"""Charts as one picture: bars beside each other, ours in colour, on a card of its own.

The same charts always give the same bytes.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from bench.shared.colours import CARD, FAINT, OTHERS, OURS, OURS_ALONE, TEXT, by_night
from bench.shared.findings import TIMES
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from bench.shared.findings import Bar, Chart
    from matplotlib.axes import Axes

# In points, whole ones, so that the card's edges are sharp.
WIDTH, FOOT = 612, 32
HEAD, GAP, BAR = 22, 20, 20  # of a chart: its title, what is above that, and each bar
NAMES, SIDE = 212, 14  # how wide the names are, and the margins
SETTINGS = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "credlatch",  # the names of elements do not change
    "font.family": "sans-serif",
    # The first is matplotlib's own, which it measures with; the others are as wide.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 9.5,
}


def draw(charts: list[Chart]) -> str:
    """The picture, as SVG."""
    height = FOOT + sum(GAP + HEAD + BAR * len(chart.bars) for chart in charts)
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTH / 72, height / 72), facecolor=CARD[0])
        place = height
        for chart in charts:
            place -= GAP + HEAD
            _title(figure, chart, (place + 8) / height)
            place -= BAR * len(chart.bars)
            wide = (WIDTH - NAMES - SIDE) / WIDTH
            part = (NAMES / WIDTH, place / height, wide, BAR * len(chart.bars) / height)
            _bars(figure.add_axes(part), chart)
        note = "Ratios of medians in one interleaved run; less is better."
        figure.text(SIDE / WIDTH, 11 / height, note, color=FAINT[0], fontsize=8.5)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return by_night(out.getvalue())


def _title(figure: Figure, chart: Chart, place: float) -> None:
    left, right = SIDE / WIDTH, 1 - SIDE / WIDTH
    figure.text(left, place, chart.title, color=TEXT[0], fontweight="bold", fontsize=10.5)
    figure.text(right, place, f"1 = {chart.base}", color=FAINT[0], ha="right", fontsize=8.5)


def _bars(axes: Axes, chart: Chart) -> None:
    """Draw one chart: the cheapest on top, each bar with its ratio."""
    bars = sorted(chart.bars, key=lambda bar: bar.ratio, reverse=True)
    most = max(bar.ratio for bar in bars)
    axes.set_axis_off()
    axes.set_xlim(0, most * 1.15)  # room for the longest bar's ratio
    axes.set_ylim(-0.5, len(bars) - 0.5)
    axes.axvline(1, color=FAINT[0], linewidth=0.8, linestyle=(0, (3, 3)), zorder=0)
    colours = [_colour(bar) for bar in bars]
    axes.barh(range(len(bars)), [bar.ratio for bar in bars], height=0.74, color=colours)
    for place, bar in enumerate(bars):
        style: dict[str, Any] = {
            "va": "center_baseline",
            "color": TEXT[0],
            "fontweight": "bold" if bar.ours and bar.agent else "normal",
        }
        name = f"credlatch, {bar.name}" if bar.ours else bar.name
        axes.text(-most * 0.015, place, name, ha="right", **style)
        # On a patch of the card, where the line at 1 would run through it.
        patch = {"facecolor": CARD[0], "edgecolor": "none", "pad": 1.0}
        axes.text(bar.ratio + most * 0.015, place, f"{bar.ratio:.2f} {TIMES}", bbox=patch, **style)


def _colour(bar: Bar) -> str:
    if not bar.ours:
        return OTHERS[0]
    return OURS[0] if bar.agent else OURS_ALONE[0]
