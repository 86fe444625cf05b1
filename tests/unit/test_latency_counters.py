"""What the hardware counts is read as it is; what it does not count is unknown, never nought."""

import pytest

from kubert_tui.latency.counters import UNKNOWN, Counters, happened, parse_counters, told


def test_counts_by_cpu() -> None:
    text = "smi 0 12\nsmi 1 12\nthrottle 0 3\nthrottle 11 0\nrt throttling\n"
    assert parse_counters(text) == Counters({0: 12, 1: 12}, "", {0: 3, 11: 0}, True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("smi unknown there is no \x1b[31m/dev/cpu\n", "there is no /dev/cpu"),
        ("", "the host did not tell"),
        ("smi 0 -4\nsmi x 4\nsmi 0 99999999999999999999\n", "the host did not tell"),
    ],
)
def test_what_is_not_counted_is_unknown(text: str, why: str) -> None:
    counters = parse_counters(text)
    assert counters.smi == {}
    assert counters.smi_unknown == why


def test_what_happened_in_between() -> None:
    before = Counters({0: 10, 1: 10}, "", {0: 1, 1: 0})
    after = Counters({0: 13, 1: 12}, "", {0: 2, 1: 4}, realtime_throttled=True)
    found = happened(before, after)
    assert (found.smi, found.smi_unknown, found.throttled) == (3, "", 5)
    assert found.realtime_throttled
    assert not happened(after, after).realtime_throttled, "that was before"
    assert happened(after, after).smi == 0


def test_counts_that_fell_are_unknown() -> None:
    found = happened(Counters({0: 10}), Counters({0: 3}))
    assert found.smi is None
    assert found.smi_unknown


def test_without_both_ends_nothing_is_known() -> None:
    assert told(b"smi 0 1\n", b"") is UNKNOWN
    assert told(b"smi 0 1\n", b"smi 0 4\n").smi == 3
