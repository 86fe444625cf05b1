"""Stored measurements as an OpenMetrics text file, for dashboards that exist already.

Made for node_exporter's textfile collector and its like (https://openmetrics.io). Latencies are in
seconds there, as the format wants it.
"""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector

from kubert_tui.lab.limits import Limit
from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.evidence import evidence_of, limit_named
from kubert_tui.results.verdict import Grade, Verdict, judge

_EDGES = (1, 2, 5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 250, 500, 1000)
"""Upper edges of the buckets in us: a line for each microsecond would flood a dashboard."""

_LABELS = ("host", "lab", "run", "kernel")


def openmetrics(measurements: Sequence[StoredMeasurement], limit: Limit | None = None) -> str:
    """Return the text of the file. Without `limit` each is judged by that of its lab.

    Of several measurements that a dashboard could not tell apart (attempts of one run on one host)
    the newest is told.
    """
    newest: dict[tuple[str, ...], StoredMeasurement] = {}
    for one in measurements:
        known = newest.get(_labels(one))
        if known is None or one.finished >= known.finished:
            newest[_labels(one)] = one
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Measurements(tuple(newest.values()), limit))
    return str(generate_latest(registry), "utf-8")


class _Measurements(Collector):
    def __init__(self, measurements: Sequence[StoredMeasurement], limit: Limit | None) -> None:
        self._measurements = measurements
        self._verdicts = {
            id(one): judge(evidence_of(one), limit or limit_named(one)) for one in measurements
        }

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

        yield self._grade()
        yield self._of_judged(
            "passed", "1 if the worst was below the limit, 0 if not; absent without a verdict.",
            lambda verdict: verdict.passed,
        )  # fmt: skip
        yield self._of_judged(
            "limit_seconds", "What the worst is judged by.",
            lambda verdict: verdict.limit.microseconds / 1e6 if verdict.limit else None,
        )  # fmt: skip

    def _grade(self) -> Metric:
        family = GaugeMetricFamily(
            "kubert_latency_grade", "1 at what it is worth.", labels=(*_LABELS, "grade")
        )
        for stored in self._measurements:
            worth = self._verdicts[id(stored)].grade
            for grade in Grade:
                family.add_metric((*_labels(stored), str(grade)), grade is worth)
        return family

    def _of_judged(self, name: str, told: str, value: Callable[[Verdict], float | None]) -> Metric:
        family = GaugeMetricFamily(f"kubert_latency_{name}", told, labels=_LABELS)
        for stored in self._measurements:
            known = value(self._verdicts[id(stored)])
            if known is not None:
                family.add_metric(_labels(stored), known)
        return family

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
