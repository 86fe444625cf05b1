"""Where every CPU sits: its core, socket and NUMA node."""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubert_tui.cpus.topology import Cpu
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import NumaNode
from kubert_tui.facts.sections import Sections, integer, then

CPUS_LIMIT = 8192
"""CPUs of a host that we believe in: the most that Linux can be built for."""

NO_TOPOLOGY = "/sys/devices/system/cpu shows no topology"

_RANGE = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", re.ASCII)
_LINE = re.compile(r"/cpu([0-9]{1,6})/topology/(\w+):(\S*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """What /sys/devices/system/cpu/cpuN/topology says of one CPU."""

    core: tuple[int, int, int] | None
    """Package, die and core; None when the core is not told."""
    siblings: str
    """The CPUs of its core as the kernel lists them, `0,40` or `0-1`; `` if it does not."""


def places(sections: Sections) -> Fact[dict[int, Place]]:
    """Return the place of each CPU that has one, by number."""
    lines = sections.lines("topology")
    if isinstance(lines, Unknown):
        return lines
    found: dict[int, dict[str, str]] = {}
    for line in lines.value:
        if match := _LINE.search(line):
            found.setdefault(int(match[1]), {})[match[2]] = match[3]
    return Known({cpu: _place(told) for cpu, told in found.items()})


def topology(
    sections: Sections,
    online: Fact[tuple[int, ...]],
    numa: Fact[tuple[NumaNode, ...]],
) -> Fact[tuple[Cpu, ...]]:
    """Return all CPUs that are online. Without NUMA nodes they are all in node 0.

    A core is called by the lowest of its CPUs that are online. Where the kernel lists no siblings,
    package, die and core say who belongs together.
    """
    return then(
        online,
        lambda cpus: then(
            numa, lambda nodes: then(places(sections), lambda found: _cpus(cpus, nodes, found))
        ),
    )


def _cpus(
    online: tuple[int, ...], numa: tuple[NumaNode, ...], found: Mapping[int, Place]
) -> Fact[tuple[Cpu, ...]]:
    if len(online) > CPUS_LIMIT:
        return Unknown(f"{len(online)} CPUs are more than we believe in")
    if not set(online) & found.keys():
        return Unknown(NO_TOPOLOGY)
    nodes = {cpu: node.number for node in numa for cpu in node.cpus}
    lowest: dict[tuple[int, int, int], int] = {}
    cpus = []
    for number in online:
        place = found.get(number, Place(None, ""))
        core = _lowest(place.siblings, online, number)
        socket = place.core[0] if place.core else 0
        if not place.siblings and place.core:
            core = lowest.setdefault(place.core, number)
        cpus.append(Cpu(number, core, max(socket, 0), nodes.get(number, 0)))
    return Known(tuple(cpus))


def _place(told: Mapping[str, str]) -> Place:
    def number(name: str) -> int | None:
        read = integer(told.get(name, ""), name)
        return read.value if isinstance(read, Known) else None

    core = number("core_id")
    package, die = number("physical_package_id") or 0, number("die_id") or 0
    return Place(
        None if core is None else (package, die, core), told.get("thread_siblings_list", "")
    )


def _lowest(siblings: str, online: Sequence[int], own: int) -> int:
    """Return the lowest CPU of a list that is online, `own` if there is none.

    The list is not expanded: every CPU of a hostile host could claim all the others.
    """
    found = own
    for part in siblings.split(","):
        if match := _RANGE.fullmatch(part):
            first, last = int(match[1]), int(match[2] or match[1])
            index = bisect_left(online, first)
            if index < len(online) and online[index] <= last:
                found = min(found, online[index])
    return found
