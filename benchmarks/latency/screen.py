"""What the screen costs the machine one sits at: frames, and memory over a long run."""

import json
import os
import pty
import struct
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

from benchmarks.latency.source import CYCLES

FRAMES_PER_SECOND = 12
STREAMED = 4
SIZES = ((80, 24), (160, 48))
LONG = 28_800
"""Snapshots of a measurement of two hours at 4 Hz: 36 000 000 loops of 200 us."""


@dataclass(frozen=True)
class Shown:
    """What showing a pretended measurement took."""

    cpu: float
    """Seconds of CPU time, from reading the stream to the terminal."""
    seconds: float
    frames: int
    memory: list[int]
    """Bytes, read several times in the run's course."""


def shown(cpus: int, buckets: int, size: tuple[int, int], rate: float, snapshots: int) -> Shown:
    """Watch it in a terminal of its own."""
    ours, theirs = pty.openpty()
    columns, rows = size
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        argv = [sys.executable, "-m", "benchmarks.latency.app", str(report)]
        argv += [str(cpus), str(buckets), str(rate), str(snapshots)]
        environment = {**os.environ, "TERM": "xterm-256color", "HOME": directory}
        process = subprocess.Popen(
            argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        threading.Thread(target=_drain, args=(ours,), daemon=True).start()
        process.wait()
        told = json.loads(report.read_text())
    return Shown(told["cpu"], told["seconds"], told["frames"], told["memory"])


def _drain(terminal: int) -> None:
    """Read what is drawn until nobody draws any more."""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass
    os.close(terminal)


def frames(seconds: float) -> list[str]:
    """The cost of a frame, and of watching for a second, line by line."""
    lines = [
        f"| terminal | CPUs | CPU time a frame | at {FRAMES_PER_SECOND} Hz | at {STREAMED} Hz |",
        "|---|---|---|---|---|",
    ]
    for size in SIZES:
        for cpus in (2, 80):
            fast, real = (
                shown(cpus, 250, size, rate, int(seconds * rate))
                for rate in (FRAMES_PER_SECOND, STREAMED)
            )
            frame = fast.cpu / max(fast.frames, 1)
            lines.append(
                f"| {size[0]}x{size[1]} | {cpus} | {frame * 1000:.1f} ms "
                f"| {frame * FRAMES_PER_SECOND:.1%} of a core | {real.cpu / real.seconds:.1%} |"
            )
    return lines


def memory(snapshots: int) -> list[str]:
    """Memory over a long run of 80 CPUs, line by line."""
    told = shown(80, 250, (160, 48), 0, snapshots).memory
    reads = ", ".join(f"{one / 2**20:.0f}" for one in told)
    loops, taken = (f"{one:,}".replace(",", " ") for one in (snapshots * CYCLES, snapshots))
    return [
        f"Memory of the monitor over {loops} loops of 80 CPUs ({taken} snapshots, as fast as they",
        f"are taken), at 10, 40, 70 and 100 %: {reads} MiB.",
    ]
