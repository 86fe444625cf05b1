"""The CPU plan of a host: housekeeping CPUs for everything else, isolated ones for real time."""

from dataclasses import dataclass

from kubert_tui.cpus.lists import cpu_list
from kubert_tui.cpus.topology import Topology

_SHARE = 10
"""One core in so many keeps house, in each node; OpenShift's guides reserve about as much."""
_BUSY_NODE = 8
"""Cores from which a node with network cards gets a second one for their interrupts."""


@dataclass(frozen=True, slots=True)
class CpuPlan:
    """Every CPU of a host is in exactly one of the two."""

    housekeeping: frozenset[int]
    isolated: frozenset[int]

    @property
    def words(self) -> str:
        """The plan in a few words."""
        return (
            f"housekeeping {cpu_list(self.housekeeping) or 'none'}, "
            f"isolated {cpu_list(self.isolated) or 'none'}"
        )


def propose(topology: Topology) -> CpuPlan:
    """Return a plan that `problems` finds nothing wrong with.

    Whole cores only: a thread cannot be isolated from its sibling. The boot CPU's core keeps
    house, for some of the kernel's work cannot be moved from it; so does a tenth of each
    node's cores, so that interrupts and memory work stay local. A node of one core is left to
    real time, unless it has the boot CPU. A host of one core has nothing to isolate.
    """
    boot = topology.cpus[0]
    keeping: list[int] = [boot.core]
    for node, cores in topology.cores_of_nodes.items():
        wanted = max(1, len(cores) // _SHARE)
        if node in topology.network_nodes and len(cores) >= _BUSY_NODE:
            wanted = max(wanted, 2)
        if len(cores) == 1:
            wanted = 0
        mine = [core for core in cores if core in keeping]
        others = [core for core in cores if core not in keeping]
        keeping += others[: max(0, wanted - len(mine))]
    housekeeping = topology.threads(keeping)
    return CpuPlan(housekeeping, topology.numbers - housekeeping)


def plan_inside(vcpus: int) -> CpuPlan | None:
    """Return the plan of a real-time virtual machine; None for one virtual CPU: all is done there.

    The first keeps house: it boots the machine, and its timers and interrupts go there. Who
    publishes guests' latencies leaves one to it, too (OpenShift Virtualization, SEAPATH). The
    others are threads of nobody's core but their own, so there is no more to decide.
    """
    if vcpus < 2:
        return None
    return CpuPlan(frozenset({0}), frozenset(range(1, vcpus)))


def problems(plan: CpuPlan, topology: Topology) -> tuple[str, ...]:
    """Return what is wrong with a plan for this host, a sentence each; () when nothing is."""
    found = []
    if both := plan.housekeeping & plan.isolated:
        found.append(f"CPUs {cpu_list(both)} are in both sets.")
    if missing := topology.numbers - plan.housekeeping - plan.isolated:
        found.append(f"CPUs {cpu_list(missing)} are in neither set.")
    if unknown := (plan.housekeeping | plan.isolated) - topology.numbers:
        found.append(f"CPUs {cpu_list(unknown)} are not online.")
    if not plan.housekeeping & topology.numbers:
        found.append("No CPU is left for housekeeping.")
    elif topology.cpus[0].number not in plan.housekeeping:
        boot = topology.cpus[0].number
        found.append(f"CPU {boot} boots the host and does work that cannot be moved: keep it.")
    for threads in topology.cores.values():
        inside = plan.isolated.intersection(threads)
        if inside and inside != frozenset(threads):
            outside = frozenset(threads) - inside
            found.append(
                f"CPU {cpu_list(inside)} is isolated and its sibling {cpu_list(outside)} on the "
                "same core is not."
            )
    return tuple(found)


def adapted(plan: CpuPlan, topology: Topology) -> CpuPlan:
    """Return a plan that `problems` finds nothing wrong with, as like a given one as can be.

    What is left of a core that was planned stays on its side, and siblings that came online join
    it; cores that were not planned are as proposed. Where that leaves nobody to keep house, all
    of it is as proposed.
    """
    proposal = propose(topology)
    housekeeping: set[int] = set()
    for threads in topology.cores.values():
        planned = (plan.housekeeping | plan.isolated).intersection(threads)
        keeps = (plan if planned else proposal).housekeeping.intersection(threads)
        housekeeping.update(threads if keeps else ())
    found = CpuPlan(frozenset(housekeeping), topology.numbers - housekeeping)
    return proposal if problems(found, topology) else found


def toggled(plan: CpuPlan, topology: Topology, cpu: int) -> CpuPlan:
    """Return the plan with the whole core of `cpu` on the other side."""
    core = next(one.core for one in topology.cpus if one.number == cpu)
    threads = frozenset(topology.cores[core])
    if cpu in plan.isolated:
        return CpuPlan(plan.housekeeping | threads, plan.isolated - threads)
    return CpuPlan(plan.housekeeping - threads, plan.isolated | threads)
