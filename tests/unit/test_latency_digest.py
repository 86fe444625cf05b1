"""What is worked out of each snapshot: carried on, and the same as if begun anew."""

import random
from dataclasses import replace

import pytest

from kubert_tui.latency.changes import changes
from kubert_tui.latency.digest import Digester
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.statistics import merge, summarise

SIZE = 1000


def snapshots(number: int, seed: int = 1, period: float = 0.25) -> list[Snapshot]:
    """States of three CPUs, with samples and overflows at random places."""
    chance = random.Random(seed)
    counts = [[0] * SIZE for _ in range(3)]
    over = [0] * 3
    found = []
    for tick in range(1, number + 1):
        for cpu in range(3):
            for _ in range(50):
                counts[cpu][min(int(chance.expovariate(0.01)), SIZE - 1)] += 1
            over[cpu] += chance.random() < 0.2
        threads = tuple(
            ThreadHistogram(cpu, tuple(counts[cpu]), over[cpu], cpu + 1, 5.0 + cpu, 900 + tick)
            for cpu in range(3)
        )
        found.append(Snapshot(tick, tick * period, threads))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_changes_are_all_that_differs(seed: int) -> None:
    chance = random.Random(seed)
    before = [chance.randrange(5) for _ in range(700)]
    now = [one + (chance.randrange(3) if chance.random() < 0.05 else 0) for one in before]
    found = dict(changes(before, now))
    assert found == {us: b - a for us, (a, b) in enumerate(zip(before, now, strict=True)) if a != b}


def test_carried_on_it_is_what_merging_all_gives() -> None:
    digester = Digester(200)
    for snapshot in snapshots(20):
        digest = digester.digest(snapshot)
        assert digest.merged == merge(snapshot.threads)
        assert digest.summary == summarise(snapshot)
        assert digest.done == max(digest.samples)


def test_another_shape_is_merged_anew() -> None:
    digester = Digester(200)
    first, second = snapshots(2)
    digester.digest(first)
    fewer = replace(second, threads=second.threads[:2])
    assert digester.digest(fewer).merged == merge(fewer.threads)
    shorter = replace(
        second, threads=tuple(replace(one, counts=one.counts[:10]) for one in second.threads)
    )
    assert digester.digest(shorter).merged == merge(shorter.threads)
    assert digester.digest(replace(second, threads=())).samples == ()


def test_the_rate_is_the_one_of_the_last_seconds() -> None:
    digester = Digester(200)
    rates = [digester.digest(one).rate for one in snapshots(40)]
    assert rates[0] == 0.0
    assert rates[-1] == pytest.approx(600, rel=0.02)


def counted(sequence: int, elapsed: float, *cycles: int, final: bool = False) -> Snapshot:
    """A snapshot of so many cycles by thread."""
    threads = tuple(ThreadHistogram(cpu, (0, one), 0, 1, 1.0, 1) for cpu, one in enumerate(cycles))
    return Snapshot(sequence, elapsed, threads, final=final)


def test_missed_periods_of_each_cpu() -> None:
    digester = Digester(1000)
    # A tenth of a second until the first cycle is no miss.
    assert digester.digest(counted(1, 1.0, 900, 900)).missed == (0, 0)
    assert digester.digest(counted(2, 2.0, 1900, 1895)).missed == (0, 0)
    assert digester.digest(counted(3, 3.0, 2900, 2600)).missed == (0, 300)
    # cyclictest needs time to end: what was missed is known from before.
    last = digester.digest(counted(4, 3.5, 2910, 2610, final=True))
    assert last.missed == (0, 300)
    assert last.rate > 0


def test_what_was_missed_before_we_came_counts_too() -> None:
    missed = Digester(1000).digest(counted(1, 100.0, 99_900, 95_000)).missed
    assert missed == (0, 4800)
