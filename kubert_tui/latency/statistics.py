"""Figures from exact histograms: nearest rank, never interpolated, never averaged.

CPUs are merged by adding their buckets; a percentile of merged buckets is a true one, a mean
of percentiles is not. Overflows count as samples: leaving them out flatters a bad host.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from kubert_tui.latency.histogram import Snapshot, ThreadHistogram

BEYOND = 10
"""A percentile needs ten samples beyond it to be more than a single accident."""

MERGED = -1
"""`cpu` of a histogram that several CPUs were added into."""


@dataclass(frozen=True, slots=True)
class Percentile:
    """A nearest-rank percentile in whole microseconds.

    Normally `value` is the upper edge of the bucket the rank falls in: the samples up to the
    rank took less than that (cyclictest cuts to whole microseconds, so the maximum it prints
    may be one less). With `at_least` the rank falls among the
    overflows and all that is known is value <= percentile <= `bound` (the maximum).
    """

    value: int
    at_least: bool = False
    bound: int = 0

    def __str__(self) -> str:
        return f">= {self.value}" if self.at_least else f"< {self.value}"


@dataclass(frozen=True, slots=True)
class Summary:
    """What one looks at first. Microseconds; percentiles are None where samples are too few."""

    minimum: int
    average: float
    p50: Percentile | None
    p99: Percentile | None
    p99_9: Percentile | None
    p99_99: Percentile | None
    maximum: int
    overflows: int
    samples: int


def merge(threads: Iterable[ThreadHistogram]) -> ThreadHistogram:
    """Add all threads into one histogram (its `cpu` is MERGED); threads may differ in length.

    Counts beyond the shortest histogram become overflows: only there nothing is known.
    """
    present = tuple(threads)
    measured = [thread for thread in present if thread.samples]
    length = min((len(thread.counts) for thread in present), default=0)
    samples = sum(thread.samples for thread in measured)
    counts = tuple(map(sum, zip(*(thread.counts[:length] for thread in present), strict=True)))
    return ThreadHistogram(
        cpu=MERGED,
        counts=counts,
        overflows=samples - sum(counts),
        minimum=min((thread.minimum for thread in measured), default=0),
        average=sum(t.average * t.samples for t in measured) / samples if samples else 0.0,
        maximum=max((thread.maximum for thread in measured), default=0),
    )


def percentile(
    counts: Sequence[int], overflows: int, q: Fraction | float | str, maximum: int = 0
) -> Percentile | None:
    """Return the `q` (0 < q <= 1) nearest-rank percentile; None when there are no samples.

    The rank is k = ceil(q * N), N including the overflows. `q` is taken by its decimal
    notation, so that 0.999 means 999/1000 and not the nearest binary fraction.
    """
    exact = _exact(str(q))
    if not 0 < exact <= 1:
        raise ValueError(f"percentile {q} is not in (0, 1]")
    samples = sum(counts) + overflows
    if samples == 0:
        return None
    rank = -((-exact.numerator * samples) // exact.denominator)
    seen = 0
    for latency, count in enumerate(counts):
        seen += count
        if seen >= rank:
            return Percentile(latency + 1)
    return Percentile(len(counts), at_least=True, bound=max(maximum, len(counts)))


def summarise(snapshot: Snapshot) -> Summary:
    """Return the figures over all threads of a snapshot."""
    return summarise_thread(merge(snapshot.threads))


def summarise_thread(thread: ThreadHistogram) -> Summary:
    """Return the figures of one thread (or of merged ones)."""
    samples = thread.samples
    empty = not samples

    def at(q: str) -> Percentile | None:
        if not supports(samples, q):
            return None
        return percentile(thread.counts, thread.overflows, q, thread.maximum)

    return Summary(
        minimum=0 if empty else thread.minimum,
        average=0.0 if empty else thread.average,
        p50=at("0.5"),
        p99=at("0.99"),
        p99_9=at("0.999"),
        p99_99=at("0.9999"),
        maximum=0 if empty else thread.maximum,
        overflows=thread.overflows,
        samples=samples,
    )


def supported(quantiles: Sequence[str], samples: int) -> tuple[str, ...]:
    """Return the quantiles (`0.99`, `0.9999`) that `samples` samples say something about."""
    return tuple(q for q in quantiles if supports(samples, q))


def supports(samples: int, q: str) -> bool:
    """Whether so many samples say something about the `q` percentile (`0.999`)."""
    exact = _exact(q)
    return samples * (exact.denominator - exact.numerator) >= BEYOND * exact.denominator


@lru_cache(maxsize=64)
def _exact(q: str) -> Fraction:
    """The same few are asked for several times a second."""
    return Fraction(q)


def remaining(loops: int, interval: int, done: int) -> float:
    """Return the seconds left: the first thread that reaches `loops` ends the run.

    `interval` is in us, `done` the cycles of the thread that is furthest.
    """
    return max(loops - done, 0) * interval / 1_000_000


def furthest(snapshot: Snapshot) -> int:
    """Return the cycles of the thread that is furthest: `done` for `remaining`."""
    return max((thread.samples for thread in snapshot.threads), default=0)


def missed_periods(elapsed: float, interval: int, cycles: int) -> int:
    """Return how many periods passed (in `elapsed` seconds of `interval` us) without a sample.

    cyclictest skips the periods a late wake-up ran over: one stall of 50 ms is one sample.
    """
    return max(int(elapsed * 1_000_000 / interval) - cycles, 0)
