"""Reads a running cyclictest's histogram from outside. Runs on the host, by itself.

Usage: python3 sampler.py PID START_TICKS BOOT_ID BUCKETS THREADS [HOUSEKEEPING_CPU,CPU,...]

Needs nothing but Python 3.6 and the right to read /proc/PID/mem (root, or CAP_SYS_PTRACE).
It does not touch cyclictest: it can be killed, stalled or started again. Writes JSON lines:

  {"type": "threads", "layout": "array", "cpus": ["0", "1"]}         once, when all are found
  {"type": "sample", "seq": 1, "elapsed": 1.5, "load": [a, b, c],
   "threads": [[cycles, min, max, sum, overflows, [gap, added, gap, added, ...]], ...]}
  {"type": "counters", "text": "..."}       what the hardware counts, as counters.sh prints it
  {"type": "blind", "reason": "..."}        cannot read; it then only waits for the end
  {"type": "end"}                           cyclictest is gone; always the last line

The list holds the buckets that grew since the last sample (at first since zero): `gap` others
are skipped, the next one grew by `added`.

cyclictest's `struct thread_stat` (LP64; from its sources):
  1.0-2.6: cycles 0, min 16, max 24, avg (double, a sum) 40, hist_array* 64, pthread 80,
           threadstarted 88, tid 92, hist_overflow 120
  2.7-...: the same to 40, histogram* 64, pthread 72, threadstarted 80, tid 84; the histogram:
           buckets* 0, width 8, num 16, events 24, oflow_count 48
"""

import array
import contextlib
import json
import os
import struct
import sys
import time
from operator import sub
from pathlib import Path
from typing import NamedTuple

PERIOD = 0.25  # seconds
LARGEST_SHARE = 0.03  # of one CPU, for us
LOOK = 5.0  # seconds between two looks at what the hardware counts
SMI_COUNT = 0x34  # the MSR
CLOCK_BOOTTIME = 7
ATTEMPTS = 50  # reads of one thread until a consistent state is given up
CHUNK = 1 << 20


class GoneError(Exception):
    """cyclictest has ended (or its memory is being taken down)."""


class BlindError(Exception):
    """Its histogram cannot be read; says why."""


GONE = (GoneError, FileNotFoundError, ProcessLookupError)


