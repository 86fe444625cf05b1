"""One line: what is going on, and the next obvious step."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static


class StatusBar(Horizontal):
    """Left what happens now (cut if need be), right what to do next (never cut)."""

    def compose(self) -> ComposeResult:
        """Lay out both halves."""
        yield Static(id="status-now", markup=False)
        yield Static(id="status-next", markup=False)

    def show(self, now: str, next_step: str) -> None:
        """Show both."""
        self.query_one("#status-now", Static).update(Content(now))
        self.query_one("#status-next", Static).update(Content(next_step))
