"""A CPU plan while somebody edits it: every edit can be taken back."""

from dataclasses import dataclass

from kubert_tui.cpus.plan import CpuPlan, problems, propose, toggled
from kubert_tui.cpus.topology import Topology


@dataclass(frozen=True, slots=True)
class Draft:
    """The plan of one host, and the plans it had before, oldest first."""

    topology: Topology
    plan: CpuPlan
    before: tuple[CpuPlan, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with it, a sentence each."""
        return problems(self.plan, self.topology)

    def toggled(self, cpu: int) -> "Draft":
        """Put the whole core of `cpu` on the other side."""
        return self.taken(toggled(self.plan, self.topology, cpu))

    def proposed(self) -> "Draft":
        """Go back to what the topology suggests."""
        return self.taken(propose(self.topology))

    def taken(self, plan: CpuPlan) -> "Draft":
        """Take this plan; the same one again is no edit."""
        if plan == self.plan:
            return self
        return Draft(self.topology, plan, (*self.before, self.plan))

    def undone(self) -> "Draft":
        """Take the last edit back; without one there is nothing to do."""
        if not self.before:
            return self
        return Draft(self.topology, self.before[-1], self.before[:-1])

    def fits(self, topology: Topology) -> bool:
        """Whether the plan means the same on another host: its CPUs sit in the same places."""
        return topology.cpus == self.topology.cpus
