"""What the sampler on the host writes, line by line, and the histogram it adds up to."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kubert_tui.base.errors import KubertError
from kubert_tui.base.text import clean_line
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram

LINE_LIMIT = 16 * 1024 * 1024
"""Bytes. A first sample of 80 threads with 100 000 used buckets each would be as large."""
_COUNT_LIMIT = 2**53


class StreamError(KubertError):
    """The sampler's output makes no sense. cyclictest itself is not touched by that."""


@dataclass(frozen=True, slots=True)
class ThreadsFound:
    """The sampler reads the histograms; `cpus` is where each thread may run, as a list."""

    cpus: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Blind:
    """The sampler cannot read them, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What the hardware has counted since it was switched on, as `counters.sh` prints it."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """cyclictest is gone."""


Message = ThreadsFound | Snapshot | Counted | Blind | Ended


class SampleStream:
    """Decodes the output of one sampler. Sequence numbers go on from `sequence`."""

    def __init__(self, cpus: tuple[int, ...], buckets: int, sequence: int = 0) -> None:
        self._cpus = cpus
        self._counts = [[0] * buckets for _ in cpus]
        self._sequence = sequence
        self._last = 0
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the messages that `data` completes. Raises StreamError."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_LIMIT:
            raise StreamError("the sampler writes a line without an end")
        for line in lines:
            message = self._decode(line)
            if message is not None:
                yield message

    def _decode(self, line: bytes) -> Message | None:
        try:
            told = json.loads(line)
            kind = told["type"]
            if kind == "sample":
                return self._sample(told)
            if kind == "threads":
                return ThreadsFound(tuple(clean_line(str(cpu), limit=100) for cpu in told["cpus"]))
            if kind == "blind":
                return Blind(clean_line(str(told["reason"])))
            if kind == "counters":
                return Counted(str(told["text"]))
            return Ended() if kind == "end" else None
        except StreamError:
            raise
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            raise StreamError(
                "the sampler wrote a line that cannot be read", details=clean_line(line[:1000])
            ) from error

    def _sample(self, told: dict[str, Any]) -> Snapshot:
        """Add a sample's changes. Every number is checked: the host could write anything."""
        if whole(told["seq"]) != self._last + 1:
            raise StreamError("a sample is missing")
        self._last += 1
        figures = told["threads"]
        if not isinstance(figures, list) or len(figures) != len(self._cpus):
            raise StreamError(f"{len(self._cpus)} threads were expected, not {len(figures)}")
        threads = tuple(self._thread(index, values) for index, values in enumerate(figures))
        self._sequence += 1
        one, five, fifteen = (seconds(value) for value in told["load"])
        return Snapshot(self._sequence, seconds(told["elapsed"]), threads, (one, five, fifteen))

    def _thread(self, index: int, values: list[Any]) -> ThreadHistogram:
        cycles, low, high, total, overflows = (whole(value) for value in values[:5])
        counts = self._counts[index]
        changes = values[5]
        bucket = -1
        for gap, added in zip(changes[::2], changes[1::2], strict=True):
            bucket += whole(gap) + 1
            counts[bucket] += whole(added)
        if sum(counts) + overflows != cycles:
            raise StreamError("a sample does not add up")
        return ThreadHistogram(
            cpu=self._cpus[index],
            counts=tuple(counts),
            overflows=overflows,
            minimum=low if cycles else 0,
            average=total / cycles if cycles else 0.0,
            maximum=high,
        )


def at_or_below(earlier: Snapshot, later: Snapshot) -> bool:
    """Whether no bucket and no overflow of `earlier` exceeds that of `later`."""
    if len(earlier.threads) != len(later.threads):
        return False
    return all(
        a.overflows <= b.overflows
        and a.maximum <= b.maximum
        and len(a.counts) == len(b.counts)
        and all(x <= y for x, y in zip(a.counts, b.counts, strict=True))
        for a, b in zip(earlier.threads, later.threads, strict=True)
    )


def whole(value: object) -> int:
    """A count: a whole number that is not negative and not absurd."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _COUNT_LIMIT:
        raise ValueError(f"{value!r} is not a count")
    return value


def seconds(value: object) -> float:
    """A time or a load: finite, not negative."""
    if not isinstance(value, int | float) or not 0 <= value <= _COUNT_LIMIT:
        raise ValueError(f"{value!r} is not a time")
    return float(value)
