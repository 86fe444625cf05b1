"""What every question's form shares: it can be taken back, and refusing is always possible."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from kubert_tui.events.questions import Answer, Choice, Question
from kubert_tui.screens.dialog import Dialog


class QuestionForm(Dialog[Answer | None]):
    """Dismissed with the answer, or with None when the question was withdrawn."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "refuse", "Not now")]

    TITLE = ""

    def __init__(self, question: Question) -> None:
        super().__init__(classes="question")
        self.question = question
        self._withdrawn = False

    def compose(self) -> ComposeResult:
        """Lay out the frame, then the form's own parts."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self.heading())
            yield Static(Content(self.question.text), classes="dialog-text", markup=False)
            yield from self.parts()

    def heading(self) -> str:
        """Return the title of the frame."""
        host = self.question.host
        return f"{self.TITLE}: {host}" if host else self.TITLE

    def parts(self) -> ComposeResult:
        """Yield what is between the text and the end of the frame."""
        yield from ()

    def refusal(self) -> Answer:
        """Return the answer that changes nothing."""
        no = Choice.NO in self.question.choices
        return Answer(Choice.NO if no else Choice.SKIP)

    def action_refuse(self) -> None:
        """Answer so that nothing changes."""
        self.dismiss(self.refusal())

    def withdraw(self) -> None:
        """Close without an answer, now or as soon as nothing lies above."""
        self._withdrawn = True
        if self.is_active:
            self.dismiss(None)

    def on_screen_resume(self) -> None:
        """Close if that was put off."""
        if self._withdrawn:
            self.dismiss(None)
