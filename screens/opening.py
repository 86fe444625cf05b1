"""Shown while a run is opened."""

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static


class OpeningScreen(Screen[None]):
    """One line, so that the wait has a name."""

    def __init__(self, lab: str) -> None:
        super().__init__()
        self._lab_name = lab

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        yield Static(Content(f"Opening lab {self._lab_name}"), id="opening", markup=False)
