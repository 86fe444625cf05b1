"""A measurement compared with another one: what both faces and the report tell of it."""

from dataclasses import dataclass
from typing import Any

from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.latency.statistics import merge, supported
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.compare import (
    Delta,
    Difference,
    deltas,
    differences,
    shorter_maximum,
)
from kubert_tui.results.likeness import marks

QUANTILES = ("0.5", "0.99", "0.999", "0.9999")
HEADINGS = ("figure", "first", "second", "change", "95 % interval", "")
REMARKS = (
    "Latencies in us, all CPUs merged. A maximum is what was seen: it has no interval. "
    "Intervals are as if samples were independent (bootstrap); latencies come in bursts, so the "
    "true ones are wider."
)
_SAME_LENGTH = 0.01
"""Runs whose samples differ by less than this share are as long as each other."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The second measurement against the first."""

    first: StoredMeasurement
    second: StoredMeasurement
    unlike: tuple[Difference, ...]
    deltas: tuple[Delta, ...]
    notes: tuple[str, ...]
    """What one must know to read it, a sentence each."""

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows under HEADINGS."""
        found = [_row(delta) for delta in self.deltas]
        worst = (self.first.summary.maximum, self.second.summary.maximum)
        found.append(
            ("worst", str(worst[0]), str(worst[1]), f"{worst[1] - worst[0]:+}", "", "seen")
        )
        return found

    def json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "first": self.first.identity,
            "second": self.second.identity,
            "differences": [
                {"key": one.key, "first": one.first, "second": one.second} for one in self.unlike
            ],
            "deltas": [
                {
                    "figure": one.figure, "first": one.first, "second": one.second,
                    "change": one.change, "low": one.low, "high": one.high,
                    "resolved": one.resolved, "known": one.known,
                }
                for one in self.deltas
            ],
            "maximum": [self.first.summary.maximum, self.second.summary.maximum],
            "samples": [self.first.summary.samples, self.second.summary.samples],
            "notes": list(self.notes),
        }  # fmt: skip


def unlike(first: StoredMeasurement, second: StoredMeasurement) -> tuple[Difference, ...]:
    """Return in what two measurements differ, but for what they measured."""
    return differences(marks(first), marks(second))


def compared(first: StoredMeasurement, second: StoredMeasurement) -> Comparison:
    """Compare two measurements, however unlike; ValueError when one has no samples."""
    one, two = (merge(stored.snapshot().threads) for stored in (first, second))
    told = supported(QUANTILES, min(one.samples, two.samples))
    found = deltas(one, two, told)
    return Comparison(first, second, unlike(first, second), found, tuple(_notes(one, two, found)))


def named(stored: StoredMeasurement) -> str:
    """Return what a measurement is called."""
    return f"{stored.host} ({stored.identity})"


def _notes(one: ThreadHistogram, two: ThreadHistogram, found: tuple[Delta, ...]) -> list[str]:
    notes = []
    if abs(one.samples - two.samples) > _SAME_LENGTH * max(one.samples, two.samples):
        longer, shorter, which = (two, one, "second") if two.samples > one.samples else (
            one, two, "first",
        )  # fmt: skip
        likely = shorter_maximum(longer, shorter.samples)
        notes.append(
            f"The {which} has {longer.samples / shorter.samples:.1f} times as many samples, so its "
            f"worst of {longer.maximum} us had more chances: do not compare it with the other's. "
            f"Half of all random parts of it as long as the other have a worst of at most {likely} "
            "us."
        )
    if all(delta.figure != "mean" for delta in found):
        notes.append("No means: what samples off the histogram add to them is not known.")
    if not all(delta.known for delta in found):
        notes.append("What lies off the histogram is only known to be that or more (>=).")
    return notes


def _row(delta: Delta) -> tuple[str, ...]:
    if delta.figure == "mean":
        values = (f"{delta.first:.2f}", f"{delta.second:.2f}")
        change, interval = f"{delta.change:+.2f}", f"[{delta.low:+.2f}, {delta.high:+.2f}]"
    else:
        values = (_edge(delta.first, delta.beyond), _edge(delta.second, delta.beyond))
        change, interval = f"{delta.change:+.0f}", f"[{delta.low:+.0f}, {delta.high:+.0f}]"
    if not delta.known:
        change, interval = "?", ""
    name = "mean" if delta.figure == "mean" else f"p{float(delta.figure) * 100:g}"
    told = "" if delta.resolved else "not resolved"
    return (name, *values, change, interval, told if delta.known else "off the histogram")


def _edge(value: float, beyond: float) -> str:
    return f"< {value:.0f}" if value <= beyond else f">= {beyond:.0f}"
