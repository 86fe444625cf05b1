"""What went wrong: where, the command, how it ended, its last lines, and what to do."""

import shlex
from enum import StrEnum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from kubert_tui.events.model import Failure
from kubert_tui.screens.dialog import Dialog
from kubert_tui.screens.widgets.arrows import ButtonRow


class ErrorChoice(StrEnum):
    """What the user wants after an error."""

    RETRY = "retry"
    SKIP = "skip"
    CLOSE = "close"


class ErrorScreen(Dialog[ErrorChoice]):
    """All failures of a stage, one panel each."""

    AUTO_FOCUS = "#failures"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "choose('retry')", "Retry"),
        Binding("s", "choose('skip')", "Skip"),
        Binding("y", "copy", "Copy"),
        Binding("escape,q,e", "choose('close')", "Close"),
    ]

    def __init__(self, title: str, failures: tuple[Failure, ...], *, retry: bool = True) -> None:
        super().__init__(classes="question -large")
        self._heading = title
        self._failures = failures
        self._retry = retry

    def compose(self) -> ComposeResult:
        """Lay out the failures and what can be done."""
        with Vertical(classes="dialog -error") as dialog:
            dialog.border_title = Content(f"Failed: {self._heading}")
            with VerticalScroll(id="failures", can_focus=True):
                for failure in self._failures:
                    panel = Static(failure_text(failure), classes="failure", markup=False)
                    panel.border_title = Content(failure.host or "here")
                    yield panel
            with ButtonRow(classes="buttons"):
                if self._retry:
                    yield Button("Retry (r)", id="retry", variant="primary")
                    yield Button("Skip (s)", id="skip")
                yield Button("Copy (y)", id="copy")
                yield Button("Close (esc)", id="close")

    def action_choose(self, choice: str) -> None:
        """Close with what the user wants."""
        if self._retry or choice == ErrorChoice.CLOSE:
            self.dismiss(ErrorChoice(choice))

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        """Copy the report to the clipboard (OSC 52)."""
        text = "\n\n".join(f"{one.host}\n{failure_text(one).plain}" for one in self._failures)
        self.app.copy_to_clipboard(text)
        self.notify("The report is in the clipboard.", markup=False)

    @on(Button.Pressed, "#retry, #skip, #close")
    def _pressed(self, event: Button.Pressed) -> None:
        self.action_choose(event.button.id or ErrorChoice.CLOSE)


def failure_text(failure: Failure) -> Content:
    """Return one failure as people read it, the fix before the details."""
    parts: list[tuple[str, str]] = [(failure.what, "bold $text-error")]
    if failure.fix:
        parts += [("\nWhat to do: ", "bold $text-success"), (failure.fix, "")]
    if failure.command:
        parts += [("\nCommand: ", "bold"), (shlex.join(failure.command), "$text-accent")]
    if failure.exit_status is not None:
        parts += [("\nExit status: ", "bold"), (str(failure.exit_status), "")]
    if failure.details:
        parts += [("\nLast lines:\n", "bold"), (failure.details, "$foreground-muted")]
    if failure.log:
        parts += [("\nFull log: ", "bold"), (failure.log, "")]
    return Content.assemble(*parts)
