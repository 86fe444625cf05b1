"""Two measurements side by side: what differs between the hosts, and between the figures.

The interval of a difference comes from the bootstrap: both histograms are drawn anew many
times. It says how far the figure would move by chance alone if samples were independent;
latencies come in bursts, so the true interval is wider, and nothing here hides that.
"""

import math
import random
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

DRAWS = 400
_MANY = 30
"""From here on a Poisson variable is as good as a normal one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of the fingerprint that is not the same."""

    key: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A figure of both, in us, and the interval of second minus first."""

    figure: str
    first: float
    second: float
    low: float
    high: float

    @property
    def change(self) -> float:
        """Second minus first."""
        return self.second - self.first

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
    first: Sequence[int], second: Sequence[int], quantiles: Sequence[str], *, seed: int = 1
) -> tuple[Delta, ...]:
    """Compare two merged histograms (`counts[us]`, overflows as a last bucket): mean, quantiles.

    The same seed gives the same intervals. ValueError when one has no samples.
    """
    if not sum(first) or not sum(second):
        raise ValueError("a histogram without samples cannot be compared")
    names = ("mean", *quantiles)
    chance = random.Random(seed)  # noqa: S311 -- statistics, not secrets
    told = [_figures(counts, quantiles) for counts in (first, second)]
    drawn: list[list[float]] = [[] for _ in names]
    for _ in range(DRAWS):
        one, two = (_figures(_drawn_anew(counts, chance), quantiles) for counts in (first, second))
        for values, a, b in zip(drawn, one, two, strict=True):
            values.append(b - a)
    result = []
    for name, a, b, values in zip(names, *told, drawn, strict=True):
        values.sort()
        edge = len(values) * 25 // 1000
        result.append(Delta(name, a, b, values[edge], values[-1 - edge]))
    return tuple(result)


def _drawn_anew(counts: Sequence[int], chance: random.Random) -> list[int]:
    """Draw each bucket's count anew, as a Poisson variable around it (the Poisson bootstrap).

    It costs the same for a thousand samples and for a thousand millions.
    """
    while True:
        drawn = [_poisson(count, chance) for count in counts]
        if any(drawn):
            return drawn


def _poisson(mean: int, chance: random.Random) -> int:
    if mean == 0:
        return 0
    if mean > _MANY:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    floor, product, number = math.exp(-mean), chance.random(), 0
    while product > floor:
        product *= chance.random()
        number += 1
    return number


def _figures(counts: Sequence[int], quantiles: Sequence[str]) -> list[float]:
    total = sum(counts)
    sums = list(accumulate(counts))
    mean = sum(us * count for us, count in enumerate(counts)) / total
    ranks = (max(1, -(-round(float(q) * 1e6) * total // 1_000_000)) for q in quantiles)
    return [mean, *(float(bisect_left(sums, rank) + 1) for rank in ranks)]
