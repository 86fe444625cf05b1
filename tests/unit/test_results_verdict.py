"""A verdict says no more than the measurement does."""

from dataclasses import replace

import pytest

from kubert_tui.base.errors import UsageError
from kubert_tui.lab.limits import LIMITS, limit_of
from kubert_tui.results.verdict import Evidence, Grade, judge, supported

LONG = Evidence(
    realtime=True,
    seconds=12 * 3600,
    load="stress-ng",
    maximum=14,
    samples=216_000_000,
    overflows=0,
    exact=True,
)
RAN = limit_of("openshift-ran")


@pytest.mark.parametrize(
    ("change", "grade"),
    [
        ({}, Grade.PRODUCTION),
        ({"virtual": "kvm"}, Grade.PRODUCTION),
        ({"load": ""}, Grade.INDICATIVE),
        ({"overflows": 1}, Grade.INDICATIVE),
        ({"seconds": 12 * 3600 - 1}, Grade.INDICATIVE),
        ({"seconds": 600}, Grade.INDICATIVE),
        ({"seconds": 599}, Grade.SMOKE),
        ({"smi": 3}, Grade.INDICATIVE),
        ({"hot": 1}, Grade.INDICATIVE),
        ({"hardware": 120}, Grade.INDICATIVE),
        ({"traced": True}, Grade.INDICATIVE),
        ({"stopped": "stopped at 120 us on CPU 1 by breaktrace"}, Grade.INDICATIVE),
        ({"interrupted": "it was killed"}, Grade.INDICATIVE),
        ({"exact": False}, Grade.SMOKE),
        ({"realtime": False}, Grade.REFUSED),
        ({"realtime": None}, Grade.REFUSED),
        ({"throttled": True}, Grade.REFUSED),
        ({"samples": 0}, Grade.REFUSED),
    ],
)
def test_the_grade_is_the_evidence(change: dict[str, object], grade: Grade) -> None:
    verdict = judge(replace(LONG, **change), RAN)  # type: ignore[arg-type]
    assert verdict.grade is grade
    assert bool(verdict.reasons) == bool(change)
    assert (verdict.passed is None) == (grade is Grade.REFUSED)


def test_the_limit_itself_is_not_met() -> None:
    assert judge(replace(LONG, maximum=19), RAN).passed is True
    assert judge(replace(LONG, maximum=20), RAN).passed is False


def test_a_maximum_is_worded_as_what_was_seen() -> None:
    assert judge(LONG, RAN).statement == (
        "the worst of 216000000 samples in 12.0 h took 14 us, below 20 us (production)"
    )
    assert judge(LONG, None).passed is None
    refused = judge(replace(LONG, realtime=False), RAN)
    assert "below" not in refused.statement


def test_percentiles_beyond_the_samples_are_left_out() -> None:
    asked = ("0.5", "0.99", "0.999", "0.9999")
    assert supported(asked, 100_000) == asked
    assert supported(asked, 99_999) == asked[:3]
    assert supported(asked, 999) == asked[:1]
    assert supported(asked, 0) == ()


def test_limits_by_name_and_by_number() -> None:
    assert all(limit_of(limit.name) is limit and limit.source for limit in LIMITS)
    assert limit_of("35us").microseconds == limit_of("35").microseconds == 35
    for wrong in ("", "0", "-3", "fast", "1e3", "٣"):
        with pytest.raises(UsageError, match="no limit"):
            limit_of(wrong)
