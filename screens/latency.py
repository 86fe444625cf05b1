"""The latency screen: the histogram live, per CPU or merged, and what belongs beside it."""

import shlex
import time
from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, Static

from kubert_tui.base.paths import private_directory, state, write_private
from kubert_tui.events.model import LatencyStarted, LoadRefused
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.statistics import furthest, merge, remaining, summarise_thread
from kubert_tui.screens import actions
from kubert_tui.screens.durations import clock
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.help import HelpScreen
from kubert_tui.screens.latency_plots import LatencyPlots, Picture
from kubert_tui.screens.latency_text import badges, kernel_line, progress_line, verdict_line
from kubert_tui.screens.load_chooser import LoadChooser
from kubert_tui.screens.load_text import load_badge, load_marks, load_on, refusal
from kubert_tui.screens.run_session import RunChange, RunSession
from kubert_tui.screens.run_view import Area
from kubert_tui.screens.waiting_text import waits_line
from kubert_tui.screens.widgets.heatmap_layout import Mark
from kubert_tui.screens.widgets.histogram_layout import Figure
from kubert_tui.screens.widgets.statistics_table import statistics_table

FRAMES_PER_SECOND = 12
_MERGED = "merged"
_TALL = 30
_ROWS_SHORT = 2
_ROWS_TALL = 9


