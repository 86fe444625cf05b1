"""What a report says, before it is HTML or Markdown."""

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubert_tui.lab.limits import Limit, limit_of
from kubert_tui.latency.statistics import (
    MERGED,
    merge,
    percentile,
)
from kubert_tui.latency.store import StoredMeasurement
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


def chapter(stored: StoredMeasurement, limit: Limit | None) -> Chapter:
    """Return what is to be told of a measurement."""
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(stored.started))
    return Chapter(
        title=f"{stored.host}, {when}",
        verdict=judge(evidence_of(stored), limit or own_limit(stored)),
        figures=tuple(_rows(stored)),
        facts=tuple(_facts(stored)),
        notes=stored.notes,
    )


def own_limit(stored: StoredMeasurement) -> Limit | None:
    """Return the limit that its lab file named."""
    return limit_of(stored.limit) if stored.limit else None


def chapters(measurements: Sequence[StoredMeasurement], limit: Limit | None) -> tuple[Chapter, ...]:
    """Return a chapter for each."""
    return tuple(chapter(stored, limit) for stored in measurements)


def _rows(stored: StoredMeasurement) -> list[tuple[str, ...]]:
    threads = stored.snapshot().threads
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


def _live(stored: StoredMeasurement) -> str:
    told = "equal to the final ones" if stored.exact else "not consistent"
    if stored.stream == "verbose":
        told += f"; through --verbose, lossy: {stored.unseen} samples were not seen live"
    return told


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
        *([("interrupted", stored.interrupted)] if stored.interrupted else []),
        ("SMIs", f"unknown: {stored.smi_unknown}" if stored.smi is None else str(stored.smi)),
        ("thermal throttling", "unknown" if stored.throttled is None else str(stored.throttled)),
        ("live figures", _live(stored)),
        ("PREEMPT_RT", ", ".join(f"{sign}: {told}" for sign, told in realtime.items())),
        *((name.replace("_", " "), str(value)) for name, value in marks.items()),
    ]
