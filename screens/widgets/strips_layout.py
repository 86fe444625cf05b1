"""Many histograms below each other, a row each, on one microsecond axis: hosts, or CPUs."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.widgets.runs import Run

LEAST_STRIP = 12
"""Columns of a histogram, at least: columns of figures are left out for it."""
_LABEL_EVERY = 6
"""Columns between two labels of the axis, at least."""
_AROUND = 2
"""Rows that are no strips: the titles and the axis."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One row."""

    key: str
    """What is told when it is chosen."""
    histogram: ThreadHistogram | None
    cells: Callable[[], tuple[Run, ...]]
    """Gives text and kind under each of the columns; asked for what is in sight only."""
    limit: int = 0
    """us; 0 for none."""
    label: str = ""
    """What it is called; its key if empty."""

    @property
    def name(self) -> str:
        """What stands in front of it."""
        return self.label or self.key


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of figures; those of the highest `rank` are left out first."""

    title: str
    width: int
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """All of it."""

    headings: tuple[Heading, ...]
    strips: tuple[Strip, ...]
    note: str = ""
    """Stands beside the axis where there is room."""


def rows_for(height: int) -> int:
    """Return how many strips fit."""
    return max(height - _AROUND, 1)


def layout(
    sheet: Sheet, width: int, height: int, glyphs: Glyphs, *, cursor: str = "", first: int = 0
) -> list[list[Run]]:
    """Return `height` rows of at most `width` columns; `first` is the strip at the top.

    Kinds are `axis`, `bar`, `overflow`, `limit`, `cursor`, `good`, `bad` and `` for plain text.
    """
    name = max((len(one.name) for one in sheet.strips), default=4)
    name = min(max(name, 4), max(width // 4, 8)) + 2
    shown = _fitting(sheet.headings, width - name - LEAST_STRIP)
    room = width - name - sum(sheet.headings[at].width for at in shown)
    top = top_of(sheet.strips)
    per_cell = max(1, -(-top // max(room - 2, 1)))
    titles = "".join(f"{sheet.headings[at].title:>{sheet.headings[at].width}}" for at in shown)
    lines: list[list[Run]] = [[(" " * (name + room) + titles, "axis")]]
    for strip in sheet.strips[first : first + rows_for(height)]:
        chosen = strip.key == cursor
        label = f"{strip.name:.{name - 2}}"
        mark = glyphs.beyond if chosen else " "
        runs: list[Run] = [(f"{mark}{label:<{name - 1}}", "cursor" if chosen else "")]
        runs += _strip(strip, per_cell, room, glyphs)
        cells = strip.cells()
        for at in shown:
            text, kind = cells[at]
            wide = sheet.headings[at].width
            # A figure stands apart from its neighbour, or is cut.
            runs.append((f"{text[: wide - 1]:>{wide}}", kind or ("cursor" if chosen else "")))
        lines.append(runs)
    hidden = len(sheet.strips) - first - rows_for(height)
    note = f"{hidden} more below" if hidden > 0 else sheet.note
    lines.append(_axis(per_cell, room, name, f"  {note}", glyphs))
    return lines[:height] + [[] for _ in range(height - len(lines))]


def _fitting(headings: Sequence[Heading], room: int) -> list[int]:
    """Return the columns for which there is room, by their place."""
    left = list(range(len(headings)))
    while left and sum(headings[at].width for at in left) > room:
        left.remove(max(left, key=lambda at: (headings[at].rank, at)))
    return left


def top_of(strips: Sequence[Strip]) -> int:
    """Return where the common axis ends, in us: it holds every sample and every limit."""
    top = 10
    for one in strips:
        top = max(top, one.limit + 1)
        if one.histogram is not None:
            size = len(one.histogram.counts)
            top = max(top, size if one.histogram.overflows else _last(one.histogram) + 1)
    return top


def _last(histogram: ThreadHistogram) -> int:
    """The last bucket that is not empty; the maximum, unless it is off the histogram."""
    counts = histogram.counts
    if histogram.maximum < len(counts):
        return histogram.maximum
    return max((us for us, count in enumerate(counts) if count), default=0)


def _strip(strip: Strip, per_cell: int, room: int, glyphs: Glyphs) -> list[Run]:
    histogram = strip.histogram
    if histogram is None:
        return [(" " * room, "")]
    counts = histogram.counts
    used = counts[: _last(histogram) + 1]
    peaks = [max(used[at : at + per_cell]) for at in range(0, len(used), per_cell)]
    most = max(peaks, default=0)
    edge = strip.limit // per_cell if strip.limit else room
    steps = len(glyphs.blocks) - 1
    runs: list[Run] = []
    for at in range(room - 1):
        peak = peaks[at] if at < len(peaks) else 0
        if peak:
            share = math.log(peak + 1) / math.log(most + 1)
            text, kind = glyphs.blocks[max(1, round(share * steps))], "bar"
            if at >= edge:
                kind = "overflow"
        else:
            text, kind = (glyphs.limit, "limit") if at == edge else (" ", "")
        _append(runs, text, kind)
    over = histogram.overflows
    _append(runs, glyphs.beyond if over else " ", "overflow" if over else "")
    return runs


def _append(runs: list[Run], text: str, kind: str) -> None:
    if runs and runs[-1][1] == kind:
        runs[-1] = (runs[-1][0] + text, kind)
    else:
        runs.append((text, kind))


def _axis(per_cell: int, room: int, name: int, note: str, glyphs: Glyphs) -> list[Run]:
    """Microseconds under the strips."""
    line = [glyphs.horizontal] * (room - 1)
    step = next(
        nice * scale
        for scale in (1, 10, 100, 1000, 10_000, 100_000)
        for nice in (1, 2, 5)
        if nice * scale >= _LABEL_EVERY * per_cell
    )
    for us in range(0, (room - 1) * per_cell, step):
        at, label = us // per_cell, str(us)
        if at + len(label) <= room - 4:
            line[at : at + len(label)] = label
    line[-3:] = " us"
    return [(" " * name + "".join(line), "axis"), (note, "axis")]
