"""Figures of two histograms side by side, and how far chance alone would move them.

The interval of a difference comes from the bootstrap: both histograms are drawn anew many
times (each count as a Poisson variable around itself, which costs the same for a thousand samples
and for a thousand millions), and the middle 95 % of the differences are told. It says how far the
figure would move by chance alone if samples were independent; latencies come in bursts, so the true
interval is wider, and nothing here hides that.
"""

import math
import random
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from kubert_tui.latency.histogram import ThreadHistogram

DRAWS = 1000
_OUTSIDE = 25
"""Of a thousand draws, so many lie below the interval, and so many above it."""
_MANY = 30
"""From here on a Poisson variable is as good as a normal one."""

Sparse = Sequence[tuple[int, int]]
"""[us, samples] of the buckets that are not empty, upwards; overflows at the first us beyond."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of the fingerprint that is not the same."""

    key: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A figure of both, in us, and the interval of second minus first.

    Quantiles are upper edges of buckets: the samples up to them took less than that.
    """

    figure: str
    """`mean`, or the quantile, `0.99`."""
    first: float
    second: float
    low: float
    high: float
    beyond: float = math.inf
    """Figures above this lie among the overflows: they are this, or more."""

    @property
    def change(self) -> float:
        """Second minus first."""
        return self.second - self.first

    @property
    def known(self) -> bool:
        """Whether neither figure lies among the overflows."""
        return max(self.first, self.second) <= self.beyond

    @property
    def resolved(self) -> bool:
        """Whether chance alone does not explain it (95 %)."""
        return self.low > 0 or self.high < 0


def differences(
    first: Mapping[str, str], second: Mapping[str, str], *, expected: frozenset[str] = frozenset()
) -> tuple[Difference, ...]:
    """Return the keys in which two fingerprints differ, but for those `expected` to."""
    keys = dict.fromkeys((*first, *second))
    return tuple(
        Difference(key, first.get(key, "not recorded"), second.get(key, "not recorded"))
        for key in keys
        if key not in expected and first.get(key) != second.get(key)
    )


def deltas(
    first: ThreadHistogram, second: ThreadHistogram, quantiles: Sequence[str], *, seed: int = 1
) -> tuple[Delta, ...]:
    """Compare two (merged) histograms: mean, then quantiles. The same seed, the same intervals.

    Where one has overflows the mean is left out: what they add to it is not known. Of histograms
    that differ in length, the longer one is cut. ValueError when one has no samples.
    """
    if not first.samples or not second.samples:
        raise ValueError("a histogram without samples cannot be compared")
    size = min(len(first.counts), len(second.counts))
    both = [_sparse(one, size) for one in (first, second)]
    overflows = any(us >= size for sparse in both for us, _ in sparse)
    names = (*(() if overflows else ("mean",)), *quantiles)
    chance = random.Random(seed)  # noqa: S311 -- statistics, not secrets
    told = [_figures(sparse, names) for sparse in both]
    drawn: list[list[float]] = [[] for _ in names]
    for _ in range(DRAWS):
        one, two = (_figures(_drawn_anew(sparse, chance), names) for sparse in both)
        for values, a, b in zip(drawn, one, two, strict=True):
            values.append(b - a)
    edge = DRAWS * _OUTSIDE // 1000
    return tuple(
        Delta(name, a, b, sorted(values)[edge], sorted(values)[-1 - edge], beyond=size)
        for name, a, b, values in zip(names, *told, drawn, strict=True)
    )


def shorter_maximum(histogram: ThreadHistogram, samples: int) -> int:
    """Return the maximum of a shorter run: half of all random parts of so many samples stay at it.

    The more samples, the higher their maximum: this makes those of unlike lengths comparable. Above
    the last bucket all that is known of a sample is that it was there: the maximum is returned.
    """
    total = histogram.samples
    if samples < total:
        below = 0
        for us, count in enumerate(histogram.counts):
            below += count
            # The probability that all of the part are among those below (hypergeometric).
            if below >= samples and _ways(below, samples) - _ways(total, samples) >= math.log(0.5):
                return us
    return histogram.maximum


def _ways(among: int, many: int) -> float:
    """Logarithm of in how many ways `many` can be taken from `among`, one after the other."""
    return math.lgamma(among + 1) - math.lgamma(among - many + 1)


def _sparse(histogram: ThreadHistogram, size: int) -> Sparse:
    kept = [(us, count) for us, count in enumerate(histogram.counts[:size]) if count]
    beyond = histogram.samples - sum(count for _, count in kept)
    return [*kept, (size, beyond)] if beyond else kept


def _drawn_anew(sparse: Sparse, chance: random.Random) -> Sparse:
    while True:
        drawn = [(us, _poisson(count, chance)) for us, count in sparse]
        if any(count for _, count in drawn):
            return drawn


def _poisson(mean: int, chance: random.Random) -> int:
    if mean > _MANY:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    floor, product, number = math.exp(-mean), chance.random(), 0
    while product > floor:
        product *= chance.random()
        number += 1
    return number


def _figures(sparse: Sparse, names: Sequence[str]) -> list[float]:
    sums = list(accumulate(count for _, count in sparse))
    total = sums[-1]
    found = []
    for name in names:
        if name == "mean":
            found.append(sum(us * count for us, count in sparse) / total)
        else:
            q = Fraction(name)
            rank = max(1, -(-q.numerator * total // q.denominator))
            found.append(float(sparse[bisect_left(sums, rank)][0] + 1))
    return found
