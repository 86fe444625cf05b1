"""The pictures of the latency screen: histogram, time, worst samples, rows of CPUs and hosts."""

import time
from collections.abc import Sequence
from enum import StrEnum

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from kubert_tui.latency.history import History, Spike
from kubert_tui.screens.durations import clock
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.widgets.heatmap import Heatmap
from kubert_tui.screens.widgets.heatmap_layout import Map, Mark
from kubert_tui.screens.widgets.histogram import Histogram
from kubert_tui.screens.widgets.histogram_layout import Figure
from kubert_tui.screens.widgets.strips import Strips
from kubert_tui.screens.widgets.strips_layout import Sheet

_TALL = 34
"""Rows from which on the histogram and the time are shown at once."""
ZOOM = 0.5


class Picture(StrEnum):
    """What is looked at."""

    HISTOGRAM = "histogram"
    TIME = "time"
    WORST = "worst"
    HOSTS = "hosts"
    CPUS = "cpus"

    @property
    def of_rows(self) -> bool:
        """Whether it is rows with a cursor."""
        return self in (Picture.HOSTS, Picture.CPUS)


class LatencyPlots(Vertical):
    """Shows one of the pictures, or two where there is room."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="latency-plot")
        self._glyphs = glyphs
        self.picture = Picture.HISTOGRAM

    def compose(self) -> ComposeResult:
        """All of them; those not looked at are hidden."""
        yield Histogram(self._glyphs)
        yield Heatmap(self._glyphs)
        yield Strips(self._glyphs)
        yield Static(id="latency-worst", markup=False)
        yield Static(id="latency-empty", markup=False)

    def choose(self, picture: Picture) -> None:
        """Show this picture; the histogram if it is shown already."""
        self.picture = Picture.HISTOGRAM if self.picture is picture else picture
        self.settle()

    def settle(self) -> None:
        """Show what was chosen, and what else there is room for."""
        empty = self.query_one("#latency-empty", Static).display
        either = self.picture in (Picture.HISTOGRAM, Picture.TIME)
        both = self.size.height >= _TALL and either
        shown = {self.picture} | ({Picture.HISTOGRAM, Picture.TIME} if both else set())
        self.query_one(Histogram).display = not empty and Picture.HISTOGRAM in shown
        self.query_one(Heatmap).display = not empty and Picture.TIME in shown
        self.query_one("#latency-worst").display = not empty and Picture.WORST in shown
        strips = self.query_one(Strips)
        strips.display = not empty and self.picture.of_rows
        if strips.display and not strips.has_focus:
            strips.focus()
        elif not strips.display and strips.has_focus:
            strips.blur()

    def on_resize(self) -> None:
        """There may be room for more, or less."""
        self.settle()

    def nothing(self, why: str) -> None:
        """Show a sentence instead of pictures."""
        empty = self.query_one("#latency-empty", Static)
        empty.update(Content(why))
        empty.display = True
        self.settle()

    def show_figure(self, figure: Figure) -> None:
        """Draw the histogram."""
        self.query_one("#latency-empty").display = False
        self.query_one(Histogram).show(figure)
        self.settle()

    def show_rows(self, sheet: Sheet, cursor: str) -> None:
        """Draw rows of hosts or CPUs."""
        self.query_one("#latency-empty").display = False
        self.query_one(Strips).show(sheet, cursor)
        self.settle()

    @property
    def wants_history(self) -> bool:
        """Whether a picture that is shown needs the history."""
        worst = self.query_one("#latency-worst").display
        return bool(self.query_one(Heatmap).display or worst)

    def show_history(
        self, history: History, size: int, started: float, marks: Sequence[Mark]
    ) -> None:
        """Draw what is shown of a history; `started` is the beginning, in seconds since 1970."""
        heatmap = self.query_one(Heatmap)
        if heatmap.display:
            drawn = Map(history.columns, history.step, history.begin, size, marks=tuple(marks))
            heatmap.show(drawn)
        if self.picture is Picture.WORST:
            table = worst_table(history, started, marks, self.size.height)
            self.query_one("#latency-worst", Static).update(table)

    def reset(self) -> None:
        """Another histogram comes."""
        self.query_one(Histogram).reset()

    def zoom(self, factor: float) -> None:
        """Show so many times the microseconds in all pictures; 0 for all of them."""
        self.query_one(Histogram).zoom(factor)
        self.query_one(Heatmap).zoom(factor)

    @property
    def text(self) -> str:
        """What is drawn, as plain text."""
        plots = (self.query_one(Histogram), self.query_one(Heatmap), self.query_one(Strips))
        return "\n".join(one.text for one in plots if one.display)


def worst_table(history: History, started: float, marks: Sequence[Mark], rows: int) -> Content:
    """Return the worst samples, the marks among them by their time."""
    parts: list[tuple[str, str]] = [
        (f"{'us':>9}{'CPU':>6}   {'after the start':<22}{'at':<12}", "$foreground-muted")
    ]
    shown = history.worst[: max(rows - 2, 1)]
    parts += [("\n" + _line(spike, started, marks), "") for spike in shown]
    if not history.worst:
        parts.append(("\nNo samples yet.", "$foreground-muted"))
    if history.begin:
        told = f"\nWhat happened before {clock(history.begin)} is not known sample by sample."
        parts.append((told, "$text-warning"))
    return Content.assemble(*parts)


def _line(spike: Spike, started: float, marks: Sequence[Mark]) -> str:
    between = f"{_fine(spike.after)} to {_fine(spike.before)}"
    at = time.strftime("%H:%M:%S", time.localtime(started + spike.before))
    near = [one for one in marks if spike.after <= one.elapsed < spike.before]
    told = f"  {near[0].label or f'mark {near[0].number}'}" if near else ""
    return f"{spike.latency:>9}{spike.cpu:>6}   {between:<22}{at:<12}{told}"


def _fine(seconds: float) -> str:
    """A time to a tenth of a second: samples are looked at several times a second."""
    return f"{clock(seconds)}.{int(seconds * 10) % 10}"
