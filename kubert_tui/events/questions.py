"""Questions are events that wait for an answer. Secrets travel in answers only."""

from dataclasses import dataclass
from enum import StrEnum

from kubert_tui.base.secrets import Secret
from kubert_tui.events.model import Event, PlannedStep


class QuestionKind(StrEnum):
    """What is asked; a face may have its own form for each."""

    HOST_KEY = "host-key"
    PASSWORD = "password"
    PASSPHRASE = "passphrase"
    SUDO_PASSWORD = "sudo-password"
    HOST_LOCK = "host-lock"
    """Somebody else works on the host."""
    REVIEW = "review"


class Choice(StrEnum):
    """The answers there are. A question says which of them it takes."""

    YES = "yes"
    NO = "no"
    APPLY = "apply"
    PREVIEW = "preview"
    """Run Ansible's check mode with diff, then ask again."""
    SKIP = "skip"
    """Leave the stage as it is; the answer's `text` is the reason."""
    RETRY = "retry"
    """Look again whether the other operator is done."""
    BREAK = "break"
    """Take the lock from the operator who is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Event):
    """The engine waits for `Session.answer(question.number, ...)`."""

    number: int
    kind: QuestionKind
    text: str
    details: str = ""
    choices: tuple[Choice, ...]
    secret: bool = False
    """The answer carries a secret."""
    confirm: str = ""
    """Not empty: a yes is consequential (reboot, default kernel); says why."""
    steps: tuple[PlannedStep, ...] = ()
    """REVIEW: exactly what would run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Event):
    """A question was answered (never with the secret itself)."""

    number: int
    kind: QuestionKind
    choice: Choice
    text: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a face answers."""

    choice: Choice
    secret: Secret | None = None
    text: str = ""
    """Reason of a SKIP or NO."""