class Process:
    """One process, told from a later one with the same number by its start time."""

    def __init__(self, pid: int, start_ticks: int) -> None:
        self.pid = pid
        self.start_ticks = start_ticks
        self.directory = Path("/proc", str(pid))
        self.memory = -1

    def text(self, name: str) -> str:
        """One of its files in /proc; raises one of GONE."""
        return (self.directory / name).read_text(errors="replace")

    def alive(self) -> bool:
        """Whether it still runs (a zombie does not)."""
        try:
            stat = self.text("stat")
        except GONE:
            return False
        fields = stat[stat.rindex(")") + 2 :].split()
        return fields[0] not in "ZX" and int(fields[19]) == self.start_ticks

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes of its memory; raises GoneError when they are not there."""
        try:
            data = os.pread(self.memory, size, address)
        except (OSError, OverflowError) as error:
            raise GoneError from error
        if len(data) != size:
            raise GoneError
        return data

    def open_memory(self) -> None:
        """Get access, or raise BlindError."""
        try:
            self.memory = os.open(str(self.directory / "mem"), os.O_RDONLY)
        except PermissionError as error:
            why = f"reading cyclictest's memory is not permitted ({error.strerror})"
            raise BlindError(why) from error

    def measuring(self) -> "list[int]":
        """The ids of its measuring threads, in the order they were created."""
        tasks = [int(task.name) for task in (self.directory / "task").iterdir()]
        return [task for task in tasks if task != self.pid]

    def cpus_of(self, tid: int) -> str:
        """The CPUs a thread may run on, as a list such as `2` or `0-3`."""
        status = self.text(f"task/{tid}/status")
        return status.partition("Cpus_allowed_list:")[2].partition("\n")[0].strip()

    def writable_maps(self) -> "list[tuple[int, int]]":
        """Its writable memory, the likely places first: the heap, then small before large."""
        maps = []
        for line in self.text("maps").splitlines():
            fields = line.split(None, 5)
            if fields[1].startswith("rw"):
                start, end = (int(part, 16) for part in fields[0].split("-"))
                heap = len(fields) > 5 and fields[5].strip() == "[heap]"
                maps.append((not heap, end - start, start, end))
        return [(start, end) for _, _, start, end in sorted(maps)]


class Figures(NamedTuple):
    """What one thread has measured, at one moment."""

    cycles: int
    low: int
    high: int
    total: int
    overflows: int
    counts: "array.array[int]"

    def consistent(self) -> bool:
        """Whether all of it belongs to the same moment."""
        if sum(self.counts) + self.overflows != self.cycles:
            return False
        if not self.cycles:
            return True
        # cyclictest sets minimum and maximum a moment before it counts the sample.
        return self._counted(self.low) and self._counted(self.high)

    def _counted(self, latency: int) -> bool:
        if 0 <= latency < len(self.counts):
            return self.counts[latency] > 0
        return latency > 0 and self.overflows > 0


class Thread:
    """A measuring thread and where its figures lie."""

    def __init__(self, process: Process, tid: int, base: int, is_array: bool, buckets: int) -> None:
        self.process = process
        self.tid = tid
        self.base = base
        self.is_array = is_array
        self.buckets = buckets
        self.last = Figures(0, 0, 0, 0, 0, array.array("Q", bytes(8 * buckets)))

    def read(self) -> Figures:
        """The figures as they lie there now, perhaps torn."""
        stat = self.process.read(self.base, 128)
        cycles, low, high = struct.unpack_from("=Q8xqq", stat)
        total = struct.unpack_from("=d", stat, 40)[0]
        pointer, overflows = struct.unpack_from("=Q48xQ", stat, 64)
        if not self.is_array:
            head = struct.unpack("=7Q", self.process.read(pointer, 56))
            pointer, width, number, _, _, _, overflows = head
            if width != 1 or number != self.buckets:
                raise GoneError("another histogram")
        counts = array.array("Q", self.process.read(pointer, 8 * self.buckets))
        whole = int(total) if 0 <= total < 2.0**63 else 0
        return Figures(cycles, low, high, whole, overflows, counts)

    def update(self) -> "list[object]":
        """Encode what was added since the last time; nothing if no consistent state is had."""
        for _ in range(ATTEMPTS):
            now = self.read()
            if now.consistent() and now.cycles >= self.last.cycles:
                break
        else:
            now = self.last
        changes = []
        position = -1
        for index, added in enumerate(map(sub, now.counts, self.last.counts)):
            if added < 0:
                raise GoneError("a count fell")
            if added:
                changes += [index - position - 1, added]
                position = index
        self.last = now
        return [now.cycles, now.low, now.high, now.total, now.overflows, changes]


def find_threads(process: Process, buckets: int) -> "tuple[list[Thread], str]":
    """Find the figures of all measuring threads; returns what is still missing, in words."""
    tids = process.measuring()
    missing = {struct.pack("=ii", 2, tid): tid for tid in tids}
    found = {}
    for start, end in process.writable_maps():
        position = start
        while missing and position < end:
            try:
                # Chunks overlap, so that a pattern on their border is not missed.
                data = process.read(position, min(CHUNK + 8, end - position))
            except GoneError:
                break
            for pattern in list(missing):
                thread = match(process, data, position, pattern, buckets)
                if thread:
                    found[missing.pop(pattern)] = thread
            position += CHUNK
    if not tids or missing:
        why = f"{len(missing)} of {len(tids)} measuring threads are not found in its memory"
        return [], f"{why}: not a cyclictest we know, or it has not begun to measure"
    return [found[tid] for tid in tids], ""


def match(
    process: Process, data: bytes, start: int, pattern: bytes, buckets: int
) -> "Thread | None":
    """The thread whose `threadstarted, tid` is `pattern`, if its figures check out."""
    _, tid = struct.unpack("=ii", pattern)
    at = data.find(pattern)
    while at >= 0:
        for offset, is_array in ((88, True), (80, False)):
            thread = Thread(process, tid, start + at - offset, is_array, buckets)
            for _ in range(ATTEMPTS):
                try:
                    figures = thread.read()
                except GoneError:
                    break
                if figures.cycles and figures.consistent():
                    return thread
        at = data.find(pattern, at + 1)
    return None


def write(**line: object) -> None:
    """Write one line, at once."""
    print(json.dumps(line, separators=(",", ":")), flush=True)  # noqa: T201 -- its output


def rest(began: float) -> None:
    """Sleep until the next sample; longer if the last one (CPU time from `began`) was dear."""
    time.sleep(max(PERIOD, (time.process_time() - began) / LARGEST_SHARE))


def search(process: Process, buckets: int, expected: int) -> "list[Thread]":
    """Wait until all `expected` threads have measured something and are found.

    While cyclictest begins it has fewer. After a while those that are there are returned (the
    caller sees that some are missing), or BlindError is raised if not all of them are found.
    """
    deadline = time.monotonic() + 10
    process.open_memory()
    while True:
        began = time.process_time()
        if not process.alive():
            raise GoneError
        threads, why = find_threads(process, buckets)
        late = time.monotonic() > deadline
        if threads and (late or len(threads) == expected):
            return threads
        if late:
            raise BlindError(why)
        rest(began)


class Memory:
    """The figures as they lie in cyclictest's memory."""

    def __init__(self, process: Process, buckets: int, expected: int) -> None:
        """Wait until they are found; raises what `search` raises."""
        self.threads = search(process, buckets, expected)
        # Not of those that are there now: found as cyclictest ends, it is gone, not on fewer CPUs.
        self.cpus = [process.cpus_of(thread.tid) for thread in self.threads]
        self.layout = "array" if self.threads[0].is_array else "struct"
        self.started = process.start_ticks / os.sysconf("SC_CLK_TCK")

    def take(self) -> "tuple[float, list[list[object]]] | None":
        """Seconds since the start, and what each thread has added; None if nothing is new."""
        figures = [thread.update() for thread in self.threads]
        return round(time.clock_gettime(CLOCK_BOOTTIME) - self.started, 3), figures


