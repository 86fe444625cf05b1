"""What a virtual machine says on its console, as it comes. Read only."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Log, Static

from kubert_tui.events.model import ConsoleSaid, OrderEnded
from kubert_tui.machines.order import Action, Order
from kubert_tui.screens import actions
from kubert_tui.screens.run_session import RunChange, RunSession

_LINES = 2000


class ConsoleScreen(Screen[None]):
    """Follows one console; it is let go when the screen closes."""

    BINDINGS: ClassVar[list[BindingType]] = actions.bindings(actions.CONSOLE)
    AUTO_FOCUS = "#console"

    def __init__(self, session: RunSession, name: str) -> None:
        super().__init__()
        self._session = session
        self._machine = name
        self._ordered = False

    def compose(self) -> ComposeResult:
        """Lay out heading, lines and keys."""
        yield Static(Content(f"Console of {self._machine}"), id="console-head", markup=False)
        yield Log(id="console", max_lines=_LINES)
        yield Footer()

    def on_mount(self) -> None:
        """Show what was said already, and follow it (while a stage works, that one does)."""
        log = self.query_one(Log)
        log.write_lines(self._session.view.consoles.get(self._machine, ()))
        self._session.changed.subscribe(self, self._changed, immediate=True)
        if not self._session.view.running:
            self._ordered = True
            self._session.machines(Order(Action.CONSOLE, (self._machine,)))

    def _changed(self, change: RunChange) -> None:
        if not self.is_mounted:
            return
        for event in change.events:
            if isinstance(event, ConsoleSaid) and event.machine == self._machine:
                self.query_one(Log).write_lines(event.lines)
            elif isinstance(event, OrderEnded) and event.action == Action.CONSOLE:
                self._ordered = False
                why = event.summary or "the machine went off, or somebody else took its console"
                self.query_one("#console-head", Static).update(
                    Content(f"Console of {self._machine}: closed ({why})")
                )

    def action_close(self) -> None:
        """Let go of the console and go back."""
        if self._ordered:
            self._session.cancel()
        self.dismiss()
