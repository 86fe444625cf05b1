"""What we ask of Ansible, and what it answers. Plain values, no Ansible import."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kubert_tui.base.secrets import Secret
from kubert_tui.lab.model import HostSpec


@dataclass(frozen=True, slots=True)
class HostSecrets:
    """The passwords of one host; they reach Ansible through its prompts only."""

    login: Secret | None = None
    sudo: Secret | None = None
    passphrases: Mapping[str, Secret] = field(default_factory=dict)
    """By private key file."""


@dataclass(frozen=True, slots=True)
class PlaybookRequest:
    """One playbook on some hosts."""

    playbook: str
    """File name in `playbooks/`, such as `irqbalance.yml`."""
    hosts: tuple[HostSpec, ...]
    jump_hosts: Mapping[str, HostSpec] = field(default_factory=dict)
    """Hosts of the lab by name, for those that jump through one another."""
    variables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Per host. Never a secret: they are written to the inventory."""
    secrets: Mapping[str, HostSecrets] = field(default_factory=dict)
    check: bool = False
    """Ansible's check mode with diff: nothing is changed."""
    log: Path | None = None
    """Where Ansible's full output goes (0600, redacted)."""


@dataclass(frozen=True, slots=True)
class TaskResult:
    """One task on one host. Text is cleaned and redacted."""

    host: str
    task: str
    outcome: str
    """ok, changed, failed, skipped, unreachable or ignored."""
    message: str = ""
    diff: str = ""


@dataclass(frozen=True, slots=True)
class PlaybookOutcome:
    """How a playbook ended."""

    exit_status: int
    status: str
    """successful, failed, canceled or timeout."""
    changed: Mapping[str, int]
    failures: Mapping[str, int]
    """Failed or unreachable tasks per host."""
    last_lines: str = ""


OnTask = Callable[[TaskResult], None]
OnLines = Callable[[tuple[str, ...]], None]
