"""What a report says, before it is HTML or Markdown."""

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubert_tui.causes.store import StoredHwlat, StoredTimerlat
from kubert_tui.lab.limits import Limit, limit_of
from kubert_tui.latency.breaktrace import StoredBreak, stopped
from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.latency.statistics import (
    MERGED,
    merge,
    percentile,
)
from kubert_tui.latency.store import StoredMeasurement
from kubert_tui.results.beside import beside_of
from kubert_tui.results.evidence import evidence_of
from kubert_tui.results.verdict import Verdict, judge, supported

QUANTILES = ("0.5", "0.99", "0.999", "0.9999")
HEADINGS = ("CPU", "samples", "min", "avg", "p50", "p99", "p99.9", "p99.99", "max", "overflows")


@dataclass(frozen=True, slots=True)
class Chapter:
    """One measurement in words and tables."""

    title: str
    verdict: Verdict
    figures: tuple[tuple[str, ...], ...]
    """Rows under HEADINGS, the merged one first. Latencies in us."""
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    trace: tuple[str, ...] = ()
    """What the kernel traced up to the latency that breaktrace stopped it at."""


def chapter(stored: StoredMeasurement, limit: Limit | None) -> Chapter:
    """Return what is to be told of a measurement."""
    beside = beside_of(stored)
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(stored.started))
    return Chapter(
        title=f"{stored.host}, {when}",
        verdict=judge(evidence_of(stored, beside.hardware), limit or own_limit(stored)),
        figures=(*_rows(stored.snapshot().threads), *_timerlat_rows(beside.timerlat)),
        facts=(*_facts(stored), *_of_hardware(beside.hwlat)),
        notes=stored.notes,
        trace=stored.breaktrace.excerpt if stored.breaktrace else (),
    )


def own_limit(stored: StoredMeasurement) -> Limit | None:
    """Return the limit that its lab file named."""
    return limit_of(stored.limit) if stored.limit else None


def chapters(measurements: Sequence[StoredMeasurement], limit: Limit | None) -> tuple[Chapter, ...]:
    """Return a chapter for each."""
    return tuple(chapter(stored, limit) for stored in measurements)


def _timerlat_rows(found: StoredTimerlat | None) -> list[tuple[str, ...]]:
    """Return rtla timerlat's figures, all CPUs merged, as rows beside cyclictest's."""
    if found is None:
        return []
    rows = []
    for kind in ("IRQ", "thread", "user"):
        if threads := found.histograms(kind):
            (_, *figures), *_ = _rows(threads)
            rows.append((f"timerlat, {kind}", *figures))
    return rows


def _of_hardware(found: StoredHwlat | None) -> list[tuple[str, str]]:
    if found is None:
        return [("hardware latency", "not measured in this run")]
    smi = "SMIs unknown" if found.smi is None else f"{found.smi} SMIs"
    seen = f"none above {found.threshold} us" if found.maximum is None else f"{found.maximum} us"
    told = f"{seen}, in {found.seconds} s of the hwlat tracer, each CPU in turn; {smi}"
    return [("hardware latency", told)]


def _rows(threads: Sequence[ThreadHistogram]) -> list[tuple[str, ...]]:
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
        ))  # fmt: skip
    return rows


def _facts(stored: StoredMeasurement) -> list[tuple[str, str]]:
    marks: dict[str, Any] = stored.fingerprint.model_dump()
    realtime = marks.pop("realtime")
    return [
        ("command", shlex.join(stored.command)),
        ("cyclictest", stored.version),
        ("lab", stored.lab),
        ("run", stored.run),
        ("length", f"{stored.elapsed:.1f} s, interval {stored.interval} us"),
        ("load averages", " ".join(f"{one:.2f}" for one in stored.load)),
        *_of_breaktrace(stored.breaktrace),
        *([("interrupted", stored.interrupted)] if stored.interrupted else []),
        ("SMIs", f"unknown: {stored.smi_unknown}" if stored.smi is None else str(stored.smi)),
        ("thermal throttling", "unknown" if stored.throttled is None else str(stored.throttled)),
        ("live figures", "equal to the final ones" if stored.exact else "not consistent"),
        ("PREEMPT_RT", ", ".join(f"{sign}: {told}" for sign, told in realtime.items())),
        *((name.replace("_", " "), str(value)) for name, value in marks.items()),
    ]


def _of_breaktrace(kept: StoredBreak | None) -> list[tuple[str, str]]:
    if kept is None:
        return []
    told = stopped(kept) or f"no sample was above {kept.threshold} us"
    traced = f"{kept.trace} (gzip), beside the result" if kept.trace else "none was kept"
    return [("breaktrace", told), *([("trace", traced)] if stopped(kept) else [])]
