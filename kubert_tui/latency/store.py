"""A finished measurement as a file here: exact histogram, how it was made, and on what."""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from kubert_tui.base.errors import MeasurementError
from kubert_tui.base.paths import write_private
from kubert_tui.base.text import clean_line
from kubert_tui.facts.model import Fact, Facts, Known
from kubert_tui.latency.breaktrace import StoredBreak, stored_break
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.measurement import Measured, MeasurementOrder
from kubert_tui.latency.statistics import Percentile, summarise

SCHEMA = 1
SIZE_LIMIT = 256 * 1024 * 1024
Count = Field(ge=0, le=2**53)


class Part(BaseModel):
    """Base of all parts of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class StoredThread(Part):
    """One thread's histogram; `buckets` holds [us, samples] of those that are not empty."""

    cpu: int = Field(ge=0)
    size: int = Field(ge=1, le=1_000_000)
    buckets: tuple[tuple[int, int], ...]
    overflows: int = Count
    minimum: int = Count
    average: float = Count
    maximum: int = Count

    @model_validator(mode="after")
    def _in_order(self) -> "StoredThread":
        previous = -1
        for latency, count in self.buckets:
            if not previous < latency < self.size or not 0 < count <= 2**53:
                raise ValueError(f"bucket {latency} of CPU {self.cpu} is impossible")
            previous = latency
        return self


class StoredSummary(Part):
    """The figures over all CPUs, as text where they may be a bound."""

    minimum: int
    average: float
    p99: str
    p99_9: str
    maximum: int
    overflows: int
    samples: int


class Fingerprint(Part):
    """What the host was like. Runs on unlike hosts are not compared silently.

    A fact that was not known says so: `unknown: reason`.
    """

    kernel: str
    kernel_version: str
    machine: str
    command_line: str
    realtime: dict[str, str]
    """Each evidence of PREEMPT_RT: yes, no or unknown."""
    boot_id: str
    microcode: str
    processor: str
    smt: str
    governor: str
    idle_states: str
    isolated: str
    bios: str
    virtualization: str
    tuned_profile: str
    rt_runtime_us: str
    transparent_hugepages: str


class StoredMeasurement(Part):
    """The file."""

    schema_version: Literal[1] = 1
    identity: str
    host: str
    lab: str
    run: str = ""
    command: tuple[str, ...]
    version: str
    interval: int = Field(ge=1, description="us")
    loops: int = Field(ge=1)
    histogram: int = Field(ge=1)
    cpus: tuple[int, ...]
    housekeeping: tuple[int, ...]
    started: float = Field(ge=0, description="Seconds since the epoch, the host's clock.")
    finished: float = Field(ge=0)
    elapsed: float = Field(ge=0)
    load: tuple[float, float, float]
    exact: bool
    smi: int | None = Field(default=None, ge=0)
    """System management interrupts meanwhile; None if they are not counted."""
    smi_unknown: str = "not recorded"
    """Why they are not counted."""
    throttled: int | None = Field(default=None, ge=0)
    """Times a core was slowed down because it was hot; None if that is not counted."""
    realtime_throttled: bool = False
    """The kernel stopped real-time tasks meanwhile."""
    limit: str = ""
    """What it is judged by, as the lab file names it."""
    interrupted: str = ""
    """Why it ended before its time; empty if it did not."""
    breaktrace: StoredBreak | None = None
    """What --breaktrace found; None without it."""
    notes: tuple[str, ...]
    summary: StoredSummary
    threads: tuple[StoredThread, ...]
    output: str
    fingerprint: Fingerprint

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
        )


def store(
    measured: Measured, *, host: str, lab: str, facts: Facts, run: str = "", limit: str = ""
) -> StoredMeasurement:
    """Return what is to be kept of a measurement that has ended."""
    kept = packed(measured, host=host, lab=lab, fingerprint=fingerprint(facts), run=run)
    return kept.model_copy(update={"limit": limit})


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
        started=measured.started,
        finished=measured.finished,
        elapsed=final.elapsed,
        load=final.load,
        exact=measured.exact,
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
    version = told.get("schema_version") if isinstance(told, dict) else None
    if isinstance(version, int) and version > SCHEMA:
        raise ValueError(f"a newer kubert-tui wrote it (schema {version})")
    stored = StoredMeasurement.model_validate(told)
    if tuple(thread.cpu for thread in stored.threads) != stored.cpus:
        raise ValueError("its threads are not those of its CPUs")
    if any(thread.size != stored.histogram for thread in stored.threads):
        raise ValueError(f"a histogram has not {stored.histogram} buckets")
    samples = sum(t.overflows + sum(count for _, count in t.buckets) for t in stored.threads)
    if samples != stored.summary.samples:
        raise ValueError(f"the histogram has {samples} samples, its summary says otherwise")
    return stored


def fingerprint(facts: Facts) -> Fingerprint:
    """Return what tells this host, as it was set up, from another one."""
    kernel, processors, firmware = facts.kernel, facts.processors, facts.firmware
    realtime = kernel.realtime
    bios = (firmware.vendor, firmware.product, firmware.bios_version, firmware.bios_date)
    return Fingerprint(
        kernel=_text(kernel.release),
        kernel_version=_text(kernel.version),
        machine=_text(kernel.machine),
        command_line=_text(kernel.command_line),
        realtime={
            "/sys/kernel/realtime": _text(realtime.sys_kernel_realtime),
            "uname -v": _text(realtime.uname_version),
            "CONFIG_PREEMPT_RT": _text(realtime.kernel_config),
        },
        boot_id=_text(kernel.boot_id),
        microcode=_text(processors.microcode),
        processor=_text(processors.model),
        smt=_text(processors.smt_active),
        governor=_text(processors.governor),
        idle_states=_text(processors.idle_states),
        isolated=_text(processors.isolated),
        bios=", ".join(map(_text, bios)),
        virtualization=_text(facts.virtualization),
        tuned_profile=_text(facts.scheduling.tuned_profile),
        rt_runtime_us=_text(facts.scheduling.rt_runtime_us),
        transparent_hugepages=_text(facts.memory.transparent_hugepages),
    )


def _text(fact: Fact[Any]) -> str:
    if not isinstance(fact, Known):
        return f"unknown: {fact.reason}"
    match fact.value:
        case bool(value):
            return "yes" if value else "no"
        case tuple(values):
            return ", ".join(map(str, values))
        case value:
            return str(value)


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
