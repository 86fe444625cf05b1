"""Adds up what a cyclictest with `--verbose` tells, where its memory cannot be read.

Runs on the host, beside `run.sh`, instead of the recorder. In the directory of the run (the working
directory) it reads `order.json`, `process` and the pipe `told`, into which cyclictest writes. What
is no sample goes into `stdout`. It writes what the recorder writes (`past`, `last`), and four times
a second into memory (`live`, a link to a directory in a tmpfs):

  last    one sample line as `sampler.py` writes them, of all since the start; `rest` (a line's
          beginning), `final` (the final output has begun) and `output` (bytes of `stdout`) besides
  chunk   what has been read from the pipe since that line: eight bytes of its `seq`, then the text

So whoever kills this program loses nothing: started again, it goes on from `last` and `chunk`.
"""

import contextlib
import fcntl
import json
import mmap
import os
import shutil
import sys
import time
from pathlib import Path

from kubert_tui.latency.recorder import PERIOD as RECORD_PERIOD
from kubert_tui.latency.recorder import Recorder, gaps, ungapped
from kubert_tui.latency.sampler import CLOCK_BOOTTIME, LARGEST_SHARE, PERIOD, Process
from kubert_tui.latency.tally import Tallies

CHUNK = 4 << 20
PIPE = 1 << 20
LONGEST = 1 << 16  # bytes of a line that may be a sample
OUTPUT = 80 << 20  # bytes of `stdout`; more is no final output
SHORTEST = 0.01  # seconds between two looks into the pipe
F_SETPIPE_SZ, F_GETPIPE_SZ = 1031, 1032
HEAD = 8


class Chunk:
    """Bytes that outlive us, if `path` can be written."""

    def __init__(self, path: Path) -> None:
        self.used = HEAD
        try:
            file = os.open(str(path), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                # Without room, writing into the mapping would be a fatal signal.
                os.posix_fallocate(file, 0, CHUNK)
                self.memory = mmap.mmap(file, CHUNK)
            finally:
                os.close(file)
        except OSError:
            self.memory = mmap.mmap(-1, CHUNK)

    @property
    def number(self) -> int:
        """Of the state that it follows."""
        return int.from_bytes(self.memory[:HEAD], "little")

    def find(self) -> None:
        """Take in what another one of us has read, and was killed before it added it up."""
        self.used = HEAD + len(self.memory[HEAD:].rstrip(b"\0"))

    def begin(self, number: int) -> None:
        """Forget what is there; what comes now follows state `number`."""
        self.memory[HEAD : self.used] = bytes(self.used - HEAD)
        self.memory[:HEAD] = number.to_bytes(HEAD, "little")
        self.used = HEAD

    def data(self) -> bytes:
        """What it holds."""
        return self.memory[HEAD : self.used]


class Pipe:
    """Where cyclictest writes."""

    def __init__(self, path: Path) -> None:
        self.file = os.open(str(path), os.O_RDONLY | os.O_NONBLOCK)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.file, F_SETPIPE_SZ, PIPE)
        self.size = fcntl.fcntl(self.file, F_GETPIPE_SZ)

    def drain(self, chunk: Chunk) -> "tuple[int, bool]":
        """Read what there is room for; returns how much it was, and whether that is all."""
        before = chunk.used
        with memoryview(chunk.memory) as room, contextlib.suppress(BlockingIOError):
            while chunk.used < CHUNK:
                # Right into what outlives us: there is no moment at which only we have it.
                with room[chunk.used :] as rest:
                    got = os.readv(self.file, [rest])
                if not got:
                    return chunk.used - before, True
                chunk.used += got
        return chunk.used - before, False


