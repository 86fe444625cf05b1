"""From a stored measurement to what a verdict rests on."""

from collections.abc import Sequence

from kubert_tui.base.errors import UsageError
from kubert_tui.lab.limits import Limit, limit_of
from kubert_tui.latency.breaktrace import stopped
from kubert_tui.latency.loads import covered
from kubert_tui.latency.statistics import missed_periods
from kubert_tui.latency.stored import StoredMeasurement, StoredThread
from kubert_tui.results.options import UNKNOWN_OPTIONS, option
from kubert_tui.results.verdict import Evidence

_STARTING = 0.2
"""Seconds that starting and ending take: no periods are missed in them, and no load."""
LOADED = 0.95
"""A run was under load if something ran for this share of its time."""


def evidence_of(stored: StoredMeasurement, hardware: int | None = None) -> Evidence:
    """Return the evidence in a stored measurement.

    `hardware`: the longest gap in us that the hwlat tracer saw on that host above its limit.
    """
    figures = stored.summary
    return Evidence(
        realtime=realtime(stored),
        seconds=stored.elapsed,
        load=what_loaded(stored) or (applications_of(stored) if _pods(stored) else ""),
        loaded=share_loaded(stored),
        maximum=figures.maximum,
        samples=figures.samples,
        overflows=figures.overflows,
        exact=stored.exact,
        verbose=stored.stream == "verbose",
        unseen=stored.unseen,
        smi=stored.smi,
        hot=stored.throttled or 0,
        interrupted=stored.interrupted,
        policy=scheduled(stored),
        traced=bool(stored.breaktrace and stored.breaktrace.traced),
        stopped=stopped(stored.breaktrace),
        hardware=hardware,
        throttled=stored.realtime_throttled or _throttled(stored),
        virtual="" if _nothing(stored.fingerprint.virtualization) else _inside(stored),
    )


def applications_of(stored: StoredMeasurement) -> str:
    """Return the applications of its step, of a density run: `2 x loop in pods`; else ``."""
    about = stored.applications
    return f"{about.count} x {' + '.join(about.names)} in pods" if about else ""


def _pods(stored: StoredMeasurement) -> bool:
    """Whether some of them ran on this very host."""
    return stored.applications is not None and stored.applications.pods > 0


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


def limit_named(stored: StoredMeasurement) -> Limit | None:
    """Return the limit that its lab file named; None if there is none, or nobody knows it today."""
    try:
        return limit_of(stored.limit) if stored.limit else None
    except UsageError:
        return None


def common_limit(measurements: Sequence[StoredMeasurement]) -> Limit | None:
    """Return the limit that all of them were measured for."""
    named = {one.limit for one in measurements}
    return limit_named(measurements[0]) if len(named) == 1 else None


def scheduled(stored: StoredMeasurement) -> str:
    """Return how its threads were scheduled: as was seen, else as was asked for; empty: unknown.

    cyclictest ends at its start when real-time scheduling is refused to it, so a histogram means
    that it had what its command asks for: SCHED_FIFO with a priority, SCHED_OTHER without.
    """
    if stored.policy:
        return stored.policy
    command = stored.command
    if command[1:] == UNKNOWN_OPTIONS:
        return ""
    policy = option(command, "--policy", "-y") or "fifo"
    priority = option(command, "--priority", "-p")
    if policy not in ("fifo", "rr"):
        return f"{policy} 0"
    asked = bool(option(command, "--policy", "-y")) or bool(priority.strip("0"))
    return f"{policy} {priority}".strip() if asked else "other 0"


def missed(stored: StoredMeasurement) -> dict[int, int]:
    """Return how many periods of each CPU have no sample: late wake-ups run over them."""
    elapsed = max(stored.elapsed - _STARTING, 0.0)
    return {
        thread.cpu: missed_periods(elapsed, stored.interval, samples_of(thread))
        for thread in stored.threads
    }


def samples_of(thread: StoredThread) -> int:
    """Return the samples of one CPU, overflows included."""
    return thread.overflows + sum(count for _, count in thread.buckets)


def _throttled(stored: StoredMeasurement) -> bool:
    """A tenth of the periods of some CPU has no sample: that is no latency but a standstill."""
    periods = max(stored.elapsed - _STARTING, 0.0) * 1_000_000 / stored.interval
    return any(count * 10 > periods for count in missed(stored).values())


def _nothing(told: str) -> bool:
    return told in ("", "none") or told.startswith("unknown:")


def _inside(stored: StoredMeasurement) -> str:
    return stored.fingerprint.virtualization
