"""Questions are events that wait for an answer. Secrets travel in answers only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kubert_tui.base.secrets import Secret
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.cpus.topology import Topology
from kubert_tui.events.model import Event, PlannedStep


class QuestionKind(StrEnum):
    """What is asked; a face may have its own form for each."""

    HOST_KEY = "host-key"
    PASSWORD = "password"
    PASSPHRASE = "passphrase"
    SUDO_PASSWORD = "sudo-password"
    HOST_LOCK = "host-lock"
    """Somebody else works on the host."""
    CPU_PLAN = "cpu-plan"
    """Which CPUs keep house and which are isolated, on all hosts."""
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
    SAVE = "save"
    """Apply, and keep it in the lab file."""


@dataclass(frozen=True, slots=True)
class HostCpus:
    """CPU_PLAN: one host, and the plan to begin with."""

    host: str
    topology: Topology
    plan: CpuPlan
    """The lab's, or as much of it as fits; what is proposed where it has none. Consistent."""
    replaces: str = ""
    """What is wrong with the plan that the lab has; empty if it has none, or it fits."""
    offline: tuple[int, ...] = ()
    isolated: tuple[int, ...] | None = None
    """What the running kernel isolates; None if that is unknown."""
    cards: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Network cards by NUMA node."""


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
    typed: str = ""
    """Not empty: what a person has to type to confirm, word for word."""
    steps: tuple[PlannedStep, ...] = ()
    """REVIEW: exactly what would run."""
    cpus: tuple[HostCpus, ...] = ()
    """CPU_PLAN: the hosts."""


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
    plans: Mapping[str, CpuPlan] = field(default_factory=dict)
    """CPU_PLAN: by host; one that is not named keeps the plan that was asked about."""
