"""What must be the same for two measurements to be comparable without a word."""

import re
from collections.abc import Iterable, Iterator

from kubert_tui.latency.fingerprint import Fingerprint
from kubert_tui.latency.statistics import furthest
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.evidence import scheduled, share_loaded, what_loaded
from kubert_tui.results.ladder import LAYERS

_PASSING = frozenset({"boot_id"})
"""Different each time, and of no meaning for latency."""

_TOLD_ELSEWHERE = (
    "--interval=", "--loops=", "--duration=", "--histogram=", "--priority=", "--quiet",
    "--smp", "--affinity=", "--threads=",
)  # fmt: skip
"""Options that are marks of their own."""

_OF_LAYER = frozenset(
    {
        "layer", "virtualization", "bios", "microcode", "processor", "smt", "governor",
        "idle_states", "isolated", "command_line", "cpus", "tuned_profile",
    }
)  # fmt: skip

_SHORT = re.compile(r"-[ilDh][0-9]+[a-z]?|-q")
"""The same, as people type them."""


def marks(stored: StoredMeasurement) -> dict[str, str]:
    """Return the fingerprint and the way of measuring as one flat mapping of texts.

    `loops` are those that were run: the longer one measures, the higher is the maximum one sees.
    """
    options = [
        word
        for word in stored.command[1:]
        if not word.startswith(_TOLD_ELSEWHERE) and not _SHORT.fullmatch(word)
    ]
    return {
        **fingerprint_marks(stored.fingerprint),
        "layer": stored.layer,
        "stage": stored.stage,
        "interval": str(stored.interval),
        "histogram": str(stored.histogram),
        "cpus": ",".join(map(str, stored.cpus)),
        "cyclictest": stored.version,
        "policy": scheduled(stored) or "unknown",
        "options": " ".join(options),
        "dma_latency": dma_latency(stored),
        "loops": str(furthest(stored.snapshot())),
        "load": _load(stored),
        "applications": _applications(stored),
        "traced": "yes" if stored.breaktrace and stored.breaktrace.traced else "no",
    }


def follows_from_layer(first: StoredMeasurement, second: StoredMeasurement) -> frozenset[str]:
    """Return the marks that a machine cannot share with its host, so that `layer` explains them.

    The kernel is not among them: a machine can run the host's, and latencies are a matter of it.
    """
    presets = [{one.preset for one in stored.loads} for stored in (first, second)]
    # CPUs have other numbers inside.
    same_load = presets[0] == presets[1] and what_loaded(first) and what_loaded(second)
    return _OF_LAYER | {"load"} if same_load else _OF_LAYER


def one_runs_the_other(
    first: StoredMeasurement,
    second: StoredMeasurement,
    among: Iterable[StoredMeasurement] = (),
) -> bool:
    """Whether one is beneath the other: a machine's host, a pod's node, that node's host.

    What lies between the two is looked for `among` other measurements.
    """
    known = [one for one in (first, second, *among) if one.lab == first.lab]
    parents = {one.host: one.parent for one in known}

    def beneath(name: str) -> Iterator[str]:
        for _ in LAYERS:
            if name := parents.get(name, ""):
                yield name

    return first.lab == second.lab and (
        second.host in beneath(first.host) or first.host in beneath(second.host)
    )


def dma_latency(stored: StoredMeasurement) -> str:
    """Return whether idle states were kept off (/dev/cpu_dma_latency): held, not held."""
    if stored.held:
        return "held"
    if not stored.output:
        return "unknown"
    return "held" if "# /dev/cpu_dma_latency set to" in stored.output else "not held"


def _applications(stored: StoredMeasurement) -> str:
    about = stored.applications
    return f"{about.count} x {' + '.join(about.names)}" if about and about.count else "none"


def _load(stored: StoredMeasurement) -> str:
    if not stored.loads:
        return "none"
    names = ", ".join(dict.fromkeys(one.preset for one in stored.loads))
    return what_loaded(stored) or f"{names} for {share_loaded(stored) * 100:.0f} % of the time"


def fingerprint_marks(fingerprint: Fingerprint) -> dict[str, str]:
    """Return a fingerprint as a flat mapping of texts."""
    found: dict[str, str] = {}
    for key, value in fingerprint.model_dump().items():
        if key == "realtime":
            found[key] = ", ".join(f"{sign}: {told}" for sign, told in value.items())
        elif key not in _PASSING:
            found[key] = str(value)
    return found
