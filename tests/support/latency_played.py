"""A short measurement as a played host tells it, and what our hooks hear of it."""

from threading import Event as Flag

from kubert_tui.hosts.interface import Completed, Invocation
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.launch import Run
from kubert_tui.latency.measure import measure
from kubert_tui.latency.measurement import Hooks, Launched, Measured, MeasurementOrder
from tests.support.latency_host import Act, Line, PlayedHost, sample, says

ORDER = MeasurementOrder(
    identity="one",
    command=("cyclictest", "--quiet", "--price=$5"),
    version="2.10",
    interval=200_000,
    loops=4,
    histogram=10,
    cpus=(0, 1),
)
FINAL = b"""\
# /dev/cpu_dma_latency set to 0us
# Histogram
000001 000003\t000002
000002 000001\t000001
# Min Latencies: 00001 00001
# Avg Latencies: 00001 00001
# Max Latencies: 00002 00002
# Histogram Overflows: 00000 00000
# Histogram Overflow at cycle number:
# Thread 0:\x20
# Thread 1:\x20

"""
THREADS: Line = {"type": "threads", "layout": "struct", "cpus": ["0", "1"]}
FIRST = sample(1, (1, 1, [1, 1]), (1, 1, [1, 1]))
SECOND = sample(2, (3, 2, [1, 1, 0, 1]), (2, 1, [1, 1]))


class Told:
    """What the hooks were told."""

    def __init__(self) -> None:
        self.started: list[Launched] = []
        self.snapshots: list[Snapshot] = []
        self.notes: list[str] = []
        self.hooks = Hooks(self.started.append, self.snapshots.append, self.notes.append)


def carry_out(
    host: PlayedHost,
    told: Told,
    *,
    cancel: Flag | None = None,
    detach: Flag | None = None,
    systemd: bool = False,
) -> Measured:
    return measure(
        host,
        ORDER,
        directory="/runs",
        hooks=told.hooks,
        cancel=cancel or Flag(),
        detach=detach or Flag(),
        systemd=systemd,
    )


def under_way(host: PlayedHost) -> PlayedHost:
    Run(host, "/runs", "one").prepare(ORDER)
    host.begin()
    return host


def then_ends(*lines: Line) -> Act:
    """A sampler that writes `lines`; cyclictest has ended when it does."""

    def act(host: PlayedHost, invocation: Invocation) -> Completed:
        host.end()
        return says(*lines)(host, invocation)

    return act
