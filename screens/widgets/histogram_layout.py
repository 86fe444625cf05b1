"""A histogram as rows of characters: pure, and computed once per update.

x is linear in microseconds, one or more columns per bucket, or several buckets per column:
then the largest of them is drawn, so that a single spike survives. y is logarithmic (or
linear), with bars in eighths of a cell where the terminal has such characters.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.widgets.runs import Run

LABEL_WIDTH = 6
"""Columns for the y labels and the axis."""

_OVERFLOW_WIDTH = 7
_HEADROOM = 0.3
"""Decades below 1, so that a single sample has a visible bar."""

_NICE = (1.0, 2.0, 5.0)

T = TypeVar("T", int, float)


@dataclass(frozen=True, slots=True)
class Figure:
    """What is drawn: counts by microsecond, the samples beyond them, the true maximum."""

    counts: Sequence[int]
    overflows: int = 0
    maximum: int = 0
    logarithmic: bool = True
    limit: int = 0
    """us that should not be reached; 0 for none."""
    other: Sequence[float] = ()
    """Counts of another histogram that is drawn over it as a line of dots."""
    other_overflows: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The axes' ends. They only grow while one histogram is watched."""

    buckets: int = 20
    """Buckets shown on x."""
    top: int = 10
    """Count at the top of y."""


def grown(limits: Limits, figure: Figure) -> Limits:
    """Return limits that hold the figure, never smaller than before."""
    last = max(_last(figure.counts), _last(figure.other[: len(figure.counts)]))
    buckets = limits.buckets
    if last >= buckets:
        buckets = _nice_above(last + 1)
    if figure.overflows or figure.other_overflows:
        buckets = len(figure.counts)
    top = limits.top
    highest = max(figure.other, default=0.0), figure.other_overflows
    largest = math.ceil(max(*highest, max(figure.counts, default=0), figure.overflows))
    if largest > top:
        top = 10 ** math.ceil(math.log10(largest)) if figure.logarithmic else _nice_above(largest)
    return Limits(min(buckets, len(figure.counts) or buckets), top)


def _last(counts: Sequence[float]) -> int:
    """The last bucket that is not empty."""
    return next((us for us in reversed(range(len(counts))) if counts[us]), 0)


def layout(
    figure: Figure, limits: Limits, width: int, height: int, glyphs: Glyphs
) -> list[list[Run]]:
    """Return `height` rows of at most `width` columns, as runs of text of one kind.

    Kinds are `axis`, `bar`, `overflow`, `marker`, `limit` and `other`.
    """
    plot_height = height - 3
    overflow = _OVERFLOW_WIDTH if figure.overflows or figure.other_overflows else 0
    plot_width = width - LABEL_WIDTH - overflow
    if plot_height < 2 or plot_width < 10:
        return [[("too small for a histogram"[:width], "axis")]] + [[] for _ in range(height - 1)]
    per_us = _scale(limits.buckets, plot_width)
    # What the width has room for beyond the limit is shown too: no empty strip on the right.
    buckets = min(len(figure.counts), int(plot_width / per_us))
    columns = _columns(figure.counts[:buckets], per_us)
    steps = len(glyphs.blocks) - 1
    bars = [_height(peak, figure, limits, plot_height * steps) for peak in columns]
    bars += [0] * (plot_width - len(bars))
    over = _height(figure.overflows, figure, limits, plot_height * steps)
    others = _columns(figure.other[:buckets], per_us)[:plot_width]
    dots = [_height(count, figure, limits, plot_height) for count in others]
    far = _height(figure.other_overflows, figure, limits, plot_height)
    labels = _y_labels(figure, limits, plot_height)
    limit = int(figure.limit * per_us) if figure.limit else -1
    rows = []
    for row in reversed(range(plot_height)):
        runs = _plot_row(bars, over if overflow else None, row, labels.get(row, ""), glyphs)
        runs = _limited(runs, limit, glyphs)
        if dots:
            runs = _dotted(runs, dots, far, row, glyphs)
        rows.append(runs)
    step = _tick_step(per_us)
    rows.append(_axis_row(buckets, per_us, step, plot_width, glyphs))
    rows.append(_label_row(buckets, per_us, step, plot_width, figure))
    rows.append(_marker_row(figure, buckets, per_us, plot_width + overflow, glyphs))
    return rows


