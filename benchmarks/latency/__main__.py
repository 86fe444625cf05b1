"""Prints what watching costs: README's plain command against the same one watched by us, in turns;
our own processes on the host; the screen.

    python -m benchmarks.latency [--rounds 6] [--seconds 20] [--blocks 60] [--snapshots 28800]
        [--write]

The order of runs is one of chance, so that what the machine does meanwhile hits all alike.
`--write` puts the table into docs/latency-benchmark.md.
"""

import argparse
import os
import platform
import shutil
import time
from pathlib import Path
from statistics import median

from benchmarks.latency import effect, fallback, screen
from benchmarks.latency.attaching import attach_times
from benchmarks.latency.runs import watched
from benchmarks.latency.source import bandwidth
from kubert_tui.lab.model import CyclictestSpec
from kubert_tui.latency.command import arguments
from kubert_tui.latency.measurement import MeasurementOrder
from tests.support.latency_runs import version_of

EVERYTHING = tuple(sorted(os.sched_getaffinity(0)))
"""The CPUs there are, before any of them is kept for us."""
DOCUMENT = Path(__file__).parents[2] / "docs" / "latency-benchmark.md"


def order(seconds: float, interval: int, threads: int = 0) -> MeasurementOrder:
    """A measurement on all CPUs; with `threads`, so many of them, on any CPU."""
    binary = shutil.which("cyclictest") or "cyclictest"
    cpus = EVERYTHING
    settings = CyclictestSpec(interval=interval, loops=int(seconds * 1e6 / interval))
    version = version_of(binary)
    command = arguments(settings, version, path=binary, cpus=())
    if threads:
        command = tuple(f"--threads={threads}" if word == "--smp" else word for word in command)
        cpus = tuple(range(threads))
    return MeasurementOrder(
        f"bench-{time.monotonic_ns()}", command, version, interval,
        settings.loops, settings.histogram, cpus,
    )  # fmt: skip


def observer_effect(rounds: int, seconds: float, blocks: int) -> list[str]:
    """Ours against plain, with a CPU of our own and without; line by line."""
    lines = []
    ways = (
        ("A CPU of our own: the first keeps house, the others are measured", effect.kept_apart),
        ("All CPUs measured, so that ours shares them, and what decodes the stream, too", _same),
    )
    for title, way in ways:
        lines += [f"### {title}", ""]
        ours = way(order(seconds, 200)).housekeeping
        # What receives the stream is usually another computer.
        os.sched_setaffinity(0, ours or EVERYTHING)
        try:
            lines += effect.in_turns(lambda way=way: way(order(seconds, 200)), rounds)
            whole = way(order(10 + blocks * 2 * 2.2, 200))
            lines += ["", *effect.coming_and_going(whole, blocks, 2.0), ""]
        finally:
            os.sched_setaffinity(0, EVERYTHING)
    return lines


def _same(what: MeasurementOrder) -> MeasurementOrder:
    return what


def costs(seconds: float) -> list[str]:
    """What our own processes take."""
    lines = [
        "| | 2 threads, 200 us | 80 threads, 10 ms |",
        "|---|---|---|",
    ]
    few, many = watched(order(seconds, 200)), watched(order(seconds, 10_000, 80))
    rows = (
        ("sampler, share of a core", lambda cost: f"{cost.sampler:.2%}"),
        ("recorder, share of a core", lambda cost: f"{cost.recorder:.2%}"),
        ("CPU time of their start", lambda cost: f"{cost.start:.2f} s"),
        ("memory of both", lambda cost: f"{cost.memory / 2**20:.0f} MiB"),
        ("snapshots a second", lambda cost: f"{cost.snapshots / seconds:.1f}"),
        ("stream", lambda cost: f"{cost.bytes_per_second / 1000:.1f} kB/s"),
        ("exact", lambda cost: "yes" if cost.exact else "NO"),
    )
    lines += [f"| {name} | {show(few)} | {show(many)} |" for name, show in rows]
    return lines


def stream(seconds: float) -> list[str]:
    """What goes over the network, and how soon it comes after attaching."""
    lines = ["| 80 CPUs at 4 Hz, each sample | stream |", "|---|---|"]
    for name, spread in (("quiet: 6 buckets of each CPU grow", 6), ("noisy: 60 buckets", 60)):
        lines.append(f"| {name} | {bandwidth(80, spread) / 1000:.0f} kB/s |")
    few = attach_times(order(seconds * 6, 200), 5)
    many = attach_times(order(seconds * 6, 10_000, 80), 5)
    told = ", ".join(
        f"{median(times):.2f} s (at most {max(times):.2f} s) with {threads} threads"
        for threads, times in ((2, few), (80, many))
    )
    return [*lines, "", f"From attaching to the first figures, median of five: {told}."]


def _where(rounds: int, seconds: float, load: float) -> str:
    return (
        f"{time.strftime('%Y-%m-%d')}, Linux {platform.release()}, {os.cpu_count()} CPUs "
        f"(a virtual machine without PREEMPT_RT), load {load:.1f} at the start; "
        f"{rounds} rounds of three runs of {seconds:g} s."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6, help="of three runs, twice")
    parser.add_argument("--blocks", type=int, default=60, help="pairs of 2 s in one run, twice")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--snapshots", type=int, default=screen.LONG, help="of the long run")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    load = median(os.getloadavg())
    text = "\n".join(
        [
            "# What watching costs",
            "",
            "Printed by `python -m benchmarks.latency --write`; not written by hand.",
            "",
            _where(chosen.rounds, chosen.seconds, load),
            "",
            "## Observer effect",
            "",
            *observer_effect(chosen.rounds, chosen.seconds, chosen.blocks),
            "Whole runs contain our start, and differ among themselves by what two plain ones do.",
            "Within one run our processes are stopped in every other block of time, so that only",
            "their being there differs. An interval that holds 1: nothing is resolvable here.",
            "",
            "## Cost of our own processes",
            "",
            *costs(max(chosen.seconds, 30.0)),
            "",
            "Shares are those after the start (an interpreter, the search for the arrays).",
            "",
            "## Cost of the -v fallback",
            "",
            *fallback.rows(chosen.seconds, order(max(chosen.seconds, 30.0), 200)),
            "",
            "## Stream",
            "",
            *stream(chosen.seconds),
            "",
            "## The screen",
            "",
            "The monitor in a terminal of its own, on a pretended sampler; every frame is new.",
            "",
            *screen.frames(chosen.seconds),
            "",
            *screen.memory(chosen.snapshots),
            "",
        ]
    )
    print(text)
    if chosen.write:
        DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
