"""What the latency screen shows: a picture, and what belongs beside it; drawn when it is new."""

import shlex
from collections.abc import Callable
from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, Static

from kubert_tui.events.measuring import LatencyStarted, LoadRefused
from kubert_tui.latency.digest import Digest
from kubert_tui.latency.statistics import remaining
from kubert_tui.screens.compared import Compared, unlike
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.latency_figures import figure, figures
from kubert_tui.screens.latency_plots import LatencyPlots, Picture
from kubert_tui.screens.latency_text import (
    cpu_name,
    head_line,
    kernel_line,
    nothing_live,
    progress_line,
    verdict_line,
)
from kubert_tui.screens.load_text import load_marks, refusal
from kubert_tui.screens.run_order import is_ladder
from kubert_tui.screens.run_session import RunChange, RunSession
from kubert_tui.screens.run_view import Area
from kubert_tui.screens.sheets import cpus_sheet, hosts_sheet, ladder_sheet
from kubert_tui.screens.waiting_text import waits_line
from kubert_tui.screens.widgets.heatmap_layout import Mark

FRAMES_PER_SECOND = 12
_TALL = 30
_ROOMY = 16
"""Rows from which on many hosts are shown at once."""
_ROWS_SHORT = 2
_ROWS_TALL = 9


class LatencyDisplay(Screen[None]):
    """Looks at the newest snapshot a few times a second; draws only what is new."""

    def __init__(self, session: RunSession, glyphs: Glyphs, now: Callable[[], float]) -> None:
        super().__init__()
        self._session = session
        self._view = session.view
        self._glyphs = glyphs
        self._now = now
        self._host = next(iter(self._view.measuring or tuple(self._view.measurements)), "")
        self._cpu: int | None = None
        """Selected CPU; None for all of them merged."""
        self._logarithmic = True
        self._held: Digest | None = None
        """What was shown when the picture was paused."""
        self._compared: Compared | None = None
        self._overviewed = False
        """All hosts were shown, or somebody wanted another picture."""
        self._marks: dict[str, list[Mark]] = {}
        self._drawn: tuple[Any, ...] | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out command, histogram, figures and progress."""
        yield Static(id="latency-head", markup=False)
        yield Static(id="latency-command", markup=False)
        yield Static(id="latency-warning", markup=False)
        yield LatencyPlots(self._glyphs)
        yield Static(id="latency-compared", markup=False)
        yield Static(id="latency-figures", markup=False)
        yield Static(id="latency-progress", markup=False)
        yield Static(id="latency-verdict", markup=False)
        yield Static(id="latency-host", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Listen for measurements that begin or end, and start the clock."""
        self._session.changed.subscribe(self, self._changed, immediate=True)
        self._timer = self.set_interval(1 / FRAMES_PER_SECOND, self.tick)
        self.call_after_refresh(self._overview)
        self.call_after_refresh(self.tick)

    def on_screen_suspend(self) -> None:
        """Draw nothing while hidden."""
        if self._timer is not None:
            self._timer.pause()

    def on_screen_resume(self) -> None:
        """Go on drawing."""
        if self._timer is not None:
            self._timer.resume()

    def on_resize(self) -> None:
        """The number of rows that fit may have changed."""
        self._drawn = None

    def _changed(self, change: RunChange) -> None:
        if {Area.LATENCY, Area.STATUS} & change.areas:
            if not self._host:
                self._host = next(iter(self._view.measurements), "")
            self._drawn = None
            self._overview()
        for event in change.events:
            if isinstance(event, LoadRefused):
                self.notify(f"{event.host}: {refusal(event)}", severity="warning", markup=False)

    def _overview(self) -> None:
        """Show all hosts first, where there is more than one and room for them."""
        many = len(self._view.measurements) > 1 and self.size.height >= _ROOMY
        if many and not self._overviewed:
            self._choose(Picture.HOSTS)

    def _choose(self, picture: Picture) -> None:
        self._overviewed = True
        self.query_one(LatencyPlots).choose(picture)
        self._drawn = None
        self.call_after_refresh(self.tick)

    def tick(self) -> None:
        """Draw, if there is anything new."""
        if not self.is_current:
            return
        plots = self.query_one(LatencyPlots)
        started = self._view.measurements.get(self._host)
        digest = self._held or self._session.digest(self._host)
        waits = self._host in self._view.waits
        still = started is None or (digest is not None and not waits)
        look = (
            self._cpu, self._logarithmic, plots.picture, len(self._marks.get(self._host, ())),
            self._held is None, self._compared is None,
        )  # fmt: skip
        key = (self._host, self._seen(plots.picture), waits, 0 if still else int(self._now()), look)
        if key == self._drawn:
            return
        self._drawn = key
        self._show_head(plots, started, digest)
        self._show_digest(plots, started, digest)

    def _seen(self, picture: Picture) -> tuple[int, ...]:
        """The sequence numbers of all that is shown."""
        hosts = self._view.measurements if picture is Picture.HOSTS else (self._host,)
        digests = [self._held] if self._held else map(self._session.digest, hosts)
        return tuple(-1 if one is None else one.snapshot.sequence for one in digests)

    def _show_head(
        self, plots: LatencyPlots, started: LatencyStarted | None, digest: Digest | None
    ) -> None:
        snapshot = None if digest is None else digest.snapshot
        host = "" if plots.picture is Picture.HOSTS else self._host
        paused = self._held is not None
        self._fill("#latency-head", head_line(self._view, host, self._cpu, snapshot, paused=paused))
        many = plots.picture is Picture.HOSTS
        command = "" if started is None or many else f"$ {shlex.join(started.command)}"
        self._fill("#latency-command", Content(command))
        line, warning = kernel_line(self._view, self._host, snapshot, self._glyphs)
        if self._host in self._view.waits:
            warning = waits_line((self._view.waits[self._host],), self._now())
        self._fill("#latency-host", Content("" if many else line))
        stored = self._view.stored.get(self._host) or self._view.cut_off.get(self._host)
        self._fill("#latency-verdict", Content("") if many else verdict_line(stored))
        self._fill("#latency-warning", Content("" if many else warning))
        self._fill("#latency-compared", self._told_compared(started, digest))

    def _told_compared(self, started: LatencyStarted | None, digest: Digest | None) -> Content:
        compared = self._compared
        if compared is None or self.query_one(LatencyPlots).picture is not Picture.HISTOGRAM:
            return Content("")
        buckets = 0 if digest is None else len(digest.merged.counts)
        facts = self._view.facts.get(self._host)
        return Content.assemble(
            (f"{self._glyphs.other} {compared.name}", "bold $text-warning"),
            (", drawn as shares: as if it had as many samples; ", ""),
            (unlike(compared.stored, facts, started, buckets), ""),
        )

    def _show_digest(
        self, plots: LatencyPlots, started: LatencyStarted | None, digest: Digest | None
    ) -> None:
        limit = 0 if started is None else started.limit
        rows = plots.picture.of_rows
        if plots.picture is Picture.HOSTS and started is not None:
            digests = {host: self._session.digest(host) for host in self._view.measurements}
            sheet = (
                ladder_sheet(self._view, digests, self._glyphs)
                if is_ladder(self._view.measurements)
                else hosts_sheet(self._view, digests)
            )
            plots.show_rows(sheet, self._host)
        elif digest is None:
            plots.nothing(self.nothing_yet() if started is None else nothing_live(started))
        elif plots.picture is Picture.CPUS:
            plots.show_rows(cpus_sheet(digest, limit), cpu_name(self._cpu))
        else:
            compared = self._compared
            plots.show_figure(
                figure(
                    digest, self._cpu,
                    logarithmic=self._logarithmic, limit=limit, compared=compared,
                )
            )  # fmt: skip
            if plots.wants_history and self._held is None:
                self._show_history(plots, len(digest.merged.counts), started)
        table = Content("")
        if digest is not None and not rows:
            tall = self.size.height >= _TALL
            table = figures(
                digest, self._cpu, self._compared,
                rows=_ROWS_TALL if tall else _ROWS_SHORT, width=self.size.width - 2,
            )  # fmt: skip
        self._fill("#latency-figures", table)
        self._show_progress(started, digest)

    def _show_progress(self, started: LatencyStarted | None, digest: Digest | None) -> None:
        if started is None:
            self._fill("#latency-progress", Content(""))
            return
        if digest is None:
            elapsed = max(0.0, self._now() - started.started)
            done, final = int(elapsed * 1_000_000 / started.interval), False
        else:
            elapsed, done, final = digest.snapshot.elapsed, digest.done, digest.snapshot.final
        left = 0.0 if final else remaining(started.loops, started.interval, done)
        share = 1.0 if final else min(1.0, done / started.loops)
        width = self.size.width - 2
        line = progress_line(share, elapsed, left, digest=digest, width=width, glyphs=self._glyphs)
        self._fill("#latency-progress", line)

    def _show_history(self, plots: LatencyPlots, size: int, started: LatencyStarted | None) -> None:
        begun = 0.0 if started is None else started.started
        marks = [*load_marks(self._view, self._host), *self._marks.get(self._host, [])]
        self._session.of_history(
            self._host, lambda history: plots.show_history(history, size, begun, marks)
        )

    def nothing_yet(self) -> str:
        """Tell why there is no measurement."""
        return (
            "Nothing was measured in this session yet.\n"
            "Go back (esc), select the cyclictest stage and press a."
        )

    def _fill(self, selector: str, content: Content) -> None:
        widget = self.query_one(selector, Static)
        before = widget.content
        if isinstance(before, Content) and before.is_same(content):
            return
        # Laying out the screen costs more than drawing it: only when a line more or less is needed.
        width = self.size.width - 2
        same = isinstance(before, Content) and _rows(before, width) == _rows(content, width) != 0
        widget.update(content, layout=not same)
        widget.display = bool(content.plain)


def _rows(content: Content, width: int) -> int:
    """The rows a text takes; 0 if it takes none, or is wrapped, so that its words decide."""
    lines = content.plain.split("\n")
    return 0 if not content.plain or any(len(line) > width for line in lines) else len(lines)
