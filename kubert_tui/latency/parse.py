"""cyclictest's own final output, read strictly: whole and consistent, or an error.

The form, the same from 1.0 to 2.10 (print_hist in cyclictest.c): `# Histogram`, one row per
bucket, `# Total:` (overflows excluded), minima, averages, maxima, overflows, one line of
overflow cycles per thread, a blank line. From 2.7 on rows of zeros and `# Total:` are left out.
cyclictest ends with status 0 when it printed its usage, or nothing because the disk was
full: only the text itself can be believed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from kubert_tui.base.errors import MeasurementError
from kubert_tui.base.text import clean_line
from kubert_tui.latency.histogram import ThreadHistogram

SIZE_LIMIT = 64 * 1024 * 1024
"""Characters; 80 threads of 100 000 buckets need 56 million."""
_NUMBER_LIMIT = 2**53
"""Beyond this cyclictest's own sums (doubles) stop being exact; no run lasts that long."""
_PREAMBLE = re.compile(r"# /dev/cpu_dma_latency set to [0-9]+us|# error setting .*|WARN: .*")
_VERBOSE = re.compile(
    r"(Max|Online) CPUs = [0-9]{1,7}|Thread [0-9]{1,7} Interval: [0-9]{1,10}"
    r"| *[0-9]{1,7}: *[0-9]{1,20}: *[0-9]{1,20}"
)
"""What --verbose says before the histogram: of ours without the samples, of others with them."""
_USAGE = re.compile(r"Usage:|cyclictest <options>|cyclictest V [0-9.]+")
_ROW = re.compile(r"([0-9]{6,7}) (.*)")


@dataclass(frozen=True, slots=True)
class FinalOutput:
    """A whole final output."""

    threads: tuple[ThreadHistogram, ...]
    """In thread order; `cpu` as the caller numbered them."""
    dma_latency: bool
    """cyclictest says it holds /dev/cpu_dma_latency: idle states were kept off."""
    warnings: tuple[str, ...] = ()
    """Its own warnings on stdout, cleaned."""
    broke: int | None = None
    """Index of the thread whose latency made --breaktrace stop it; None if none did."""


def parse_final(text: str, *, cpus: Sequence[int], histogram: int) -> FinalOutput:
    """Read the final output of a run of one thread per CPU and `histogram` buckets.

    Raises MeasurementError naming the line for anything that is not exactly that.
    """
    if len(text) > SIZE_LIMIT:
        raise MeasurementError(f"cyclictest's output is too large: {len(text)} characters")
    if not text.strip():
        raise MeasurementError(
            "cyclictest wrote no result",
            fix="see whether the disk of the host is full; cyclictest ends with status 0 even then",
        )
    lines = _Lines(text)
    warnings = _preamble(lines)
    columns = _rows(lines, len(cpus), histogram)
    threads = _figures(lines, cpus, columns, histogram)
    broke = _broke(lines, len(threads))
    while (line := lines.peek()) is not None:
        lines.take()
        if line.strip():
            raise lines.wrong("nothing was expected after the result")
    return FinalOutput(
        threads=threads,
        dma_latency=any(line.startswith("# /dev/cpu_dma_latency") for line in warnings),
        warnings=tuple(line for line in warnings if not line.startswith("# /dev/")),
        broke=broke,
    )


