"""Typed events of measurements: cyclictest's, those of loads beside it, of other instruments."""

from dataclasses import dataclass
from typing import Literal

from kubert_tui.events.model import Event
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.recorded import Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyStarted(Event):
    """cyclictest runs on a host (freshly started, or found running and attached to)."""

    command: tuple[str, ...]
    version: str
    interval: int
    """us"""
    loops: int
    cpus: tuple[int, ...]
    started: float
    """Seconds since the epoch, our clock."""
    load: tuple[str, ...] = ()
    """argv of the load that was ordered beside it; () for none."""
    limit: int = 0
    """us that the worst latency must stay below; 0 if the lab names no limit."""
    parent: str = ""
    """What is beneath: the host that runs a virtual machine, the node that a pod is on."""
    attached: bool = False
    live: bool = True
    """False: no live figures can be read on this host; `reason` says why."""
    reason: str = ""
    stream: Literal["memory", "verbose", "none"] = "memory"
    """Where live figures come from: cyclictest's memory, or what it tells with --verbose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySnapshot(Event):
    """The histogram as it is now. Only the newest one matters."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyPast(Event):
    """What a measurement we attached to has seen before; told after its first snapshot."""

    recorded: Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyCounters(Event):
    """SMIs and throttling since a measurement began; told again when they change."""

    smi: int | None
    """System management interrupts; None when they are not counted, `smi_unknown` says why."""
    smi_unknown: str
    throttled: int | None
    """Times a core was slowed down because it was hot; None when that is not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadChanged(Event):
    """A load beside a measurement began or ended; those of before are told when we attach."""

    preset: str
    command: tuple[str, ...]
    """Its argv, literally."""
    cpus: str
    """CPU list that it may run on."""
    elapsed: float
    """When, in seconds since cyclictest began."""
    on: bool
    reason: str = ""
    """Why it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRefused(Event):
    """A load that was asked for could not be started, or not be stopped."""

    preset: str
    what: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyStored(Event):
    """A measurement was stored: finished, or what is left of one that was interrupted."""

    path: str
    samples: int
    maximum: int
    exact: bool
    """The last live histogram was consistent with cyclictest's own final one."""
    unseen: int = 0
    """Samples in the final histogram that the stream has lost."""
    notes: tuple[str, ...] = ()
    interrupted: str = ""
    """Why it ended before its time: it is kept, but is not the result that was asked for."""
    passed: bool | None = None
    """The worst latency is below the limit; None if there is none, or the figures mislead."""
    verdict: str = ""
    """The judgement in one sentence."""
    reasons: tuple[str, ...] = ()
    """Why it is worth no more than that."""
    stopped: str = ""
    """What made breaktrace stop it; empty if nothing did."""
    trace: str = ""
    """Path of the trace of that (gzip); empty if there is none."""
    excerpt: tuple[str, ...] = ()
    """The last lines of the trace, of the CPU concerned."""
    applications: int | None = None
    """Of a density run: how many ran on each node; None if it is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseStored(Event):
    """A measurement of what steals time was stored; a finding tells what it means."""

    instrument: str
    """hwlat or timerlat."""
    command: str
    path: str
    summary: str = ""
    """What was found, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CausesMeasured(Event):
    """All that was to be measured of what steals time on a host is stored."""

    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterProved(Event):
    """The smoke test came through: a pod on every node that takes pods answered."""

    image: str
    nodes: tuple[str, ...]
    """All of the cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationsRunning(Event):
    """A step of a density run begins: so many applications run now, all of them ready."""

    applications: int
    """Of each of `names`, on each of its nodes; 0 for the baseline."""
    names: tuple[str, ...]
    pods: int
    """On all nodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityPoint:
    """One step on one host. Latencies in us, as text: `<12` is a bound, `-` for too few samples."""

    applications: int
    figures: tuple[str, ...]
    """p50, p99, p99.9, max."""
    below: bool | None
    """The worst is below the limit; None without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityMeasured(Event):
    """All steps of a density run are measured on a host."""

    commands: tuple[str, ...]
    names: tuple[str, ...]
    """Of the applications."""
    limit: int
    """us; 0 if the lab names none."""
    points: tuple[DensityPoint, ...]
    statement: str
    """Where the limit breaks, in one sentence; and why there are no more steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementEnded(Event):
    """A measurement ended without a result that counts: cancelled or failed."""

    identity: str
    reason: str
