"""Adds up what `cyclictest --verbose` tells: every sample as a line. Runs on the host.

A line is `%8d:%8lu:%8ld`: thread, cycle, latency in us (from 1.0 to 2.10 the same). The cycle is
not used: it stands still while samples take 0 us. All other lines are handed on as they are.
"""

import array
import re
import sys
from collections import Counter
from operator import mul

from kubert_tui.latency.sampler import Figures

SAMPLE = re.compile(rb" *([0-9]+): *[0-9]+: *([0-9]+)")
PIECE = re.compile(rb"[ 0-9]*:[ 0-9:-]*| *-?[0-9]+")
"""What may be left of such a line whose beginning was lost; no line of the final output is."""
HISTOGRAM = b"# Histogram\n"
"""Begins the final output. No samples come after it."""
LARGEST = 2**53
WIDEST = 100  # bytes of a line
PIECE_LINES = 4096
KNOWN = 100_000  # keys whose meaning is remembered


class Tally:
    """What one thread has measured."""

    def __init__(self, buckets: int) -> None:
        self.buckets = buckets
        self.counts: dict[int, int] = {}
        self.overflows = 0
        # Of the overflows: the sum, the least and the most, in us.
        self.beyond = self.lowest = self.highest = 0

    def add(self, latency: int, times: int) -> None:
        """Add so many samples of a latency in us."""
        if latency < self.buckets:
            self.counts[latency] = self.counts.get(latency, 0) + times
            return
        self.lowest = min(self.lowest, latency) if self.overflows else latency
        self.highest = max(self.highest, latency)
        self.beyond += latency * times
        self.overflows += times

    def figures(self) -> "tuple[int, int, int, int, int]":
        """Cycles, minimum, maximum, sum, overflows: as a sample line has them."""
        counts = self.counts
        low = min(counts) if counts else self.lowest
        high = self.highest if self.overflows else max(counts) if counts else 0
        total = min(sum(map(mul, counts.keys(), counts.values())) + self.beyond, LARGEST)
        return sum(counts.values()) + self.overflows, low, high, total, self.overflows

    def restore(self, low: int, high: int, total: int, overflows: int) -> None:
        """Go on from what `figures` gave; `counts` are there again."""
        self.overflows = overflows
        self.lowest, self.highest = (low, high) if overflows else (0, 0)
        self.beyond = total - sum(map(mul, self.counts.keys(), self.counts.values()))

    def read(self) -> Figures:
        """All of it, as the sampler reads it."""
        counts = array.array("Q", bytes(8 * self.buckets))
        for latency, count in self.counts.items():
            counts[latency] = count
        return Figures(*self.figures(), counts)


class Tallies:
    """What all threads have measured."""

    def __init__(self, threads: int, buckets: int) -> None:
        self.threads = [Tally(buckets) for _ in range(threads)]
        self.final = False
        """The final output has begun."""
        self._nobody = Tally(buckets)
        self._known: dict[int, tuple[Tally, int]] = {}

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
            if latency < LARGEST:
                self._tally(thread).add(latency, times)
        return b"".join(others)

    def _in_bulk(self, data: bytes) -> bool:
        """Add up lines if all are of one width, without a look at each of them.

        Digits that stand below one another are taken together: three of the thread, five of the
        latency, as one number a line. Those are counted.
        """
        width = data.find(b"\n") + 1
        first = data.find(b":")
        second = data.find(b":", first + 1)
        if not 4 <= first < second < width - 7 or len(data) % width or width > WIDEST:
            return False
        samples: Counter[int] = Counter()
        digits = (*range(first - 3, first), *range(width - 6, width - 1))
        # Left of the digits that are taken there is nothing.
        blank = ((first - 4, b" "), (width - 7, b" "))
        fixed = (*blank, (first, b":"), (second, b":"), (width - 1, b"\n"))
        for begin in range(0, len(data), PIECE_LINES * width):
            piece = data[begin : begin + PIECE_LINES * width]
            lines = len(piece) // width
            if any(piece[at::width] != mark * lines for at, mark in fixed):
                return False
            together = bytearray(8 * lines)
            for place, at in enumerate(digits):
                together[place::8] = piece[at::width]
            keys = array.array("Q")
            keys.frombytes(bytes(together))
            samples.update(keys)
        known = self._known
        if not all(map(self._learn, samples.keys() - known.keys())):
            return False
        for key, times in samples.items():
            tally, latency = known[key]
            tally.add(latency, times)
        return True

    def _learn(self, key: int) -> bool:
        digits = key.to_bytes(8, sys.byteorder)
        thread, latency = digits[:3].lstrip(), digits[3:].lstrip()
        if len(self._known) >= KNOWN or not thread.isdigit() or not latency.isdigit():
            return False
        self._known[key] = self._tally(int(thread)), int(latency)
        return True

    def _tally(self, thread: int) -> Tally:
        # What cannot be is not counted: at the end it shows as samples that were not seen.
        return self.threads[thread] if thread < len(self.threads) else self._nobody
