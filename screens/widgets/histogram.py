"""The latency histogram."""

from dataclasses import replace
from typing import ClassVar

from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.widgets.histogram_layout import Figure, Limits, grown, layout
from kubert_tui.screens.widgets.plot import Plot
from kubert_tui.screens.widgets.runs import Run

LEAST = 10
"""Buckets one can zoom in to."""


class Histogram(Plot):
    """Draws one figure. `reset` forgets the axes, `show` lets them grow."""

    KINDS = ("axis", "bar", "overflow", "marker", "limit", "other")
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"plot--{kind}" for kind in KINDS}

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="histogram")
        self._glyphs = glyphs
        self._figure = Figure(())
        self._limits = Limits()
        self._zoom: int | None = None
        """Buckets that are shown; None for all that have samples."""

    def reset(self) -> None:
        """Forget the limits of the axes: another histogram comes."""
        self._limits = Limits()

    def show(self, figure: Figure) -> None:
        """Draw another figure."""
        if figure.logarithmic != self._figure.logarithmic:
            self._limits = Limits(self._limits.buckets)
        self._figure = figure
        self._limits = grown(self._limits, figure)
        self.compute()

    def zoom(self, factor: float) -> None:
        """Show so many times the microseconds; 0 shows all that there is again."""
        shown = self._zoom or self._limits.buckets
        most = max(len(self._figure.counts), LEAST)
        self._zoom = min(max(round(shown * factor), LEAST), most) if factor else None
        self.compute()

    def lines(self, width: int, height: int) -> list[list[Run]]:
        """Lay it out."""
        limits = replace(self._limits, buckets=self._zoom) if self._zoom else self._limits
        return layout(self._figure, limits, width, height, self._glyphs)
