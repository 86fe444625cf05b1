"""Which stored result is to be drawn over the live one."""

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kubert_tui.base.errors import KubertError
from kubert_tui.engine.stored_results import StoredResult
from kubert_tui.latency.store import load
from kubert_tui.screens.compared import Compared
from kubert_tui.screens.dialog import Dialog


class ResultChooser(Dialog[Compared | None]):
    """Closed with the result, restored, or None. Files are read in a thread."""

    AUTO_FOCUS = "#results"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,o", "close", "Go back"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self, find: Callable[[], Sequence[StoredResult]]) -> None:
        """`find` may block; what it returns is listed in its order."""
        super().__init__(classes="question -large")
        self._find = find
        self._results: Sequence[StoredResult] = ()

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Compare with a stored result"
            dialog.border_subtitle = "enter draws it, esc goes back"
            yield Static("Looking for stored results.", id="results-head", markup=False)
            yield OptionList(id="results", compact=True)

    def on_mount(self) -> None:
        """Look for them."""
        self._look()

    @work(thread=True, exclusive=True, exit_on_error=False, group="results")
    def _look(self) -> None:
        try:
            found = self._find()
        except (KubertError, OSError) as error:
            self.app.call_from_thread(self._tell, str(error))
            return
        self.app.call_from_thread(self._show, found)

    def _tell(self, text: str) -> None:
        if self.is_attached:
            self.query_one("#results-head", Static).update(Content(text))

    def _show(self, found: Sequence[StoredResult]) -> None:
        if not self.is_attached:
            return
        self._results = found
        if not found:
            self._tell("There is no stored result yet: a measurement is stored when it ends.")
            return
        self._tell(f"{'when':<18}{'host':<13}{'max us':>8}{'samples':>14}  kernel")
        results = self.query_one("#results", OptionList)
        results.add_options([Option(_line(one)) for one in found])
        results.highlighted = 0

    def action_move(self, by: int) -> None:
        """Move in the list."""
        results = self.query_one("#results", OptionList)
        if by > 0:
            results.action_cursor_down()
        else:
            results.action_cursor_up()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._restore(self._results[event.option_index])

    @work(thread=True, exclusive=True, exit_on_error=False, group="results")
    def _restore(self, result: StoredResult) -> None:
        try:
            compared = Compared.of(load(result.path))
        except KubertError as error:
            self.app.call_from_thread(self._tell, error.what)
            return
        self.app.call_from_thread(self.dismiss, compared)

    def action_close(self) -> None:
        """Close without one."""
        self.dismiss(None)


def _line(result: StoredResult) -> Content:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(result.started))
    cut = "  interrupted" if result.interrupted else ""
    return Content(
        f"{when:<18}{result.host[:12]:<13}{result.maximum:>8}{result.samples:>14}"
        f"  {result.kernel}{cut}"
    )
