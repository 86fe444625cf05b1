"""The story's measurement: a steep front, a tail, and one spike at 87 us."""

from kubert_tui.events.measuring import LatencySnapshot, LatencyStarted
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from tests.screens.scripted_engine import CLOCK
from tests.screens.story import COMMAND


def histogram(cpu: int, scale: int, spike: int = 0) -> ThreadHistogram:
    """A plausible thread: a steep front, a tail, and perhaps a lonely spike."""
    counts = [0] * 250
    for us in range(3, 40):
        counts[us] = int(scale * 4000 / (1 + (us - 5 - cpu % 8) ** 4 / 3))
    if spike:
        counts[spike] = 1
    maximum = max(us for us, count in enumerate(counts) if count)
    return ThreadHistogram(cpu, tuple(counts), 0, 3, 5.4 + cpu / 10, maximum)


def snapshot(sequence: int, *, cpus: int = 4, final: bool = False) -> Snapshot:
    """The state of a measurement after `sequence` ticks."""
    threads = tuple(histogram(cpu, sequence, 87 if cpu == 2 else 0) for cpu in range(cpus))
    return Snapshot(sequence, sequence * 4.0, threads, (0.52, 0.40, 0.31), final)


def measuring(host: str = "bull1", *, attached: bool = False) -> LatencyStarted:
    """cyclictest begins."""
    return LatencyStarted(
        host=host,
        command=COMMAND,
        version="1.0",
        interval=200,
        loops=36_000_000,
        cpus=(0, 1, 2, 3),
        started=CLOCK,
        attached=attached,
    )


def live(host: str, sequence: int) -> LatencySnapshot:
    """One snapshot as an event."""
    return LatencySnapshot(host=host, snapshot=snapshot(sequence))
