"""Two small dialogs: a yes or no, and a reason."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from kubert_tui.screens.dialog import Dialog
from kubert_tui.screens.widgets.arrows import ButtonRow


class ConfirmPrompt(Dialog[bool]):
    """Asks before something is stopped. The way back has the focus."""

    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer(False)", "No"),
        Binding("y", "answer(True)", "Yes"),
    ]

    def __init__(self, title: str, text: str, yes: str, no: str = "Go back") -> None:
        super().__init__(classes="question")
        self._heading = title
        self._text = text
        self._yes = yes
        self._no = no

    def compose(self) -> ComposeResult:
        """Lay out text and answers."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._heading)
            yield Static(Content(self._text), classes="dialog-text", markup=False)
            with ButtonRow(classes="buttons"):
                yield Button(Content(f"{self._yes} (y)"), id="yes", variant="error")
                yield Button(Content(f"{self._no} (n)"), id="no")

    def action_answer(self, answer: bool) -> None:
        """Close with an answer."""
        self.dismiss(answer)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class ReasonPrompt(Dialog[str | None]):
    """Asks why. Closed with the reason, or None when it was thought better of."""

    AUTO_FOCUS = "#reason"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Go back")]

    def __init__(self, title: str) -> None:
        super().__init__(classes="question")
        self._heading = title

    def compose(self) -> ComposeResult:
        """Lay out the field."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._heading)
            yield Static("Why? It is kept with the run.", classes="dialog-text", markup=False)
            yield Input(id="reason", placeholder="reason", max_length=200)
            with ButtonRow(classes="buttons"):
                yield Button("Skip", id="skip", variant="primary")
                yield Button("Go back", id="back")

    @on(Input.Submitted)
    @on(Button.Pressed, "#skip")
    def _given(self) -> None:
        reason = self.query_one("#reason", Input).value.strip()
        if not reason:
            self.query_one("#reason").focus()
            self.notify("A reason is needed, however short.", severity="warning", markup=False)
            return
        self.dismiss(reason)

    @on(Button.Pressed, "#back")
    def action_close(self) -> None:
        """Close without a reason."""
        self.dismiss(None)
