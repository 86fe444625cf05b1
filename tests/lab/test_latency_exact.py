"""The live histogram is cyclictest's own, bucket for bucket, over many kinds of runs.

The first is in every run; all of them in the long profile. Nothing here judges microseconds.
"""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from kubert_tui.hosts.local import LocalHost
from kubert_tui.lab.model import CyclictestSpec, HostSpec
from kubert_tui.latency.command import arguments
from kubert_tui.latency.measurement import MeasurementOrder
from kubert_tui.latency.stream import at_or_below
from tests.faults.stored import buckets_of
from tests.support.latency_lab import MARKS, directory
from tests.support.latency_runs import (
    ALL,
    BINARIES,
    NobodyAsks,
    Watch,
    carry_out,
    order,
)

__all__ = ["directory"]
pytestmark = MARKS

_KINDS = [
    (interval, histogram, cpus)
    for interval in (200, 100, 500, 1000, 10_000)
    for histogram in (250, 12, 20_000)
    for cpus in ((), ALL[:1])
]
"""Interval in us, buckets, CPUs; the README's first. Twelve buckets overflow a great deal."""


def ordered(binary: str, interval: int, histogram: int, cpus: tuple[int, ...]) -> MeasurementOrder:
    what = order(1, binary=binary, cpus=cpus)
    settings = CyclictestSpec(interval=interval, histogram=histogram, duration="3s")
    return replace(
        what,
        command=arguments(settings, what.version, path=binary, cpus=cpus),
        interval=interval,
        loops=settings.loops,
        histogram=histogram,
    )


@pytest.mark.parametrize("binary", BINARIES)
@pytest.mark.parametrize(
    ("interval", "histogram", "cpus"),
    [pytest.param(*kind, marks=[pytest.mark.long] if at else []) for at, kind in enumerate(_KINDS)],
)
def test_bucket_for_bucket(
    directory: str, binary: str, interval: int, histogram: int, cpus: tuple[int, ...]
) -> None:
    host = LocalHost(HostSpec(name="here", connection="local"), NobodyAsks())
    watch = Watch()
    what = ordered(binary, interval, histogram, cpus)
    measured = carry_out(host, what, directory, watch)
    assert measured.exact
    assert [started.live for started in watch.started] == [True]

    *live, final = watch.snapshots
    assert final == measured.final
    assert live, "it was seen while it ran; how often, is up to what else works here"
    for earlier, later in pairwise(watch.snapshots):
        assert at_or_below(earlier, later)
    theirs = buckets_of(Path(directory, what.identity, "stdout").read_text())
    for number, thread in enumerate(final.threads):
        ours = {us: count for us, count in enumerate(thread.counts) if count}
        assert ours == theirs[number]
    assert max(thread.samples for thread in final.threads) == what.loops
