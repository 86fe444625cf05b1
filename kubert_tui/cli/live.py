"""The live histogram of the headless face: drawn on a terminal, told in lines elsewhere."""

import time
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from kubert_tui.cli.words import duration
from kubert_tui.events.measuring import LatencySnapshot, LatencyStarted
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.statistics import furthest, merge, remaining, summarise
from kubert_tui.screens.glyphs import ASCII, UNICODE
from kubert_tui.screens.widgets.histogram_layout import Figure, Limits, grown, layout

_HEIGHT = 12
_WIDTH = 78
_LINE_EVERY = 10.0
"""Seconds between two lines where there is no terminal to draw on."""
_STYLES = {"axis": "dim", "bar": "cyan", "overflow": "red", "marker": "yellow"}


@dataclass(slots=True)
class _Watched:
    started: LatencyStarted
    newest: Snapshot | None = None
    limits: Limits = field(default_factory=Limits)
    told: float = 0.0


class LiveHistograms:
    """Shows what is being measured, one histogram per host."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._watched: dict[str, _Watched] = {}

    def show(self, event: LatencyStarted | LatencySnapshot) -> None:
        """Take one event."""
        if isinstance(event, LatencyStarted):
            self._begin(event)
        elif watched := self._watched.get(event.host):
            watched.newest = event.snapshot
            if self._console.is_terminal:
                self._draw()
            elif event.snapshot.final or time.monotonic() - watched.told > _LINE_EVERY:
                watched.told = time.monotonic()
                self._console.print(Text(f"  {event.host}: {_figures(watched)}"))

    def stop(self) -> None:
        """End the drawing; the last picture stays."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def summaries(self) -> list[str]:
        """Return one line of figures per host whose measurement is final."""
        return [
            f"{host}: {_figures(watched)}"
            for host, watched in self._watched.items()
            if watched.newest is not None and watched.newest.final
        ]

    def _begin(self, event: LatencyStarted) -> None:
        self._watched[event.host] = _Watched(event)
        how = "attached to" if event.attached else "started"
        command = " ".join(event.command)
        self._console.print(Text(f"  {event.host}: {how} $ {command}", "dim"))
        if not event.live:
            self._console.print(Text(f"  {event.host}: no live figures: {event.reason}", "yellow"))
        elif event.stream == "verbose":
            told = "live figures are those of --verbose (fallback): some samples may be missing"
            self._console.print(Text(f"  {event.host}: {told}", "yellow"))

    def _draw(self) -> None:
        if self._live is None:
            self._live = Live(console=self._console, refresh_per_second=8, transient=False)
            self._live.start()
        self._live.update(Group(*(self._picture(one) for one in self._watched.values())))

    def _picture(self, watched: _Watched) -> Text:
        if watched.newest is None:
            return Text("")
        merged = merge(watched.newest.threads)
        figure = Figure(merged.counts, merged.overflows, merged.maximum)
        watched.limits = grown(watched.limits, figure)
        glyphs = ASCII if self._console.options.ascii_only else UNICODE
        width = min(_WIDTH, self._console.width - 2)
        figures = _figures(watched).replace(" us seen", " us\n  seen", 1)
        picture = Text(f"{watched.started.host}: {figures}\n", no_wrap=True)
        for row in layout(figure, watched.limits, width, _HEIGHT, glyphs):
            for text, kind in row:
                picture.append(text.replace("\0", " "), _STYLES.get(kind, ""))
            picture.append("\n")
        return picture


def _figures(watched: _Watched) -> str:
    if watched.newest is None:
        return "no samples yet"
    summary = summarise(watched.newest)
    started = watched.started
    shown = [("p99", summary.p99), ("p99.9", summary.p99_9), ("p99.99", summary.p99_99)]
    told = "".join(f" {name} {value}" for name, value in shown if value is not None)
    text = (
        f"min {summary.minimum} avg {summary.average:.1f}{told} us, worst of {summary.samples} "
        f"samples {summary.maximum} us, {summary.overflows} overflows"
    )
    if not watched.newest.final:
        left = remaining(started.loops, started.interval, furthest(watched.newest))
        text += f", {duration(left)} left"
    return text
