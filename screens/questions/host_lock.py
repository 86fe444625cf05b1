"""Somebody else works on a host: look again, leave it, or take it from them."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Static

from kubert_tui.events.questions import Answer, Choice, Question
from kubert_tui.screens.questions.form import QuestionForm
from kubert_tui.screens.widgets.arrows import ButtonRow


class HostLockForm(QuestionForm):
    """Shows who it is and how alive; the lock is broken by the second press only."""

    TITLE = "Somebody else works here"
    AUTO_FOCUS = "#retry"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "retry", "Look again"),
        Binding("b", "break_lock", "Break the lock"),
        Binding("escape", "refuse", "Not now"),
    ]

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self._confirming = False

    def parts(self) -> ComposeResult:
        """Yield how things stand there, what breaking means, and the answers."""
        yield Static(Content(self.question.details), classes="dialog-text", markup=False)
        yield Static(Content(self.question.confirm), id="confirm", markup=False)
        with ButtonRow(classes="buttons"):
            yield Button("Look again (r)", id="retry", variant="primary")
            yield Button("Break the lock (b)", id="break")
            yield Button("Not now (esc)", id="not-now")

    @on(Button.Pressed, "#retry")
    def action_retry(self) -> None:
        """Ask the host again: they may have finished."""
        self.dismiss(Answer(Choice.RETRY))

    @on(Button.Pressed, "#break")
    def action_break_lock(self) -> None:
        """Take the host from them, the second time."""
        if self._confirming:
            self.dismiss(Answer(Choice.BREAK))
            return
        self._confirming = True
        button = self.query_one("#break", Button)
        button.label = "Yes, break it (b)"
        # A new label alone keeps the old width.
        button.refresh(layout=True)
        button.variant = "error"
        button.focus()
        confirm = self.query_one("#confirm", Static)
        text = f"{self.question.confirm}\nPress Yes, break it (b) once more to go ahead."
        confirm.update(Content(text))
        confirm.add_class("-asked")

    @on(Button.Pressed, "#not-now")
    def _not_now(self) -> None:
        self.action_refuse()
