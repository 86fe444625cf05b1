"""When latencies happened, as rows of characters: time runs to the right, latency upwards.

Each cell says how many samples fell into its time and its latency, on a logarithmic scale; a
single one is always visible. What is beyond the histogram has a row of its own at the top.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kubert_tui.latency.history import Column
from kubert_tui.screens.durations import clock
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.widgets.runs import Run

LABEL_WIDTH = 6
"""Columns for the y labels and the axis."""

HEATS = 5
"""Shades of a cell that is not empty."""

_LEAST_TIME = 30
"""Columns of a history are drawn as wide as if there were at least so many."""
_LABEL_EVERY = 12
"""Columns between two times below the axis."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment somebody marked."""

    number: int
    elapsed: float
    """Seconds since the start."""
    label: str = ""
    """What is written at it; its number if empty."""


@dataclass(frozen=True, slots=True)
class Map:
    """What is drawn: columns of `step` seconds each, the first at `begin`."""

    columns: Sequence[Column]
    step: float
    begin: float = 0.0
    size: int = 250
    """Buckets of the histogram; what is beyond them overflows."""
    top: int = 0
    """us at the upper edge; 0 for as many as there are samples of."""
    marks: tuple[Mark, ...] = ()


def layout(drawn: Map, width: int, height: int, glyphs: Glyphs) -> list[list[Run]]:
    """Return `height` rows of at most `width` columns, as runs of text of one kind.

    Kinds are `axis`, `mark`, `overflow` and `heat0` (one sample) to `heat4`.
    """
    rows, room = height - 3, width - LABEL_WIDTH
    if rows < 3 or room < 10:
        return [[("too small for a heatmap"[:width], "axis")]] + [[] for _ in range(height - 1)]
    grid = _grid(drawn, room, rows, glyphs)
    plot = [_row(grid, row, rows) for row in reversed(range(rows - 1))]
    return [_over_row(grid, drawn), *plot, *_below(drawn, grid, room)]


@dataclass(frozen=True, slots=True)
class _Grid:
    """The cells as they are drawn."""

    cells: list[list[int]]
    """Samples by column and row, counted from the bottom; the last is what is above all rows."""
    per_row: int
    """us"""
    per_column: int
    """Columns of the history."""
    wide: int
    """Characters of a column."""
    most: int
    """Samples of the fullest cell."""
    glyphs: Glyphs


def _grid(drawn: Map, room: int, rows: int, glyphs: Glyphs) -> _Grid:
    per_column = max(1, -(-len(drawn.columns) // room))
    grouped = []
    for start in range(0, len(drawn.columns), per_column):
        together = Column()
        for one in drawn.columns[start : start + per_column]:
            together.add(one)
        grouped.append(together)
    top = drawn.top or min(top_of(drawn.columns), drawn.size)
    per_row = max(1, -(-top // (rows - 1)))
    cells = [_cells(column, per_row, rows - 1) for column in grouped]
    return _Grid(
        cells,
        per_row,
        per_column,
        max(1, room // max(len(grouped), _LEAST_TIME)),
        max((max(cell) for cell in cells), default=0),
        glyphs,
    )


def top_of(columns: Sequence[Column]) -> int:
    """Return where the y axis ends: above every sample that the histogram holds."""
    highest = max((max(one.counts, default=0) for one in columns), default=0)
    scale = 10
    while True:
        for nice in (1, 2, 5):
            if nice * scale > highest:
                return nice * scale
        scale *= 10


def _cells(column: Column, per_row: int, rows: int) -> list[int]:
    """Return samples by row, counted from the bottom; the last is what is above all rows."""
    cells = [0] * (rows + 1)
    for us, count in column.counts.items():
        cells[min(us // per_row, rows)] += count
    cells[rows] += column.overflows
    return cells


def _heat(count: int, most: int) -> int:
    """Return the shade of a count: 0 for one sample, HEATS - 1 for the most."""
    if most <= 1:
        return HEATS - 1
    return min(HEATS - 1, int(math.log(count) / math.log(most) * (HEATS - 0.01)))


def _row(grid: _Grid, row: int, rows: int) -> list[Run]:
    every = max(1, (rows - 2) // 5)
    label = str(row * grid.per_row) if row % every == 0 else ""
    runs: list[Run] = [(f"{label:>{LABEL_WIDTH - 1}}{grid.glyphs.vertical}", "axis")]
    for cell in grid.cells:
        heat = _heat(cell[row], grid.most) if cell[row] else -1
        text = " " if heat < 0 else grid.glyphs.heat[heat]
        _append(runs, text * grid.wide, "" if heat < 0 else f"heat{heat}")
    return runs


def _append(runs: list[Run], text: str, kind: str) -> None:
    if runs[-1][1] == kind:
        runs[-1] = (runs[-1][0] + text, kind)
    else:
        runs.append((text, kind))


def _over_row(grid: _Grid, drawn: Map) -> list[Run]:
    """The row of what is above all others."""
    rows = len(grid.cells[0]) - 1 if grid.cells else 0
    edge = min(rows * grid.per_row, drawn.size)
    label = f">={edge}" if grid.cells else ""
    runs: list[Run] = [(f"{label:>{LABEL_WIDTH - 1}}{grid.glyphs.vertical}", "axis")]
    for cell in grid.cells:
        _append(runs, (grid.glyphs.marker if cell[rows] else " ") * grid.wide, "overflow")
    return runs


def _below(drawn: Map, grid: _Grid, room: int) -> list[list[Run]]:
    """The axis, the times, and the marks."""
    glyphs = grid.glyphs
    seconds = drawn.step * grid.per_column / grid.wide
    """Of one character."""
    line = [glyphs.horizontal] * room
    times = [" "] * (room + LABEL_WIDTH)
    for column in range(0, room, _LABEL_EVERY):
        line[column] = glyphs.tick
        _write(times, LABEL_WIDTH + column, clock(drawn.begin + column * seconds))
    marked = [" "] * (room + LABEL_WIDTH)
    for mark in drawn.marks:
        column = int((mark.elapsed - drawn.begin) / seconds)
        if column >= 0:
            _write(marked, LABEL_WIDTH + column, f"{glyphs.marker}{mark.label or mark.number}")
    axis = " " * (LABEL_WIDTH - 1) + glyphs.corner + "".join(line)
    return [[(axis, "axis")], [("".join(times), "axis")], [("".join(marked), "mark")]]


def _write(line: list[str], column: int, text: str) -> None:
    """Put a text into a line, if all of it fits."""
    if column + len(text) <= len(line):
        line[column : column + len(text)] = text
