"""A verdict says no more than the measurement does."""

from dataclasses import replace
from pathlib import Path

import pytest

from kubert_tui.base.errors import UsageError
from kubert_tui.lab.limits import LIMITS, limit_of
from kubert_tui.latency.statistics import supported
from kubert_tui.latency.store import load
from kubert_tui.results.evidence import scheduled
from kubert_tui.results.options import UNKNOWN_OPTIONS
from kubert_tui.results.verdict import Evidence, Grade, judge

FIXTURES = Path(__file__).parents[1] / "fixtures" / "measurements"
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
        ({"verbose": True, "unseen": 12}, Grade.PRODUCTION),
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
        ({"policy": ""}, Grade.INDICATIVE),
        ({"policy": "other 0"}, Grade.REFUSED),
        ({"policy": "fifo 90, other 0"}, Grade.REFUSED),
    ],
)
def test_the_grade_is_the_evidence(change: dict[str, object], grade: Grade) -> None:
    verdict = judge(replace(LONG, **change), RAN)  # type: ignore[arg-type]
    assert verdict.grade is grade
    assert bool(verdict.reasons) == bool(change)
    assert (verdict.passed is None) == (grade is Grade.REFUSED)


def test_without_a_load_all_the_time_it_says_for_how_long_there_was_one() -> None:
    (none,) = judge(replace(LONG, load=""), RAN).reasons
    assert none == "It ran without load."
    (part,) = judge(replace(LONG, load="", loaded=0.43), RAN).reasons
    assert part == "It ran under load for 43 % of its time only."
    assert "under load" not in judge(replace(LONG, load=""), RAN).statement


def test_the_limit_itself_is_not_met() -> None:
    assert judge(replace(LONG, maximum=19), RAN).passed is True
    assert judge(replace(LONG, maximum=20), RAN).passed is False


def test_a_maximum_is_worded_as_what_was_seen() -> None:
    assert judge(LONG, RAN).statement == (
        "the worst of 216000000 samples in 12.0 h under load (stress-ng) took 14 us, "
        "below 20 us (production)"
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


@pytest.mark.parametrize(
    "change", [{"policy": "other 0"}, {"realtime": False}, {"throttled": True}]
)
def test_a_refusal_says_why_and_judges_nothing(change: dict[str, object]) -> None:
    verdict = judge(replace(LONG, **change), RAN)  # type: ignore[arg-type]
    assert verdict.statement == f"no verdict: {verdict.reasons[0]}"
    assert (verdict.passed, verdict.limit) == (None, RAN)


@pytest.mark.parametrize(
    ("command", "seen", "told"),
    [
        ("cyclictest --smp --priority=90", "", "fifo 90"),
        ("cyclictest -Sp90 -i200", "", "fifo 90"),
        ("cyclictest --smp --priority=90", "fifo 90, other 0", "fifo 90, other 0"),
        ("cyclictest --smp -h 400", "", "other 0"),
        ("cyclictest -p 0", "", "other 0"),
        ("cyclictest --policy=rr", "", "rr"),
        ("cyclictest --policy=other -p5", "", "other 0"),
    ],
)
def test_how_threads_were_scheduled(command: str, seen: str, told: str) -> None:
    stored = load(FIXTURES / "version-1.json")
    update = {"command": tuple(command.split()), "policy": seen}
    assert scheduled(stored.model_copy(update=update)) == told


def test_what_nobody_told_is_not_known() -> None:
    stored = load(FIXTURES / "version-1.json")
    update = {"command": ("cyclictest", *UNKNOWN_OPTIONS)}
    assert scheduled(stored.model_copy(update=update)) == ""


def test_limits_by_name_and_by_number() -> None:
    for limit in LIMITS:
        assert limit_of(limit.name) is limit
        assert limit.source
        assert limit.measured
        assert limit.url.startswith("https://")
    assert limit_of("35us").microseconds == limit_of("35").microseconds == 35
    for wrong in ("", "0", "-3", "fast", "1e3", "٣"):
        with pytest.raises(UsageError, match="no limit"):
            limit_of(wrong)
