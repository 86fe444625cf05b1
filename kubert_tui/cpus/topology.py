"""A host's CPUs as its kernel numbers them: threads in cores, cores in sockets and NUMA nodes."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True, order=True)
class Cpu:
    """One logical CPU. `core` is unique on the whole host, not only within its socket."""

    number: int
    core: int
    socket: int
    node: int


@dataclass(frozen=True)
class Topology:
    """All online CPUs of a host, at least one, by ascending number."""

    cpus: tuple[Cpu, ...]
    network_nodes: frozenset[int] = frozenset()
    """NUMA nodes that network cards hang on."""

    def __post_init__(self) -> None:
        numbers = [cpu.number for cpu in self.cpus]
        if not numbers or numbers != sorted(set(numbers)):
            raise ValueError("CPUs must be there, each once, by ascending number")

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The numbers of all CPUs."""
        return frozenset(cpu.number for cpu in self.cpus)

    @cached_property
    def cores(self) -> dict[int, tuple[int, ...]]:
        """The CPUs of each core, cores by their lowest CPU."""
        found: dict[int, list[int]] = {}
        for cpu in self.cpus:
            found.setdefault(cpu.core, []).append(cpu.number)
        return {core: tuple(numbers) for core, numbers in found.items()}

    @cached_property
    def cores_of_nodes(self) -> dict[int, tuple[int, ...]]:
        """The cores of each node that has CPUs, both ascending by their lowest CPU."""
        nodes: dict[int, dict[int, None]] = {}
        for cpu in self.cpus:
            nodes.setdefault(cpu.node, {})[cpu.core] = None
        return {node: tuple(nodes[node]) for node in sorted(nodes)}

    @property
    def smt(self) -> bool:
        """Whether some core has more than one thread online."""
        return any(len(threads) > 1 for threads in self.cores.values())

    def threads(self, cores: Iterable[int]) -> frozenset[int]:
        """Return all CPUs of these cores."""
        return frozenset(number for core in cores for number in self.cores[core])