class _Lines:
    """The lines one after the other, and errors that name them."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._next = 0

    def peek(self) -> str | None:
        """The next line; None at the end of the text."""
        return self._lines[self._next] if self._next < len(self._lines) else None

    def take(self) -> str:
        line = self.peek()
        if line is None:
            raise self.wrong("the output ends too early")
        self._next += 1
        return line

    def wrong(self, what: str) -> MeasurementError:
        """An error about the line that was taken last."""
        found = self._lines[self._next - 1] if self._next else ""
        if self._next >= len(self._lines):
            what = f"the output ends too early; {what}"
        return MeasurementError(
            f"cyclictest's output, line {max(self._next, 1)}: {what}",
            fix="the measurement cannot be believed; run it again",
            details=clean_line(found[:1000]),
        )

    def numbers(self, label: str, count: int) -> tuple[int, ...]:
        """Take the line `label: N N ...` with exactly `count` numbers."""
        line = self.take()
        if not line.startswith(f"{label}:"):
            raise self.wrong(f"expected `{label}:`")
        return self.integers(line[len(label) + 1 :], " ", count, lead=True)

    def integers(
        self, text: str, separator: str, count: int, *, lead: bool = False
    ) -> tuple[int, ...]:
        """The `count` numbers of `text`; `lead`: a separator stands before the first one too."""
        if text.count(separator) != count - 1 + lead or (lead and text[:1] != separator):
            raise self.wrong(f"expected {count} numbers, one per thread")
        return tuple(self.integer(part) for part in text[lead:].split(separator))

    def integer(self, text: str) -> int:
        if not (text.isascii() and text.isdigit()):
            raise self.wrong(f"{clean_line(text[:60])!r} is not a number")
        if len(text) > 16 or int(text) > _NUMBER_LIMIT:
            raise self.wrong("a number is impossibly large")
        return int(text)


def _preamble(lines: _Lines) -> list[str]:
    """What stands before `# Histogram`: at most some notes and warnings."""
    notes: list[str] = []
    while (line := lines.take()) != "# Histogram":
        if _VERBOSE.fullmatch(line):
            continue
        if _USAGE.match(line):
            raise MeasurementError(
                "cyclictest printed its usage instead of measuring",
                fix="this version does not accept one of the options",
                details=clean_line(line),
            )
        if not _PREAMBLE.fullmatch(line):
            raise lines.wrong("expected `# Histogram`")
        notes.append(clean_line(line))
        if len(notes) > 100:
            raise lines.wrong("expected `# Histogram`")
    return notes


def _rows(lines: _Lines, threads: int, histogram: int) -> tuple[tuple[int, ...], ...]:
    """The buckets of each thread."""
    counts = [[0] * histogram for _ in range(threads)]
    rows = 0
    zeros = False
    previous = -1
    while (line := lines.peek()) is not None and (row := _ROW.fullmatch(line)):
        lines.take()
        bucket = int(row[1])
        if not previous < bucket < histogram:
            raise lines.wrong(f"bucket {bucket} is out of order or beyond {histogram}")
        previous = bucket
        rows += 1
        values = lines.integers(row[2], "\t", threads)
        zeros = zeros or not any(values)
        for column, value in zip(counts, values, strict=True):
            column[bucket] = value
    line = lines.peek() or ""
    if line.startswith("# Total:"):
        totals = lines.numbers("# Total", threads)
        if rows != histogram:
            raise lines.wrong(f"{histogram} rows were expected before it, not {rows}")
        if totals != tuple(map(sum, counts)):
            raise lines.wrong("the totals are not the sums of the rows")
    elif zeros:
        # Versions without `# Total:` leave rows of zeros out.
        lines.take()
        raise lines.wrong("expected a row of the histogram or `# Total:`")
    return tuple(map(tuple, counts))


def _figures(
    lines: _Lines, cpus: Sequence[int], columns: tuple[tuple[int, ...], ...], histogram: int
) -> tuple[ThreadHistogram, ...]:
    """Everything after the rows, checked against them."""
    count = len(cpus)
    minima = lines.numbers("# Min Latencies", count)
    averages = lines.numbers("# Avg Latencies", count)
    maxima = lines.numbers("# Max Latencies", count)
    overflows = lines.numbers("# Histogram Overflows", count)
    threads = []
    for index, cpu in enumerate(cpus):
        thread = ThreadHistogram(
            cpu, columns[index], overflows[index], minima[index], averages[index], maxima[index]
        )
        if problem := _implausible(thread):
            raise lines.wrong(f"thread {index}: {problem}")
        threads.append(_with_exact_average(thread))
    if lines.take() != "# Histogram Overflow at cycle number:":
        raise lines.wrong("expected `# Histogram Overflow at cycle number:`")
    for index, thread in enumerate(threads):
        _overflow_cycles(lines, index, thread, histogram)
    if (lines.peek() or "").startswith("# SMIs:"):
        lines.numbers("# SMIs", count)
    # Each version ends with a blank line: without it something is missing.
    if lines.take() != "" or lines.peek() is None:
        raise lines.wrong("expected the blank line that ends the output")
    return tuple(threads)


def _broke(lines: _Lines, threads: int) -> int | None:
    """Take what a run with --breaktrace adds, and return the thread that stopped it.

    The value that 1.0 tells may be another thread's: that thread's own maximum is the one.
    """
    if not (lines.peek() or "").startswith("# Thread Ids:"):
        return None
    ids = lines.numbers("# Thread Ids", threads)
    if not (lines.peek() or "").startswith("# Break thread:"):
        return None
    (thread,) = lines.numbers("# Break thread", 1)
    if thread not in ids:
        raise lines.wrong("the thread that broke off is none of these")
    lines.numbers("# Break value", 1)
    return ids.index(thread)


def _overflow_cycles(lines: _Lines, index: int, thread: ThreadHistogram, histogram: int) -> None:
    """Take `# Thread N: cycle cycle ... # M others`; there are as many as overflows."""
    line = lines.take()
    label = f"# Thread {index}:"
    if not line.startswith(label):
        raise lines.wrong(f"expected `{label}`")
    listed, marker, others = line[len(label) :].partition("#")
    words = listed.split(" ", histogram + 4)
    cycles = [lines.integer(word) for word in words if word]
    more = 0
    if marker:
        if not others.endswith(" others"):
            raise lines.wrong("expected `# N others`")
        more = lines.integer(others.removesuffix(" others").strip(" "))
    if len(cycles) + more != thread.overflows:
        raise lines.wrong(f"{len(cycles) + more} overflows are listed, not {thread.overflows}")
    ascending = all(a < b for a, b in pairwise(cycles))
    if not ascending or (cycles and cycles[-1] >= thread.samples):
        raise lines.wrong("the overflows' cycle numbers are impossible")


def _implausible(thread: ThreadHistogram) -> str:
    """Why minimum, average and maximum do not belong to these buckets; empty when they do."""
    samples, over, size = thread.samples, thread.overflows, len(thread.counts)
    if samples == 0:
        return ""
    used = [latency for latency, count in enumerate(thread.counts) if count]
    total = sum(latency * count for latency, count in enumerate(thread.counts) if count)
    if thread.minimum != used[0] if used else thread.minimum < size:
        return f"the minimum {thread.minimum} is not in the histogram"
    if thread.maximum < size if over else thread.maximum != used[-1]:
        return f"the maximum {thread.maximum} does not belong to the histogram"
    # Where all samples are overflows, one of them is the minimum.
    floor = size if used else thread.minimum
    least = total + max(over - 1, 0) * floor + (thread.maximum if over else 0)
    most = total + over * thread.maximum - (0 if used else thread.maximum - thread.minimum)
    if thread.minimum > thread.maximum:
        return f"the minimum {thread.minimum} is above the maximum {thread.maximum}"
    if not least // samples <= thread.average <= most // samples:
        return f"the average {thread.average:.0f} does not belong to the histogram"
    return ""


def _with_exact_average(thread: ThreadHistogram) -> ThreadHistogram:
    """The printed average is cut to whole us; without overflows the buckets give it exactly."""
    if not thread.samples:
        # Stopped before its first one: cyclictest prints 1000000 as its minimum.
        return ThreadHistogram(thread.cpu, thread.counts, 0, 0, 0.0, 0)
    average = thread.average
    if not thread.overflows:
        average = sum(us * count for us, count in enumerate(thread.counts)) / thread.samples
    return ThreadHistogram(
        thread.cpu, thread.counts, thread.overflows, thread.minimum, average, thread.maximum
    )