def counted(devices: Path = Path("/dev/cpu"), cpus: Path = Path("/sys/devices/system/cpu")) -> str:
    """What firmware and hardware have counted so far, as counters.sh prints it.

    SMIs stop all CPUs at once, so one CPU's count is enough: ours, for to read another one's
    MSR the kernel interrupts it.
    """
    stat = Path("/proc/self/stat").read_text()
    ours = stat[stat.rindex(")") + 2 :].split()[36]
    try:
        msr = os.open(str(devices / ours / "msr"), os.O_RDONLY)
        try:
            lines = [f"smi {ours} {int.from_bytes(os.pread(msr, 8, SMI_COUNT), 'little')}"]
        finally:
            os.close(msr)
    except OSError as error:
        lines = [f"smi unknown MSR 0x34 cannot be read ({error.strerror})"]
    for count in cpus.glob("cpu[0-9]*/thermal_throttle/core_throttle_count"):
        with contextlib.suppress(OSError):
            lines.append(f"throttle {count.parts[-3][3:]} {count.read_text().strip()}")
    return "\n".join(lines)


def follow(process: Process, source: "Memory") -> None:
    """Write samples until cyclictest ends."""
    write(type="threads", layout=source.layout, cpus=source.cpus)
    sequence = 0
    look = time.monotonic()
    while process.alive():
        began = time.process_time()
        if sequence and time.monotonic() >= look:
            look = time.monotonic() + LOOK
            write(type="counters", text=counted())
        taken = source.take()
        if taken is None:
            write(type="waiting")
        else:
            sequence += 1
            elapsed, figures = taken
            load = os.getloadavg()
            write(type="sample", seq=sequence, elapsed=elapsed, load=load, threads=figures)
        rest(began)


def main(arguments: "list[str]", source: "type[Memory]" = Memory) -> int:
    """Run; returns the exit status."""
    pid, start_ticks, boot_id, buckets, expected = arguments[:5]
    os.nice(19)
    # Without housekeeping CPUs, or where choosing is not allowed, the scheduler chooses.
    with contextlib.suppress(OSError, IndexError, ValueError):
        os.sched_setaffinity(0, {int(cpu) for cpu in arguments[5].split(",")})
    process = Process(int(pid), int(start_ticks))
    if Path("/proc/sys/kernel/random/boot_id").read_text().strip() != boot_id:
        process.start_ticks = -1
    try:
        try:
            follow(process, source(process, int(buckets), int(expected)))
        except BlindError as blind:
            write(type="blind", reason=str(blind))
        except GONE:
            pass
        while process.alive():
            # Written to notice that nobody listens any more.
            write(type="waiting")
            time.sleep(0.5)
        write(type="end")
    except BrokenPipeError:
        # Nothing is left to flush when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
