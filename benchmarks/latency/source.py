"""Pretended samplers: the lines a host would send, for as many CPUs and as long as one likes."""

import json
import random
from collections.abc import Iterator

CYCLES = 1250
"""Of a CPU between two samples: 4 Hz at an interval of 200 us."""
PERIOD = 0.25
_POOL = 64
_MANY = 20
_SPIKES = 0.02
"""Of the samples of a CPU have a spike somewhere."""


class Source:
    """Writes samples of `cpus` threads; with `spread` buckets that grow in each of them."""

    def __init__(self, cpus: int, buckets: int, spread: int) -> None:
        self.cpus = cpus
        self.buckets = buckets
        self._chance = random.Random(1)
        self._pool = [self._stretch(spread) for _ in range(_POOL)]
        self._figures = [[0, 3, 0, 0] for _ in range(cpus)]
        self._sequence = 0

    def _stretch(self, spread: int) -> dict[int, int]:
        """What one CPU sees between two samples: most of it in a few buckets."""
        counts: dict[int, int] = {}
        left = CYCLES
        for us in range(3, 3 + spread):
            # A few hold most of it; with many, all of them are alike.
            counts[us] = max(1, left * 6 // 10) if spread < _MANY else CYCLES // spread
            left -= counts[us]
            if left <= 0:
                break
        counts[3] += left
        if self._chance.random() < _SPIKES:
            counts[3] -= 1
            spike = self._chance.randrange(20, self.buckets)
            counts[spike] = counts.get(spike, 0) + 1
        return counts

    def lines(self) -> Iterator[bytes]:
        """Yield samples without end."""
        while True:
            self._sequence += 1
            threads = [self._thread(figures) for figures in self._figures]
            line = {
                "type": "sample", "seq": self._sequence,
                "elapsed": round(self._sequence * PERIOD, 3), "load": [1.0, 1.0, 1.0],
                "threads": threads,
            }  # fmt: skip
            yield json.dumps(line, separators=(",", ":")).encode() + b"\n"

    def _thread(self, figures: list[int]) -> list[object]:
        counts = self._chance.choice(self._pool)
        changes: list[int] = []
        position = -1
        for us in sorted(counts):
            changes += [us - position - 1, counts[us]]
            position = us
        figures[0] += sum(counts.values())
        figures[2] = max(figures[2], position)
        figures[3] += sum(us * count for us, count in counts.items())
        return [*figures, 0, changes]


def bandwidth(cpus: int, spread: int) -> float:
    """Return the bytes a second of such a source."""
    lines = Source(cpus, 250, spread).lines()
    taken = [len(next(lines)) for _ in range(40)]
    return sum(taken) / len(taken) / PERIOD
