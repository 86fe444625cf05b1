"""A stored result beside what is measured now: its histogram, its figures, what differs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from kubert_tui.base.text import clean_line
from kubert_tui.events.measuring import LatencyStarted
from kubert_tui.facts.model import Facts
from kubert_tui.latency.fingerprint import fingerprint
from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.latency.statistics import merge
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.compare import differences
from kubert_tui.results.likeness import fingerprint_marks, marks

_SHOWN = 3
"""Differences that are told in full."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A stored result that lies over the live one."""

    stored: StoredMeasurement
    threads: tuple[ThreadHistogram, ...]
    merged: ThreadHistogram

    @classmethod
    def of(cls, stored: StoredMeasurement) -> "Compared":
        """Restore and merge it; with many CPUs that takes a while."""
        threads = stored.snapshot().threads
        return cls(stored, threads, merge(threads))

    @property
    def name(self) -> str:
        """Which one it is."""
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.stored.started))
        return f"{clean_line(self.stored.host, limit=40)} {when}"

    def histogram(self, cpu: int | None) -> ThreadHistogram:
        """Return its histogram of a CPU; of all of them where it has no such CPU."""
        return next((one for one in self.threads if one.cpu == cpu), self.merged)

    def over(self, live: ThreadHistogram, cpu: int | None) -> tuple[Sequence[float], float]:
        """Return its counts and overflows as if it had as many samples as `live`.

        Of runs of unlike length only shares can be compared. What `live` has no bucket for is
        among the overflows.
        """
        own = self.histogram(cpu)
        share = live.samples / own.samples if own.samples else 0.0
        size = len(live.counts)
        beyond = sum(own.counts[size:]) + own.overflows
        return [count * share for count in own.counts[:size]], beyond * share


def unlike(
    stored: StoredMeasurement, facts: Facts | None, started: LatencyStarted | None, buckets: int
) -> str:
    """Return in a line what differs between a stored result and what is measured now."""
    live: dict[str, str] = {} if facts is None else fingerprint_marks(fingerprint(facts))
    if started is not None:
        live |= {
            "interval": str(started.interval),
            "histogram": str(buckets),
            "cpus": ",".join(map(str, started.cpus)),
            "cyclictest": started.version,
            "loops": str(started.loops),
        }
    theirs = marks(stored)
    found = differences({key: theirs[key] for key in live if key in theirs}, live)
    if not found:
        return "no difference is known" if live else "what differs is not known"
    told = [f"{one.key} {_short(one.first)} / {_short(one.second)}" for one in found[:_SHOWN]]
    if rest := [one.key for one in found[_SHOWN:]]:
        told.append(f"{', '.join(rest)}")
    return f"unlike (stored / now): {'; '.join(told)}"


def _short(value: str) -> str:
    told = clean_line(value or "none", limit=24)
    return "unknown" if told.startswith("unknown:") else told
