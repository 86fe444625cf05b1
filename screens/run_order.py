"""In which order what is measured is shown: as in the lab, machines and pods below their hosts."""

from collections.abc import Iterable, Iterator, Mapping

from kubert_tui.events.measuring import LatencyStarted


def in_order(
    measurements: Mapping[str, LatencyStarted], names: Iterable[str]
) -> dict[str, LatencyStarted]:
    """Return the measurements by host in the order of `names`, and those not among them last.

    A machine or pod comes after what it runs on, if that measures or measured.
    """
    known = dict.fromkeys([*(name for name in names if name in measurements), *measurements])

    def standing_on(base: str) -> Iterator[str]:
        for name in known:
            parent = measurements[name].parent
            if (parent if parent in measurements else "") == base:
                yield name
                yield from standing_on(name)

    # A journal that was edited may say that two stand on one another.
    return {name: measurements[name] for name in dict.fromkeys([*standing_on(""), *known])}


def depth_of(name: str, measurements: Mapping[str, LatencyStarted]) -> int:
    """Return how many of those that are measured are beneath it."""
    depth, parent = 0, measurements[name].parent
    while parent in measurements and depth < len(measurements):
        depth, parent = depth + 1, measurements[parent].parent
    return depth


def is_ladder(measurements: Mapping[str, LatencyStarted]) -> bool:
    """Whether something is measured, and what it runs on, too."""
    return any(started.parent in measurements for started in measurements.values())
