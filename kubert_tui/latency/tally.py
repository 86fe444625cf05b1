"""Adds up what `cyclictest --verbose` tells: every sample as a line. Runs on the host.

A line is `%8d:%8lu:%8ld`: thread, cycle, latency in us (from 1.0 to 2.10 the same). The cycle is
not used: it stands still while samples take 0 us. All other lines are handed on as they are.
"""

import array
import re
import sys
from collections import Counter

from kubert_tui.latency.sampler import Figures

SAMPLE = re.compile(rb" *([0-9]+): *[0-9]+: *([0-9]+)")
PIECE = re.compile(rb"[ 0-9]*:[ 0-9:-]*| *-?[0-9]+")
"""What may be left of such a line whose beginning was lost; no line of the final output is."""
HISTOGRAM = b"# Histogram\n"
"""Begins the final output. No samples come after it."""
LARGEST = 2**53
WIDEST = 100  # bytes of a line
KNOWN = 100_000  # keys whose meaning is remembered


class Tally:
    """What one thread has measured."""

    def __init__(self, buckets: int) -> None:
        self.buckets = buckets
        self.counts: dict[int, int] = {}
        self.overflows = 0
        self.cycles = 0
        self.low = 0
        self.high = 0
        self.total = 0

    def add(self, latency: int, times: int) -> None:
        """Add so many samples of a latency in us."""
        if not self.cycles or latency < self.low:
            self.low = latency
        self.high = max(self.high, latency)
        self.cycles += times
        self.total = min(self.total + latency * times, LARGEST)
        if latency < self.buckets:
            self.counts[latency] = self.counts.get(latency, 0) + times
        else:
            self.overflows += times

    def figures(self) -> Figures:
        """The same as the sampler reads it."""
        counts = array.array("Q", bytes(8 * self.buckets))
        for latency, count in self.counts.items():
            counts[latency] = count
        return Figures(self.cycles, self.low, self.high, self.total, self.overflows, counts)


class Tallies:
    """What all threads have measured."""

    def __init__(self, threads: int, buckets: int) -> None:
        self.threads = [Tally(buckets) for _ in range(threads)]
        self.final = False
        """The final output has begun."""
        self._known: dict[int, tuple[int, int]] = {}

    def feed(self, data: bytes) -> bytes:
        """Add up the samples in whole lines; return all other lines."""
        if self.final:
            return data
        if not data or self._in_bulk(data):
            return b""
        end = data.find(b"\n" + HISTOGRAM) + 1
        if not end and not data.startswith(HISTOGRAM):
            return self._line_by_line(data)
        self.final = True
        return self._line_by_line(data[:end]) + data[end:]

    def _line_by_line(self, data: bytes) -> bytes:
        others = []
        samples: Counter[tuple[int, int]] = Counter()
        for line in data.splitlines(True):
            text = line.rstrip(b"\r\n")
            sample = SAMPLE.fullmatch(text) if len(text) < WIDEST else None
            if sample:
                samples[int(sample.group(1)), int(sample.group(2))] += 1
            elif not PIECE.fullmatch(text):
                others.append(line)
        for (thread, latency), times in samples.items():
            self._add(thread, latency, times)
        return b"".join(others)

    def _in_bulk(self, data: bytes) -> bool:
        """Add up lines if all are of one width, without a look at each of them.

        Digits that stand below one another are taken together: three of the thread, five of the
        latency, as one number a line. Those are counted.
        """
        width = data.find(b"\n") + 1
        first = data.find(b":")
        second = data.find(b":", first + 1)
        if not 3 <= first < second < width - 6 or len(data) % width or width > WIDEST:
            return False
        lines = len(data) // width
        blank = [*range(first - 3), *range(second + 1, width - 6)]
        if (
            data[width - 1 :: width] != b"\n" * lines
            or data[first::width] != b":" * lines
            or data[second::width] != b":" * lines
            or any(data[at::width] != b" " * lines for at in blank)
        ):
            return False
        digits = bytearray(8 * lines)
        for place, at in enumerate([*range(first - 3, first), *range(width - 6, width - 1)]):
            digits[place::8] = data[at::width]
        keys = array.array("Q")
        keys.frombytes(bytes(digits))
        samples = Counter(keys)
        if not all(map(self._understood, samples)):
            return False
        for key, times in samples.items():
            self._add(*self._known[key], times)
        return True

    def _understood(self, key: int) -> bool:
        if key not in self._known:
            if len(self._known) >= KNOWN:
                return False
            digits = key.to_bytes(8, sys.byteorder)
            thread, latency = digits[:3].lstrip(), digits[3:].lstrip()
            if not thread.isdigit() or not latency.isdigit():
                return False
            self._known[key] = int(thread), int(latency)
        return True

    def _add(self, thread: int, latency: int, times: int) -> None:
        # What cannot be is not counted: at the end it shows as samples that were not seen.
        if thread < len(self.threads) and latency < LARGEST:
            self.threads[thread].add(latency, times)
