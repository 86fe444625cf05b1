"""When latencies happened: a matrix of time against latency that never grows past its bounds.

Snapshots say how much was seen so far; the difference of two says what was seen between them.
Each column covers the same time. When they no longer fit, neighbours are added up and every
column covers twice as much: a day takes the memory of a minute.
"""

from bisect import insort
from dataclasses import dataclass, field

from kubert_tui.latency.changes import changes
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.recorded import Recorded, Stretch

COLUMNS = 480
"""At most; a wide terminal shows fewer."""
WORST = 20
"""Samples remembered one by one."""


@dataclass(slots=True)
class Column:
    """What all CPUs saw in one stretch of time."""

    counts: dict[int, int] = field(default_factory=dict)
    """Samples by latency in us; only those that are there."""
    overflows: int = 0
    maximum: int = 0
    """us; of samples off the histogram only as far as it is known."""

    def add(self, other: "Column") -> None:
        """Add another column's samples."""
        for us, count in other.counts.items():
            self.counts[us] = self.counts.get(us, 0) + count
        self.overflows += other.overflows
        self.maximum = max(self.maximum, other.maximum)


@dataclass(frozen=True, slots=True, order=True)
class Spike:
    """One of the worst samples: it happened between the two times (seconds since the start)."""

    latency: int
    """us"""
    cpu: int
    after: float
    before: float


class History:
    """Takes snapshots of one measurement in their order."""

    def __init__(self, step: float = 0.5, columns: int = COLUMNS) -> None:
        if step <= 0 or columns < 2:
            raise ValueError("a history needs time and room")
        self.step = step
        """Seconds that one column covers."""
        self.begin = 0.0
        """Seconds after the start at which the first column begins; earlier times are not known."""
        self.longest = 0.0
        """Seconds of the longest time between two snapshots: all of it is in one column."""
        self.columns: list[Column] = []
        self._most = columns
        self._last: Snapshot | None = None
        self._worst: list[Spike] = []

    @property
    def worst(self) -> tuple[Spike, ...]:
        """The worst samples, the worst first."""
        return tuple(reversed(self._worst))

    def take(self, snapshot: Snapshot) -> None:
        """Add what happened since the snapshot before. One out of order is left aside.

        What the first one brings happened at unknown times: it begins the history and is not
        in it, unless the measurement has only begun.
        """
        previous, self._last = self._last, snapshot
        if previous is None:
            if snapshot.elapsed > self.step * 4:
                self.begin = snapshot.elapsed
                return
            previous = _nothing(snapshot)
        elif snapshot.elapsed < previous.elapsed or len(snapshot.threads) != len(previous.threads):
            self._last = previous
            return
        self.longest = max(self.longest, snapshot.elapsed - previous.elapsed)
        column = self._column(snapshot.elapsed)
        for before, now in zip(previous.threads, snapshot.threads, strict=True):
            self._add(column, before, now, previous.elapsed, snapshot.elapsed)

    def precede(self, recorded: Recorded) -> None:
        """Put the recorded past before all that comes; for a history that is still empty.

        A recorded stretch is as long as it is: no column is shorter than the longest.
        """
        if self._last is not None or self.columns or recorded.last is None:
            raise ValueError("only an empty history can be preceded")
        longest = max((one.until - one.after for one in recorded.stretches), default=0.0)
        while self.step < longest:
            self.step *= 2
        for stretch in recorded.stretches:
            self._put(stretch)
        self._last = recorded.last

    def _put(self, stretch: Stretch) -> None:
        column = self._column((stretch.after + stretch.until) / 2)
        top = max((us for us, _ in stretch.worst), default=0)
        column.add(Column(dict(stretch.counts), stretch.overflows, top))
        for us, cpu in stretch.worst:
            self._remember(Spike(us, cpu, stretch.after, stretch.until))

    def _column(self, elapsed: float) -> Column:
        """Return the column of a time, after making room for it."""
        while (index := int((elapsed - self.begin) / self.step)) >= self._most:
            self._halve()
        while len(self.columns) <= index:
            self.columns.append(Column())
        return self.columns[index]

    def _halve(self) -> None:
        pairs = zip(self.columns[::2], [*self.columns[1::2], Column()], strict=False)
        merged = []
        for first, second in pairs:
            first.add(second)
            merged.append(first)
        self.columns = merged
        self.step *= 2

    def _add(
        self,
        column: Column,
        before: ThreadHistogram,
        now: ThreadHistogram,
        after: float,
        until: float,
    ) -> None:
        if now.counts == before.counts and now.overflows == before.overflows:
            return
        top = -1
        for us, new in changes(before.counts, now.counts):
            if new > 0:
                column.counts[us] = column.counts.get(us, 0) + new
                top = us
        beyond = now.overflows - before.overflows
        if beyond > 0:
            column.overflows += beyond
            # Of those beyond the histogram the exact latency is known when it is the new maximum.
            top = now.maximum if now.maximum > before.maximum else len(now.counts)
        if top < 0:
            return
        column.maximum = max(column.maximum, top)
        self._remember(Spike(top, now.cpu, after, until))

    def _remember(self, spike: Spike) -> None:
        if len(self._worst) == WORST and spike <= self._worst[0]:
            return
        insort(self._worst, spike)
        del self._worst[: max(0, len(self._worst) - WORST)]


def _nothing(like: Snapshot) -> Snapshot:
    threads = tuple(
        ThreadHistogram(one.cpu, (0,) * len(one.counts), 0, 0, 0.0, 0) for one in like.threads
    )
    return Snapshot(0, 0.0, threads)
