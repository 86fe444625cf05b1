"""The latency histogram: rows are computed when figures come, drawing only slices them."""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.widgets.histogram_layout import Figure, Limits, Run, grown, layout


class Histogram(Widget):
    """Draws one figure. `reset` forgets the axes, `show` lets them grow."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "histogram--axis",
        "histogram--bar",
        "histogram--overflow",
        "histogram--marker",
    }

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="histogram")
        self._glyphs = glyphs
        self._figure = Figure(())
        self._limits = Limits()
        self._rows: list[Strip] = []

    @property
    def text(self) -> str:
        """Return what is drawn, as plain text."""
        return "\n".join(row.text.rstrip() for row in self._rows)

    def reset(self) -> None:
        """Forget the limits of the axes: another histogram comes."""
        self._limits = Limits()

    def show(self, figure: Figure) -> None:
        """Draw another figure."""
        if figure.logarithmic != self._figure.logarithmic:
            self._limits = Limits(self._limits.buckets)
        self._figure = figure
        self._compute()

    def on_resize(self) -> None:
        """Lay it out for the new size."""
        self._compute()

    def notify_style_update(self) -> None:
        """Colours changed: the rows hold them."""
        super().notify_style_update()
        if self.is_attached:
            self._compute()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Take what is left."""
        return 12

    def render_line(self, y: int) -> Strip:
        """Return a row that was computed before."""
        if y < len(self._rows):
            return self._rows[y]
        return Strip.blank(self.size.width, self.rich_style)

    def _compute(self) -> None:
        width, height = self.size
        if not width or not height:
            return
        self._limits = grown(self._limits, self._figure)
        kinds = ("axis", "bar", "overflow", "marker")
        styles = {kind: self.get_component_rich_style(f"histogram--{kind}") for kind in kinds}
        styles[""] = self.rich_style
        rows = layout(self._figure, self._limits, width, height, self._glyphs)
        self._rows = [_strip(row, width, styles) for row in rows]
        self.refresh()


def _strip(row: list[Run], width: int, styles: dict[str, Style]) -> Strip:
    segments = [Segment(text, styles[kind]) for text, kind in row]
    return Strip(segments).adjust_cell_length(width, styles[""])
