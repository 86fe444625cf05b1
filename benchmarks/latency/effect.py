"""The observer effect, twice: whole runs in turns, and one run in which we come and go.

Whole runs differ from each other more than we could add, so the same plain command runs twice in
each round: what two plain runs differ by is noise, and shown beside. Within one run nothing else
changes than that our processes are stopped (SIGSTOP) and let go on, so that resolves far more.
"""

import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from math import log
from operator import sub
from pathlib import Path
from statistics import fmean
from threading import Event as Flag

from benchmarks.latency.processes import with_word
from benchmarks.latency.runs import HELPERS, CountingHost, plain, watched
from benchmarks.ratios import interval_of
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.measure import measure
from kubert_tui.latency.measurement import Hooks, Launched, MeasurementOrder
from kubert_tui.latency.sampler import GoneError, Memory, Process

SHARES = (("p99", 0.99), ("p99.9", 0.999))
Figures = dict[str, float]
Counted = tuple[list[int], int, int, int]
"""Buckets, samples, their sum in us, and those beyond the buckets; over all CPUs."""


def position(counts: Sequence[int], samples: int, share: float) -> float:
    """Where the percentile lies, in us; within a bucket as if its samples lay evenly."""
    rank, before = share * samples, 0
    for us, count in enumerate(counts):
        if count and before + count >= rank:
            return us + (rank - before) / count
        before += count
    return float(len(counts))


def _of_run(final: Snapshot, share_of_cpu: float) -> Figures:
    threads = final.threads
    counts = [sum(column) for column in zip(*(one.counts for one in threads), strict=True)]
    samples = sum(one.samples for one in threads)
    found = {"average": fmean(one.average for one in threads)}
    found |= {name: position(counts, samples, share) for name, share in SHARES}
    found["maximum"] = float(max(1, *(one.maximum for one in threads)))
    found["CPU time of cyclictest"] = share_of_cpu
    return found


def in_turns(make: Callable[[], MeasurementOrder], rounds: int) -> list[str]:
    """Whole runs: plain, plain and watched in each round, in an order of chance."""
    chance = random.Random(7)
    effect: dict[str, list[float]] = {}
    noise: dict[str, list[float]] = {}
    exact = 0
    for number in range(rounds):
        found: dict[str, Figures] = {}
        kinds = ["first", "second", "watched"]
        chance.shuffle(kinds)
        for kind in kinds:
            cost = watched(make()) if kind == "watched" else plain(make())
            exact += cost.exact and kind == "watched"
            found[kind] = _of_run(cost.final, cost.cyclictest)
        for name, value in found["watched"].items():
            first, second = log(found["first"][name]), log(found["second"][name])
            effect.setdefault(name, []).append(log(value) - (first + second) / 2)
            noise.setdefault(name, []).append(first - second)
        print(f"round {number + 1} of {rounds}", flush=True)
    lines = [
        "| | watched / plain | 95 % interval | plain / plain | 95 % interval |",
        "|" + "---|" * 5,
    ]
    for name, values in effect.items():
        ours, theirs = interval_of(values), interval_of(noise[name])
        lines.append(
            f"| {name} | {ours[0]:.3f} | {ours[1]:.3f} to {ours[2]:.3f} "
            f"| {theirs[0]:.3f} | {theirs[1]:.3f} to {theirs[2]:.3f} |"
        )
    return [*lines, "", f"{exact} of {rounds} watched runs were exact, bucket for bucket."]


def _counted(memory: Memory) -> Counted:
    figures = [thread.read() for thread in memory.threads]
    counts = [sum(column) for column in zip(*(one.counts for one in figures), strict=True)]
    total = sum(one.total for one in figures)
    return counts, sum(one.cycles for one in figures), total, sum(one.overflows for one in figures)


def _between(before: Counted, after: Counted) -> Figures:
    counts = list(map(sub, after[0], before[0]))
    samples = after[1] - before[1]
    found = {"average": (after[2] - before[2]) / samples}
    found |= {name: position(counts, samples, share) for name, share in SHARES}
    return found


def coming_and_going(order: MeasurementOrder, pairs: int, block: float) -> list[str]:
    """One watched run: in each pair of blocks our processes run in one and stand in the other."""
    launched = _Launched()
    with tempfile.TemporaryDirectory() as directory:
        run = threading.Thread(target=_measure, args=(order, directory, launched))
        run.start()
        try:
            logs = _alternate(launched.wait(), order, pairs, block)
        finally:
            _signal(signal.SIGCONT)
            run.join()
    lines = ["| there / stopped | ratio | 95 % interval |", "|---|---|---|"]
    for name, values in logs.items():
        mean, low, high = interval_of(values)
        lines.append(f"| {name} | {mean:.3f} | {low:.3f} to {high:.3f} |")
    return [*lines, "", f"{pairs} pairs of blocks of {block:g} s."]


class _Launched:
    def __init__(self) -> None:
        self._flag, self._pid = Flag(), 0

    def take(self, launched: Launched) -> None:
        self._pid = launched.pid
        self._flag.set()

    def wait(self) -> int:
        if not self._flag.wait(30):
            raise TimeoutError("cyclictest did not start")
        return self._pid


def _measure(order: MeasurementOrder, directory: str, launched: _Launched) -> None:
    measure(
        CountingHost(),
        order,
        directory=str(Path(directory)),
        hooks=Hooks(launched.take),
        cancel=Flag(),
        detach=Flag(),
        systemd=False,
    )


def _alternate(
    pid: int, order: MeasurementOrder, pairs: int, block: float
) -> dict[str, list[float]]:
    stat = Path("/proc", str(pid), "stat").read_text()
    ticks = int(stat[stat.rindex(")") + 2 :].split()[19])
    memory = Memory(Process(pid, ticks), order.histogram, len(order.cpus))
    time.sleep(3)  # what starts, starts
    chance, logs = random.Random(3), dict[str, list[float]]()
    for _ in range(pairs):
        found: dict[bool, Figures] = {}
        for there in chance.sample((True, False), 2):
            _signal(signal.SIGCONT if there else signal.SIGSTOP)
            time.sleep(0.1)
            before = _counted(memory)
            time.sleep(block)
            with suppress(GoneError):
                found[there] = _between(before, _counted(memory))
        for name, value in found[True].items():
            logs.setdefault(name, []).append(log(value / found[False][name]))
    return logs


def _signal(number: signal.Signals) -> None:
    for pid in (pid for names in HELPERS for name in names for pid in with_word(name)):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def kept_apart(order: MeasurementOrder) -> MeasurementOrder:
    """The same order with the first CPU for us, and the others measured."""
    housekeeping, *measured = order.cpus
    words = {"--smp": (f"--affinity={','.join(map(str, measured))}", f"--threads={len(measured)}")}
    command = tuple(new for word in order.command for new in words.get(word, (word,)))
    return replace(order, command=command, cpus=tuple(measured), housekeeping=(housekeeping,))
