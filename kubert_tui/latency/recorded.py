"""What the recorder on a host has kept of a measurement: its past, and its last state."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.stream import SampleStream, StreamError, seconds, whole

LINES_LIMIT = 10_000
"""The recorder keeps far fewer."""
_WORST_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Stretch:
    """What all CPUs saw between two moments (seconds since cyclictest started)."""

    after: float
    until: float
    counts: dict[int, int]
    """Samples by latency in us; only those that are there."""
    overflows: int
    worst: tuple[tuple[int, int], ...]
    """The worst samples, at most one of each CPU: us and CPU."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The past of a measurement, in order of time, and its whole histogram at the end of it."""

    stretches: tuple[Stretch, ...] = ()
    last: Snapshot | None = None


def parse_recorded(past: bytes, last: bytes, cpus: tuple[int, ...], buckets: int) -> Recorded:
    """Return what the files `past` and `last` hold; what makes no sense in them is left out.

    A host may be cut off while it writes, and could write anything.
    """
    snapshot = _last(last, cpus, buckets)
    if snapshot is None:
        return Recorded()
    stretches = tuple(_stretches(past, buckets))
    return Recorded(tuple(one for one in stretches if one.until <= snapshot.elapsed), snapshot)


def _last(data: bytes, cpus: tuple[int, ...], buckets: int) -> Snapshot | None:
    stream = SampleStream(cpus, buckets)
    try:
        for message in stream.feed(data):
            if isinstance(message, Snapshot):
                return message
    except StreamError:
        pass
    return None


def _stretches(data: bytes, buckets: int) -> Iterator[Stretch]:
    until = 0.0
    for line in data.splitlines()[:LINES_LIMIT]:
        try:
            one = _stretch(json.loads(line), buckets)
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            continue
        if until <= one.after <= one.until:
            until = one.until
            yield one


def _stretch(told: dict[str, object], buckets: int) -> Stretch:
    """Every number is checked."""
    counts: dict[int, int] = {}
    bucket = -1
    changes, worst = told["counts"], told["worst"]
    if not isinstance(changes, list) or not isinstance(worst, list):
        raise TypeError("no list")
    for gap, added in zip(changes[::2], changes[1::2], strict=True):
        bucket += whole(gap) + 1
        if bucket >= buckets:
            raise ValueError("a bucket that is not there")
        counts[bucket] = whole(added)
    return Stretch(
        after=seconds(told["after"]),
        until=seconds(told["until"]),
        counts=counts,
        overflows=whole(told["overflows"]),
        worst=tuple((whole(us), whole(cpu)) for us, cpu in worst[:_WORST_LIMIT]),
    )
