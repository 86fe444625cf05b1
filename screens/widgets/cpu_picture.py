"""The picture of a host's CPUs, in which cores are chosen."""

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.widgets.cpu_layout import KINDS, Cell, Picture, Shown, layout


class CpuPicture(ScrollView, can_focus=True):
    """Shows a plan; `Chosen` says that the selected core is to be put on the other side."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"cpus--{kind}" for kind in KINDS}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1, 0)", "Left", show=False),
        Binding("right,l", "move(1, 0)", "Right", show=False),
        Binding("up,k", "move(0, -1)", "Up", show=False),
        Binding("down,j", "move(0, 1)", "Down", show=False),
    ]

    class Chosen(Message):
        """The core of this CPU."""

        def __init__(self, cpu: int) -> None:
            super().__init__()
            self.cpu = cpu

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="cpu-picture")
        self._glyphs = glyphs
        self._shown: Shown | None = None
        self._picture: Picture | None = None
        self._strips: list[Strip] = []
        self.selected = 0
        """A CPU of the selected core."""

    @property
    def text(self) -> str:
        """Return the whole picture as plain text."""
        return "\n".join(strip.text.rstrip() for strip in self._strips)

    def show(self, shown: Shown) -> None:
        """Draw a plan; the selection stays where it is, if there is such a CPU."""
        self._shown = shown
        if self.selected not in shown.topology.numbers:
            self.selected = shown.topology.cpus[0].number
        self._compute()

    def _compute(self) -> None:
        width = self.scrollable_content_region.width
        if self._shown is None or not width:
            return
        picture = layout(self._shown, self.selected, width, self._glyphs)
        styles = {kind: self.get_component_rich_style(f"cpus--{kind}") for kind in KINDS}
        self._picture = picture
        self._strips = [
            Strip([Segment(text, styles[kind]) for text, kind in row]) for row in picture.rows
        ]
        widest = max(strip.cell_length for strip in self._strips)
        self.virtual_size = Size(min(widest, width), len(self._strips))
        self._bring_into_view(picture.of(self.selected))
        self.refresh()

    def _bring_into_view(self, cell: Cell) -> None:
        # With the lines above: the head of its node, and of its socket.
        region = Region(0, max(cell.row - 2, 0), 1, 4)
        self.scroll_to_region(region, animate=False, force=True)

    def on_resize(self) -> None:
        """Lay it out for the new size."""
        self._compute()

    def notify_style_update(self) -> None:
        """Colours changed: the strips hold them."""
        super().notify_style_update()
        if self.is_attached:
            self._compute()

    def render_line(self, y: int) -> Strip:
        """Return a row that was computed before."""
        row = y + round(self.scroll_offset.y)
        width, style = self.size.width, self.rich_style
        if row >= len(self._strips):
            return Strip.blank(width, style)
        return self._strips[row].adjust_cell_length(width, style)

    def action_move(self, columns: int, rows: int) -> None:
        """Select another core."""
        if self._picture is None:
            return
        cell = self._picture.of(self.selected)
        cell = self._picture.beside(cell, columns) if columns else self._picture.above(cell, rows)
        self._select(cell)

    def action_choose(self) -> None:
        """Put the selected core on the other side."""
        self.post_message(self.Chosen(self.selected))

    def on_click(self, event: events.Click) -> None:
        """Select the core that was clicked at, and put it on the other side."""
        place = event.get_content_offset(self)
        if place is None or self._picture is None:
            return
        scrolled = self.scroll_offset
        cell = self._picture.at(round(place.y + scrolled.y), round(place.x + scrolled.x))
        if cell is not None:
            self._select(cell)
            self.action_choose()

    def _select(self, cell: Cell) -> None:
        self.selected = cell.cpus[0]
        self._compute()
