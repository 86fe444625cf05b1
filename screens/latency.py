"""The latency screen: the histogram live, per CPU or merged; here is what its keys do."""

import shlex
import time
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from kubert_tui.base.paths import private_directory, state, write_private
from kubert_tui.engine.stored_results import stored_results
from kubert_tui.screens import actions
from kubert_tui.screens.compared import Compared
from kubert_tui.screens.durations import clock
from kubert_tui.screens.help import HelpScreen
from kubert_tui.screens.latency_display import LatencyDisplay
from kubert_tui.screens.latency_plots import LatencyPlots, Picture
from kubert_tui.screens.latency_text import MERGED
from kubert_tui.screens.load_chooser import LoadChooser
from kubert_tui.screens.load_text import load_on
from kubert_tui.screens.result_chooser import ResultChooser
from kubert_tui.screens.widgets.heatmap_layout import Mark
from kubert_tui.screens.widgets.strips import Strips


class LatencyScreen(LatencyDisplay):
    """Shows what is measured, and how one wants to see it."""

    KEYS: ClassVar[tuple[actions.Action, ...]] = actions.LATENCY
    BINDINGS: ClassVar[list[BindingType]] = actions.bindings(KEYS)

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
            self._go_to(hosts[(hosts.index(self._host) + 1) % len(hosts)])

    def _go_to(self, host: str) -> None:
        self._host = host
        self._held = None
        self._select(None)

    def action_scale(self) -> None:
        """Switch between logarithmic and linear counts."""
        self._logarithmic = not self._logarithmic
        self.tick()

    def action_hosts(self) -> None:
        """Show all hosts, or one again."""
        self._choose(Picture.HOSTS)

    def action_cpus(self) -> None:
        """Show all CPUs of the host, the worst first, or the histogram again."""
        self._choose(Picture.CPUS)

    @on(Strips.Moved)
    def _moved(self, event: Strips.Moved) -> None:
        if self.query_one(LatencyPlots).picture is Picture.HOSTS:
            self._go_to(event.key)
        else:
            self._select(int(event.key.split()[-1]) if event.key != MERGED else None)

    @on(Strips.Chosen)
    def _look_at_it(self) -> None:
        self._choose(Picture.HISTOGRAM)

    def action_compare(self) -> None:
        """Draw a stored result over the histogram, or take it away."""
        if self._compared is not None:
            self._compare(None)
        elif self.is_active:
            find = partial(stored_results, self._host)
            self.app.push_screen(ResultChooser(find), self._compare)

    def _compare(self, compared: Compared | None) -> None:
        self._compared = compared
        plots = self.query_one(LatencyPlots)
        plots.reset()
        if compared is not None and plots.picture is not Picture.HISTOGRAM:
            self._choose(Picture.HISTOGRAM)
        self.tick()

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
        self._held = None if self._held else self._session.digest(self._host)
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
        self.app.push_screen(
            HelpScreen(self._glyphs, (("Latency", (*self.KEYS, *actions.STRIPS)),))
        )

    def action_close(self) -> None:
        """Go back to the stages."""
        if self.is_active:
            self.app.pop_screen()
