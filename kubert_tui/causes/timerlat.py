"""rtla timerlat: a second instrument for what cyclictest measures, from inside the kernel.

A timer per CPU wakes a thread; the tracer takes the latency in the interrupt handler (IRQ), in the
kernel thread (Thr) and, where rtla lets the thread return to user space (Usr), there. What
`rtla timerlat hist` prints has one column for each of them and CPU (timerlat_hist.c).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kubert_tui.base.errors import MeasurementError
from kubert_tui.base.text import clean_line
from kubert_tui.facts.sections import CPU_LIMIT
from kubert_tui.lab.cyclictest import CyclictestSpec

Kind = Literal["IRQ", "thread", "user"]

_KINDS: dict[str, Kind] = {"IRQ": "IRQ", "Thr": "thread", "Usr": "user"}
_COLUMN = re.compile(r"(IRQ|Thr|Usr)-([0-9]{3,5})")
_SUMMARY = ("over", "count", "min", "avg", "max")
_BUCKETS = 9999
_LIMIT = 2**53


@dataclass(frozen=True, slots=True)
class Column:
    """The latencies of one kind on one CPU."""

    kind: Kind
    cpu: int
    buckets: tuple[tuple[int, int], ...]
    """(us, samples) of those that are not empty."""
    over: int
    """Samples off the histogram."""
    minimum: int
    average: int
    maximum: int


@dataclass(frozen=True, slots=True)
class TimerLatency:
    """What rtla found."""

    version: str
    columns: tuple[Column, ...]


def timerlat_command(settings: CyclictestSpec, seconds: int) -> tuple[str, ...]:
    """Return the job's command: with cyclictest's interval, buckets, priority and CPUs."""
    return (
        "timerlat.sh",
        str(seconds),
        *("rtla", "timerlat", "hist"),
        *("-d", f"{seconds}s"),
        *("-p", str(max(settings.interval, 100))),
        *("-E", str(min(settings.histogram, _BUCKETS))),
        *("-P", f"f:{settings.priority}"),
        *(("-c", settings.cpus) if settings.cpus else ()),
    )


def parse_timerlat(text: str) -> TimerLatency:
    """Read what timerlat.sh printed; MeasurementError when it is not whole."""
    lines = text.splitlines()
    header = next((n for n, line in enumerate(lines) if line.startswith("Index")), None)
    if header is None or lines[-1] != "done":
        raise MeasurementError("rtla timerlat's output is not whole")
    columns = _columns(lines[header])
    buckets: list[list[tuple[int, int]]] = [[] for _ in columns]
    summary: dict[str, list[int]] = {}
    for line in lines[header + 1 :]:
        if not line.strip():
            continue
        label, *values = line.split()
        name = label.rstrip(":")
        if name in _SUMMARY:
            summary[name] = _numbers(values, len(columns), line)
        elif name.isdigit():
            for column, count in zip(buckets, _numbers(values, len(columns), line), strict=True):
                if count:
                    column.append((_number(name, line), count))
        else:
            raise MeasurementError(
                "rtla timerlat's output is not understood", details=clean_line(line)
            )
        if set(summary) == set(_SUMMARY):
            # Newer versions add a summary over all CPUs.
            break
    if set(summary) != set(_SUMMARY):
        raise MeasurementError("rtla timerlat's output is not whole")
    version = lines[0].removeprefix("rtla version ") if lines[0].startswith("rtla version ") else ""
    found = (
        Column(*columns[n], tuple(buckets[n]), *(summary[name][n] for name in _FIGURES))
        for n in range(len(columns))
    )
    return TimerLatency(version, tuple(column for column in found if column.buckets or column.over))


_FIGURES = ("over", "min", "avg", "max")


def _columns(line: str) -> list[tuple[Kind, int]]:
    columns = []
    for word in line.split()[1:]:
        found = _COLUMN.fullmatch(word)
        if not found or int(found[2]) >= CPU_LIMIT:
            raise MeasurementError(
                "rtla timerlat's columns are not understood", details=clean_line(line)
            )
        columns.append((_KINDS[found[1]], int(found[2])))
    return columns


def _numbers(words: Sequence[str], count: int, line: str) -> list[int]:
    if len(words) != count:
        raise MeasurementError("rtla timerlat's columns do not match", details=clean_line(line))
    return [0 if word == "-" else _number(word, line) for word in words]


def _number(word: str, line: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= 16 and int(word) <= _LIMIT):
        raise MeasurementError("rtla timerlat's figures make no sense", details=clean_line(line))
    return int(word)
