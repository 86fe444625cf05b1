"""What a report says, before it is HTML or Markdown."""

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubert_tui.causes.store import StoredHwlat, StoredTimerlat
from kubert_tui.lab.limits import Limit
from kubert_tui.latency.breaktrace import StoredBreak, stopped
from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.latency.statistics import (
    MERGED,
    merge,
    percentile,
    supported,
)
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.beside import beside_of
from kubert_tui.results.evidence import applications_of, evidence_of, limit_named, missed, scheduled
from kubert_tui.results.foreign_parts import IMPORTED
from kubert_tui.results.likeness import dma_latency
from kubert_tui.results.verdict import Verdict, judge

QUANTILES = ("0.5", "0.99", "0.999", "0.9999")
HEADINGS = (
    "CPU",
    "samples",
    "min",
    "avg",
    "p50",
    "p99",
    "p99.9",
    "p99.99",
    "max",
    "overflows",
    "missed",
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """One measurement in words and tables."""

    title: str
    verdict: Verdict
    figures: tuple[tuple[str, ...], ...]
    """Rows under HEADINGS, the merged one first. Latencies in us; `missed` are periods."""
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    trace: tuple[str, ...] = ()
    """What the kernel traced up to the latency that breaktrace stopped it at."""


def chapter(stored: StoredMeasurement, limit: Limit | None) -> Chapter:
    """Return what is to be told of a measurement."""
    beside = beside_of(stored)
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(stored.started))
    return Chapter(
        title=", ".join(filter(None, (stored.host, applications_of(stored), when))),
        verdict=judge(evidence_of(stored, beside.hardware), limit or limit_named(stored)),
        figures=(
            *_rows(stored.snapshot().threads, missed(stored)),
            *_timerlat_rows(beside.timerlat),
        ),
        facts=(*_facts(stored), *_of_hardware(beside.hwlat)),
        notes=stored.notes,
        trace=stored.breaktrace.excerpt if stored.breaktrace else (),
    )


def chapters(measurements: Sequence[StoredMeasurement], limit: Limit | None) -> tuple[Chapter, ...]:
    """Return a chapter for each."""
    return tuple(chapter(stored, limit) for stored in measurements)


def _gone(gone: Mapping[int, int], cpu: int) -> str:
    if not gone:
        return "-"
    return str(sum(gone.values()) if cpu == MERGED else gone[cpu])


def _timerlat_rows(found: StoredTimerlat | None) -> list[tuple[str, ...]]:
    """Return rtla timerlat's figures, all CPUs merged, as rows beside cyclictest's."""
    if found is None:
        return []
    rows = []
    for kind in ("IRQ", "thread", "user"):
        if threads := found.histograms(kind):
            (_, *figures), *_ = _rows(threads, {})
            rows.append((f"timerlat, {kind}", *figures))
    return rows


def _of_hardware(found: StoredHwlat | None) -> list[tuple[str, str]]:
    if found is None:
        return [("hardware latency", "not measured in this run")]
    smi = "SMIs unknown" if found.smi is None else f"{found.smi} SMIs"
    seen = f"none above {found.threshold} us" if found.maximum is None else f"{found.maximum} us"
    told = f"{seen}, in {found.seconds} s of the hwlat tracer, each CPU in turn; {smi}"
    return [("hardware latency", told)]


def _rows(threads: Sequence[ThreadHistogram], gone: Mapping[int, int]) -> list[tuple[str, ...]]:
    """Rows under HEADINGS; `gone` are missed periods by CPU, empty where nobody knows."""
    rows = []
    for thread in (merge(threads), *threads):
        told = supported(QUANTILES, thread.samples)
        quantiles = (
            str(percentile(thread.counts, thread.overflows, q, thread.maximum))
            if q in told
            else "-"
            for q in QUANTILES
        )
        rows.append((
            "all" if thread.cpu == MERGED else str(thread.cpu),
            str(thread.samples),
            str(thread.minimum),
            f"{thread.average:.2f}",
            *quantiles,
            str(thread.maximum),
            str(thread.overflows),
            _gone(gone, thread.cpu),
        ))  # fmt: skip
    return rows


def _loads(stored: StoredMeasurement) -> list[tuple[str, str]]:
    """Everything that ran beside it; one line that says so if nothing did."""
    if not stored.loads:
        return [("load beside it", "none was started")]
    return [
        (
            "load beside it",
            f"{one.preset} on CPUs {one.cpus}, {one.after:.1f} s to {one.until:.1f} s"
            + (f" ({one.ended})" if one.ended else "")
            + f": {shlex.join(one.command)}",
        )
        for one in stored.loads
    ]


def _applications(stored: StoredMeasurement) -> list[tuple[str, str]]:
    about = stored.applications
    if about is None:
        return []
    pods = f"{about.pods} pod{'' if about.pods == 1 else 's'} here"
    return [("applications", f"{about.count} x {' + '.join(about.names)} on each node, {pods}")]


def _live(stored: StoredMeasurement) -> str:
    told = "equal to the final ones" if stored.exact else "not consistent"
    if stored.stream == "verbose":
        told += f"; through --verbose, lossy: {stored.unseen} samples were not seen live"
    return told


def _facts(stored: StoredMeasurement) -> list[tuple[str, str]]:
    marks: dict[str, Any] = stored.fingerprint.model_dump()
    realtime = marks.pop("realtime")
    ours = stored.lab != IMPORTED
    return [
        ("command", shlex.join(stored.command)),
        ("cyclictest", stored.version),
        ("threads", scheduled(stored) or "unknown"),
        ("idle states kept off", dma_latency(stored)),
        ("lab", stored.lab),
        ("run", stored.run),
        ("stage", stored.stage),
        ("measured on", f"{stored.layer} of {stored.parent}" if stored.parent else stored.layer),
        ("length", f"{stored.elapsed:.1f} s, interval {stored.interval} us"),
        ("load averages", " ".join(f"{one:.2f}" for one in stored.load) if ours else "unknown"),
        *_loads(stored),
        *_applications(stored),
        *_of_breaktrace(stored.breaktrace),
        *([("interrupted", stored.interrupted)] if stored.interrupted else []),
        ("SMIs", f"unknown: {stored.smi_unknown}" if stored.smi is None else str(stored.smi)),
        ("thermal throttling", "unknown" if stored.throttled is None else str(stored.throttled)),
        ("live figures", _live(stored) if ours else "none: it was measured by others"),
        ("PREEMPT_RT", ", ".join(f"{sign}: {told}" for sign, told in realtime.items())),
        *((name.replace("_", " "), str(value) or "none") for name, value in marks.items()),
    ]


def _of_breaktrace(kept: StoredBreak | None) -> list[tuple[str, str]]:
    if kept is None:
        return []
    told = stopped(kept) or f"no sample was above {kept.threshold} us"
    traced = f"{kept.trace} (gzip), beside the result" if kept.trace else "none was kept"
    return [("breaktrace", told), *([("trace", traced)] if stopped(kept) else [])]
