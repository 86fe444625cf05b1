"""What is drawn as rows of characters: computed when figures come, drawing only slices them."""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from kubert_tui.screens.widgets.runs import Run


class Plot(Widget):
    """A picture of runs. Styles are the component classes `plot--KIND`."""

    KINDS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, id: str) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self._rows: list[Strip] = []
        self._runs: list[list[Run]] = []
        self._drawn_with: tuple[object, ...] = ()

    def lines(self, width: int, height: int) -> list[list[Run]]:
        """Return `height` rows of at most `width` columns."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """Return what is drawn, as plain text."""
        return "\n".join(row.text.rstrip() for row in self._rows)

    def compute(self) -> None:
        """Lay it out anew."""
        width, height = self.size
        if not width or not height:
            return
        styles = {kind: self.get_component_rich_style(f"plot--{kind}") for kind in self.KINDS}
        styles[""] = self.rich_style
        runs, drawn_with = self.lines(width, height), (width, height, styles)
        if drawn_with != self._drawn_with or len(runs) != len(self._runs):
            self._rows = [_strip(row, width, styles) for row in runs]
            self.refresh()
        else:
            # Most rows of a picture stay as they are.
            changed = [y for y, row in enumerate(runs) if row != self._runs[y]]
            for y in changed:
                self._rows[y] = _strip(runs[y], width, styles)
            if changed:
                self.refresh(*(Region(0, y, width, 1) for y in changed))
        self._runs, self._drawn_with = runs, drawn_with

    def on_resize(self) -> None:
        """Lay it out for the new size."""
        self.compute()

    def notify_style_update(self) -> None:
        """Colours changed: the rows hold them."""
        super().notify_style_update()
        if self.is_attached:
            self.compute()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Take what is left."""
        return 12

    def render_line(self, y: int) -> Strip:
        """Return a row that was computed before."""
        if y < len(self._rows):
            return self._rows[y]
        return Strip.blank(self.size.width, self.rich_style)


def _strip(row: list[Run], width: int, styles: dict[str, Style]) -> Strip:
    segments = [Segment(text, styles[kind]) for text, kind in row]
    return Strip(segments).adjust_cell_length(width, styles[""])
