"""From a stored measurement to what a verdict rests on."""

from kubert_tui.latency.breaktrace import stopped
from kubert_tui.latency.statistics import missed_periods
from kubert_tui.latency.store import StoredMeasurement
from kubert_tui.results.verdict import Evidence

_STARTING = 0.2
"""Seconds that starting and ending take: no periods are missed in them."""


def evidence_of(stored: StoredMeasurement, hardware: int | None = None) -> Evidence:
    """Return the evidence in a stored measurement.

    `hardware`: the longest gap in us that the hwlat tracer saw on that host above its limit.
    """
    figures = stored.summary
    return Evidence(
        realtime=realtime(stored),
        seconds=stored.elapsed,
        load="",
        maximum=figures.maximum,
        samples=figures.samples,
        overflows=figures.overflows,
        exact=stored.exact,
        smi=stored.smi,
        hot=stored.throttled or 0,
        interrupted=stored.interrupted,
        traced=bool(stored.breaktrace and stored.breaktrace.traced),
        stopped=stopped(stored.breaktrace),
        hardware=hardware,
        throttled=stored.realtime_throttled or _throttled(stored),
        virtual="" if _nothing(stored.fingerprint.virtualization) else _inside(stored),
    )


def realtime(stored: StoredMeasurement) -> bool | None:
    """Whether the kernel was PREEMPT_RT: True needs a sign for it and none against it."""
    signs = stored.fingerprint.realtime
    # Mainline kernels can be PREEMPT_RT without /sys/kernel/realtime: its no speaks against
    # nothing.
    against = [sign for sign, told in signs.items() if told == "no" and not sign.startswith("/")]
    if against:
        return False
    return True if "yes" in signs.values() else None


def _throttled(stored: StoredMeasurement) -> bool:
    """A tenth of the periods of some CPU has no sample: that is no latency but a standstill."""
    elapsed = max(stored.elapsed - _STARTING, 0.0)
    periods = elapsed * 1_000_000 / stored.interval
    return any(
        missed_periods(elapsed, stored.interval, samples) * 10 > periods
        for samples in (t.overflows + sum(n for _, n in t.buckets) for t in stored.threads)
    )


def _nothing(told: str) -> bool:
    return told in ("", "none") or told.startswith("unknown:")


def _inside(stored: StoredMeasurement) -> str:
    return stored.fingerprint.virtualization
