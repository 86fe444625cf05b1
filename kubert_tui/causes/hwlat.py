"""Hardware latency: time that neither the kernel nor a program took, as the hwlat tracer sees it.

The tracer (Documentation/trace/hwlat_detector.rst) turns interrupts off on one CPU and reads the
clock all the time: a gap between two readings (inner), or between two pairs (outer), was taken by
an SMI, by the hypervisor or by the hardware. `count` is how often in one sampling period; kernels
before 5.9 do not tell it. Nothing is shown of gaps below the threshold.
"""

import re
from dataclasses import dataclass

from kubert_tui.base.errors import MeasurementError
from kubert_tui.base.text import clean_line

_SETTING = re.compile(r"(seconds|threshold|window|width) ([0-9]{1,9})")
_GAP = re.compile(
    r".{0,60}\[([0-9]{3,5})\].{0,40}: #[0-9]{1,9} +inner/outer\(us\): *([0-9]{1,9})/ *([0-9]{1,9})"
    r" +ts:([0-9]{1,12}\.[0-9]{1,9})(?:.{0,80}? count:([0-9]{1,9}))?(?: .{0,80})?"
)


@dataclass(frozen=True, slots=True)
class Gap:
    """One sampling period with gaps above the threshold."""

    moment: float
    """Seconds since the epoch, the host's clock."""
    cpu: int
    inner: int
    """us, the longest between two readings of a pair."""
    outer: int
    """us, the longest between two pairs."""
    count: int | None
    """Gaps in this period; None where the kernel does not tell."""

    @property
    def longest(self) -> int:
        """The longer of both, in us."""
        return max(self.inner, self.outer)


@dataclass(frozen=True, slots=True)
class HardwareLatency:
    """What was seen. Each CPU in turn was watched for `width` of every `window` (us)."""

    seconds: int
    threshold: int
    """us"""
    window: int
    width: int
    gaps: tuple[Gap, ...]

    @property
    def maximum(self) -> int | None:
        """The longest gap in us; None when none was above the threshold."""
        return max((gap.longest for gap in self.gaps), default=None)


def hwlat_command(seconds: int, threshold: int) -> tuple[str, ...]:
    """Return the job's command."""
    return ("hwlat.sh", str(seconds), str(threshold))


def parse_hwlat(text: str) -> HardwareLatency:
    """Read what hwlat.sh printed; MeasurementError when it is not whole."""
    lines = text.splitlines()
    settings = {m[1]: int(m[2]) for line in lines[:5] if (m := _SETTING.fullmatch(line))}
    if len(settings) != 4 or lines[-1] != "done":
        raise MeasurementError("the hwlat tracer's output is not whole")
    gaps = []
    for line in lines[5:-1]:
        found = _GAP.fullmatch(line)
        if not found:
            raise MeasurementError(
                "the hwlat tracer's output is not understood", details=clean_line(line)
            )
        count = int(found[5]) if found[5] else None
        gaps.append(Gap(float(found[4]), int(found[1]), int(found[2]), int(found[3]), count))
    return HardwareLatency(**settings, gaps=tuple(gaps))
