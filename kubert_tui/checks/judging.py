"""What all checks share: verdicts, and how to speak of a host that is not bare metal."""

from collections.abc import Iterable

from kubert_tui.checks.finding import Level
from kubert_tui.cpus.lists import cpu_list
from kubert_tui.facts.containers import CONTAINERS, container_kind
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts, RealtimeEvidence

Verdict = tuple[Level, str, str]
"""Level, one line saying what is so, and what to do about it."""

RT_DOC = "kernel docs: Documentation/core-api/real-time"
TUNED = "tuned profile realtime-virtual-host"
README = "kubert README"


def ok(summary: str) -> Verdict:
    """All is as it should be."""
    return Level.OK, summary, ""


def warning(summary: str, fix: str) -> Verdict:
    """It works, but not as well as it could."""
    return Level.WARNING, summary, fix


def failed(summary: str, fix: str) -> Verdict:
    """What follows cannot work, or means nothing, before this is changed."""
    return Level.FAILED, summary, fix


def unknown(what: str, fact: Unknown, fix: str = "") -> Verdict:
    """The fact could not be read."""
    return (
        Level.UNKNOWN,
        f"{what} is unknown: {fact.reason}",
        fix or "Make it readable, look again.",
    )


def machine_kind(facts: Facts) -> str:
    """Return the hypervisor the host runs under; `` for bare metal, containers and unknown."""
    kind = facts.virtualization
    if isinstance(kind, Unknown) or kind.value == "none" or kind.value in CONTAINERS:
        return ""
    return kind.value


def place(facts: Facts) -> str:
    """Return ` (...)` naming the layer that is beneath the host; `` for bare metal."""
    if kind := container_kind(facts):
        return f" (a container, {kind}: this is its host's kernel)"
    if kind := machine_kind(facts):
        return f" (a virtual machine, {kind}: the machine beneath counts too)"
    return ""


def realtime_running(evidence: RealtimeEvidence) -> bool:
    """Return whether any evidence says that the running kernel is PREEMPT_RT."""
    signs = (evidence.sys_kernel_realtime, evidence.uname_version, evidence.kernel_config)
    return any(isinstance(sign, Known) and sign.value for sign in signs)


def numbers(cpus: Iterable[int]) -> str:
    """Return CPU numbers as the kernel writes them, such as `0-3,8`; `none` when empty."""
    return cpu_list(cpus) or "none"
