"""A finished measurement as a file here: exact histogram, how it was made, and on what."""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from kubert_tui.base.errors import MeasurementError
from kubert_tui.base.paths import write_private
from kubert_tui.base.text import clean_line
from kubert_tui.facts.model import Facts
from kubert_tui.latency.applications import StoredApplications
from kubert_tui.latency.breaktrace import StoredBreak, stored_break
from kubert_tui.latency.fingerprint import Fingerprint, Part, fingerprint
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.loads import Load
from kubert_tui.latency.measurement import Measured, MeasurementOrder, Stream
from kubert_tui.latency.statistics import Percentile, summarise
from kubert_tui.latency.upgrade import upgraded

SIZE_LIMIT = 256 * 1024 * 1024
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


def store(
    measured: Measured,
    *,
    host: str,
    lab: str,
    facts: Facts,
    run: str = "",
    stage: str = "",
    limit: str = "",
    layer: Literal["host", "guest", "pod"] = "host",
    parent: str = "",
    applications: StoredApplications | None = None,
) -> StoredMeasurement:
    """Return what is to be kept of a measurement that has ended; `parent` is what is beneath."""
    kept = packed(measured, host=host, lab=lab, fingerprint=fingerprint(facts), run=run)
    about = {"limit": limit, "stage": stage, "layer": layer, "parent": parent}
    return kept.model_copy(update={**about, "applications": applications})


def packed(
    measured: Measured, *, host: str, lab: str, fingerprint: Fingerprint, run: str = ""
) -> StoredMeasurement:
    """Return the file's content; `store` for a host whose fingerprint is known already."""
    order, final = measured.order, measured.final
    figures = summarise(final)
    return StoredMeasurement(
        identity=order.identity,
        host=host,
        lab=lab,
        run=run,
        command=order.command,
        version=order.version,
        interval=order.interval,
        loops=order.loops,
        histogram=order.histogram,
        cpus=order.cpus,
        housekeeping=order.housekeeping,
        policy=measured.policy,
        held=measured.held,
        started=measured.started,
        finished=measured.finished,
        elapsed=final.elapsed,
        load=final.load,
        loads=tuple(map(_pack_load, measured.loads)),
        exact=measured.exact,
        stream=order.stream,
        unseen=measured.unseen,
        smi=measured.happened.smi,
        smi_unknown=measured.happened.smi_unknown,
        throttled=measured.happened.throttled,
        realtime_throttled=measured.happened.realtime_throttled,
        interrupted=measured.interrupted,
        breaktrace=stored_break(order.command, measured.stopped, measured.trace),
        notes=measured.notes,
        summary=StoredSummary(
            minimum=figures.minimum,
            average=figures.average,
            p99=_percentile(figures.p99),
            p99_9=_percentile(figures.p99_9),
            maximum=figures.maximum,
            overflows=figures.overflows,
            samples=figures.samples,
        ),
        threads=tuple(map(_pack, final.threads)),
        output=measured.output,
        fingerprint=fingerprint,
    )


def save(path: Path, stored: StoredMeasurement) -> None:
    """Write it to `path`, whole or not at all, readable by its owner only."""
    write_private(path, stored.model_dump_json() + "\n")


def load(path: Path) -> StoredMeasurement:
    """Read it back; MeasurementError when it cannot be read or is not what it should be."""
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise MeasurementError(f"{path} is too large to be a measurement")
        told = json.loads(path.read_bytes())
        return _checked(told)
    except OSError as error:
        raise MeasurementError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise MeasurementError(
            f"{path} is no measurement of ours: {where}: {clean_line(first['msg'])}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise MeasurementError(
            f"{path} is no measurement of ours: {clean_line(str(error))}"
        ) from error


def _checked(told: Any) -> StoredMeasurement:
    stored = StoredMeasurement.model_validate(upgraded(told))
    if tuple(thread.cpu for thread in stored.threads) != stored.cpus:
        raise ValueError("its threads are not those of its CPUs")
    if any(thread.size != stored.histogram for thread in stored.threads):
        raise ValueError(f"a histogram has not {stored.histogram} buckets")
    samples = sum(t.overflows + sum(count for _, count in t.buckets) for t in stored.threads)
    if samples != stored.summary.samples:
        raise ValueError(f"the histogram has {samples} samples, its summary says otherwise")
    return stored


def _percentile(figure: Percentile | None) -> str:
    return "" if figure is None else str(figure)


def _pack(thread: ThreadHistogram) -> StoredThread:
    return StoredThread(
        cpu=thread.cpu,
        size=len(thread.counts),
        buckets=tuple((us, count) for us, count in enumerate(thread.counts) if count),
        overflows=thread.overflows,
        minimum=thread.minimum,
        average=thread.average,
        maximum=thread.maximum,
    )


def _pack_load(load: Load) -> StoredLoad:
    until = load.after if load.until is None else load.until
    return StoredLoad(
        preset=load.preset,
        command=load.command,
        cpus=load.cpus,
        after=load.after,
        until=until,
        ended=load.ended,
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
