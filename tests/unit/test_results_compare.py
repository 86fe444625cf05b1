"""Differences are told only where chance does not explain them."""

import pytest

from kubert_tui.results.compare import Delta, Difference, deltas, differences

QUIET = [0, 500, 9000, 480, 19, 1]


def _by_name(first: list[int], second: list[int], *quantiles: str) -> dict[str, Delta]:
    return {delta.figure: delta for delta in deltas(first, second, quantiles)}


def test_the_same_histogram_differs_by_nothing() -> None:
    for delta in _by_name(QUIET, QUIET, "0.5", "0.99").values():
        assert delta.change == 0
        assert not delta.resolved
        assert delta.low <= 0 <= delta.high


def test_a_shift_is_resolved_and_lies_in_its_interval() -> None:
    found = _by_name(QUIET, [0, 0, *QUIET], "0.5")
    assert found["mean"].change == pytest.approx(2)
    assert found["mean"].low < 2 < found["mean"].high
    assert found["mean"].low > 1.9
    assert found["0.5"] == Delta("0.5", 3, 5, 2, 2)
    assert found["mean"].resolved


def test_few_samples_resolve_little() -> None:
    few = _by_name([0, 3, 5, 2], [0, 2, 5, 3], "0.99")
    assert not few["mean"].resolved


def test_the_interval_of_the_mean_is_the_one_of_theory() -> None:
    counts = [0, 1000, 1000]
    delta = _by_name(counts, counts)["mean"]
    # Standard error of a difference of means: sqrt(2 * 0.25 / 2000), two of them each way.
    assert delta.high == pytest.approx(1.96 * (2 * 0.25 / 2000) ** 0.5, rel=0.2)
    assert delta.low == pytest.approx(-1.96 * (2 * 0.25 / 2000) ** 0.5, rel=0.2)


def test_the_same_seed_gives_the_same_interval() -> None:
    assert deltas(QUIET, QUIET[::-1], ("0.9",)) == deltas(QUIET, QUIET[::-1], ("0.9",))


def test_nothing_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="without samples"):
        deltas([0, 0], QUIET, ())


def test_fingerprints_differ_by_key() -> None:
    first = {"kernel": "6.1-rt", "smt": "no", "bios": "2.40"}
    second = {"kernel": "6.12-rt", "smt": "no", "load": "stress-ng"}
    assert differences(first, second, expected=frozenset({"load"})) == (
        Difference("kernel", "6.1-rt", "6.12-rt"),
        Difference("bios", "2.40", "not recorded"),
    )
