"""A snapshot with what is shown of it worked out: once, where it arrives, not for each frame.

The merged histogram is carried on from snapshot to snapshot: most buckets of most CPUs are what
they were a quarter of a second ago, also where histograms are long.
"""

from collections import deque
from dataclasses import dataclass

from kubert_tui.latency.changes import changes
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.statistics import MERGED, Summary, merge, summarise_thread

RATE_OVER = 2.0
"""Seconds over which the rate is taken."""
STARTING = 0.2
"""Seconds that cyclictest may take to start its threads: no period is missed in them."""
BLUR = 0.02
"""Seconds between the clock and the counts of one sample, at most: less is no missed period."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What the screen shows of a snapshot."""

    snapshot: Snapshot
    merged: ThreadHistogram
    """All CPUs in one."""
    summary: Summary
    """Its figures."""
    samples: tuple[int, ...]
    """Of each thread."""
    rate: float
    """Samples a second of all threads together, lately; 0 while it is not known."""
    missed: tuple[int, ...]
    """Of each thread: periods without a sample (a late wake-up that ran over the next ones)."""

    @property
    def done(self) -> int:
        """Cycles of the thread that is furthest."""
        return max(self.samples, default=0)


class Digester:
    """Digests the snapshots of one measurement in their order. `interval` is in us."""

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._last: Snapshot | None = None
        self._counts: list[int] = []
        self._recent: deque[tuple[float, int]] = deque()
        self._rate = 0.0
        self._missed: tuple[int, ...] = ()
        self._late: tuple[float, ...] = ()
        """Periods of each thread that passed before its first one."""

    def digest(self, snapshot: Snapshot) -> Digest:
        """Return the digest of the next snapshot."""
        samples = tuple(thread.samples for thread in snapshot.threads)
        merged = self._merged(snapshot, samples)
        self._last = snapshot
        if not (snapshot.final and self._missed):
            # The final figures come later than what they tell of.
            self._missed = self._missing(snapshot.elapsed, samples)
            self._rate = self._lately(snapshot.elapsed, sum(samples))
        return Digest(snapshot, merged, summarise_thread(merged), samples, self._rate, self._missed)

    def _merged(self, snapshot: Snapshot, samples: tuple[int, ...]) -> ThreadHistogram:
        before, threads = () if self._last is None else self._last.threads, snapshot.threads
        lengths = {len(one.counts) for one in (*before, *threads)}
        if len(before) != len(threads) or len(lengths) != 1:
            merged = merge(threads)
            self._counts = list(merged.counts)
            return merged
        for old, new in zip(before, threads, strict=True):
            for us, change in changes(old.counts, new.counts):
                self._counts[us] += change
        measured = [one for one, count in zip(threads, samples, strict=True) if count]
        sums = sum(one.average * count for one, count in zip(threads, samples, strict=True))
        return ThreadHistogram(
            cpu=MERGED,
            counts=tuple(self._counts),
            overflows=sum(one.overflows for one in threads),
            minimum=min((one.minimum for one in measured), default=0),
            average=sums / sum(samples) if measured else 0.0,
            maximum=max((one.maximum for one in measured), default=0),
        )

    def _lately(self, elapsed: float, samples: int) -> float:
        recent = self._recent
        recent.append((elapsed, samples))
        while len(recent) > 2 and elapsed - recent[1][0] >= RATE_OVER:
            recent.popleft()
        (begin, before), (end, after) = recent[0], recent[-1]
        return max(after - before, 0) / (end - begin) if end > begin else 0.0

    def _missing(self, elapsed: float, samples: tuple[int, ...]) -> tuple[int, ...]:
        periods = elapsed * 1_000_000 / self._interval
        late = tuple(periods - one for one in samples)
        if len(self._late) != len(late):
            most = STARTING * 1_000_000 / self._interval
            self._late = tuple(min(max(one, 0.0), most) for one in late)
        blur = BLUR * 1_000_000 / self._interval + 1
        passed = (now - begun for now, begun in zip(late, self._late, strict=True))
        return tuple(int(one) if one > blur else 0 for one in passed)
