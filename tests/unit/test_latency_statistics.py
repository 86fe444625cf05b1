"""Figures against the plain definition: all samples in a sorted list."""

import math
from fractions import Fraction

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.statistics import (
    MERGED,
    Percentile,
    furthest,
    merge,
    missed_periods,
    percentile,
    remaining,
    summarise,
    summarise_thread,
)

SIZE = 20
latencies = st.lists(st.integers(0, 40), min_size=1, max_size=200)


def histogram(samples: list[int], cpu: int = 0, size: int = SIZE) -> ThreadHistogram:
    counts = [0] * size
    for latency in samples:
        if latency < size:
            counts[latency] += 1
    return ThreadHistogram(
        cpu=cpu,
        counts=tuple(counts),
        overflows=sum(latency >= size for latency in samples),
        minimum=min(samples, default=1_000_000),
        average=sum(samples) / len(samples) if samples else 0.0,
        maximum=max(samples, default=0),
    )


@given(latencies, st.sampled_from(["0.5", "0.9", "0.99", "0.999", "0.0001", "1"]))
def test_percentiles_are_the_nearest_rank_of_all_samples(samples: list[int], q: str) -> None:
    thread = histogram(samples)
    rank = math.ceil(Fraction(q) * len(samples))
    expected = sorted(samples)[rank - 1]
    figure = percentile(thread.counts, thread.overflows, q, thread.maximum)
    assert figure is not None
    if expected < SIZE:
        assert figure == Percentile(expected + 1)
    else:
        assert figure == Percentile(SIZE, at_least=True, bound=max(samples))
        assert figure.value <= expected <= figure.bound


@pytest.mark.parametrize("q", ["0.999", 0.999, Fraction(999, 1000)])
def test_a_percentile_means_its_decimal_notation(q: str | float | Fraction) -> None:
    # In binary 0.999 is a little more than 999/1000: rank 1000 instead of 999.
    assert percentile((999, 1), 0, q) == Percentile(1)


def test_overflows_are_samples() -> None:
    assert percentile((98,), 2, "0.98") == Percentile(1)
    beyond = percentile((98,), 2, "0.99", 77)
    assert beyond == Percentile(1, at_least=True, bound=77)
    assert str(beyond) == ">= 1"
    assert str(Percentile(13)) == "< 13"


def test_no_samples_have_no_percentile() -> None:
    assert percentile((0, 0), 0, "0.99") is None


@pytest.mark.parametrize("q", ["0", "-0.1", "1.01"])
def test_a_percentile_out_of_range_is_refused(q: str) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile((1,), 0, q)


@given(st.lists(st.lists(st.integers(0, 40), max_size=50), min_size=1, max_size=5))
def test_merging_is_measuring_together(threads: list[list[int]]) -> None:
    merged = merge(histogram(samples, cpu) for cpu, samples in enumerate(threads))
    together = [latency for samples in threads for latency in samples]
    expected = histogram(together)
    assert merged.cpu == MERGED
    assert merged.counts == expected.counts
    assert merged.overflows == expected.overflows
    if together:
        assert (merged.minimum, merged.maximum) == (expected.minimum, expected.maximum)
        assert merged.average == pytest.approx(expected.average)


def test_merging_unlike_lengths_keeps_every_sample() -> None:
    merged = merge([histogram([1, 9, 9], size=10), histogram([1, 4], size=5)])
    assert merged.counts == (0, 2, 0, 0, 1)
    assert merged.overflows == 2
    assert merge([]).samples == 0


def test_a_thread_without_samples_changes_no_minimum() -> None:
    # cyclictest's minimum starts at a million.
    merged = merge([histogram([]), histogram([5, 6])])
    assert (merged.minimum, merged.maximum, merged.samples) == (5, 6, 2)


def test_the_summary() -> None:
    ones, twos = histogram([1] * 9990, 0), histogram([2] * 9990 + [30] * 20, 1)
    figures = summarise(Snapshot(1, 1.0, (ones, twos)))
    assert figures.samples == 20_000
    assert (figures.minimum, figures.maximum, figures.overflows) == (1, 30, 20)
    assert figures.p99 == Percentile(3)
    assert figures.p99_9 == Percentile(3)
    assert figures.p99_99 is None
    assert figures.average == pytest.approx((9990 + 19980 + 600) / 20_000)


def test_a_percentile_needs_ten_samples_beyond_it() -> None:
    def told(samples: int) -> tuple[bool, ...]:
        figures = summarise_thread(histogram([1] * samples))
        shown = (figures.p50, figures.p99, figures.p99_9, figures.p99_99)
        return tuple(one is not None for one in shown)

    assert told(19) == (False,) * 4
    assert told(20) == told(999) == (True, False, False, False)
    assert told(9_999) == (True, True, False, False)
    assert told(10_000) == told(99_999) == (True, True, True, False)
    assert told(100_000) == (True,) * 4


def test_the_summary_of_nothing() -> None:
    figures = summarise(Snapshot(1, 0.0, (histogram([]),)))
    assert (figures.samples, figures.minimum, figures.maximum, figures.p99) == (0, 0, 0, None)


def test_time_left_and_missed_periods() -> None:
    assert remaining(36_000_000, 200, 0) == 7200.0
    assert remaining(10, 200, 11) == 0.0
    assert missed_periods(1.0, 200, 4990) == 10
    assert missed_periods(1.0, 200, 5001) == 0
    assert furthest(Snapshot(1, 0.0, (histogram([1]), histogram([1, 2])))) == 2
    assert furthest(Snapshot(1, 0.0, ())) == 0


@pytest.mark.parametrize("q", ["0.5", "0.9", "0.99", "0.999", "0.9999", "1"])
@pytest.mark.parametrize("seed", range(10))
def test_percentiles_are_numpys(q: str, seed: int) -> None:
    chance = numpy.random.default_rng(seed)
    # A prime number: no rank is whole, and numpy's binary fractions round none to its neighbour.
    samples = chance.gamma(2.0, 4.0, 20_011).astype(int)
    size = int(samples.max()) + 1
    counts = numpy.bincount(samples, minlength=size).tolist()
    found = percentile(counts, 0, q)
    assert found is not None
    # Ours is the upper edge of the bucket in which the rank falls.
    assert found.value - 1 == int(numpy.percentile(samples, float(q) * 100, method="inverted_cdf"))
