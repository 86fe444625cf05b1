"""A measurement with spikes: 87 us on CPU 2 at 0:20, one off the scale on CPU 1 at 0:30."""

from kubert_tui.events.measuring import LatencyPast, LatencySnapshot
from kubert_tui.latency.histogram import Snapshot, ThreadHistogram
from kubert_tui.latency.recorded import Recorded, Stretch

SIZE = 250
CPUS = 4


def snapshots(until: int = 160) -> list[Snapshot]:
    """States of it, four a second: every CPU sees sixty samples between 2 and 9 us each time."""
    counts = [[0] * SIZE for _ in range(CPUS)]
    over, high = [0] * CPUS, [9] * CPUS
    found = []
    for tick in range(1, until + 1):
        for us in range(2, 10):
            for cpu in range(CPUS):
                counts[cpu][us] += 12 - us
        if tick == 80:
            counts[2][87] += 1
            high[2] = 87
        if tick == 120:
            over[1] += 1
            high[1] = 333
        threads = tuple(
            ThreadHistogram(cpu, tuple(counts[cpu]), over[cpu], 2, 4.9, high[cpu])
            for cpu in range(CPUS)
        )
        found.append(Snapshot(tick, tick / 4, threads, (0.5, 0.4, 0.3)))
    return found


def events(host: str, until: int = 160) -> list[LatencySnapshot]:
    """The same as events."""
    return [LatencySnapshot(host=host, snapshot=one) for one in snapshots(until)]


def past(host: str) -> LatencyPast:
    """What its host has recorded of its first 40 seconds."""
    stretches = tuple(
        Stretch(
            after=10.0 * part,
            until=10.0 * (part + 1),
            counts={3: 1000} | ({87: 1} if part == 1 else {}),
            overflows=int(part == 2),
            worst=((87, 2),) if part == 1 else ((333, 1),) if part == 2 else ((9, 0),),
        )
        for part in range(4)
    )
    return LatencyPast(host=host, recorded=Recorded(stretches, snapshots()[-1]))
