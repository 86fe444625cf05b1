"""Asks the engine's questions one after another, whatever screen is on top."""

from collections import deque
from collections.abc import Callable
from typing import Any

from textual.app import App

from kubert_tui.events.questions import Answer, Choice, Question, QuestionKind
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.questions.cpu_plan import CpuPlanForm
from kubert_tui.screens.questions.form import QuestionForm
from kubert_tui.screens.questions.host_key import HostKeyForm
from kubert_tui.screens.questions.host_lock import HostLockForm
from kubert_tui.screens.questions.review import ReviewForm
from kubert_tui.screens.questions.secret import SecretForm
from kubert_tui.screens.run_view import RunView

_SECRETS = (QuestionKind.PASSWORD, QuestionKind.PASSPHRASE, QuestionKind.SUDO_PASSWORD)


class QuestionDesk:
    """A queue of questions, and the one form that is open. Used on the UI thread only."""

    def __init__(
        self,
        app: App[Any],
        answer: Callable[[int, Answer], None],
        view: RunView,
        glyphs: Glyphs,
        agreed: frozenset[str] = frozenset(),
    ) -> None:
        """`agreed` are stages that the user has asked for on the command line already."""
        self._app = app
        self._agreed = agreed
        self._answer = answer
        self._view = view
        self._glyphs = glyphs
        self._waiting: deque[Question] = deque()
        self._open: QuestionForm | None = None

    def ask(self, question: Question) -> None:
        """Ask as soon as the questions before are answered."""
        if question.kind is QuestionKind.REVIEW and question.stage in self._agreed:
            self._done(question, Answer(Choice.APPLY))
            return
        self._waiting.append(question)
        self._next()

    def withdraw_settled(self) -> None:
        """Take back the questions that the engine no longer waits for."""
        open_numbers = self._view.questions.keys()
        self._waiting = deque(one for one in self._waiting if one.number in open_numbers)
        if self._open is not None and self._open.question.number not in open_numbers:
            self._open.withdraw()

    def withdraw_all(self) -> None:
        """Take everything back: the engine has ended."""
        self._view.questions.clear()
        self.withdraw_settled()

    def _next(self) -> None:
        if self._open is not None or not self._waiting:
            return
        question = self._waiting.popleft()
        self._open = self._form(question)
        self._app.push_screen(self._open, lambda answer: self._done(question, answer))

    def _form(self, question: Question) -> QuestionForm:
        if question.kind is QuestionKind.REVIEW:
            preview = self._view.previews.get(question.stage)
            return ReviewForm(question, self._glyphs, preview)
        if question.kind is QuestionKind.CPU_PLAN:
            return CpuPlanForm(question, self._glyphs)
        if question.kind in _SECRETS:
            return SecretForm(question)
        if question.kind is QuestionKind.HOST_LOCK:
            return HostLockForm(question)
        return HostKeyForm(question)

    def _done(self, question: Question, answer: Answer | None) -> None:
        self._open = None
        if answer is not None:
            self._view.questions.pop(question.number, None)
            self._answer(question.number, answer)
        self._next()
