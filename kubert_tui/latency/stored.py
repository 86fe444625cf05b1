"""What is kept of a measurement: exact histogram, how it was made, and on what."""

from typing import Literal

from pydantic import Field, model_validator

from kubert_tui.latency.applications import StoredApplications
from kubert_tui.latency.breaktrace import StoredBreak
from kubert_tui.latency.fingerprint import Fingerprint, Part
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.measurement import MeasurementOrder, Stream

Count = Field(ge=0, le=2**53)


class StoredThread(Part):
    """The histogram of one measuring thread, which is that of one CPU."""

    cpu: int = Field(ge=0)
    """The CPU it measured (of imported results perhaps only the thread's number)."""
    size: int = Field(ge=1, le=1_000_000)
    """How many buckets there are, of 1 us each."""
    buckets: tuple[tuple[int, int], ...]
    """[us, samples] of the buckets that are not empty, upwards: that many took `us` to `us` + 1."""
    overflows: int = Count
    """Samples of `size` us or more."""
    minimum: int = Count
    """us, cut to whole ones (as cyclictest does)."""
    average: float = Count
    """us; exact where there are no overflows, else cyclictest's own, cut to whole ones."""
    maximum: int = Count
    """us, cut to whole ones; also of overflows."""

    @model_validator(mode="after")
    def _in_order(self) -> "StoredThread":
        previous = -1
        for latency, count in self.buckets:
            if not previous < latency < self.size or not 0 < count <= 2**53:
                raise ValueError(f"bucket {latency} of CPU {self.cpu} is impossible")
            previous = latency
        return self


class StoredSummary(Part):
    """The figures over all CPUs, latencies in us. It can all be derived from the histograms."""

    minimum: int
    """us"""
    average: float
    """us"""
    p99: str
    """The 99th percentile, as a bound: `< 12`; `>= 250` when it lies among the overflows. Empty
    when there are too few samples to tell it."""
    p99_9: str
    """The 99.9th, likewise."""
    maximum: int
    """us; the worst that was seen."""
    overflows: int
    """Samples off the histogram."""
    samples: int
    """All samples, overflows included."""


class StoredLoad(Part):
    """A load that ran beside the measurement. Times are seconds since cyclictest began."""

    preset: str
    """Its name: cpu, hackbench, ..."""
    command: tuple[str, ...]
    """Its argv, literally."""
    cpus: str
    """CPU list that it was to run on."""
    after: float = Count
    """When it began."""
    until: float = Count
    """When it ended, or was last seen."""
    ended: str = ""
    """Why it ended; empty if it ran to the end of what is known."""


class StoredMeasurement(Part):
    """One finished (or interrupted) measurement on one host."""

    schema_version: Literal[2] = 2
    """Version of this description."""
    identity: str
    """Unique per run, host and attempt."""
    host: str
    """Name of the host in the lab file."""
    lab: str
    """Name of the lab; `imported` for results of others."""
    run: str = ""
    """Id of the run it belongs to; empty for results of others."""
    stage: str = ""
    """Id of the lab's stage that measured; empty where that is not recorded."""
    layer: Literal["host", "guest", "pod"] = "host"
    """Where cyclictest ran: on a host, in a virtual machine of the lab, or in a pod."""
    parent: str = ""
    """Name of what is beneath: the host that runs the virtual machine, the node (a host or a
    machine) that the pod is on; empty where there is nothing, or it is unknown."""
    command: tuple[str, ...]
    """cyclictest's argv, literally."""
    version: str
    """cyclictest's version."""
    interval: int = Field(ge=1)
    """us between two wake-ups."""
    loops: int = Field(ge=1)
    """Cycles that were ordered: the first thread that reaches them ends the run."""
    histogram: int = Field(ge=1)
    """Buckets of each thread, of 1 us."""
    cpus: tuple[int, ...]
    """CPUs measured, in thread order."""
    housekeeping: tuple[int, ...]
    """CPUs that our own helpers were to stay on; empty: the scheduler chose."""
    policy: str = ""
    """How the measuring threads were scheduled, read from the host while they ran: `fifo 90`
    (policy, priority; several if they differ). Empty where that was not read."""
    held: bool = False
    """The node kept idle states off for it (/dev/cpu_dma_latency), because its pod could not."""
    started: float = Field(ge=0)
    """Seconds since the epoch, the host's clock."""
    finished: float = Field(ge=0)
    """Seconds since the epoch, the host's clock."""
    elapsed: float = Field(ge=0)
    """Seconds it took."""
    load: tuple[float, float, float]
    """Load averages of the host over 1, 5 and 15 minutes, towards the end."""
    loads: tuple[StoredLoad, ...] = ()
    """What ran beside it, in order of time; empty if nothing was started for it."""
    applications: StoredApplications | None = None
    """The applications of the cluster meanwhile; null if it is no step of a density run."""
    exact: bool
    """Every live picture was at or below the final histogram, bucket by bucket."""
    stream: Stream = "memory"
    """What was seen while it ran came from here."""
    unseen: int = Field(default=0, ge=0)
    """Samples in the final figures that the stream has lost."""
    smi: int | None = Field(default=None, ge=0)
    """System management interrupts meanwhile; null if they are not counted."""
    smi_unknown: str = "not recorded"
    """Why they are not counted."""
    throttled: int | None = Field(default=None, ge=0)
    """Times a core was slowed down because it was hot; null if that is not counted."""
    realtime_throttled: bool = False
    """The kernel stopped real-time tasks meanwhile."""
    limit: str = ""
    """What it is judged by, as the lab file names it."""
    interrupted: str = ""
    """Why it ended before its time; empty if it did not."""
    breaktrace: StoredBreak | None = None
    """What --breaktrace found; None without it."""
    notes: tuple[str, ...]
    """What a reader must know, one sentence each."""
    summary: StoredSummary
    """The figures over all CPUs."""
    threads: tuple[StoredThread, ...]
    """The histograms, in the order of `cpus`."""
    output: str
    """cyclictest's own final output, cleaned of control characters; empty if it left none."""
    fingerprint: Fingerprint
    """What the host was like."""

    def snapshot(self) -> Snapshot:
        """The final histogram."""
        return Snapshot(
            sequence=1,
            elapsed=self.elapsed,
            threads=tuple(map(_restore, self.threads)),
            load=self.load,
            final=True,
        )

    def order(self) -> MeasurementOrder:
        """The order it was made by."""
        return MeasurementOrder(
            identity=self.identity,
            command=self.command,
            version=self.version,
            interval=self.interval,
            loops=self.loops,
            histogram=self.histogram,
            cpus=self.cpus,
            housekeeping=self.housekeeping,
            stream=self.stream,
        )


def _restore(stored: StoredThread) -> ThreadHistogram:
    counts = [0] * stored.size
    for latency, count in stored.buckets:
        counts[latency] = count
    return ThreadHistogram(
        stored.cpu,
        tuple(counts),
        stored.overflows,
        stored.minimum,
        stored.average,
        stored.maximum,
    )
