"""Keeps a running cyclictest's histogram on the host itself. Runs there, beside `run.sh`.

In the directory of the run (the working directory) it reads `order.json` and `process`, and every
ten seconds it writes, so that neither a lost host nor a lost connection takes the past along:

  last   one sample line as `sampler.py` writes them: the whole histogram, replaced each time
  past   a line for each stretch of time, over all CPUs:
         {"after": 10.0, "until": 20.0, "counts": [gap, added, ...], "overflows": 0,
          "worst": [[us, cpu], ...]}
  policy how the measuring threads are scheduled, written once: `fifo 90`

`past` never grows without bound: when it is long, neighbouring stretches are added up. Whoever
kills this program loses nothing: started again, it goes on from `last`.
"""

import array
import contextlib
import json
import os
import select
import sys
import time
from operator import sub
from pathlib import Path

from kubert_tui.latency.sampler import (
    CLOCK_BOOTTIME,
    GONE,
    LARGEST_SHARE,
    BlindError,
    Figures,
    GoneError,
    Process,
    Thread,
    search,
)

PERIOD = 10.0  # seconds
STRETCHES = 1440  # lines of `past`, at most
ENTRIES = 200_000  # buckets in all lines of `past`, at most
POLICIES = {0: "other", 1: "fifo", 2: "rr", 3: "batch", 5: "idle", 6: "deadline"}
RESET_ON_FORK = 0x40000000
WORST = 5  # samples of a stretch that are remembered one by one


class Stretch:
    """What all CPUs saw between two moments."""

    def __init__(self, after: float, until: float) -> None:
        self.after = after
        self.until = until
        self.counts: dict[int, int] = {}
        self.overflows = 0
        self.worst: list[tuple[int, int]] = []

    def add(self, other: "Stretch") -> None:
        """Take in the stretch that follows."""
        self.until = other.until
        for us, count in other.counts.items():
            self.counts[us] = self.counts.get(us, 0) + count
        self.overflows += other.overflows
        self.worst = sorted(self.worst + other.worst, reverse=True)[:WORST]

    def line(self) -> str:
        """As it is written."""
        told = {
            "after": self.after,
            "until": self.until,
            "counts": gaps(sorted(self.counts.items())),
            "overflows": self.overflows,
            "worst": self.worst,
        }
        return json.dumps(told, separators=(",", ":")) + "\n"


def gaps(buckets: "list[tuple[int, int]]") -> "list[int]":
    """Encode buckets: so many are skipped, the next one has so much, ..."""
    told = []
    position = -1
    for us, count in buckets:
        told += [us - position - 1, count]
        position = us
    return told


def ungapped(told: "list[int]") -> "dict[int, int]":
    """Decode what `gaps` encoded."""
    counts = {}
    position = -1
    for gap, count in zip(told[::2], told[1::2]):  # noqa: B905 -- Python 3.6
        position += gap + 1
        counts[position] = count
    return counts


class Past:
    """The file `past`."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "past"
        self.stretches = self._read()
        self.whole = False
        """The file holds just what is in memory."""

    def _read(self) -> "list[Stretch]":
        found: list[Stretch] = []
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, IndexError):
            for line in self.path.read_text().splitlines():
                # One that was torn by a kill ends the reading; `last` is older than it.
                told = json.loads(line)
                stretch = Stretch(told["after"], told["until"])
                stretch.counts = ungapped(told["counts"])
                stretch.overflows = told["overflows"]
                stretch.worst = [(us, cpu) for us, cpu in told["worst"]]
                found.append(stretch)
        return found

    def drop_after(self, moment: float) -> None:
        """Forget what is newer than `last`: it is told again."""
        self.stretches = [one for one in self.stretches if one.until <= moment]

    def add(self, stretch: Stretch) -> None:
        """Write one more."""
        long = len(self.stretches) >= STRETCHES or self._entries() > ENTRIES
        if long and len(self.stretches) > 2:
            # Without the newest: a kill before `last` is written must not cost its neighbour.
            self._halve()
        self.stretches.append(stretch)
        if self.whole:
            with self.path.open("a") as file:
                file.write(stretch.line())
                file.flush()
                os.fsync(file.fileno())
        else:
            replace(self.path, "".join(one.line() for one in self.stretches))
            self.whole = True

    def _entries(self) -> int:
        return sum(len(one.counts) for one in self.stretches)

    def _halve(self) -> None:
        merged = self.stretches[::2]
        for first, second in zip(merged, self.stretches[1::2]):  # noqa: B905 -- Python 3.6
            first.add(second)
        self.stretches = merged
        self.whole = False


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, also if the host loses power."""
    new = path.with_name(path.name + ".new")
    with new.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


