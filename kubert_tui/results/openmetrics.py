"""Stored measurements as an OpenMetrics text file, for dashboards that exist already.

Made for node_exporter's textfile collector and its like (https://openmetrics.io). Latencies are in
seconds there, as the format wants it.
"""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector

from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.latency.store import StoredMeasurement

_EDGES = (1, 2, 5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 250, 500, 1000)
"""Upper edges of the buckets in us: a line for each microsecond would flood a dashboard."""

_LABELS = ("host", "lab", "run", "kernel")


def openmetrics(measurements: Sequence[StoredMeasurement]) -> str:
    """Return the text of the file."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Measurements(measurements))
    return str(generate_latest(registry), "utf-8")


class _Measurements(Collector):
    def __init__(self, measurements: Sequence[StoredMeasurement]) -> None:
        self._measurements = measurements

    def collect(self) -> Iterator[Metric]:
        yield self._latency()
        yield self._of_cpus(
            "max_seconds", "Worst latency that was seen.", lambda one: one.maximum / 1e6
        )
        yield self._of_cpus("overflows", "Samples off the histogram.", lambda one: one.overflows)
        yield self._of_runs(
            "exact", "1 if the live figures agreed with the final ones.", lambda one: one.exact
        )
        yield self._of_runs(
            "interrupted", "1 if it was cut off.", lambda one: bool(one.interrupted)
        )
        yield self._of_runs(
            "finished_timestamp_seconds", "When it ended.", lambda one: one.finished
        )

    def _latency(self) -> Metric:
        family = HistogramMetricFamily(
            "kubert_latency_seconds", "Wake-up latency.", labels=(*_LABELS, "cpu")
        )
        for stored in self._measurements:
            for thread in stored.snapshot().threads:
                total = thread.average * thread.samples / 1e6
                family.add_metric((*_labels(stored), str(thread.cpu)), _buckets(thread), total)
        return family

    def _of_cpus(self, name: str, told: str, value: Callable[[ThreadHistogram], float]) -> Metric:
        family = GaugeMetricFamily(f"kubert_latency_{name}", told, labels=(*_LABELS, "cpu"))
        for stored in self._measurements:
            for thread in stored.snapshot().threads:
                family.add_metric((*_labels(stored), str(thread.cpu)), value(thread))
        return family

    def _of_runs(self, name: str, told: str, value: Callable[[StoredMeasurement], float]) -> Metric:
        family = GaugeMetricFamily(f"kubert_latency_{name}", told, labels=_LABELS)
        for stored in self._measurements:
            family.add_metric(_labels(stored), value(stored))
        return family


def _labels(stored: StoredMeasurement) -> tuple[str, ...]:
    return (stored.host, stored.lab, stored.run or stored.identity, stored.fingerprint.kernel)


def _buckets(thread: ThreadHistogram) -> list[tuple[str, float]]:
    """Samples below each edge, as the format wants them: added up, the last one infinite."""
    edges = [edge for edge in _EDGES if edge <= len(thread.counts)]
    below = [(str(edge / 1e6), float(sum(thread.counts[:edge]))) for edge in edges]
    return [*below, ("+Inf", float(thread.samples))]
