"""The lab's virtual machines: how they are, and what can be done with them."""

import time
from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from kubert_tui.events.model import Failure, OrderEnded
from kubert_tui.lab.model import Permission
from kubert_tui.machines.order import CHANGING, LOSING, Action, Order
from kubert_tui.screens import actions
from kubert_tui.screens.console import ConsoleScreen
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.help import HelpScreen
from kubert_tui.screens.machines_text import Row, detail_of, line_of, rows_of
from kubert_tui.screens.run_session import RunChange, RunSession
from kubert_tui.screens.typed_prompt import TypedPrompt

_HEAD = f"{'machine':<16}{'state':<10}{'address':<16}{'CPUs':<18}"


class MachinesScreen(Screen[None]):
    """A table by host. It asks the engine, and shows what facts and events tell."""

    BINDINGS: ClassVar[list[BindingType]] = actions.bindings(actions.MACHINES)
    AUTO_FOCUS = "#machines"

    def __init__(self, session: RunSession, glyphs: Glyphs) -> None:
        super().__init__()
        self._session = session
        self._view = session.view
        self._glyphs = glyphs
        self._rows: tuple[Row, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out the table above what is known of the selected one."""
        yield Static(Content(_HEAD), id="machines-head", markup=False)
        yield OptionList(id="machines", compact=True)
        with VerticalScroll(id="machine-detail", can_focus=False):
            yield Static(id="machine-text", markup=False)
        yield Static(id="machines-doing", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Show what is known, and look."""
        self._session.changed.subscribe(self, self._changed, immediate=True)
        self._show()
        self.action_look()

    @property
    def selected(self) -> Row | None:
        """The selected machine; None if there is none."""
        options = self.query_one("#machines", OptionList)
        if options.highlighted is None:
            return None
        identity = options.get_option_at_index(options.highlighted).id
        return None if identity is None else self._rows[int(identity)]

    def _changed(self, change: RunChange) -> None:
        if not self.is_mounted:
            return
        for event in change.events:
            if isinstance(event, OrderEnded) and event.summary:
                text = f"{event.action}: {event.summary}"
                self.notify(text, severity="warning", timeout=10, markup=False)
            elif isinstance(event, Failure) and self.app.screen is self and event.fix:
                self.notify(event.fix, title="What to do", timeout=10, markup=False)
        self._show()

    def _show(self) -> None:
        rows = rows_of(self._view.lab, self._view.libvirt)
        if rows != self._rows or not rows:
            self._rows = rows
            self._list()
        self._detail()
        self.query_one("#machines-doing", Static).update(Content(self._doing()))

    def _list(self) -> None:
        options = self.query_one("#machines", OptionList)
        before, lines, host = options.highlighted, list[Option](), ""
        for number, row in enumerate(self._rows):
            if row.host != host:
                host = row.host
                lines.append(Option(Content.styled(host, "bold underline"), disabled=True))
            lines.append(Option(line_of(row), id=str(number)))
        options.set_options(lines)
        if lines:
            options.highlighted = min(before or 1, len(lines) - 1)

    def _detail(self) -> None:
        row = self.selected
        nothing = "The lab file names no machines; add `machines: {preset: upstream}`."
        text = Content(nothing) if row is None else detail_of(row)
        self.query_one("#machine-text", Static).update(text)

    def _doing(self) -> str:
        if self._view.running:
            title, then = self._view.title(self._view.running), ", ".join(self._view.ordered)
            return f"{title}: being worked on" + (f"; after it: {then}" if then else "")
        if self._view.ordered:
            return f"{', '.join(self._view.ordered)} ..."
        return self._view.activity

    @on(OptionList.OptionHighlighted, "#machines")
    def _highlighted(self) -> None:
        self._detail()

    def action_look(self) -> None:
        """Look at all machines again."""
        self._session.machines(Order(Action.LIST))

    def action_start(self) -> None:
        """Switch the selected machine on."""
        self._order(Action.START)

    def action_stop(self) -> None:
        """Press the power button of the selected machine."""
        self._order(Action.STOP)

    def action_snapshot(self) -> None:
        """Keep the selected machine as it is."""
        self._order(Action.SNAPSHOT, label=time.strftime("%Y%m%d-%H%M%S"))

    def action_rebuild(self) -> None:
        """Make the selected machine anew, once its name was typed."""
        self._order(Action.REBUILD)

    def action_destroy(self) -> None:
        """Remove the selected machine, or let go of an adopted one, once its name was typed."""
        row = self.selected
        if row is not None and row.spec is not None and row.spec.adopted:
            self._release(row.name)
        else:
            self._order(Action.DESTROY)

    def _release(self, name: str) -> None:
        def typed(given: str | None) -> None:
            if given is not None:
                self._session.machines(Order(Action.RELEASE, (name,)))

        if self._allowed(Action.RELEASE):
            text = "The lab did not make it, so it does not remove it. It stays as it is; the lab "
            text += "file forgets it."
            self.app.push_screen(TypedPrompt(f"Let go of {name}?", text, name, "Let go"), typed)

    def action_destroy_all(self) -> None:
        """Remove everything of the lab's machines, once the lab's name was typed."""
        if self._allowed(Action.DESTROY):
            self._confirmed(Order(Action.DESTROY), self._session.machines)

    @on(OptionList.OptionSelected, "#machines")
    def action_console(self) -> None:
        """Watch the console of the selected machine."""
        if (row := self.selected) is not None:
            self.app.push_screen(ConsoleScreen(self._session, row.name))

    def _order(self, action: Action, label: str = "") -> None:
        row = self.selected
        if row is not None and self._allowed(action):
            self._confirmed(Order(action, (row.name,), label=label), self._session.machines)

    def _allowed(self, action: Action) -> bool:
        if action in CHANGING and Permission.MACHINES not in self._view.lab.allow:
            text = "The lab file does not allow it: add `machines` to its `allow`."
            self.notify(text, severity="warning", markup=False)
            return False
        return True

    def _confirmed(self, order: Order, then: Callable[[Order], None]) -> None:
        lab = self._view.lab.name
        word = order.word_for(lab)
        if not word:
            then(order)
            return

        def typed(given: str | None) -> None:
            if given is not None:
                then(Order(order.action, order.names, label=order.label, typed=given))

        what = ", ".join(order.names) or f"all machines of {lab}"
        title = f"{order.action.capitalize()} {what}?"
        text = f"{LOSING[order.action].capitalize()}."
        if not order.names:
            text += " Networks, unused images and keys of the lab's machines go, too."
        prompt = TypedPrompt(title, text, word, order.action.capitalize())
        self.app.push_screen(prompt, typed)

    def action_cancel(self) -> None:
        """Cancel what was ordered."""
        if self._view.ordered:
            self._session.cancel()

    def action_move(self, by: int) -> None:
        """Move in the table."""
        options = self.query_one("#machines", OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(HelpScreen(self._glyphs, (("Virtual machines", actions.MACHINES),)))

    def action_close(self) -> None:
        """Go back to the stages."""
        self.dismiss()
