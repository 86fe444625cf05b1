"""Which virtual machine runs on which CPUs of the plan."""

from collections.abc import Sequence
from dataclasses import dataclass

from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.cpus.topology import Topology


@dataclass(frozen=True, slots=True)
class Wanted:
    """A virtual machine that needs CPUs."""

    name: str
    vcpus: int


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a virtual machine runs. `vcpus[i]` is the CPU of its i-th virtual one."""

    name: str
    vcpus: tuple[int, ...]
    emulator: tuple[int, ...]
    """Housekeeping CPUs for QEMU's own threads: the node's, or all where it has none."""
    node: int | None
    """The NUMA node that has all of it; None when it spans several."""
    shares_cores: bool
    """Two of its virtual CPUs are threads of one core."""


class NoRoomError(ValueError):
    """The isolated CPUs do not suffice. The text says what is missing."""


def place(plan: CpuPlan, topology: Topology, wanted: Sequence[Wanted]) -> tuple[Placement, ...]:
    """Give every machine isolated CPUs that no other one has, within one node where one has room.

    A core per virtual CPU where the node has enough free ones, the sibling staying idle; else
    threads. Machines never share a core. Raises NoRoomError.
    """
    free = {
        node: [core for core in cores if plan.isolated.issuperset(topology.cores[core])]
        for node, cores in topology.cores_of_nodes.items()
    }
    return tuple(_place(plan, topology, free, one) for one in wanted)


def _place(
    plan: CpuPlan, topology: Topology, free: dict[int, list[int]], wanted: Wanted
) -> Placement:
    spread = [node for node, cores in free.items() if len(cores) >= wanted.vcpus]
    packed = [node for node, cores in free.items() if len(topology.threads(cores)) >= wanted.vcpus]
    node: int | None
    if spread:
        # The fullest that still has room: large gaps are kept for large machines.
        node = min(spread, key=lambda one: len(free[one]))
        chosen = _take(free[node], wanted.vcpus)
        cpus = tuple(topology.cores[core][0] for core in chosen)
    elif packed:
        node = min(packed, key=lambda one: len(free[one]))
        cpus = _threads(topology, free[node], wanted.vcpus)
    else:
        node = None
        everywhere = [core for cores in free.values() for core in cores]
        if len(topology.threads(everywhere)) < wanted.vcpus:
            raise NoRoomError(
                f"{wanted.name} wants {wanted.vcpus} isolated CPUs, "
                f"{len(topology.threads(everywhere))} are left"
            )
        cpus = _threads(topology, everywhere, wanted.vcpus)
        for cores in free.values():
            cores[:] = [core for core in cores if core in everywhere]
    cores_used = {cpu.core for cpu in topology.cpus if cpu.number in cpus}
    return Placement(
        wanted.name, cpus, _emulator(plan, topology, node), node, len(cores_used) < len(cpus)
    )


def _threads(topology: Topology, cores: list[int], count: int) -> tuple[int, ...]:
    """Take whole cores until there are `count` threads; return those."""
    found: list[int] = []
    while len(found) < count:
        found += topology.cores[cores.pop(0)]
    return tuple(found[:count])


def _take(cores: list[int], count: int) -> list[int]:
    chosen = cores[:count]
    del cores[:count]
    return chosen


def _emulator(plan: CpuPlan, topology: Topology, node: int | None) -> tuple[int, ...]:
    near = {cpu.number for cpu in topology.cpus if cpu.node == node} & plan.housekeeping
    return tuple(sorted(near or plan.housekeeping))
