"""Whether a measurement meets a limit, and how much that is worth.

A maximum is what was seen, not what can happen: a grade says how hard the host was tried.
Where a figure would mislead there is no verdict, and the reason stands in its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kubert_tui.lab.limits import Limit
from kubert_tui.latency.statistics import supports

PRODUCTION_HOURS = 12
INDICATIVE_MINUTES = 10


class Grade(StrEnum):
    """How much a measurement proves."""

    REFUSED = "refused"
    """Nothing: the figures would mislead."""
    SMOKE = "smoke"
    """That it runs."""
    INDICATIVE = "indicative"
    """What to expect."""
    PRODUCTION = "production"
    """What the published numbers of others are made of: long, under load, nothing off the scale."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict rests on."""

    realtime: bool | None
    """PREEMPT_RT ran; None when nobody knows."""
    seconds: float
    load: str
    """The load that was started for it; empty when there was none."""
    maximum: int
    """us"""
    samples: int
    overflows: int
    exact: bool
    throttled: bool = False
    smi: int | None = None
    """System management interrupts meanwhile; None if they were not counted."""
    hot: int = 0
    """Times a core was slowed down because it was hot."""
    interrupted: str = ""
    """Why it ended before its time; empty if it did not."""
    virtual: str = ""
    """The hypervisor or container it ran in, as facts name it; empty on bare metal."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement; every reason is a sentence."""

    grade: Grade
    passed: bool | None
    """The maximum is below the limit; None when refused or without a limit."""
    limit: Limit | None
    statement: str
    reasons: tuple[str, ...]


def judge(evidence: Evidence, limit: Limit | None) -> Verdict:
    """Return what `evidence` is worth against `limit`."""
    refusals = tuple(_refusals(evidence))
    if refusals:
        return Verdict(Grade.REFUSED, None, limit, "no verdict: " + refusals[0], refusals)
    grade, reasons = _grade(evidence)
    seen = (
        f"the worst of {evidence.samples} samples in {_length(evidence.seconds)} took "
        f"{evidence.maximum} us"
    )
    if limit is None:
        return Verdict(grade, None, None, f"{seen} ({grade})", reasons)
    passed = evidence.maximum < limit.microseconds
    relation = "below" if passed else "not below"
    statement = f"{seen}, {relation} {limit.microseconds} us ({grade})"
    return Verdict(grade, passed, limit, statement, reasons)


def supported(quantiles: Sequence[str], samples: int) -> tuple[str, ...]:
    """Return the quantiles (`0.99`, `0.9999`) that `samples` samples say something about."""
    return tuple(q for q in quantiles if supports(samples, q))


def _refusals(evidence: Evidence) -> list[str]:
    found = []
    if evidence.realtime is False:
        found.append("the kernel was not PREEMPT_RT, so its latencies have no bound to judge.")
    elif evidence.realtime is None:
        found.append("whether the kernel was PREEMPT_RT is not known.")
    if evidence.throttled:
        found.append("periods are missing: real-time throttling or a stalled CPU hid samples.")
    if evidence.samples == 0:
        found.append("there are no samples.")
    return found


def _grade(evidence: Evidence) -> tuple[Grade, tuple[str, ...]]:
    missing = []
    if evidence.seconds < PRODUCTION_HOURS * 3600:
        missing.append(f"It ran {_length(evidence.seconds)}, not {PRODUCTION_HOURS} h.")
    if not evidence.load:
        missing.append("It ran without load.")
    if evidence.overflows:
        missing.append(f"{evidence.overflows} samples were off the histogram.")
    if evidence.virtual:
        missing.append(f"It ran inside {evidence.virtual}: it speaks for that, not for the host.")
    if evidence.smi:
        missing.append(f"{evidence.smi} SMIs: the firmware, not the kernel, may explain the worst.")
    if evidence.hot:
        missing.append(f"Cores were slowed down {evidence.hot} times because they were hot.")
    if evidence.interrupted:
        missing.append(f"It was cut off: {evidence.interrupted}.")
    if not evidence.exact:
        missing.append("The live figures did not agree with the final ones.")
    if not missing or (evidence.virtual and len(missing) == 1):
        return Grade.PRODUCTION, tuple(missing)
    if evidence.seconds >= INDICATIVE_MINUTES * 60 and evidence.exact:
        return Grade.INDICATIVE, tuple(missing)
    return Grade.SMOKE, tuple(missing)


def _length(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:.1f} h"
    if seconds >= 120:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.0f} s"