class State:
    """The sums, and how they are kept."""

    def __init__(self, directory: Path, threads: int, buckets: int) -> None:
        self.live = directory / "live"
        self.output = os.open(str(directory / "stdout"), os.O_WRONLY | os.O_CREAT, 0o600)
        self.tallies = Tallies(threads, buckets)
        self.number = 0
        self.rest = b""
        self.written = 0
        self.dear = 0.0
        """Seconds of CPU time that keeping the sums took."""
        with contextlib.suppress(OSError):
            self.live.resolve().mkdir(mode=0o700)
        kept = self._restore(directory)
        self.chunk = Chunk(self.live / "chunk")
        self.chunk.find()
        if kept and self.chunk.number == self.number and self.chunk.data():
            # Added up once more, so what it gave the output then must go.
            os.ftruncate(self.output, self.written)
        else:
            self.chunk.begin(self.number)
            self.written = os.fstat(self.output).st_size
        os.lseek(self.output, self.written, os.SEEK_SET)

    def _restore(self, directory: Path) -> bool:
        """Go on from where we were; whether the chunk belongs to that."""
        for path in (self.live / "last", directory / "last"):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, IndexError):
                self._take(json.loads(path.read_text()))
                return path.parent == self.live
        return True

    def _take(self, told: "dict[str, object]") -> None:
        threads = told["threads"]
        if not isinstance(threads, list) or len(threads) != len(self.tallies.threads):
            raise ValueError
        for tally, figures in zip(self.tallies.threads, threads):  # noqa: B905 -- Python 3.6
            _, *summed, changes = figures
            tally.counts.update(ungapped(changes))
            tally.restore(*summed)
        self.number = int(str(told["seq"]))
        self.rest = str(told.get("rest", "")).encode("latin-1")
        self.tallies.final = bool(told.get("final"))
        self.written = int(str(told.get("output", 0)))

    def commit(self, elapsed: float, *, ended: bool) -> None:
        """Add up what was read, and keep the sums."""
        data = self.chunk.data()
        if self.rest:
            data = self.rest + data
        end = data.rfind(b"\n") + 1
        if ended or self.tallies.final or len(data) - end > LONGEST:
            end = len(data)
        self._write(self.tallies.feed(data[:end]))
        self.rest = data[end:]
        self.number += 1
        began = time.process_time()
        # A full memory: reading goes on, and a kill costs what came since the last line.
        with contextlib.suppress(OSError):
            new = self.live / "last.new"
            new.write_text(self._line(elapsed))
            new.replace(self.live / "last")
        self.dear = time.process_time() - began
        self.chunk.begin(self.number)

    def _write(self, text: bytes) -> None:
        text = text[: max(0, OUTPUT - self.written)]
        while text:
            try:
                done = os.write(self.output, text)
            except OSError:
                # A full disk: without its end the output is no result, which is seen.
                return
            self.written += done
            text = text[done:]

    def _line(self, elapsed: float) -> str:
        threads = [
            [*one.figures(), gaps(sorted(one.counts.items()))] for one in self.tallies.threads
        ]
        told = {
            "type": "sample",
            "seq": self.number,
            "elapsed": elapsed,
            "load": os.getloadavg(),
            "threads": threads,
            "rest": self.rest.decode("latin-1"),
            "final": self.tallies.final,
            "output": self.written,
        }
        return json.dumps(told, separators=(",", ":")) + "\n"


def lock(directory: Path, *, wait: bool) -> bool:
    """See to it that nobody else adds up as long as we live; False if somebody does."""
    file = os.open(str(directory / "streaming"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def stream(directory: Path) -> None:
    """Add up until cyclictest ends."""
    order = json.loads((directory / "order.json").read_text())
    pid, ticks = (directory / "process").read_text().split()[:2]
    cpus, buckets = order["cpus"], order["histogram"]
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, set(order["housekeeping"]))
    started = int(ticks) / os.sysconf("SC_CLK_TCK")
    state = State(directory, len(cpus), buckets)
    recorder = Recorder(directory, Process(int(pid), int(ticks)), cpus, buckets)
    pipe = Pipe(directory / "told")
    pause, commit, record, ended = SHORTEST, 0.0, 0.0, False
    while not ended:
        got, ended = pipe.drain(state.chunk)
        now = time.clock_gettime(CLOCK_BOOTTIME)
        if ended or now >= commit or state.chunk.used > CHUNK - pipe.size:
            state.commit(round(now - started, 3), ended=ended)
            commit = now + max(PERIOD, state.dear / LARGEST_SHARE)
        if ended or now >= record:
            figures = [one.read() for one in state.tallies.threads]
            recorder.record(figures, round(now - started, 3))
            record = now + RECORD_PERIOD
        if got > pipe.size // 4:
            pause = max(SHORTEST, pause / 2)
        elif got < pipe.size // 16:
            pause = min(PERIOD, pause * 2)
        time.sleep(0 if ended else pause)
    # What is left is in the directory of the run.
    shutil.rmtree(str(state.live.resolve()), ignore_errors=True)


def main() -> int:
    """Run; returns the exit status."""
    os.nice(19)
    # `run.sh` waits for whoever is at work; who was started in case that nobody is ends.
    if lock(Path.cwd(), wait=len(sys.argv) == 1):
        stream(Path.cwd())
    return 0


if __name__ == "__main__":
    sys.exit(main())
