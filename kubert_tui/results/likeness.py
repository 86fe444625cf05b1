"""What must be the same for two measurements to be comparable without a word."""

from kubert_tui.latency.store import StoredMeasurement

_PASSING = frozenset({"boot_id"})
"""Different each time, and of no meaning for latency."""


def marks(stored: StoredMeasurement) -> dict[str, str]:
    """Return the fingerprint and the way of measuring as one flat mapping of texts."""
    found: dict[str, str] = {}
    for key, value in stored.fingerprint.model_dump().items():
        if key == "realtime":
            found[key] = ", ".join(f"{sign}: {told}" for sign, told in value.items())
        elif key not in _PASSING:
            found[key] = str(value)
    return {
        **found,
        "interval": str(stored.interval),
        "histogram": str(stored.histogram),
        "cpus": ",".join(map(str, stored.cpus)),
        "cyclictest": stored.version,
        "loops": str(stored.loops),
        "traced": "yes" if stored.breaktrace and stored.breaktrace.traced else "no",
    }
