"""The main screen: stages on the left; guide, hosts, findings and log on the right."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Footer, TabbedContent, TabPane

from kubert_tui.base import paths
from kubert_tui.events.measuring import LatencyStarted
from kubert_tui.events.model import Failure, StageFinished, StageStarted, StageState
from kubert_tui.screens import actions
from kubert_tui.screens.error import ErrorChoice, ErrorScreen
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.help import HelpScreen
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.log_text import log_lines, short_path
from kubert_tui.screens.machines import MachinesScreen
from kubert_tui.screens.nodes import NodesScreen
from kubert_tui.screens.prompts import ConfirmPrompt, ReasonPrompt
from kubert_tui.screens.run_session import RunChange, RunSession
from kubert_tui.screens.run_view import Area, Areas
from kubert_tui.screens.status_text import activity, next_step
from kubert_tui.screens.widgets.findings import FindingsPane
from kubert_tui.screens.widgets.guide import GuidePane
from kubert_tui.screens.widgets.hosts import HostsPane
from kubert_tui.screens.widgets.log_view import LogPane
from kubert_tui.screens.widgets.rail import Rail
from kubert_tui.screens.widgets.status_bar import StatusBar
from kubert_tui.stages.model import Stage

_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
"""Classes by columns: the rail gives way first."""


class WizardScreen(Screen[None]):
    """Shows a run and passes the user's wishes on to its engine."""

    BINDINGS: ClassVar[list[BindingType]] = actions.bindings(actions.WIZARD)
    HORIZONTAL_BREAKPOINTS = _BREAKPOINTS
    AUTO_FOCUS = "#rail"

    def __init__(
        self,
        session: RunSession,
        glyphs: Glyphs,
        leave: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        super().__init__()
        self._session = session
        self._view = session.view
        self._glyphs = glyphs
        self._leave = leave
        self._now = now
        self._follow = False

    def compose(self) -> ComposeResult:
        """Lay out rail, tabs, status line and keys."""
        with Horizontal(id="body"):
            yield Rail(self._view, self._glyphs)
            with TabbedContent(id="tabs", initial="guide"):
                with TabPane("Guide", id="guide"):
                    yield GuidePane(self._view, self._glyphs, self._now)
                with TabPane("Hosts", id="hosts"):
                    yield HostsPane(self._view, self._glyphs)
                with TabPane("Findings", id="findings"):
                    yield FindingsPane(self._view, self._glyphs)
                with TabPane("Log", id="log-tab"):
                    yield LogPane()
        yield StatusBar(id="status")
        yield Footer()

    def on_mount(self) -> None:
        """Listen, and begin with the first stage: connecting changes nothing."""
        self._session.changed.subscribe(self, self._changed, immediate=True)
        self._show(frozenset(Area))
        self._session.submit(self._view.stages[0].id)
        self.set_interval(1.0, self._show_waits)

    @property
    def selected(self) -> Stage:
        """Return the stage selected in the rail."""
        return self._view.stage(self.query_one(Rail).selected)

    def _changed(self, change: RunChange) -> None:
        if not self.is_mounted:
            return
        log = self.query_one(LogPane)
        log.write(line for event in change.events for line in log_lines(event))
        if self._view.run is not None and change.events:
            log.set_place(short_path(paths.runs() / self._view.run.run))
        for event in change.events:
            if isinstance(event, StageStarted) and self._follow:
                self.query_one(Rail).select(event.stage)
            if isinstance(event, StageFinished):
                self._go_on_where_it_stood(event.stage)
            if isinstance(event, LatencyStarted) and self.app.screen is self:
                self.action_latency()
            if isinstance(event, StageFinished) and event.state is StageState.FAILED:
                self._follow = False
                self._show_error(event.stage)
            if isinstance(event, Failure) and not event.stage:
                # The run itself failed: there is no stage to retry.
                self.app.push_screen(ErrorScreen("The run", (event,), retry=False))
        self._show(change.areas)

    def _go_on_where_it_stood(self, finished: str) -> None:
        """Select what is left of a run that goes on, once its hosts are reached."""
        run, rail, first = self._view.run, self.query_one(Rail), self._view.stages[0].id
        if run is not None and run.resumed and finished == rail.selected == first:
            left = [stage for stage in self._view.remaining() if stage != first]
            rail.select(next(iter(left), first))

    def _show(self, areas: Areas) -> None:
        stage = self.selected
        if Area.RAIL in areas or Area.STATUS in areas:
            self.query_one(Rail).show_states()
            self._show_status()
        if Area.GUIDE in areas:
            self.query_one(GuidePane).show(stage)
        if Area.HOSTS in areas:
            self.query_one(HostsPane).show()
        if Area.FINDINGS in areas:
            self.query_one(FindingsPane).show(stage)

    def _show_status(self) -> None:
        now = activity(self._view, self._now())
        self.query_one(StatusBar).show(now, next_step(self._view, self.selected))

    def _show_waits(self) -> None:
        """Let the clocks of waits go on between two events."""
        if self._view.waits and self.is_current:
            self._show_status()
            self.query_one(GuidePane).show_waits()

    @on(Rail.Selected)
    def _stage_selected(self) -> None:
        self._show(frozenset({Area.GUIDE, Area.FINDINGS, Area.STATUS}))

    @on(Rail.OptionSelected)
    def action_apply(self) -> None:
        """Let the engine judge the stage; it asks before it changes anything."""
        # Who asks for a restart by hand means it, even if this run had one already; and who asks
        # for what is decided wants to see it.
        stage = self.selected
        self._submit(stage.id, again=stage.by_hand or stage.decision is not None)

    def action_recheck(self) -> None:
        """Let the engine judge the stage again, and measure again if it measures."""
        self._submit(self.selected.id, again=self.selected.measures)

    def _submit(self, stage: str, *, again: bool = False) -> None:
        if stage == self._view.running or stage in self._view.queued:
            self.notify("This stage is being worked on already.", markup=False)
            return
        self._session.submit(stage, again=again)

    def action_apply_all(self) -> None:
        """Ask for everything that is left, and follow it."""
        self._follow = True
        self._session.submit(*self._view.remaining())

    def action_next_stage(self) -> None:
        """Select the next stage."""
        self._follow = False
        self.query_one(Rail).move(1)

    def action_previous_stage(self) -> None:
        """Select the stage before."""
        self._follow = False
        self.query_one(Rail).move(-1)

    def action_skip(self) -> None:
        """Ask why, then skip."""
        stage = self.selected
        if stage.id == self._view.running:
            self.notify("It is running: cancel it first (c).", markup=False)
            return

        def given(reason: str | None) -> None:
            if reason is not None:
                self._session.skip(stage.id, reason)

        self.app.push_screen(ReasonPrompt(f"Skip: {stage.title}"), given)

    def action_cancel(self) -> None:
        """Cancel after a confirmation; without anything to cancel, go back to the stages."""
        if not self._view.running and not self._view.queued:
            self.query_one(Rail).focus()
            return
        if self._view.cancelling:
            return
        text = "What runs on the hosts is ended, and what is queued is not begun."
        if self._view.measuring:
            text = (
                "cyclictest ends on its hosts; what it measured is kept, labelled as interrupted."
            )

        def answered(yes: bool | None) -> None:
            # It may have ended by itself while the question stood there.
            if yes and (self._view.running or self._view.queued):
                self._session.cancel()

        prompt = ConfirmPrompt("Cancel?", text, yes="Cancel it", no="Let it run")
        self.app.push_screen(prompt, answered)

    def action_tab(self, name: str) -> None:
        """Show one of the tabs, and focus what can be moved in it."""
        tabs = self.query_one(TabbedContent)
        tabs.active = "log-tab" if name == "log" else name
        focus = {
            "guide": "#guide-pane",
            "hosts": "#hosts-pane",
            "findings": "#findings-list",
            "log": "#log",
        }
        self.query_one(focus[name]).focus()

    def action_latency(self) -> None:
        """Open the latency screen."""
        self.app.push_screen(LatencyScreen(self._session, self._glyphs, self._now))

    def action_machines(self) -> None:
        """Open the screen of the virtual machines."""
        self.app.push_screen(MachinesScreen(self._session, self._glyphs))

    def action_nodes(self) -> None:
        """Open the screen of the cluster's nodes."""
        self.app.push_screen(NodesScreen(self._session, self._glyphs, self._now))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what is about a cluster only where the lab has one."""
        del parameters
        return action != "nodes" or self._view.lab.cluster is not None

    def action_error(self) -> None:
        """Show what went wrong in the selected stage."""
        stage = self.selected.id
        if not self._view.failures.get(stage):
            self.notify("Nothing went wrong in this stage.", markup=False)
            return
        self._show_error(stage)

    def _show_error(self, stage: str) -> None:
        failures = self._view.failures.get(stage, ())
        if not failures:
            return

        def chosen(choice: ErrorChoice | None) -> None:
            if choice is ErrorChoice.RETRY:
                self._submit(stage)
            elif choice is ErrorChoice.SKIP:
                self.query_one(Rail).select(stage)
                self.action_skip()

        self.app.push_screen(ErrorScreen(self._view.stage(stage).title, failures), chosen)

    def action_help(self) -> None:
        """Show all keys."""
        self.app.push_screen(HelpScreen(self._glyphs, lab=self._view.lab))

    def action_leave(self) -> None:
        """Leave the wizard."""
        self._leave()
