"""How the headless face answers: by its flags, and by asking on the terminal if there is one."""

import argparse
import getpass
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kubert_tui.base.secrets import Secret
from kubert_tui.events.questions import Answer, Choice, Question, QuestionKind


def somebody_there() -> bool:
    """Whether somebody sits at a terminal: sees what is asked, and can type."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@dataclass(frozen=True, slots=True)
class Answers:
    """The user's standing answers."""

    yes: bool
    accept_new_host_keys: bool
    terminal: bool
    """Somebody sits there: passwords and confirmations may be asked for."""
    break_lock: bool = False
    """Take hosts from other operators who work on them."""
    write_cpu_plan: bool = False
    """Keep a CPU plan in the lab file too, not only in the run."""

    def answer(self, question: Question) -> Answer:
        """Return the answer to a question."""
        if question.kind is QuestionKind.HOST_KEY:
            return Answer(Choice.YES if self.accept_new_host_keys else Choice.NO)
        if question.kind is QuestionKind.HOST_LOCK:
            # Only the flag breaks it: a lock is not a matter for a quick yes.
            return Answer(Choice.BREAK if self.break_lock else Choice.NO)
        if question.secret:
            return self._secret(question)
        answer = self._review(question)
        save = self.write_cpu_plan and Choice.SAVE in question.choices
        return Answer(Choice.SAVE) if save and answer.choice is Choice.APPLY else answer

    def _secret(self, question: Question) -> Answer:
        if not self.terminal:
            return Answer(Choice.NO, text="no terminal to ask on")
        try:
            with _interruptible():
                typed = getpass.getpass(f"{question.text} [{question.host}]: ", stream=sys.stderr)
        except (EOFError, UnicodeDecodeError):
            typed = ""
        return Answer(Choice.YES, secret=Secret(typed)) if typed else Answer(Choice.NO)

    def _review(self, question: Question) -> Answer:
        if not question.confirm or self.yes:
            return Answer(Choice.APPLY)
        if not self.terminal:
            return Answer(Choice.NO, text=f"{question.confirm} Confirm with --yes.")
        told = filter(None, (question.text, question.details, question.confirm))
        word = question.typed or "yes"
        print(*told, f"Type {word} to go on: ", sep="\n", end="", file=sys.stderr)
        sys.stderr.flush()
        with _interruptible():
            typed = sys.stdin.readline().strip()
        agreed = (typed if question.typed else typed.lower()) == word
        return Answer(Choice.APPLY) if agreed else Answer(Choice.NO, text="not confirmed")


def answers_of(arguments: argparse.Namespace, *, yes: bool = False) -> Answers:
    """Return how a command answers: by its flags (some have fewer), and by whoever sits there."""
    return Answers(
        yes=yes,
        accept_new_host_keys=arguments.accept_new_host_keys,
        terminal=somebody_there(),
        break_lock=getattr(arguments, "break_lock", False),
        write_cpu_plan=getattr(arguments, "write_cpu_plan", False),
    )


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a prompt (a read goes on after a handler that does not raise)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
