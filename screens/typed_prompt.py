"""Asks for a word to be typed before something is lost."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from kubert_tui.screens.dialog import Dialog
from kubert_tui.screens.widgets.arrows import ButtonRow


class TypedPrompt(Dialog[str | None]):
    """Closed with the word once it was typed, or None. Nothing else is taken for a yes."""

    AUTO_FOCUS = "#typed"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Go back")]

    def __init__(self, title: str, text: str, word: str, yes: str) -> None:
        super().__init__(classes="question")
        self._heading = title
        self._text = text
        self._word = word
        self._yes = yes

    def compose(self) -> ComposeResult:
        """Lay out text, field and answers."""
        with Vertical(classes="dialog -error") as dialog:
            dialog.border_title = Content(self._heading)
            text = f"{self._text}\n\nType {self._word} to confirm."
            yield Static(Content(text), classes="dialog-text", markup=False)
            yield Input(id="typed", max_length=100)
            with ButtonRow(classes="buttons"):
                yield Button(Content(self._yes), id="yes", variant="error")
                yield Button("Go back", id="back")

    @on(Input.Submitted)
    @on(Button.Pressed, "#yes")
    def _given(self) -> None:
        if self.query_one("#typed", Input).value.strip() != self._word:
            self.query_one("#typed").focus()
            self.notify(f"Type {self._word}, or go back.", severity="warning", markup=False)
            return
        self.dismiss(self._word)

    @on(Button.Pressed, "#back")
    def action_close(self) -> None:
        """Close without it."""
        self.dismiss(None)
