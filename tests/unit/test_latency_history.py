"""A spike has its moment, nothing is counted twice, and a day needs no more room than a minute."""

import random
import tracemalloc

import pytest

from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.history import WORST, History, Spike


class Source:
    """A measurement that is made up as it goes."""

    def __init__(self, cpus: int, size: int = 50) -> None:
        self.counts = [[0] * size for _ in range(cpus)]
        self.over = [0] * cpus
        self.highest = [0] * cpus
        self.sequence = 0

    def sample(self, cpu: int, us: int) -> None:
        self.highest[cpu] = max(self.highest[cpu], us)
        if us < len(self.counts[cpu]):
            self.counts[cpu][us] += 1
        else:
            self.over[cpu] += 1

    def snapshot(self, elapsed: float) -> Snapshot:
        self.sequence += 1
        threads = tuple(
            ThreadHistogram(cpu, tuple(counts), self.over[cpu], 0, 0.0, self.highest[cpu])
            for cpu, counts in enumerate(self.counts)
        )
        return Snapshot(self.sequence, elapsed, threads)


def test_a_spike_has_its_moment_and_its_cpu() -> None:
    source, history = Source(2), History(step=1.0)
    for tick in range(1, 11):
        source.sample(0, 3)
        source.sample(1, 4)
        if tick == 6:
            source.sample(1, 44)
        history.take(source.snapshot(tick * 0.9))
    assert history.worst[0] == Spike(44, 1, 5 * 0.9, 6 * 0.9)
    hot = [index for index, column in enumerate(history.columns) if 44 in column.counts]
    assert hot == [5], "5.4 s lies in the sixth second"
    assert history.columns[5].maximum == 44


def test_nothing_is_lost_or_counted_twice_however_often_it_halves() -> None:
    chance = random.Random(7)
    source, history = Source(3), History(step=0.25, columns=8)
    for tick in range(1, 500):
        for _ in range(chance.randrange(4)):
            source.sample(chance.randrange(3), chance.randrange(70))
        history.take(source.snapshot(tick * 0.25))
    assert len(history.columns) <= 8
    assert history.step * len(history.columns) >= 499 * 0.25
    total: dict[int, int] = {}
    for column in history.columns:
        for us, count in column.counts.items():
            total[us] = total.get(us, 0) + count
    assert total == {
        us: sum(counts[us] for counts in source.counts)
        for us in range(50)
        if any(counts[us] for counts in source.counts)
    }
    assert sum(column.overflows for column in history.columns) == sum(source.over)
    assert len(history.worst) == WORST
    assert history.worst[0].latency == max(source.highest)


def test_what_was_before_we_looked_has_no_moment() -> None:
    source, history = Source(1), History(step=0.5)
    for _ in range(100):
        source.sample(0, 30)
    history.take(source.snapshot(3600.0))
    source.sample(0, 5)
    history.take(source.snapshot(3600.25))
    assert history.begin == 3600.0
    assert [column.counts for column in history.columns] == [{5: 1}]
    assert history.worst == (Spike(5, 0, 3600.0, 3600.25),)


def test_a_snapshot_out_of_order_changes_nothing() -> None:
    source, history = Source(1), History()
    history.take(source.snapshot(0.5))
    early = source.snapshot(0.2)
    source.sample(0, 9)
    history.take(source.snapshot(1.0))
    history.take(early)
    source.sample(0, 9)
    history.take(source.snapshot(1.5))
    assert sum(column.counts.get(9, 0) for column in history.columns) == 2


def test_a_long_run_needs_no_more_room_than_a_short_one() -> None:
    source, history = Source(4), History(step=0.5, columns=60)
    ours = tracemalloc.Filter(True, "*/kubert_tui/latency/*")

    def run(begin: int, end: int) -> int:
        for tick in range(begin, end):
            for cpu in range(4):
                source.sample(cpu, (tick * 7 + cpu) % 40)
            history.take(source.snapshot(tick * 0.5))
        # What else this process holds is none of the history's.
        taken = tracemalloc.take_snapshot().filter_traces([ours])
        return sum(one.size for one in taken.statistics("filename"))

    tracemalloc.start()
    try:
        # Twice as long: each column covers twice as much, and there are as many.
        short, long = run(1, 2000), run(2000, 4000)
    finally:
        tracemalloc.stop()
    assert len(history.columns) <= 60
    assert 0 < long < short * 1.2


def test_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="room"):
        History(columns=1)
