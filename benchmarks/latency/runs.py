"""One measurement, plain or watched, and what it cost."""

import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event as Flag

from benchmarks.latency.processes import age, cpu_seconds, resident, with_word
from kubert_tui.cpus.lists import cpu_list
from kubert_tui.hosts.interface import Completed, Invocation
from kubert_tui.hosts.local import LocalHost
from kubert_tui.lab.model import HostSpec
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.measure import measure
from kubert_tui.latency.measurement import Hooks, Launched, MeasurementOrder
from kubert_tui.latency.parse import parse_final
from tests.support.latency_runs import NobodyAsks

TAIL = 0.4
"""Seconds before the end at which the costs are read."""
STARTED = 5.0
"""Seconds after which our processes have started (or a third of a short run)."""
HELPERS = (("sampler.py", "sampler.pyz"), ("recorder.pyz", "stream.pyz"))


@dataclass
class Cost:
    """What one run cost; shares are of one CPU: cyclictest's over the run's own time, those of
    our processes from when they had started.
    """

    final: Snapshot
    cyclictest: float
    sampler: float = 0.0
    recorder: float = 0.0
    start: float = 0.0
    """CPU time in seconds of the start of both: an interpreter, the search for the arrays."""
    memory: int = 0
    """Bytes of sampler and recorder together."""
    bytes_per_second: float = 0.0
    exact: bool = True
    snapshots: int = 0


def seconds_of(order: MeasurementOrder) -> float:
    """How long it measures."""
    return order.loops * order.interval / 1e6


def plain(order: MeasurementOrder) -> Cost:
    """The README's command as one would type it, on the CPUs that we start it on."""
    argv = ["taskset", "-c", cpu_list(frozenset(order.cpus)), *order.command]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    time.sleep(seconds_of(order) - TAIL)
    share = cpu_seconds(process.pid) / age(process.pid)
    output, _ = process.communicate()
    threads = parse_final(output.decode(), cpus=order.cpus, histogram=order.histogram).threads
    return Cost(Snapshot(1, seconds_of(order), threads, final=True), share)


@dataclass
class _Watched:
    order: MeasurementOrder
    pid: int = 0
    snapshots: int = 0
    shares: dict[str, float] = field(default_factory=dict)
    begun: dict[int, tuple[float, float]] = field(default_factory=dict)
    """By process: CPU time and age when it had started."""
    memory: int = 0

    def started(self, launched: Launched) -> None:
        self.pid = launched.pid
        left = seconds_of(self.order) - age(self.pid)
        for delay, read in ((min(STARTED, left / 3), self.begin), (left - TAIL, self.read)):
            timer = threading.Timer(max(delay, 0.0), read)
            timer.daemon = True
            timer.start()

    def snapshot(self, _: Snapshot) -> None:
        self.snapshots += 1

    def begin(self) -> None:
        pids = (pid for names in HELPERS for name in names for pid in with_word(name))
        self.begun = {pid: (cpu_seconds(pid), age(pid)) for pid in pids}

    def read(self) -> None:
        self.shares["cyclictest"] = cpu_seconds(self.pid) / age(self.pid)
        for name, fallback in HELPERS:
            pids = [*with_word(name), *with_word(fallback)]
            self.shares[name] = sum(map(self._share, pids))
            self.memory += sum(resident(pid) for pid in pids)

    def _share(self, pid: int) -> float:
        spent, since = self.begun.get(pid, (0.0, 0.0))
        return (cpu_seconds(pid) - spent) / (age(pid) - since)


class CountingHost(LocalHost):
    """This machine; counts what its commands say."""

    def __init__(self) -> None:
        super().__init__(HostSpec(name="here", connection="local"), NobodyAsks())
        self.received = 0

    def run(self, invocation: Invocation) -> Completed:
        """Run it, and count what it says."""
        said = invocation.on_stdout
        if said is None:
            return super().run(invocation)

        def count(data: bytes) -> None:
            self.received += len(data)
            said(data)

        return super().run(replace(invocation, on_stdout=count))


def watched(order: MeasurementOrder) -> Cost:
    """The same, launched, recorded and streamed by us."""
    host, watch = CountingHost(), _Watched(order)
    with tempfile.TemporaryDirectory() as directory:
        measured = measure(
            host,
            order,
            directory=str(Path(directory)),
            hooks=Hooks(watch.started, watch.snapshot),
            cancel=Flag(),
            detach=Flag(),
            systemd=False,
        )
    return Cost(
        measured.final,
        watch.shares["cyclictest"],
        watch.shares["sampler.py"],
        watch.shares["recorder.pyz"],
        sum(spent for spent, _ in watch.begun.values()),
        watch.memory,
        host.received / seconds_of(order),
        measured.exact,
        watch.snapshots,
    )
