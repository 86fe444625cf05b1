"""What the hwlat tracer and rtla timerlat print, read strictly."""

from pathlib import Path

import pytest

from kubert_tui.base.errors import MeasurementError
from kubert_tui.causes.hwlat import parse_hwlat
from kubert_tui.causes.timerlat import parse_timerlat, timerlat_command
from kubert_tui.lab.model import CyclictestSpec

FIXTURES = Path(__file__).parents[1] / "fixtures/causes"
HWLAT = (FIXTURES / "hwlat-6.1-rt-qemu.txt").read_text()
TIMERLAT = (FIXTURES / "timerlat-rtla-6.1-qemu.txt").read_text()
QUIET = "seconds 60\nthreshold 10\nwindow 1000000\nwidth 500000\nmode \ndone\n"

# From the kernel's documentation of the tracer (4.17 and before tell no count; nmi: as there).
OLD = QUIET.replace(
    "done",
    "  <...>-1729  [001] d...   685.914665: #2     inner/outer(us):   12/14    "
    "ts:1499801089.066141990  nmi-total:4 nmi-count:1\ndone",
)

NEWER = """\
rtla version 6.14.0
# RTLA timerlat histogram
# Time unit is microseconds (us)
# Duration:   0 00:00:02
Index   IRQ-000   Thr-000   Usr-000
1             3         0         0
5             0         3         2
over:         0         0         1
count:        3         3         3
min:          1         5         5
avg:          1         5       100
max:          1         5       400
ALL:        IRQ       Thr       Usr
count:        3         3         3
min:          1         5         5
avg:          1         5       100
max:          1         5       400
done
"""


def test_real_gaps_are_read() -> None:
    found = parse_hwlat(HWLAT)
    assert (found.seconds, found.threshold, found.window, found.width) == (
        20, 10, 1_000_000, 500_000,
    )  # fmt: skip
    assert len(found.gaps) == HWLAT.count("inner/outer")
    first = found.gaps[0]
    assert (first.cpu, first.inner, first.outer, first.count) == (1, 15748, 11081, 196)
    assert first.moment == pytest.approx(1795872062.89)
    assert found.maximum == max(gap.longest for gap in found.gaps) == 111283


def test_nothing_above_the_threshold_is_no_maximum_not_zero() -> None:
    assert parse_hwlat(QUIET).maximum is None


def test_an_older_kernel_tells_no_count() -> None:
    (gap,) = parse_hwlat(OLD).gaps
    assert (gap.cpu, gap.longest, gap.count) == (1, 14, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        QUIET.replace("done\n", ""),
        QUIET.replace("threshold 10\n", ""),
        HWLAT.replace("#3 ", "#x "),
        HWLAT.replace("inner/outer(us): 15748", "inner/outer(us): -15748"),
    ],
    ids=["empty", "cut", "no threshold", "no number", "negative"],
)
def test_what_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(MeasurementError):
        parse_hwlat(text)


def test_a_real_timerlat_histogram_is_read() -> None:
    found = parse_timerlat(TIMERLAT)
    assert found.version == "6.1"
    kinds = [(column.kind, column.cpu) for column in found.columns]
    assert kinds == [("IRQ", 0), ("thread", 0), ("IRQ", 1), ("thread", 1)]
    (counted,) = (line.split() for line in TIMERLAT.splitlines() if line.startswith("count:"))
    for column, count in zip(found.columns, counted[1:], strict=True):
        assert column.over + sum(n for _, n in column.buckets) == int(count)
        assert column.minimum == column.buckets[0][0]


def test_newer_ones_add_user_space_and_a_summary() -> None:
    columns = parse_timerlat(NEWER).columns
    assert [column.kind for column in columns] == ["IRQ", "thread", "user"]
    assert (columns[2].buckets, columns[2].over, columns[2].maximum) == (((5, 2),), 1, 400)


def test_a_cpu_without_samples_is_left_out() -> None:
    text = NEWER.replace("         2\n", "         0\n").replace(
        "         1\ncount", "         0\ncount"
    )
    text = text.replace("5       100\nmax", "5         -\nmax")
    assert [column.kind for column in parse_timerlat(text).columns] == ["IRQ", "thread"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        TIMERLAT.replace("\ndone\n", "\n"),
        TIMERLAT.replace("max:", "xam:"),
        TIMERLAT.replace("Thr-000", "Thr-0x0"),
        NEWER.replace("3         0         0\n", "3         0\n"),
        NEWER.replace("400\nALL", "1e9\nALL"),
    ],
    ids=["empty", "cut", "no maximum", "no CPU", "a column less", "no number"],
)
def test_a_histogram_that_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(MeasurementError):
        parse_timerlat(text)


def test_it_is_measured_as_cyclictest_measures() -> None:
    settings = CyclictestSpec(interval=200, histogram=250, priority=80, cpus="2-3")
    assert timerlat_command(settings, 30) == (
        "timerlat.sh", "30", "rtla", "timerlat", "hist", "-d", "30s", "-p", "200", "-E", "250",
        "-P", "f:80", "-c", "2-3",
    )  # fmt: skip
