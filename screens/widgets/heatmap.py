"""Latency against time."""

from dataclasses import replace
from typing import ClassVar

from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.widgets.heatmap_layout import HEATS, Map, layout, top_of
from kubert_tui.screens.widgets.plot import Plot
from kubert_tui.screens.widgets.runs import Run

LEAST = 5
"""us one can zoom in to."""


class Heatmap(Plot):
    """Draws a history."""

    KINDS = ("axis", "mark", "overflow", *(f"heat{heat}" for heat in range(HEATS)))
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"plot--{kind}" for kind in KINDS}

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="heatmap")
        self._glyphs = glyphs
        self._map = Map((), 1.0)
        self._top = 0

    def show(self, drawn: Map) -> None:
        """Draw another history."""
        self._map = drawn
        self.compute()

    def zoom(self, factor: float) -> None:
        """Show so many times the microseconds; 0 shows all that there is again."""
        shown = self._top or top_of(self._map.columns)
        self._top = min(max(round(shown * factor), LEAST), self._map.size) if factor else 0
        self.compute()

    def lines(self, width: int, height: int) -> list[list[Run]]:
        """Lay it out."""
        return layout(replace(self._map, top=self._top), width, height, self._glyphs)
