"""Exact latency histograms: buckets of one microsecond per measuring thread."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThreadHistogram:
    """What one measuring thread (one CPU) has seen so far.

    `counts[us]` is the number of samples of `us` microseconds; `overflows` the samples at
    or above `len(counts)`. Latencies are whole microseconds; `average` is cyclictest's.
    """

    cpu: int
    counts: tuple[int, ...]
    overflows: int
    minimum: int
    average: float
    maximum: int

    @property
    def samples(self) -> int:
        """Samples, overflows included."""
        return sum(self.counts) + self.overflows


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of one measurement at one moment, whole (never a delta)."""

    sequence: int
    elapsed: float
    """Seconds since cyclictest started."""
    threads: tuple[ThreadHistogram, ...]
    load: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Load averages of the host."""
    final: bool = False
    """True once the figures are cyclictest's own final output."""

    @property
    def samples(self) -> int:
        """Samples of all threads."""
        return sum(thread.samples for thread in self.threads)
