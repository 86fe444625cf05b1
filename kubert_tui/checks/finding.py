"""What a check finds, and what a check is."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab


class Level(StrEnum):
    """How good a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check on one host (or across hosts: `host` joins their names)."""

    check: str
    """Stable id, such as `kernel.running-realtime`."""
    host: str
    level: Level
    summary: str
    """One line: what is so."""
    why: str
    """Why it matters for latency or for the stages that follow."""
    fix: str = ""
    """What to do; empty when ok."""
    source: str = ""
    """Where that is known from: a document, a kernel file, the README."""


@dataclass(frozen=True, slots=True)
class Check:
    """A named pure function over the facts of one host."""

    id: str
    title: str
    why: str
    source: str
    judge: Callable[[Facts, Lab], tuple[Level, str, str]]
    """Returns level, summary, fix."""

    def __call__(self, facts: Facts, lab: Lab) -> Finding:
        level, summary, fix = self.judge(facts, lab)
        return Finding(self.id, facts.host, level, summary, self.why, fix, self.source)


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """A named pure function over the facts of all hosts."""

    id: str
    title: str
    why: str
    source: str
    judge: Callable[[tuple[Facts, ...], Lab], tuple[Level, str, str]]

    def __call__(self, facts: tuple[Facts, ...], lab: Lab) -> Finding:
        level, summary, fix = self.judge(facts, lab)
        hosts = ", ".join(one.host for one in facts)
        return Finding(self.id, hosts, level, summary, self.why, fix, self.source)
