"""Differences are told only where chance does not explain them."""

import math

import numpy as np
import pytest

from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.results.compare import Delta, Difference, deltas, differences, shorter_maximum

QUIET = (0, 500, 9000, 480, 19, 1)


def histogram(counts: tuple[int, ...], overflows: int = 0, maximum: int = 0) -> ThreadHistogram:
    used = [us for us, count in enumerate(counts) if count]
    worst = maximum or max(used, default=0)
    return ThreadHistogram(-1, counts, overflows, min(used, default=0), 0.0, worst)


def _by_name(
    first: tuple[int, ...], second: tuple[int, ...], *quantiles: str, overflows: int = 0
) -> dict[str, Delta]:
    found = deltas(histogram(first), histogram(second, overflows), quantiles)
    return {delta.figure: delta for delta in found}


def test_the_same_histogram_differs_by_nothing() -> None:
    for delta in _by_name(QUIET, QUIET, "0.5", "0.99").values():
        assert delta.change == 0
        assert not delta.resolved
        assert delta.low <= 0 <= delta.high


def test_a_shift_is_resolved_and_lies_in_its_interval() -> None:
    found = _by_name((*QUIET, 0, 0), (0, 0, *QUIET), "0.5")
    assert found["mean"].change == pytest.approx(2)
    assert found["mean"].low < 2 < found["mean"].high
    assert found["mean"].low > 1.9
    assert found["0.5"] == Delta("0.5", 3, 5, 2, 2, beyond=8)
    assert found["mean"].resolved


def test_few_samples_resolve_little() -> None:
    assert not _by_name((0, 3, 5, 2), (0, 2, 5, 3), "0.99")["mean"].resolved


def test_the_interval_of_the_mean_is_the_one_of_theory() -> None:
    counts = (0, 1000, 1000)
    delta = _by_name(counts, counts)["mean"]
    # Standard error of a difference of means: sqrt(2 * 0.25 / 2000), two of them each way.
    assert delta.high == pytest.approx(1.96 * (2 * 0.25 / 2000) ** 0.5, rel=0.15)
    assert delta.low == pytest.approx(-1.96 * (2 * 0.25 / 2000) ** 0.5, rel=0.15)


@pytest.mark.parametrize("seed", range(4))
def test_intervals_are_those_of_a_bootstrap_of_the_samples_themselves(seed: int) -> None:
    """numpy draws the samples anew, one by one, and takes its own percentiles."""
    chance = np.random.default_rng(seed)
    first = np.floor(chance.lognormal(2.2, 0.30, 4000)).astype(int)
    second = np.floor(chance.lognormal(2.3, 0.35, 3000)).astype(int)
    size = int(max(first.max(), second.max())) + 1
    counts = [tuple(map(int, np.bincount(one, minlength=size))) for one in (first, second)]
    found = _by_name(counts[0], counts[1], "0.5", "0.99")

    def figures(samples: np.ndarray) -> np.ndarray:
        upper = np.percentile(samples, (50, 99), axis=-1, method="inverted_cdf") + 1
        return np.vstack([samples.mean(axis=-1), upper])

    drawn = [chance.choice(one, (2000, len(one))) for one in (first, second)]
    expected = np.percentile(figures(drawn[1]) - figures(drawn[0]), (2.5, 97.5), axis=-1)
    change = figures(second[None])[:, 0] - figures(first[None])[:, 0]
    for index, name in enumerate(("mean", "0.5", "0.99")):
        delta, (low, high) = found[name], expected[:, index]
        assert delta.change == pytest.approx(change[index])
        # Quantiles move in steps of a bucket, intervals of means by what 1000 draws leave open.
        within = 1.0 if index else 0.2 * (high - low)
        assert delta.low == pytest.approx(low, abs=within)
        assert delta.high == pytest.approx(high, abs=within)


def test_ninety_five_of_a_hundred_intervals_hold_the_truth() -> None:
    chance = np.random.default_rng(7)
    held = 0
    for _ in range(100):
        first, second = (
            tuple(map(int, np.bincount(chance.poisson(mean, 500), minlength=40)))
            for mean in (9, 10)
        )
        delta = _by_name(first, second)["mean"]
        held += delta.low <= 1 <= delta.high
    assert 88 <= held <= 99


def test_overflows_leave_no_mean_and_quantiles_say_so() -> None:
    found = _by_name((0, 90, 10), (0, 50, 10), "0.5", "0.9", overflows=40)
    assert "mean" not in found
    assert found["0.5"].known
    assert not found["0.9"].known
    assert (found["0.9"].second, found["0.9"].beyond) == (4, 3)


def test_of_unlike_lengths_the_longer_histogram_is_cut() -> None:
    found = _by_name((0, 50, 50), (0, 50, 0, 0, 50), "0.5", "0.9")
    assert found["0.5"].second == 2
    assert not found["0.9"].known


def test_the_same_seed_gives_the_same_interval() -> None:
    first, second = histogram(QUIET), histogram(QUIET[::-1])
    assert deltas(first, second, ("0.9",)) == deltas(first, second, ("0.9",))


def test_nothing_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="without samples"):
        deltas(histogram((0, 0)), histogram(QUIET), ())


@pytest.mark.parametrize("part", [1, 10, 100, 1000])
def test_the_maximum_of_a_shorter_run(part: int) -> None:
    chance = np.random.default_rng(part)
    samples = np.floor(chance.exponential(5, 1000)).astype(int)
    whole = histogram(tuple(map(int, np.bincount(samples))))
    drawn = [chance.choice(samples, part, replace=False).max() for _ in range(2000)]
    told = shorter_maximum(whole, part)
    # Half of the parts stay at it; one us less, and fewer than half do.
    assert np.mean(np.array(drawn) <= told) >= 0.46
    assert np.mean(np.array(drawn) <= told - 1) <= 0.54


def test_what_is_off_the_histogram_has_only_its_maximum() -> None:
    assert shorter_maximum(histogram((0, 500), 500, 900), 100) == 900
    assert shorter_maximum(histogram((0, 999), 1, 900), 100) == 1
    assert math.isclose(shorter_maximum(histogram((5, 5)), 50), 1), "it is not longer at all"


def test_fingerprints_differ_by_key() -> None:
    first = {"kernel": "6.1-rt", "smt": "no", "bios": "2.40"}
    second = {"kernel": "6.12-rt", "smt": "no", "load": "stress-ng"}
    assert differences(first, second, expected=frozenset({"load"})) == (
        Difference("kernel", "6.1-rt", "6.12-rt"),
        Difference("bios", "2.40", "not recorded"),
    )
