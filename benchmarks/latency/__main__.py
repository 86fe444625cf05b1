"""Prints what watching costs: README's plain command against the same one watched by us, in pairs;
our own processes on the host; the screen.

    python -m benchmarks.latency [--pairs 8] [--seconds 10] [--snapshots 28800] [--write]

Runs alternate (plain, watched, watched, plain, ...), so that what the machine does meanwhile hits
both alike. `--write` puts the table into docs/latency-benchmark.md.
"""

import argparse
import math
import os
import platform
import shutil
import time
from pathlib import Path
from statistics import median

from benchmarks.latency import fallback, screen
from benchmarks.latency.attaching import attach_times
from benchmarks.latency.runs import Cost, plain, watched
from benchmarks.latency.source import bandwidth
from benchmarks.ratios import interval_of
from kubert_tui.lab.model import CyclictestSpec
from kubert_tui.latency.command import arguments
from kubert_tui.latency.measurement import MeasurementOrder
from kubert_tui.latency.statistics import merge, percentile
from tests.support.latency_runs import version_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "latency-benchmark.md"


def order(seconds: float, interval: int, threads: int = 0) -> MeasurementOrder:
    """A measurement on all CPUs; with `threads`, so many of them, on any CPU."""
    binary = shutil.which("cyclictest") or "cyclictest"
    cpus = tuple(sorted(os.sched_getaffinity(0)))
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


def figures(cost: Cost) -> dict[str, float]:
    """What is compared, in us (and a share of a CPU)."""
    merged = merge(cost.final.threads)
    found = {"average": merged.average}
    for name in ("0.99", "0.999"):
        value = percentile(merged.counts, merged.overflows, name, merged.maximum)
        found[f"p{float(name) * 100:g}"] = float(value.value if value else 1)
    found["maximum"] = float(max(merged.maximum, 1))
    found["CPU time of cyclictest"] = cost.cyclictest
    return found


def paired(pairs: int, seconds: float) -> list[str]:
    """The observer effect, line by line."""
    logs: dict[str, list[float]] = {}
    costs = []
    for pair in range(pairs):
        what = order(seconds, 200)
        if pair % 2:
            ours, theirs = watched(what), plain(what)
        else:
            theirs, ours = plain(what), watched(what)
        costs.append(ours)
        a, b = figures(theirs), figures(ours)
        for name, value in b.items():
            logs.setdefault(name, []).append(math.log(value / a[name]))
        print(f"pair {pair + 1} of {pairs}: exact {ours.exact}", flush=True)
    lines = ["| watched / plain | ratio | 95 % interval |", "|---|---|---|"]
    for name, values in logs.items():
        mean, low, high = interval_of(values)
        lines.append(f"| {name} | {mean:.3f} | {low:.3f} to {high:.3f} |")
    exact = sum(cost.exact for cost in costs)
    lines += ["", f"{exact} of {pairs} watched runs were exact, bucket for bucket."]
    return lines


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


def _where(pairs: int, seconds: float, load: float) -> str:
    return (
        f"{time.strftime('%Y-%m-%d')}, Linux {platform.release()}, {os.cpu_count()} CPUs "
        f"(a virtual machine without PREEMPT_RT), load {load:.1f} at the start; "
        f"{pairs} pairs of {seconds:g} s, alternating."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0)
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
            _where(chosen.pairs, chosen.seconds, load),
            "",
            "## Observer effect",
            "",
            *paired(chosen.pairs, chosen.seconds),
            "",
            "An interval that holds 1 means that nothing is resolvable here. On a machine that is",
            "neither real-time nor alone, percentiles and maxima scatter more than we could add.",
            "Both sides run on the two CPUs that are measured: there is no housekeeping CPU here,",
            "and what decodes the stream, usually on another computer, is in these ratios, too.",
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
