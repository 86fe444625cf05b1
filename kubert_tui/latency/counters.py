"""What firmware and hardware did behind the kernel's back: SMIs, throttling. Read, never changed.

A system management interrupt takes all CPUs away from the kernel for microseconds to milliseconds.
Intel counts them in MSR 0x34 (SMI_COUNT).
"""

import re
from dataclasses import dataclass, field

from kubert_tui.base.text import clean_line

_NUMBER = re.compile(r"(smi|throttle) ([0-9]{1,5}) ([0-9]{1,20})")
_LIMIT = 2**53


@dataclass(frozen=True, slots=True)
class Counters:
    """Counts at one moment; by CPU."""

    smi: dict[int, int] = field(default_factory=dict)
    smi_unknown: str = ""
    """Why SMIs are not counted."""
    throttle: dict[int, int] = field(default_factory=dict)
    realtime_throttled: bool = False
    """The kernel has stopped real-time tasks at some time since it started."""


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened between two moments."""

    smi: int | None
    """SMIs (of the CPU that had most: they stop all at once); None when they are not counted."""
    smi_unknown: str
    throttled: int | None
    """Times a core was slowed down because it was hot; None when that is not counted."""
    realtime_throttled: bool
    """The kernel stopped real-time tasks for the first time since it started."""


UNKNOWN = Happened(None, "nobody looked", None, False)


def told(before: bytes, after: bytes) -> Happened:
    """Return what happened between two outputs of `counters.sh`; either may be missing."""
    if not before or not after:
        return UNKNOWN
    texts = (one.decode("utf-8", errors="replace") for one in (before, after))
    first, second = map(parse_counters, texts)
    return happened(first, second)


def parse_counters(text: str) -> Counters:
    """Read what `counters.sh` printed; what makes no sense is left out."""
    found: dict[str, dict[int, int]] = {"smi": {}, "throttle": {}}
    unknown, throttled = "", False
    for line in text.splitlines():
        if number := _NUMBER.fullmatch(line.strip()):
            value = int(number[3])
            if value <= _LIMIT:
                found[number[1]][int(number[2])] = value
        elif line.startswith("smi unknown "):
            unknown = clean_line(line.removeprefix("smi unknown "))
        elif line == "rt throttling":
            throttled = True
    if not found["smi"] and not unknown:
        unknown = "the host did not tell"
    return Counters(found["smi"], unknown, found["throttle"], throttled)


def happened(before: Counters, after: Counters) -> Happened:
    """Return what happened in between. A count that fell (a restart) is not known."""
    smi = _grown(before.smi, after.smi)
    throttled = _grown(before.throttle, after.throttle)
    unknown = before.smi_unknown or after.smi_unknown
    if not smi and not unknown:
        unknown = "the counts do not fit together"
    return Happened(
        smi=max(smi) if smi else None,
        smi_unknown="" if smi else unknown,
        throttled=sum(throttled) if throttled else None,
        realtime_throttled=after.realtime_throttled and not before.realtime_throttled,
    )


def _grown(before: dict[int, int], after: dict[int, int]) -> list[int]:
    grown = [after[cpu] - count for cpu, count in before.items() if cpu in after]
    return grown if all(one >= 0 for one in grown) else []
