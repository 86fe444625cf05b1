"""The picture of sockets, nodes, cores and threads: whole, readable without colour, clickable."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubert_tui.cpus.plan import CpuPlan, propose
from kubert_tui.screens.glyphs import ASCII, UNICODE, Glyphs
from kubert_tui.screens.widgets.cpu_layout import KINDS, Picture, Shown, layout
from tests.screens.sample_cpus import LARGE, TWIN, topology
from tests.unit.test_cpus_plan import topologies


def draw(
    shown: Shown, *, selected: int = 0, width: int = 74, glyphs: Glyphs = UNICODE
) -> tuple[Picture, list[str]]:
    picture = layout(shown, selected, width, glyphs)
    return picture, ["".join(text for text, _ in row) for row in picture.rows]


def planned(of: object, **cards: tuple[str, ...]) -> Shown:
    nodes = {int(key.removeprefix("node")): names for key, names in cards.items()}
    return Shown(of, propose(of), nodes)  # type: ignore[arg-type]


@given(topologies(), st.integers(20, 140))
@settings(max_examples=60, deadline=None)
def test_every_core_is_there_once_and_says_what_it_is(of: object, width: int) -> None:
    shown = planned(of)
    first = shown.topology.cpus[0].number
    picture, lines = draw(shown, selected=first, width=width)
    assert sorted(cell.cpus for cell in picture.cells) == sorted(shown.topology.cores.values())
    assert {kind for row in picture.rows for _, kind in row} <= set(KINDS)
    assert len({len(line) for line in lines}) == 1, "a frame is not closed"
    for cell in picture.cells:
        text = lines[cell.row][cell.column : cell.column + cell.width]
        letter = "H" if set(cell.cpus) <= shown.plan.housekeeping else "I"
        assert text[1] == letter
        assert (text[0], text[-1]) == (("[", "]") if first in cell.cpus else (" ", " "))


@pytest.mark.parametrize(("of", "height"), [(TWIN, 12), (topology(1), 3), (LARGE, 44)])
def test_it_fits(of: object, height: int) -> None:
    _, lines = draw(planned(of))
    assert max(map(len, lines)) <= 74
    assert len(lines) <= height


def test_cards_are_named_at_their_node() -> None:
    _, lines = draw(planned(TWIN, node1=("eno1", "eno2")))
    assert "Socket 0" in lines[0]
    assert "NIC" not in lines[0]
    assert "Socket 1 · node 1 · NIC eno1, eno2" in "\n".join(lines)
    _, lines = draw(planned(LARGE, node5=("ens3",)))
    assert "│ node 5 · NIC ens3 " in "\n".join(lines)
    assert "Socket 1 ─" in "\n".join(lines)


def test_plain_terminals_get_plain_characters() -> None:
    _, lines = draw(planned(TWIN, node0=("eno1",)), glyphs=ASCII)
    assert "".join(lines).isascii()


def test_a_core_in_neither_set_is_marked() -> None:
    of = topology(2, threads=2)
    _, lines = draw(Shown(of, CpuPlan(frozenset({0, 2}), frozenset({1})), {}), selected=0)
    assert "[H0,2]  ?1,3 " in lines[1]


def test_a_place_is_a_core_or_nothing() -> None:
    picture, lines = draw(planned(TWIN))
    for row, line in enumerate(lines):
        for column in range(len(line)):
            cell = picture.at(row, column)
            if cell is not None:
                assert str(cell.cpus[0]) in line[cell.column : cell.column + cell.width]
    assert picture.at(0, 0) is None
    assert picture.at(99, 3) is None
    assert picture.at(1, 3) == picture.of(0) == picture.of(40)


def test_moving_reaches_every_core_and_stops_at_the_ends() -> None:
    picture, _ = draw(planned(LARGE))
    cell = picture.cells[0]
    assert picture.beside(cell, -1) == picture.above(cell, -1) == cell
    seen = [cell]
    while (after := picture.beside(seen[-1], 1)) != seen[-1]:
        seen.append(after)
    assert seen == list(picture.cells)
    below = picture.above(picture.cells[1], 1)
    assert (below.column, below.row) == (picture.cells[1].column, picture.cells[1].row + 1)
    while (down := picture.above(cell, 1)) != cell:
        assert down.row > cell.row
        cell = down
    assert cell.row == picture.cells[-1].row
