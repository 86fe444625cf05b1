"""What the -v fallback costs: cyclictest tells every sample, and a program of ours adds them up."""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.latency.processes import cpu_seconds, resident
from benchmarks.latency.runs import plain, watched
from kubert_tui.latency.launch import program
from kubert_tui.latency.measurement import MeasurementOrder

THREADS = 80
PASS = 0.01
"""Seconds between two times cyclictest tells what is new."""


def _blocks(threads: int, each: int, count: int = 50) -> list[bytes]:
    """What `threads` tell in one pass, `each` so many samples."""
    chance = random.Random(1)
    return [
        b"".join(
            b"%8d:%8d:%8d\n" % (thread, block * each + at, min(300, int(chance.expovariate(0.05))))
            for thread in range(threads)
            for at in range(each)
        )
        for block in range(count)
    ]


def synthetic(seconds: float, interval: int = 200) -> tuple[float, int, float]:
    """Share of a core, memory in bytes and lines a second of the program, for 80 threads."""
    each = int(PASS * 1e6 / interval)
    blocks = _blocks(THREADS, each)
    with tempfile.TemporaryDirectory() as name:
        run, memory = Path(name), tempfile.mkdtemp(prefix="kubert-bench-", dir="/dev/shm")
        (run / "live").symlink_to(memory)
        os.mkfifo(run / "told")
        order = {"cpus": list(range(THREADS)), "histogram": 250, "housekeeping": []}
        (run / "order.json").write_text(json.dumps(order))
        (run / "process").write_text(f"{os.getpid()} 1 1.0 boot\n")
        (run / "stream.pyz").write_bytes(program("streamer"))
        with (run / "told").open("r+b", buffering=0) as pipe:
            process = subprocess.Popen([sys.executable, "-I", "stream.pyz"], cwd=run)
            began = time.monotonic()
            sent = 0
            while (now := time.monotonic()) < began + seconds:
                # As much as is due; what cannot be taken in holds us up, as it does cyclictest.
                while sent * PASS < now - began:
                    pipe.write(blocks[sent % len(blocks)])
                    sent += 1
                time.sleep(PASS)
            passed = time.monotonic() - began
            share = cpu_seconds(process.pid) / passed
            used = resident(process.pid)
        process.wait()
    return share, used, sent * each * THREADS / passed


def rows(seconds: float, ordered: MeasurementOrder) -> list[str]:
    """The table; `ordered` is a measurement of 2 threads at 200 us."""
    verbose = replace(
        ordered,
        identity=f"{ordered.identity}-verbose",
        command=(*ordered.command, "--verbose"),
        stream="verbose",
    )
    bare, few = plain(ordered), watched(verbose)
    share, used, rate = synthetic(seconds)
    return [
        "| | 2 threads, 200 us | 80 threads, 200 us (synthetic) |",
        "|---|---|---|",
        f"| adding up, share of a core | {few.recorder:.2%} | {share:.2%} |",
        f"| sampler, share of a core | {few.sampler:.2%} | |",
        f"| cyclictest's CPU time / the plain run's | {few.cyclictest / bare.cyclictest:.3f} | |",
        f"| memory | {few.memory / 2**20:.0f} MiB (both) | {used / 2**20:.0f} MiB |",
        f"| stream | {few.bytes_per_second / 1000:.1f} kB/s | |",
        f"| lines a second | | {rate:.0f} |",
        f"| exact | {'yes' if few.exact else 'NO'} | |",
    ]


if __name__ == "__main__":
    from benchmarks.latency.__main__ import order

    print("\n".join(rows(20.0, order(20.0, 200))))
