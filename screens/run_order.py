"""In which order what is measured is shown: as in the lab, machines below their hosts."""

from collections.abc import Iterable, Mapping

from kubert_tui.events.measuring import LatencyStarted


def in_order(
    measurements: Mapping[str, LatencyStarted], names: Iterable[str]
) -> dict[str, LatencyStarted]:
    """Return the measurements by host in the order of `names`, and those not among them last.

    A machine comes after the host that runs it, if that measures or measured.
    """
    known = dict.fromkeys([*(name for name in names if name in measurements), *measurements])
    ordered = [
        one
        for name in known
        if measurements[name].parent not in measurements
        for one in (name, *(other for other in known if measurements[other].parent == name))
    ]
    return {name: measurements[name] for name in ordered}


def is_ladder(measurements: Mapping[str, LatencyStarted]) -> bool:
    """Whether some machine is measured, and its host."""
    return any(started.parent in measurements for started in measurements.values())
