"""First contact: is this the host's key?"""

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Static

from kubert_tui.events.questions import Answer, Choice
from kubert_tui.screens.questions.form import QuestionForm
from kubert_tui.screens.widgets.arrows import ButtonRow


class HostKeyForm(QuestionForm):
    """Shows address, key type and fingerprint; refusing has the focus, so enter is safe."""

    TITLE = "Unknown host key"
    AUTO_FOCUS = "#refuse"

    def parts(self) -> ComposeResult:
        """Yield the details and the two answers."""
        yield Static(Content(self.question.details), classes="code", markup=False)
        with ButtonRow(classes="buttons"):
            yield Button("Accept this key", id="accept", variant="primary")
            yield Button("Refuse", id="refuse")

    @on(Button.Pressed, "#accept")
    def _accept(self) -> None:
        self.dismiss(Answer(Choice.YES))

    @on(Button.Pressed, "#refuse")
    def _refuse(self) -> None:
        self.action_refuse()
