"""cyclictest's version, which it prints as a number with two decimals."""

import pytest

from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Cyclictest
from kubert_tui.facts.parse_tools import cyclictest_version
from tests.support.fact_samples import DEBIAN, facts_of, section


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("cyclictest V 0.84\nUsage:", "0.84"),
        ("cyclictest V 0.90\nUsage:", "0.90"),
        ("cyclictest V 1.00\nUsage:\n-n --nanosleep use clock_nanosleep", "1.0"),
        ("cyclictest V 1.10\nUsage:\n-n --nanosleep use clock_nanosleep", "1.1"),
        ("cyclictest V 1.10\nUsage:\n", "1.10"),
        ("cyclictest V 2.10\nUsage:\n --default-system", "2.1"),
        ("cyclictest V 2.10\nUsage:\n --deepest-idle-state=n", "2.10"),
        ("cyclictest V 2.40\nUsage:", "2.4"),
        ("cyclictest V 2.11\nUsage:", "2.11"),
        ("Warning: something\ncyclictest V 2.80\n", "2.8"),
        ("cyclictest: error while loading shared libraries: libnuma.so.1", ""),
        ("", ""),
    ],
)
def test_version(text: str, version: str) -> None:
    assert cyclictest_version(text) == version


def test_all_that_run_are_listed_in_order_and_broken_ones_left_out() -> None:
    sample = DEBIAN | {
        "cyclictest-1": section(
            "cyclictest-1", "cyclictest V 2.10\n--deepest-idle-state", subject="/a"
        ),
        "cyclictest-2": section("cyclictest-2", "Exec format error\n", "126", "/b"),
        "cyclictest-3": section("cyclictest-3", "cyclictest V 1.00\n", "1", "/c"),
    }
    expected = Known((Cyclictest("/a", "2.10"), Cyclictest("/c", "1.0")))
    assert facts_of(sample).tools.cyclictest == expected


def test_only_broken_ones_are_unknown_with_what_they_said() -> None:
    broken = section("cyclictest-1", "libnuma.so.1: cannot open\n", "127", "/usr/bin/cyclictest")
    fact = facts_of(DEBIAN | {"cyclictest-1": broken}).tools.cyclictest
    assert fact == Unknown("/usr/bin/cyclictest does not run: libnuma.so.1: cannot open")