class LatencyScreen(Screen[None]):
    """Looks at the newest snapshot a few times a second; draws only what is new."""

    KEYS: ClassVar[tuple[actions.Action, ...]] = actions.LATENCY
    BINDINGS: ClassVar[list[BindingType]] = actions.bindings(KEYS)

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
        self._held: Snapshot | None = None
        """What was shown when the picture was paused."""
        self._marks: dict[str, list[Mark]] = {}
        self._drawn: tuple[Any, ...] | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out command, histogram, figures and progress."""
        yield Static(id="latency-head", markup=False)
        yield Static(id="latency-command", markup=False)
        yield Static(id="latency-warning", markup=False)
        yield LatencyPlots(self._glyphs)
        yield Static(id="latency-figures", markup=False)
        yield Static(id="latency-progress", markup=False)
        yield Static(id="latency-verdict", markup=False)
        yield Static(id="latency-host", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Listen for measurements that begin or end, and start the clock."""
        self._session.changed.subscribe(self, self._changed, immediate=True)
        self._timer = self.set_interval(1 / FRAMES_PER_SECOND, self.tick)
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
        for event in change.events:
            if isinstance(event, LoadRefused):
                self.notify(f"{event.host}: {refusal(event)}", severity="warning", markup=False)

    def tick(self) -> None:
        """Draw, if there is anything new."""
        if not self.is_current:
            return
        started = self._view.measurements.get(self._host)
        snapshot = self._held or self._session.snapshot(self._host)
        sequence = -1 if snapshot is None else snapshot.sequence
        waits = self._host in self._view.waits
        still = started is None or (snapshot is not None and not waits)
        beat = 0 if still else int(self._now())
        plots = self.query_one(LatencyPlots)
        look = (self._cpu, self._logarithmic, plots.picture, len(self._marks.get(self._host, ())))
        key = (self._host, sequence, snapshot is None, waits, beat, look, self._held is None)
        if key == self._drawn:
            return
        self._drawn = key
        self._show_head(started, snapshot)
        self._show_snapshot(started, snapshot)

    def _show_head(self, started: LatencyStarted | None, snapshot: Snapshot | None) -> None:
        hosts = len(self._view.measurements)
        which = _MERGED if self._cpu is None else f"CPU {self._cpu}"
        parts: list[tuple[str, str]] = [(f"{self._host or 'Latency'}  ", "bold $text-primary")]
        if started is not None:
            parts.append((f"{which}  ", "bold"))
            parts += badges(self._view, started, snapshot)
            parts += load_badge(self._view, self._host)
            if self._held is not None:
                parts += [(" ", ""), (" paused ", "bold $text-warning on $warning-muted")]
            parts.append((f"  cyclictest {started.version}", "$foreground-muted"))
        if hosts > 1:
            position = list(self._view.measurements).index(self._host) + 1
            parts.append((f"  host {position} of {hosts}", "$foreground-muted"))
        self._fill("#latency-head", Content.assemble(*parts))
        command = "" if started is None else f"$ {shlex.join(started.command)}"
        self._fill("#latency-command", Content(command))
        line, warning = kernel_line(self._view, self._host, snapshot, self._glyphs)
        if self._host in self._view.waits:
            warning = waits_line((self._view.waits[self._host],), self._now())
        self._fill("#latency-host", Content(line))
        stored = self._view.stored.get(self._host) or self._view.cut_off.get(self._host)
        self._fill("#latency-verdict", verdict_line(stored))
        self._fill("#latency-warning", Content(warning))

    def _show_snapshot(self, started: LatencyStarted | None, snapshot: Snapshot | None) -> None:
        plots = self.query_one(LatencyPlots)
        if snapshot is None:
            plots.nothing(self.nothing_yet() if started is None else _nothing_yet(started))
            self._fill("#latency-figures", Content(""))
            elapsed = 0.0 if started is None else max(0.0, self._now() - started.started)
            done = 0 if started is None else int(elapsed * 1_000_000 / started.interval)
        else:
            merged = merge(snapshot.threads)
            chosen = self._chosen(snapshot, merged)
            plots.show_figure(
                Figure(
                    chosen.counts,
                    chosen.overflows,
                    chosen.maximum,
                    self._logarithmic,
                    0 if started is None else started.limit,
                )
            )
            if plots.wants_history and self._held is None:
                self._show_history(plots, len(merged.counts), started)
            self._fill("#latency-figures", self._figures(snapshot, merged))
            elapsed, done = snapshot.elapsed, furthest(snapshot)
        if started is None:
            self._fill("#latency-progress", Content(""))
            return
        final = snapshot is not None and snapshot.final
        left = 0.0 if final else remaining(started.loops, started.interval, done)
        width = self.size.width - 2
        share = 1.0 if final else min(1.0, done / started.loops)
        self._fill("#latency-progress", progress_line(share, elapsed, left, width, self._glyphs))

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

    def _chosen(self, snapshot: Snapshot, merged: ThreadHistogram) -> ThreadHistogram:
        return next((one for one in snapshot.threads if one.cpu == self._cpu), merged)

    def _figures(self, snapshot: Snapshot, merged: ThreadHistogram) -> Content:
        room = (_ROWS_TALL if self.size.height >= _TALL else _ROWS_SHORT) - 1
        cpus = [thread.cpu for thread in snapshot.threads]
        at = cpus.index(self._cpu) if self._cpu in cpus else 0
        first = min(max(0, at - room // 2), max(0, len(cpus) - room))
        rows = [(_MERGED, summarise_thread(merged))]
        rows += [
            (f"CPU {thread.cpu}", summarise_thread(thread))
            for thread in snapshot.threads[first : first + room]
        ]
        selected = _MERGED if self._cpu is None else f"CPU {self._cpu}"
        return statistics_table(rows, selected, self.size.width - 2)

    def _fill(self, selector: str, content: Content) -> None:
        widget = self.query_one(selector, Static)
        widget.update(content)
        widget.display = bool(content.plain)

    def _select(self, cpu: int | None) -> None:
        self._cpu = cpu
        self.query_one(LatencyPlots).reset()
        self.tick()

    def _step_cpu(self, by: int) -> None:
        snapshot = self._session.snapshot(self._host)
        if snapshot is None:
            return
        ring = [None, *(thread.cpu for thread in snapshot.threads)]
        at = ring.index(self._cpu) if self._cpu in ring else 0
        self._select(ring[(at + by) % len(ring)])

    def action_next_cpu(self) -> None:
        """Show the next CPU; after the last one all of them merged."""
        self._step_cpu(1)

    def action_previous_cpu(self) -> None:
        """Show the CPU before."""
        self._step_cpu(-1)

    def action_merged(self) -> None:
        """Show all CPUs in one histogram."""
        self._select(None)

    def action_next_host(self) -> None:
        """Show the next host that measures or measured."""
        hosts = list(self._view.measurements)
        if hosts:
            self._host = hosts[(hosts.index(self._host) + 1) % len(hosts)]
            self._held = None
            self._select(None)

    def action_scale(self) -> None:
        """Switch between logarithmic and linear counts."""
        self._logarithmic = not self._logarithmic
        self.tick()

    def _choose(self, picture: Picture) -> None:
        self.query_one(LatencyPlots).choose(picture)
        self._drawn = None
        self.call_after_refresh(self.tick)

    def action_over_time(self) -> None:
        """Show latency against time, or the histogram again."""
        self._choose(Picture.TIME)

    def action_worst(self) -> None:
        """Show the worst samples, or the histogram again."""
        self._choose(Picture.WORST)

    def action_zoom(self, factor: float) -> None:
        """Show so many times the microseconds; 0 for all there is."""
        self.query_one(LatencyPlots).zoom(factor)

    def action_pause(self) -> None:
        """Hold the picture, or let it go on; the measurement goes on in any case."""
        self._held = None if self._held else self._session.snapshot(self._host)
        self.tick()

    def action_mark(self) -> None:
        """Mark this moment."""
        snapshot = self._session.snapshot(self._host)
        if snapshot is None:
            return
        marks = self._marks.setdefault(self._host, [])
        marks.append(Mark(len(marks) + 1, snapshot.elapsed))
        told = f"Mark {len(marks)} at {clock(snapshot.elapsed)}: see it over time (t)."
        self.notify(told, markup=False)
        self.tick()

    def action_load(self) -> None:
        """Choose what loads the host from now on."""
        host = self._host
        if host not in self._view.measuring:
            self.notify("Nothing is measured now: there is nothing to load.", markup=False)
            return
        on = load_on(self._view, host)
        chooser = LoadChooser(host, self._view.facts.get(host), on.preset if on else "")
        self.app.push_screen(chooser, lambda name: self._session.load(host, name) if name else None)

    def action_picture(self) -> None:
        """Save the screen as a picture."""
        name = f"{self._host or 'latency'}-{time.strftime('%Y%m%d-%H%M%S')}.svg"
        path = private_directory(state() / "pictures") / name
        try:
            write_private(path, self.app.export_screenshot(title=f"kubert-tui: {self._host}"))
        except OSError as error:
            self.notify(f"{path}: {error.strerror}", severity="error", markup=False)
            return
        self.notify(f"Saved as {path}", markup=False)

    def action_copy_command(self) -> None:
        """Copy the exact command to the clipboard (OSC 52)."""
        started = self._view.measurements.get(self._host)
        if started is not None:
            self.app.copy_to_clipboard(shlex.join(started.command))
            self.notify("The command is in the clipboard.", markup=False)

    def action_help(self) -> None:
        """Show all keys."""
        self.app.push_screen(HelpScreen(self._glyphs, (("Latency", self.KEYS),)))

    def action_close(self) -> None:
        """Go back to the stages."""
        if self.is_active:
            self.app.pop_screen()


def _nothing_yet(started: LatencyStarted) -> str:
    if not started.live:
        return (
            f"No live figures can be read: {started.reason}\n"
            "The histogram comes when cyclictest has ended."
        )
    return "Waiting for the first figures."