class Recorder:
    """Adds up what happened since the state in `last`."""

    def __init__(self, directory: Path, process: Process, cpus: "list[int]", buckets: int) -> None:
        self.directory = directory
        self.process = process
        self.cpus = cpus
        self.elapsed = 0.0
        self.known = [array.array("Q", bytes(8 * buckets)) for _ in cpus]
        self.overflows = [0] * len(cpus)
        self.highest = [0] * len(cpus)
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, IndexError):
            self._restore(json.loads((directory / "last").read_text()))
        self.past = Past(directory)
        self.past.drop_after(self.elapsed)

    def _restore(self, told: "dict[str, object]") -> None:
        threads = told["threads"]
        if not isinstance(threads, list) or len(threads) != len(self.cpus):
            return
        for index, (_, _, high, _, overflows, changes) in enumerate(threads):
            for us, count in ungapped(changes).items():
                self.known[index][us] = count
            self.overflows[index] = overflows
            self.highest[index] = high
        self.elapsed = float(str(told["elapsed"]))

    def record(self, figures: "list[Figures]", elapsed: float) -> None:
        """Write the state, and what is new in it."""
        stretch = Stretch(self.elapsed, elapsed)
        for index, now in enumerate(figures):
            self._add(stretch, index, now)
        stretch.worst = sorted(stretch.worst, reverse=True)[:WORST]
        try:
            self.past.add(stretch)
            replace(self.directory / "last", self._line(figures, elapsed))
        except OSError:
            # A full disk: all is kept in memory, and written when there is room again.
            self.past.whole = False
        self.elapsed = elapsed

    def _add(self, stretch: Stretch, index: int, now: Figures) -> None:
        top = -1
        for us, new in enumerate(map(sub, now.counts, self.known[index])):
            if new > 0:
                stretch.counts[us] = stretch.counts.get(us, 0) + new
                top = us
        beyond = now.overflows - self.overflows[index]
        if beyond > 0:
            stretch.overflows += beyond
            grew = now.high > self.highest[index]
            top = now.high if grew else len(now.counts)
        if top >= 0:
            stretch.worst.append((top, self.cpus[index]))
        self.known[index] = now.counts
        self.overflows[index], self.highest[index] = now.overflows, now.high

    @staticmethod
    def _line(figures: "list[Figures]", elapsed: float) -> str:
        threads = []
        for one in figures:
            counts = gaps([(us, count) for us, count in enumerate(one.counts) if count])
            threads.append([one.cycles, one.low, one.high, one.total, one.overflows, counts])
        told = {
            "type": "sample",
            "seq": 1,
            "elapsed": elapsed,
            "load": os.getloadavg(),
            "threads": threads,
        }
        return json.dumps(told, separators=(",", ":")) + "\n"


def policies(process: Process) -> str:
    """How the measuring threads are scheduled: policy and priority; several if they differ."""
    found = set()
    for tid in process.measuring():
        with contextlib.suppress(OSError):
            policy = os.sched_getscheduler(tid) & ~RESET_ON_FORK
            priority = os.sched_getparam(tid).sched_priority
            found.add(f"{POLICIES.get(policy, policy)} {priority}")
    return ", ".join(sorted(found))


def sleep(process: Process, seconds: float) -> None:
    """Sleep, but not beyond the end of cyclictest."""
    try:
        waiter = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        deadline = time.monotonic() + seconds
        while process.alive() and time.monotonic() < deadline:
            time.sleep(1)
        return
    try:
        select.select([waiter], [], [], seconds)
    finally:
        os.close(waiter)


def follow(directory: Path) -> None:
    """Record until cyclictest ends."""
    order = json.loads((directory / "order.json").read_text())
    pid, ticks = (directory / "process").read_text().split()[:2]
    cpus, buckets = order["cpus"], order["histogram"]
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, set(order["housekeeping"]))
    process = Process(int(pid), int(ticks))
    threads: list[Thread] = search(process, buckets, len(cpus))
    if len(threads) != len(cpus):
        raise BlindError("it does not measure what was ordered")
    with contextlib.suppress(OSError):
        replace(directory / "policy", policies(process))
    recorder = Recorder(directory, process, cpus, buckets)
    started = process.start_ticks / os.sysconf("SC_CLK_TCK")
    while process.alive():
        began = time.process_time()
        for thread in threads:
            thread.update()
        elapsed = round(time.clock_gettime(CLOCK_BOOTTIME) - started, 3)
        recorder.record([thread.last for thread in threads], elapsed)
        sleep(process, max(PERIOD, (time.process_time() - began) / LARGEST_SHARE))


def main() -> int:
    """Run; returns the exit status."""
    os.nice(19)
    with contextlib.suppress(BlindError, GoneError, *GONE):
        follow(Path.cwd())
    return 0


if __name__ == "__main__":
    sys.exit(main())
