"""Typed events. Everything a face shows, and all it may know, arrives as one of these.

`time` is seconds since the epoch and is set by the engine when it emits. `stage` and `host`
are empty where they do not apply. All text that comes from a host is already cleaned.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from kubert_tui.checks.finding import Finding
from kubert_tui.facts.model import Facts


class StageState(StrEnum):
    """How a stage stands, on one host or over all of them."""

    PENDING = "pending"
    RUNNING = "running"
    SATISFIED = "satisfied"
    """The checks were already as wanted; nothing was changed."""
    DONE = "done"
    """Changed (or measured), and the checks confirm it."""
    WOULD_CHANGE = "would change"
    """Dry run: something would be done."""
    NOT_ALLOWED = "not allowed"
    """Something would be done, but the lab file does not allow it."""
    NEEDS_YOU = "needs you"
    """A person has to do something, for example in the BIOS."""
    DECLINED = "declined"
    """The question whether to apply was answered with no (or nobody could answer)."""
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events."""

    time: float = 0.0
    stage: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A run begins, or goes on after it was interrupted."""

    run: str
    lab: str
    hosts: tuple[str, ...]
    stages: tuple[str, ...]
    version: str
    lab_file: str = ""
    """Where the lab file lies; empty for a built-in lab."""
    resumed: bool = False
    dry_run: bool = False
    states: dict[str, StageState] = field(default_factory=dict)
    """How the stages stood when an earlier session of this run ended."""
    guests: dict[str, str] = field(default_factory=dict)
    """The virtual machines that are worked on, too, and the host that runs each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted(Event):
    """Work on one stage begins."""

    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConnected(Event):
    """A host answered and let us in."""

    address: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLocked(Event):
    """We have the lock of a host: no other kubert-tui changes it while we are at work."""

    broke: str = ""
    """Whose lock was broken for that; empty if nobody had it."""
    found: bool = False
    """It was ours already: of an earlier session of this lab that did not end well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLockLost(Event):
    """The lock of a host was broken, or taken by another while the host restarted."""

    holder: str
    """Who has it now; empty if it was broken and given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostUnlocked(Event):
    """The lock of a host was given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsGathered(Event):
    """The facts of one host, in one round trip of `seconds`."""

    facts: Facts
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingMade(Event):
    """A check was judged."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One thing that would happen on one host."""

    host: str
    title: str
    command: str = ""
    """The literal command or module call, for people to copy; may be empty."""
    confirm: str = ""
    """Not empty: a person has to agree to this step, even where the change itself needs nobody."""
    typed: str = ""
    """Not empty: the word that is typed to agree to it; a quick yes would be too easy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMade(Event):
    """Exactly what would run on which host."""

    steps: tuple[PlannedStep, ...]
    needs: tuple[str, ...] = ()
    """Permissions the plan needs."""
    missing: tuple[str, ...] = ()
    """Those of them the lab file does not give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandStarted(Event):
    """A command (or a playbook) starts."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFinished(Event):
    """It ended."""

    argv: tuple[str, ...]
    exit_status: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFinished(Event):
    """One Ansible task ended on one host."""

    task: str
    outcome: str
    """ok, changed, failed, skipped, unreachable or ignored."""
    message: str = ""
    diff: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output(Event):
    """A batch of output lines, cleaned and redacted."""

    lines: tuple[str, ...]
    stream: str = "stdout"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSaid(Event):
    """A batch of what a virtual machine of `host` said on its console, cleaned."""

    machine: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStarted(Event):
    """Something that was asked for about machines that are there begins."""

    action: str
    """As `machines.order.Action` has it."""
    machines: tuple[str, ...]
    """All of the lab if empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEnded(Event):
    """It is done, failed or cancelled; facts that were gathered before it tell how things are."""

    action: str
    machines: tuple[str, ...]
    state: StageState
    summary: str
    """Why it is not done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Event):
    """We wait for something; emitted again every few seconds while it lasts."""

    what: str
    elapsed: float
    limit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Event):
    """How far something is whose bytes can be counted; about once a second, and at its end."""

    what: str
    done: int
    """Bytes; more than 0 at the first when it goes on where it broke off."""
    total: int | None = None
    """None when nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Event):
    """One line worth telling that is no finding and no failure."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarting(Event):
    """A host is about to be restarted; told before, so that it is never restarted twice."""

    boot_id: str
    """The boot it leaves; empty if that is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuPlanMade(Event):
    """It was decided which CPUs of a host do what; lists as the kernel writes them."""

    housekeeping: str
    isolated: str
    proposed: bool
    """It is what the topology suggests; False: somebody chose it."""
    path: str = ""
    """The lab file that it was written into; empty if it is kept for this run only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Event):
    """Something failed: what happened, where, and what to do."""

    what: str
    fix: str = ""
    command: tuple[str, ...] = ()
    exit_status: int | None = None
    details: str = ""
    log: str = ""
    """Path of the full log here."""
    exit_code: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFinished(Event):
    """Work on one stage ended."""

    state: StageState
    hosts: dict[str, StageState]
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Event):
    """The run ended; always the last event."""

    states: dict[str, StageState]
    results: tuple[str, ...]
    """Paths of stored measurements."""
    journal: str
    exit_code: int
    exact: bool | None = None
    """Whether every measurement of this session was exact; None if there was none."""
    inexact: dict[str, str] = field(default_factory=dict)
    """By host: why its newest measurement was not."""
