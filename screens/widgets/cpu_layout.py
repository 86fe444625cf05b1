"""Sockets, NUMA nodes, cores and threads as rows of characters: pure, computed once per edit.

A frame per socket, in it the cores of each node as cells of equal width: `H 0,40` is a core whose
two threads keep house, `I 2,42` one that is isolated. The letter says it without any colour; the
selected core stands in brackets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubert_tui.cpus.lists import cpu_list
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.cpus.topology import Topology
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.widgets.runs import Run

KINDS = ("frame", "card", "house", "isolated", "neither", "selected")

_SIDES = 4
"""Columns of a frame's two sides, each with a space beside it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is drawn: a host's CPUs, their plan, and network cards by NUMA node."""

    topology: Topology
    plan: CpuPlan
    cards: Mapping[int, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Cell:
    """A core in the picture."""

    cpus: tuple[int, ...]
    row: int
    column: int
    width: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Rows of text by kind, and where the cores are in them, by their lowest CPU."""

    rows: tuple[tuple[Run, ...], ...]
    cells: tuple[Cell, ...]

    def at(self, row: int, column: int) -> Cell | None:
        """Return the core at a place, None if there is none."""
        for cell in self.cells:
            if cell.row == row and cell.column <= column < cell.column + cell.width:
                return cell
        return None

    def of(self, cpu: int) -> Cell:
        """Return the core of a CPU; the first one if there is no such CPU."""
        return next((cell for cell in self.cells if cpu in cell.cpus), self.cells[0])

    def beside(self, cell: Cell, step: int) -> Cell:
        """Return the core before (-1) or after (1) one; itself at the ends."""
        index = self.cells.index(cell) + step
        return self.cells[min(max(index, 0), len(self.cells) - 1)]

    def above(self, cell: Cell, step: int) -> Cell:
        """Return the core above (-1) or below (1) one; itself at the ends."""
        rows = sorted({one.row for one in self.cells})
        index = rows.index(cell.row) + step
        if not 0 <= index < len(rows):
            return cell
        there = [one for one in self.cells if one.row == rows[index]]
        return min(there, key=lambda one: abs(one.column - cell.column))


def layout(shown: Shown, selected: int, width: int, glyphs: Glyphs) -> Picture:
    """Return the picture of a host, at most `width` columns wide (at least one core).

    `selected` is a CPU of the core in brackets.
    """
    topology, plan, cards = shown.topology, shown.plan, shown.cards
    names = {core: cpu_list(cpus) for core, cpus in topology.cores.items()}
    widest = max(map(len, names.values()))
    cell_width = widest + 3
    per_row = max(1, (width - _SIDES + 1) // (cell_width + 1))
    inner = max(width - _SIDES, cell_width)
    nodes_of: dict[int, dict[int, dict[int, None]]] = {}
    for cpu in topology.cpus:
        nodes_of.setdefault(cpu.socket, {}).setdefault(cpu.node, {})[cpu.core] = None
    rows: list[tuple[Run, ...]] = []
    cells: list[Cell] = []
    for socket in sorted(nodes_of):
        nodes = nodes_of[socket]
        only = next(iter(nodes)) if len(nodes) == 1 else None
        title: list[Run] = [(f"Socket {socket}", "frame")]
        if only is not None and len(topology.cores_of_nodes) > 1:
            title += [(f" {glyphs.dot} node {only}", "frame")]
        if only is not None:
            title += _cards(cards.get(only, ()), glyphs)
        rows.append(_edge(_cut(title, inner), inner, glyphs, glyphs.box[:2]))
        for node in sorted(nodes):
            if only is None:
                head = [(f"node {node}", "frame"), *_cards(cards.get(node, ()), glyphs)]
                rows.append(_sides(_cut(head, inner), inner, glyphs))
            cores = list(nodes[node])
            for start in range(0, len(cores), per_row):
                line: list[Run] = []
                for place, core in enumerate(cores[start : start + per_row]):
                    cpus = topology.cores[core]
                    if place:
                        line.append((" ", "frame"))
                    cells.append(Cell(cpus, len(rows), 2 + place * (cell_width + 1), cell_width))
                    line.append(_cell(cpus, f"{names[core]:>{widest}}", plan, selected))
                rows.append(_sides(line, inner, glyphs))
        rows.append(_edge([], inner, glyphs, glyphs.box[2:]))
    return Picture(tuple(rows), tuple(sorted(cells, key=lambda cell: (cell.row, cell.column))))


def _cell(cpus: tuple[int, ...], name: str, plan: CpuPlan, selected: int) -> Run:
    letter, kind = "?", "neither"
    if plan.housekeeping.issuperset(cpus):
        letter, kind = "H", "house"
    elif plan.isolated.issuperset(cpus):
        letter, kind = "I", "isolated"
    if selected in cpus:
        return f"[{letter}{name}]", "selected"
    return f" {letter}{name} ", kind


def _cards(names: Sequence[str], glyphs: Glyphs) -> list[Run]:
    if not names:
        return []
    return [(f" {glyphs.dot} ", "frame"), (f"NIC {', '.join(names)}", "card")]


def _cut(runs: list[Run], width: int) -> list[Run]:
    """Return at most `width` columns of runs."""
    found: list[Run] = []
    for text, kind in runs:
        if width > 0:
            found.append((text[:width], kind))
        width -= len(text)
    return found


def _length(runs: Sequence[Run]) -> int:
    return sum(len(text) for text, _ in runs)


def _sides(runs: list[Run], width: int, glyphs: Glyphs) -> tuple[Run, ...]:
    room = " " * (width - _length(runs))
    return (f"{glyphs.vertical} ", "frame"), *runs, (f"{room} {glyphs.vertical}", "frame")


def _edge(title: list[Run], width: int, glyphs: Glyphs, corners: str) -> tuple[Run, ...]:
    if title:
        title = [(" ", "frame"), *title, (" ", "frame")]
    line = glyphs.horizontal * max(width + 2 - _length(title), 0)
    return (corners[0], "frame"), *title, (f"{line}{corners[1]}", "frame")
