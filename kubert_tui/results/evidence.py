"""From a stored measurement to what a verdict rests on."""

from kubert_tui.latency.loads import covered
from kubert_tui.latency.statistics import missed_periods
from kubert_tui.latency.store import StoredMeasurement
from kubert_tui.results.verdict import Evidence

_STARTING = 0.2
"""Seconds that starting and ending take: no periods are missed in them, and no load."""
LOADED = 0.95
"""A run was under load if something ran for this share of its time."""


def evidence_of(stored: StoredMeasurement) -> Evidence:
    """Return the evidence in a stored measurement."""
    figures = stored.summary
    return Evidence(
        realtime=realtime(stored),
        seconds=stored.elapsed,
        load=what_loaded(stored),
        loaded=share_loaded(stored),
        maximum=figures.maximum,
        samples=figures.samples,
        overflows=figures.overflows,
        exact=stored.exact,
        smi=stored.smi,
        hot=stored.throttled or 0,
        interrupted=stored.interrupted,
        throttled=stored.realtime_throttled or _throttled(stored),
        virtual="" if _nothing(stored.fingerprint.virtualization) else _inside(stored),
    )


def share_loaded(stored: StoredMeasurement) -> float:
    """Return for which share of its time something that was started for it loaded the host."""
    seconds = covered((one.after, one.until) for one in stored.loads)
    # A load starts when cyclictest has, so the first moment is not counted against it.
    return min(1.0, seconds / max(stored.elapsed - _STARTING, _STARTING))


def what_loaded(stored: StoredMeasurement) -> str:
    """Return what loaded the host all the time, such as `hackbench on CPUs 0-1`; `` for nothing."""
    if share_loaded(stored) < LOADED:
        return ""
    told = dict.fromkeys(f"{one.preset} on CPUs {one.cpus}" for one in stored.loads)
    return ", ".join(told)


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
