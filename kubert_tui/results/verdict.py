"""Whether a measurement meets a limit, and how much that is worth.

A maximum is what was seen, not what can happen: a grade says how hard the host was tried.
Where a figure would mislead there is no verdict, and the reason stands in its place.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kubert_tui.lab.limits import Limit

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
    """What loaded the host all the time; empty when nothing did."""
    maximum: int
    """us"""
    samples: int
    overflows: int
    exact: bool
    verbose: bool = False
    """cyclictest told its samples (--verbose): that costs the host more than looking at them."""
    unseen: int = 0
    """Samples that were not seen live; the final figures have them."""
    loaded: float = 0.0
    """Share of the time that something loaded it, 0.0 to 1.0."""
    throttled: bool = False
    smi: int | None = None
    """System management interrupts meanwhile; None if they were not counted."""
    hot: int = 0
    """Times a core was slowed down because it was hot."""
    interrupted: str = ""
    """Why it ended before its time; empty if it did not."""
    policy: str = "fifo"
    """How its threads were scheduled (`fifo 90`); empty when nobody knows."""
    traced: bool = False
    """A trace was recorded meanwhile."""
    stopped: str = ""
    """What made breaktrace stop it; empty if nothing did."""
    hardware: int | None = None
    """us that hardware or firmware took at once, seen beside it; None if nothing was seen."""
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
    under = f" under load ({evidence.load})" if evidence.load else ""
    seen = (
        f"the worst of {evidence.samples} samples in {_length(evidence.seconds)}{under} took "
        f"{evidence.maximum} us"
    )
    if limit is None:
        return Verdict(grade, None, None, f"{seen} ({grade})", reasons)
    passed = evidence.maximum < limit.microseconds
    relation = "below" if passed else "not below"
    statement = f"{seen}, {relation} {limit.microseconds} us ({grade})"
    return Verdict(grade, passed, limit, statement, reasons)


def _refusals(evidence: Evidence) -> list[str]:
    found = []
    if evidence.realtime is False:
        found.append("the kernel was not PREEMPT_RT, so its latencies have no bound to judge.")
    elif evidence.realtime is None:
        found.append("whether the kernel was PREEMPT_RT is not known.")
    if evidence.policy and not _realtime_policies(evidence.policy):
        found.append(
            f"its threads were not scheduled in real time ({evidence.policy}): that measures how"
            " busy the host was."
        )
    if evidence.throttled:
        found.append("periods are missing: real-time throttling or a stalled CPU hid samples.")
    if evidence.samples == 0:
        found.append("there are no samples.")
    return found


def _grade(evidence: Evidence) -> tuple[Grade, tuple[str, ...]]:
    missing = tuple(_missing(evidence))
    told = (*missing, *_told(evidence))
    if not missing:
        return Grade.PRODUCTION, told
    if evidence.seconds >= INDICATIVE_MINUTES * 60 and evidence.exact:
        return Grade.INDICATIVE, told
    return Grade.SMOKE, told


def _missing(evidence: Evidence) -> Iterator[str]:
    """What keeps it from being worth more."""
    if evidence.seconds < PRODUCTION_HOURS * 3600:
        yield f"It ran {_length(evidence.seconds)}, not {PRODUCTION_HOURS} h."
    if not evidence.load:
        part = f"under load for {evidence.loaded * 100:.0f} % of its time only"
        yield f"It ran {part if evidence.loaded else 'without load'}."
    if not evidence.policy:
        yield "How its threads were scheduled is not known."
    if evidence.overflows:
        yield f"{evidence.overflows} samples were off the histogram."
    if evidence.smi:
        yield f"{evidence.smi} SMIs: the firmware, not the kernel, may explain the worst."
    if evidence.hot:
        yield f"Cores were slowed down {evidence.hot} times because they were hot."
    if evidence.hardware:
        yield (
            f"The hardware itself was seen to take {evidence.hardware} us at once: no kernel can"
            " be more punctual."
        )
    if evidence.traced:
        yield "The kernel was traced meanwhile, which costs latency itself."
    if evidence.stopped:
        yield f"It was {evidence.stopped}."
    if evidence.interrupted:
        yield f"It was cut off: {evidence.interrupted}."
    if not evidence.exact:
        yield "The live figures did not agree with the final ones."


def _told(evidence: Evidence) -> Iterator[str]:
    """What a reader should know, and lowers no grade."""
    if evidence.virtual:
        yield f"It ran inside {evidence.virtual}: it speaks for that, not for the host."
    if evidence.verbose:
        lost = f"; {evidence.unseen} samples were not seen live" if evidence.unseen else ""
        yield f"It was watched through --verbose, which can only make latencies worse{lost}."


def _realtime_policies(told: str) -> bool:
    return all(one.split()[0] in ("fifo", "rr", "deadline") for one in told.split(", "))


def _length(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:.1f} h"
    if seconds >= 120:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.0f} s"
