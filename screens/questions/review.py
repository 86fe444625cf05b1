"""Review before apply: exactly what would run on which host."""

from collections.abc import Iterable
from itertools import groupby
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from kubert_tui.events.model import PlannedStep, TaskFinished
from kubert_tui.events.questions import Answer, Choice, Question
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.prompts import ReasonPrompt
from kubert_tui.screens.questions.form import QuestionForm
from kubert_tui.screens.typed_prompt import TypedPrompt
from kubert_tui.screens.widgets.arrows import ButtonRow


class ReviewForm(QuestionForm):
    """The plan (or the preview that was asked for), and Apply, Preview, Skip.

    A consequential change (`question.confirm`) is applied by the second press only, and the
    first one says in red what it means; where that is not enough (`question.typed`), it wants a
    word to be typed instead.
    """

    TITLE = "Review"
    AUTO_FOCUS = "#steps"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "apply", "Apply"),
        Binding("p", "preview", "Preview diff"),
        Binding("s", "skip", "Skip"),
        Binding("y", "copy", "Copy"),
        Binding("escape", "refuse", "Not now"),
    ]

    def __init__(
        self, question: Question, glyphs: Glyphs, preview: tuple[TaskFinished, ...] | None = None
    ) -> None:
        super().__init__(question)
        self.add_class("-large")
        self._glyphs = glyphs
        self._preview = preview
        self._confirming = False

    def heading(self) -> str:
        """Return whether the plan or the preview is shown."""
        return "Review" if self._preview is None else "Preview: nothing was changed"

    def parts(self) -> ComposeResult:
        """Yield steps, warning and buttons."""
        if self.question.details:
            yield Static(Content(self.question.details), classes="dialog-text", markup=False)
        with VerticalScroll(id="steps", can_focus=True):
            if self._preview is not None:
                yield Static(_preview_text(self._preview), classes="steps", markup=False)
            for host, steps in groupby(self.question.steps, key=lambda step: step.host):
                panel = Static(_steps_text(steps), classes="host-steps", markup=False)
                panel.border_title = Content(host)
                yield panel
        yield Static(id="confirm", markup=False)
        with ButtonRow(classes="buttons"):
            yield Button("Apply (a)", id="apply", variant="primary")
            yield Button("Preview diff (p)", id="preview")
            yield Button("Skip (s)", id="skip")
            yield Button("Copy (y)", id="copy")
            yield Button("Not now (esc)", id="not-now")

    def on_mount(self) -> None:
        """Offer only the answers that the question takes."""
        choices = self.question.choices
        self.query_one("#apply").display = Choice.APPLY in choices
        self.query_one("#preview").display = Choice.PREVIEW in choices
        self.query_one("#skip").display = Choice.SKIP in choices
        confirm = self.query_one("#confirm", Static)
        confirm.display = bool(self.question.confirm)
        confirm.update(Content(self.question.confirm))

    @on(Button.Pressed, "#apply")
    def action_apply(self) -> None:
        """Apply; when it is consequential, only the second time."""
        if Choice.APPLY not in self.question.choices:
            return
        if self.question.confirm and not (self._confirming or self.question.typed):
            self._confirming = True
            button = self.query_one("#apply", Button)
            button.label = "Yes, apply (a)"
            # A new label alone keeps the old width.
            button.refresh(layout=True)
            button.variant = "error"
            button.focus()
            text = f"{self.question.confirm}\nPress Yes, apply (a) once more to go ahead."
            confirm = self.query_one("#confirm", Static)
            confirm.update(Content(text))
            confirm.add_class("-asked")
            return
        if self.question.typed:
            prompt = TypedPrompt("Really?", self.question.confirm, self.question.typed, "Apply")
            self.app.push_screen(prompt, self._typed)
            return
        self.dismiss(Answer(Choice.APPLY))

    def _typed(self, word: str | None) -> None:
        if word is not None:
            self.dismiss(Answer(Choice.APPLY))

    @on(Button.Pressed, "#preview")
    def action_preview(self) -> None:
        """Ask for Ansible's check mode with diff; the question comes back with it."""
        if Choice.PREVIEW in self.question.choices:
            self.dismiss(Answer(Choice.PREVIEW))

    @on(Button.Pressed, "#skip")
    def action_skip(self) -> None:
        """Ask for the reason, then skip."""
        if Choice.SKIP in self.question.choices:
            self.app.push_screen(ReasonPrompt("Skip this stage"), self._skipped)

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        """Copy the commands to the clipboard (OSC 52)."""
        lines = (f"# {step.host}: {step.title}\n{step.command}" for step in self.question.steps)
        self.app.copy_to_clipboard("\n".join(lines).rstrip() + "\n")
        self.notify("The plan is in the clipboard.", markup=False)

    @on(Button.Pressed, "#not-now")
    def _not_now(self) -> None:
        self.action_refuse()

    def _skipped(self, reason: str | None) -> None:
        if reason is not None:
            self.dismiss(Answer(Choice.SKIP, text=reason))


def _steps_text(steps: Iterable[PlannedStep]) -> Content:
    parts: list[tuple[str, str]] = []
    for number, step in enumerate(steps, start=1):
        parts.append((f"{number}. {step.title}\n", "bold"))
        if step.command:
            parts.append((f"   {step.command}\n", "$text-accent"))
    return Content.assemble(*parts).rstrip()


def _preview_text(tasks: tuple[TaskFinished, ...]) -> Content:
    if not tasks:
        return Content("The preview reported no task: see the log.\n")
    parts: list[tuple[str, str]] = []
    telling = [task for task in tasks if not _quiet(task)]
    for task in telling:
        style = "bold $text-warning" if task.outcome == "changed" else "$foreground-muted"
        word = "would change" if task.outcome == "changed" else task.outcome
        parts.append((f"{task.host}  {word}: {task.task}\n", style))
        if task.message:
            parts.append((f"   {task.message}\n", ""))
        parts += [
            (f"   {line}\n", _DIFF_STYLES.get(line[:1], "")) for line in task.diff.splitlines()
        ]
    if rest := len(tasks) - len(telling):
        parts.append((f"Tasks that would change nothing: {rest}\n", "$foreground-muted"))
    return Content.assemble(*parts)


def _quiet(task: TaskFinished) -> bool:
    """Whether there is nothing to read in it: nothing would change, and it says nothing."""
    says_something = task.diff or task.message not in ("", _LOOP_ENDED)
    return task.outcome in ("ok", "skipped") and not says_something


_LOOP_ENDED = "All items completed"
"""Ansible's message of every task that goes through a list."""


_DIFF_STYLES = {"+": "$text-success", "-": "$text-error", "@": "$text-accent"}
