"""A stored measurement of given figures."""

from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.measurement import Measured, MeasurementOrder
from kubert_tui.latency.store import store
from kubert_tui.latency.stored import StoredMeasurement
from tests.support.latency_facts import facts_of


def stored_measurement(host: str, final: Snapshot) -> StoredMeasurement:
    """What is kept of a measurement that ended with these figures."""
    cpus = tuple(thread.cpu for thread in final.threads)
    size = len(final.threads[0].counts)
    order = MeasurementOrder("id", ("cyclictest", "--smp"), "1.0", 200, 1000, size, cpus, ())
    measured = Measured(order, final, "", True, 1_700_000_000.0, 1_700_000_060.0, ())
    return store(measured, host=host, lab="mine", facts=facts_of(online=cpus), run="r1")