def _scale(buckets: int, width: int) -> float:
    """Return columns per microsecond: a whole number of them, or one for several buckets."""
    if buckets <= width:
        return float(width // max(buckets, 1))
    return 1 / -(-buckets // width)


def _columns(counts: Sequence[T], per_us: float) -> list[T]:
    """Return the largest count under each column."""
    if per_us >= 1:
        return [count for count in counts for _ in range(int(per_us))]
    per = round(1 / per_us)
    return [max(counts[i : i + per]) for i in range(0, len(counts), per)]


def _height(count: float, figure: Figure, limits: Limits, full: int) -> int:
    """Return the height of a bar in sub-cells: at least one when there is a sample."""
    if count <= 0:
        return 0
    if figure.logarithmic:
        share = (math.log10(count) + _HEADROOM) / (math.log10(limits.top) + _HEADROOM)
    else:
        share = count / limits.top
    return min(full, max(1, round(share * full)))


def _y_labels(figure: Figure, limits: Limits, rows: int) -> dict[int, str]:
    """Return labels by row, counted from the bottom."""
    if not figure.logarithmic:
        half = limits.top // 2
        return {0: "0", (rows - 1) // 2: short(half), rows - 1: short(limits.top)}
    decades = math.log10(limits.top)
    labels: dict[int, str] = {}
    for decade in range(int(decades + 1e-9) + 1):
        row = min(rows - 1, int((decade + _HEADROOM) / (decades + _HEADROOM) * rows - 1e-9))
        labels.setdefault(row, short(10**decade))
    return labels


def _plot_row(bars: list[int], over: int | None, row: int, label: str, glyphs: Glyphs) -> list[Run]:
    steps = len(glyphs.blocks) - 1
    floor = row * steps

    def cell(height: int) -> str:
        return glyphs.blocks[min(max(height - floor, 0), steps)]

    axis = glyphs.vertical
    top, blocks = floor + steps, glyphs.blocks
    # As `cell`, but this is where the time goes.
    text = "".join(
        [
            blocks[0] if bar <= floor else blocks[-1] if bar >= top else blocks[bar - floor]
            for bar in bars
        ]
    )
    runs = [(f"{label:>{LABEL_WIDTH - 1}}{axis}", "axis"), (text, "bar")]
    if over is not None:
        # The bar of everything beyond stands apart, in its own colour.
        runs += [("  ", ""), (cell(over) * 3, "overflow")]
    return runs


def _limited(runs: list[Run], column: int, glyphs: Glyphs) -> list[Run]:
    """Draw the limit's line where no bar stands."""
    axis, (bars, kind), *rest = runs
    if not 0 <= column < len(bars) or bars[column] != glyphs.blocks[0]:
        return runs
    line: Run = (glyphs.limit, "limit")
    return [axis, (bars[:column], kind), line, (bars[column + 1 :], kind), *rest]


def _dotted(runs: list[Run], dots: list[int], far: int, row: int, glyphs: Glyphs) -> list[Run]:
    """Draw the other histogram over a row: a dot where its bar would end. Heights are in cells."""
    axis, *plot = runs
    cells = [(letter, kind) for text, kind in plot for letter in text]
    for column, dot in enumerate(dots):
        if dot == row + 1:
            cells[column] = (glyphs.other, "other")
    if far == row + 1:
        cells[-1] = (glyphs.other, "other")
    joined: list[Run] = [axis]
    for letter, kind in cells:
        if joined[-1][1] == kind and len(joined) > 1:
            joined[-1] = (joined[-1][0] + letter, kind)
        else:
            joined.append((letter, kind))
    return joined


def _tick_step(per_us: float) -> int:
    """Return the distance of x labels in microseconds: nice, and wide enough to read."""
    scale = 1
    while True:
        for nice in _NICE:
            step = int(nice * scale)
            if step * per_us >= 8:
                return step
        scale *= 10


def _axis_row(buckets: int, per_us: float, step: int, width: int, glyphs: Glyphs) -> list[Run]:
    line = [glyphs.horizontal] * width
    for us in range(0, buckets + 1, step):
        column = int(us * per_us)
        if column < width:
            line[column] = glyphs.tick
    return [(" " * (LABEL_WIDTH - 1) + glyphs.corner + "".join(line), "axis")]


def _label_row(buckets: int, per_us: float, step: int, width: int, figure: Figure) -> list[Run]:
    line = [" "] * (width + LABEL_WIDTH)
    for us in range(0, buckets + 1, step):
        text = str(us)
        start = LABEL_WIDTH + int(us * per_us)
        if start + len(text) <= len(line) - 3:
            line[start : start + len(text)] = text
    line[-2:] = "us"
    runs: list[Run] = [("".join(line), "axis")]
    if figure.overflows or figure.other_overflows:
        runs.append((f" >={len(figure.counts)}"[:_OVERFLOW_WIDTH], "overflow"))
    return runs


def _marker_row(
    figure: Figure, buckets: int, per_us: float, width: int, glyphs: Glyphs
) -> list[Run]:
    if not figure.maximum and not any(figure.counts):
        return [("", "")]
    text = f"max {figure.maximum} us"
    if figure.maximum >= buckets:
        return [(f"{text} {glyphs.beyond}".rjust(LABEL_WIDTH + width), "marker")]
    column = LABEL_WIDTH + int(figure.maximum * per_us)
    if column + len(text) + 2 <= LABEL_WIDTH + width:
        return [(" " * column + f"{glyphs.marker} {text}", "marker")]
    return [(f"{text} {glyphs.marker}".rjust(column + 1), "marker")]


def _nice_above(value: int) -> int:
    """Return the first of 10, 20, 50, 100, ... that is not below `value`."""
    scale = 10
    while True:
        for nice in _NICE:
            if nice * scale >= value:
                return int(nice * scale)
        scale *= 10


def short(count: int) -> str:
    """Return a count in at most five characters: 250, 10k, 2M."""
    for size, suffix in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            scaled = count / size
            return (f"{scaled:.0f}" if scaled >= 100 else f"{scaled:g}"[:4].rstrip(".")) + suffix
    return str(count)
