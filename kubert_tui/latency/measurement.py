"""What a measurement on one host is asked to do, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from kubert_tui.latency.breaktrace import Stopped
from kubert_tui.latency.counters import UNKNOWN, Happened
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.loads import Load, LoadOrder
from kubert_tui.latency.recorded import Recorded

Stream = Literal["memory", "verbose"]
"""Out of the memory of the unmodified process; or out of what it tells with --verbose."""
INCONSISTENT = "the live figures were not consistent with the final ones, which hold"
"""Note of a result that is not exact."""


@dataclass(frozen=True, slots=True)
class MeasurementOrder:
    """One cyclictest run, decided completely before anything starts."""

    identity: str
    """Unique per run, host and attempt; names the run directory and unit on the host."""
    command: tuple[str, ...]
    """cyclictest's argv, literally."""
    version: str
    interval: int
    """us"""
    loops: int
    histogram: int
    """Buckets."""
    cpus: tuple[int, ...]
    """CPUs measured, in thread order."""
    housekeeping: tuple[int, ...] = ()
    """CPUs our own helper may run on; () lets the scheduler choose."""
    stream: Stream = "memory"
    """How its samples are seen while it runs."""
    load: LoadOrder | None = None
    """What is to run beside it from the beginning."""


@dataclass(frozen=True, slots=True)
class Launched:
    """A run that is under way on the host, by us or by an earlier session of ours."""

    order: MeasurementOrder
    pid: int
    started: float
    """Seconds since the epoch, the host's clock."""
    boot_id: str
    attached: bool
    live: bool
    reason: str = ""
    """Why no live figures can be read, when `live` is False."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A run whose final output was whole, or what is left of one that was interrupted."""

    order: MeasurementOrder
    final: Snapshot
    output: str
    """cyclictest's own final output, cleaned."""
    exact: bool
    """Every live snapshot was at or below the final histogram, bucket by bucket."""
    started: float
    finished: float
    notes: tuple[str, ...] = ()
    """What a reader must know: throttling seen, no /dev/cpu_dma_latency, missed periods, ..."""
    happened: Happened = UNKNOWN
    """What firmware and hardware did meanwhile."""
    loads: tuple[Load, ...] = ()
    """What ran beside it, in order of time; all have an end."""
    interrupted: str = ""
    """Why it ended before its time; empty if it did not."""
    unseen: int = 0
    """Samples in the final figures that the stream has lost; always 0 out of memory."""
    policy: str = ""
    """How its threads were scheduled, `fifo 90`; empty if that was not read."""
    held: bool = False
    """Its node kept idle states off, because a pod cannot."""
    stopped: Stopped | None = None
    """What made --breaktrace stop it: a result, not an interruption."""
    trace: str = ""
    """What the kernel traced up to then, cleaned; empty if nothing was."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who is told while it runs. Called from the following thread; must not block."""

    started: Callable[[Launched], None] = field(default=lambda _: None)
    snapshot: Callable[[Snapshot], None] = field(default=lambda _: None)
    note: Callable[[str], None] = field(default=lambda _: None)
    past: Callable[[Recorded], None] = field(default=lambda _: None)
    """What was recorded before we attached; told after the first snapshot."""
    happened: Callable[[Happened], None] = field(default=lambda _: None)
    """SMIs and throttling since the beginning; told again when they change."""
