"""Histograms of several measurements over each other, in characters.

Linear latency to the right, log samples upwards: each column of a run ends in its number, and the
first run is filled below. It can be read without colour. Where runs are not equally long, the
share of their samples is drawn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kubert_tui.latency.histogram import ThreadHistogram

MOST = 9
"""Runs in one picture: each has a digit."""
AXIS, LIMIT = "axis", "limit"
_LEFT = 9
"""Characters of the axis on the left."""
_SAME_LENGTH = 1.01


@dataclass(frozen=True, slots=True)
class Span:
    """Characters of one kind: AXIS, LIMIT, or the number of a run (`1`)."""

    text: str
    kind: str = ""


Row = list[Span]


def overlay(
    runs: Sequence[ThreadHistogram], *, limit: int = 0, width: int = 78, height: int = 16,
    ascii_only: bool = False,
) -> list[Row]:  # fmt: skip
    """Return the rows of the picture. `runs` are merged histograms with samples, at most MOST.

    `limit` in us; 0: none. The last column stands for all samples off the histograms.
    """
    columns = max(width - _LEFT - 2, 10)
    size = min(len(run.counts) for run in runs)
    last = max(_last(run, size) for run in runs)
    shown = max(last, limit if limit <= 2 * last else 0) + 1
    each = -(-shown // columns)
    used = -(-shown // each)
    share = max(run.samples for run in runs) > _SAME_LENGTH * min(run.samples for run in runs)
    values = [_values(run, size, each, used, share=share) for run in runs]
    # From a single sample (of the longest run) upwards.
    floor = -math.ceil(math.log10(max(run.samples for run in runs))) if share else 0
    top = max(math.ceil(math.log10(max(map(max, values)))), floor + 1)
    heights = [[_height(value, floor, top, height) for value in one] for one in values]
    at_limit = limit // each if 0 < limit < each * used else -1
    rows = []
    for level in range(height, 0, -1):
        label = _label(level, floor, top, height, share=share)
        row = [Span(f"{label:>{_LEFT - 2}} ", AXIS), Span("|" if ascii_only else "│", AXIS)]
        rows.append([*row, *_row(heights, level, at_limit, ascii_only=ascii_only)])
    beyond = any(one[-1] for one in values)
    return [*rows, *_below(used, each, beyond=beyond, limit=at_limit)]


def _last(run: ThreadHistogram, size: int) -> int:
    return max((us for us, count in enumerate(run.counts[:size]) if count), default=0)


def _values(run: ThreadHistogram, size: int, each: int, used: int, *, share: bool) -> list[float]:
    """Samples of each column, and as a last one those off the histogram."""
    columns = [float(sum(run.counts[at * each : min((at + 1) * each, size)])) for at in range(used)]
    columns.append(float(run.samples - sum(run.counts[:size])))
    return [value / run.samples for value in columns] if share else columns


def _height(value: float, floor: int, top: int, height: int) -> int:
    if not value:
        return 0
    return max(1, math.ceil((math.log10(value) - floor) / (top - floor) * height))


def _label(level: int, floor: int, top: int, height: int, *, share: bool) -> str:
    """The decade whose line this row is, or blanks."""
    for decade in range(floor, top + 1):
        if max(1, math.ceil((decade - floor) / (top - floor) * height)) == level:
            # Of decades that fall into one row the lowest is told.
            return f"1e{decade}" if share or decade > 6 else str(10**decade)
    return ""


def _row(heights: Sequence[Sequence[int]], level: int, limit: int, *, ascii_only: bool) -> Row:
    row = []
    for column in range(len(heights[0])):
        if column == len(heights[0]) - 1:
            row.append(Span(" "))  # what is off the histogram stands apart
        ending = [number for number, one in enumerate(heights, 1) if one[column] == level]
        if len(ending) > 1:
            row.append(Span("="))
        elif ending:
            row.append(Span(str(ending[0]), str(ending[0])))
        elif column == limit:
            row.append(Span("|" if ascii_only else "│", LIMIT))
        elif heights[0][column] > level:
            row.append(Span(":" if ascii_only else "░", "1"))
        else:
            row.append(Span(" "))
    return row


def _below(used: int, each: int, *, beyond: bool, limit: int) -> list[Row]:
    """The axis below: a rule with a mark at the limit, and latencies."""
    rule = "-" * used
    if limit >= 0:
        rule = rule[:limit] + "^" + rule[limit + 1 :]
    told = ""
    for column in range(0, used, 10):
        told = told.ljust(column) + str(column * each)
    left = " " * (_LEFT - 1)
    return [
        [Span(f"{left}+{rule}{' >' if beyond else ''}", AXIS)],
        [Span(f"{left} {told} us", AXIS)],
    ]
