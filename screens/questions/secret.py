"""Asks for a password or passphrase: masked, never stored, gone from the field when answered."""

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Input, Static

from kubert_tui.base.secrets import Secret
from kubert_tui.events.questions import Answer, Choice, QuestionKind
from kubert_tui.screens.questions.form import QuestionForm
from kubert_tui.screens.widgets.arrows import ButtonRow

_TITLES = {
    QuestionKind.PASSWORD: "Password",
    QuestionKind.PASSPHRASE: "Passphrase of a key",
    QuestionKind.SUDO_PASSWORD: "sudo password",
}


class SecretForm(QuestionForm):
    """One masked field. Empty gives up."""

    AUTO_FOCUS = "#secret"

    def heading(self) -> str:
        """Return what is asked for, and where."""
        return f"{_TITLES[self.question.kind]}: {self.question.host}"

    def parts(self) -> ComposeResult:
        """Yield the field and the buttons."""
        if self.question.details:
            yield Static(Content(self.question.details), classes="dialog-text", markup=False)
        yield Input(password=True, id="secret", placeholder="leave empty to give up")
        yield Static(
            "Kept in memory only while kubert-tui runs.", classes="dialog-text muted", markup=False
        )
        with ButtonRow(classes="buttons"):
            yield Button("Answer", id="answer", variant="primary")
            yield Button("Give up", id="give-up")

    @on(Input.Submitted, "#secret")
    @on(Button.Pressed, "#answer")
    def _given(self) -> None:
        field = self.query_one("#secret", Input)
        value = field.value
        field.clear()
        self.dismiss(Answer(Choice.YES, secret=Secret(value)) if value else self.refusal())

    @on(Button.Pressed, "#give-up")
    def action_refuse(self) -> None:
        """Give up, and leave nothing in the field."""
        self.query_one("#secret", Input).clear()
        self.dismiss(self.refusal())
