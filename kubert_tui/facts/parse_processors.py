"""CPUs: topology, SMT, isolation, frequency and idle states."""

import re

from kubert_tui.base.text import clean_line
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import NumaNode, Processors
from kubert_tui.facts.parse_topology import NO_TOPOLOGY, places, topology
from kubert_tui.facts.sections import LINE_LIMIT, Sections, cpu_list, integer, keyed, then

_IDLE = re.compile(r"/state([0-9]{1,3})/(name|disable):(.*)", re.ASCII)
_NODE = re.compile(r"/node([0-9]{1,6})/cpulist:(.*)", re.ASCII)


def processors(sections: Sections) -> Processors:
    """Return the CPUs as the kernel sees them."""
    online = _cpus(sections, "cpu-online")
    present = _cpus(sections, "cpu-present")
    cores = _cores(sections)
    numa = then(sections.lines("numa"), _numa)
    return Processors(
        model=_first_of(sections, "model name", "Model", "cpu", "uarch"),
        online=online,
        offline=then(
            online,
            lambda on: then(present, lambda all_of: Known(tuple(sorted({*all_of} - {*on})))),
        ),
        topology=topology(sections, online, numa),
        sockets=then(cores, lambda found: Known(len({package for package, _, _ in found}))),
        cores=then(cores, lambda found: Known(len(found))),
        smt_active=_smt_active(sections, online, cores),
        # The kernel's own word for an architecture without the control.
        smt_control=sections.unless_absent(
            "smt-control", "notimplemented", sections.line("smt-control")
        ),
        numa=numa,
        isolated=_cpus(sections, "cpu-isolated"),
        nohz_full=_cpus(sections, "cpu-nohz-full"),
        governor=then(
            sections.lines("governors"),
            lambda lines: Known(tuple(sorted({clean_line(line, limit=40) for line in lines}))),
        ),
        idle_states=then(sections.lines("idle-states"), _idle_states),
        microcode=_first_of(sections, "microcode"),
    )


def flags(sections: Sections) -> Fact[frozenset[str]]:
    """Return the CPU flags (x86) or features (ARM) of the first processor."""
    return then(
        _first_of(sections, "flags", "Features"), lambda text: Known(frozenset(text.split()))
    )


def _cpus(sections: Sections, name: str) -> Fact[tuple[int, ...]]:
    section = sections.good(name)
    read = then(
        section,
        lambda found: cpu_list(clean_line(found.content[:LINE_LIMIT], limit=LINE_LIMIT), name),
    )
    return sections.unless_absent(name, (), read)


def _first_of(sections: Sections, *keys: str) -> Fact[str]:
    def look(lines: list[str]) -> Fact[str]:
        values = keyed(lines, ":")
        for key in keys:
            if values.get(key):
                return Known(clean_line(values[key], limit=LINE_LIMIT))
        return Unknown(f"/proc/cpuinfo has no {keys[0]}")

    return then(sections.lines("processor"), look)


def _cores(sections: Sections) -> Fact[set[tuple[int, int, int]]]:
    """Return the distinct (package, die, core) of the CPUs that have a topology."""
    found = places(sections)
    if isinstance(found, Unknown):
        return found
    cores = {place.core for place in found.value.values() if place.core is not None}
    return Known(cores) if cores else Unknown(NO_TOPOLOGY)


def _smt_active(
    sections: Sections, online: Fact[tuple[int, ...]], cores: Fact[set[tuple[int, int, int]]]
) -> Fact[bool]:
    read = then(sections.number("smt-active"), lambda number: Known(number == 1))
    # Kernels before 4.19 have no smt/active; more CPUs than cores says the same.
    counted = then(online, lambda cpus: then(cores, lambda some: Known(len(cpus) > len(some))))
    if isinstance(counted, Unknown):
        return read
    return sections.unless_absent("smt-active", counted.value, read)


def _numa(lines: list[str]) -> Fact[tuple[NumaNode, ...]]:
    nodes: dict[int, NumaNode] = {}
    for line in lines:
        match = _NODE.search(line)
        if not match:
            return Unknown(f"NUMA node not understood: {clean_line(line, limit=60)}")
        cpus = cpu_list(match[2], f"node {match[1]}")
        if isinstance(cpus, Unknown):
            return cpus
        nodes[int(match[1])] = NumaNode(int(match[1]), cpus.value)
    return Known(tuple(nodes[number] for number in sorted(nodes)))


def _idle_states(lines: list[str]) -> Fact[tuple[str, ...]]:
    names: dict[int, str] = {}
    disabled: set[int] = set()
    for line in lines:
        match = _IDLE.search(line)
        if not match:
            return Unknown(f"idle state not understood: {clean_line(line, limit=60)}")
        if match[2] == "name":
            names[int(match[1])] = clean_line(match[3], limit=40)
        elif (value := integer(match[3], "disable")) != Known(0) and isinstance(value, Known):
            disabled.add(int(match[1]))
    return Known(tuple(names[number] for number in sorted(names) if number not in disabled))
