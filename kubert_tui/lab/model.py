"""The lab, typed. Pydantic gives us validation, and the schema for editors for free."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.lab.causes import CausesSpec
from kubert_tui.lab.cluster import ClusterSpec
from kubert_tui.lab.cpus import CpusSpec
from kubert_tui.lab.cyclictest import CyclictestSpec
from kubert_tui.lab.duration import parse_duration
from kubert_tui.lab.host import HostSpec
from kubert_tui.lab.image import ImageSpec
from kubert_tui.lab.kernel import KernelSpec
from kubert_tui.lab.ladder import LadderSpec
from kubert_tui.lab.machines import MachineSpec, MachinesSpec, NetworkSpec, settled
from kubert_tui.lab.part import HostName, Part, RpmPackage, span
from kubert_tui.lab.pods import PodsSpec
from kubert_tui.lab.rules import HostOutline, host_problems
from kubert_tui.lab.rules_of_cluster import node_problem, specs_of
from kubert_tui.lab.rules_of_machines import MachineOutline, machine_problems
from kubert_tui.lab.workloads import DensitySpec, WorkloadSpec, workloads_problem

__all__ = [
    "ClusterSpec",
    "CpusSpec",
    "CyclictestSpec",
    "DensitySpec",
    "HostName",
    "HostSpec",
    "ImageSpec",
    "KernelSpec",
    "Lab",
    "MachineSpec",
    "MachinesSpec",
    "NetworkSpec",
    "Part",
    "Permission",
    "RpmPackage",
    "RtTestsSpec",
    "WorkloadSpec",
]


class Permission(StrEnum):
    """What kubert-tui may change on the lab's hosts."""

    PACKAGES = "packages"
    KERNEL = "kernel"
    REBOOT = "reboot"
    SERVICES = "services"
    NETWORK = "network"
    MACHINES = "machines"
    CLUSTER = "cluster"


class RtTestsSpec(Part):
    """Which rt-tests, and where from."""

    version: str = Field(
        default="default",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/+-]{0,63}$",
        description="default, 1.0, 2.10, stable/v1.0, ...",
        # An unquoted 2.10 is a number to an editor; the loader reads the text as written.
        json_schema_extra={"type": ["string", "number"]},
    )
    source: Literal["auto", "directory", "upstream", "distribution-source", "distribution"] = "auto"
    directory: str = Field(default="", description="Source tree on this computer.")

    @model_validator(mode="after")
    def _directory_given(self) -> Self:
        if self.source == "directory" and not self.directory:
            raise PydanticCustomError("rt_tests", "expected `directory` for this source")
        return self


class Lab(Part):
    """Everything a run needs to know."""

    name: HostName = "lab"
    hosts: tuple[HostSpec, ...] = Field(min_length=1)
    allow: frozenset[Permission] = Field(
        default=frozenset(), description="What kubert-tui may change; nothing if empty."
    )
    kernel: KernelSpec = KernelSpec()
    rt_tests: RtTestsSpec = RtTestsSpec()
    cyclictest: CyclictestSpec = CyclictestSpec()
    causes: CausesSpec = CausesSpec()
    network: NetworkSpec = NetworkSpec()
    machines: MachinesSpec = MachinesSpec()
    image: ImageSpec = ImageSpec()
    ladder: LadderSpec = LadderSpec()
    cluster: ClusterSpec | None = Field(
        default=None, description="The Kubernetes cluster; none if left out."
    )
    pods: PodsSpec = PodsSpec()
    workloads: tuple[WorkloadSpec, ...] = Field(
        default=(), max_length=50, description="Applications that run in the cluster."
    )
    density: DensitySpec = DensitySpec()
    restart_wait: Annotated[str, span("1m", "1440m")] = Field(
        default="30m", description="How long a host that restarts gets to come back."
    )

    _guest_hosts: tuple[HostSpec, ...] = PrivateAttr(default=())
    _pods: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def restart_seconds(self) -> int:
        """How long a host that restarts gets to come back."""
        return round(parse_duration(self.restart_wait) / 1_000_000)

    @model_validator(mode="after")
    def _hosts_fit_together(self) -> Self:
        outlines = [HostOutline(host.name, host.jump, host.connection) for host in self.hosts]
        problems = host_problems(outlines)
        if problems:
            what = "; ".join(f"hosts: {problem.what}" for problem in problems)
            raise PydanticCustomError("hosts", "{what}", {"what": what})
        return self

    @model_validator(mode="after")
    def _machines_fit_together(self) -> Self:
        written = self.machines.written
        outlines = [MachineOutline(one.name, one.host, one.address, one.adopted) for one in written]
        names = [host.name for host in self.hosts]
        problems = machine_problems(outlines, names, self.network.outline)
        if problems:
            what = "; ".join(f"machines: {problem.what}" for problem in problems)
            raise PydanticCustomError("guests", "{what}", {"what": what})
        return self

    @model_validator(mode="after")
    def _nodes_are_there(self) -> Self:
        nodes = None
        if self.cluster is not None:
            roles = {machine.name: machine.role for machine in self.machines.written}
            hosts = [host.name for host in self.hosts]
            if what := node_problem(self.cluster, roles, hosts):
                raise PydanticCustomError("nodes", "{what}", {"what": f"cluster.nodes: {what}"})
            nodes = tuple(node.name for node in specs_of(self.cluster, roles, hosts))
        if what := workloads_problem(self.workloads, self.density, nodes):
            raise PydanticCustomError("workloads", "{what}", {"what": what})
        return self

    @property
    def guests(self) -> tuple[MachineSpec, ...]:
        """The virtual machines, with host, address and kind of network filled in."""
        return settled(self.machines, self.network, self.hosts[0].name)

    @property
    def everyone(self) -> tuple[HostSpec, ...]:
        """The hosts, each followed by those of its machines that `with_guests` made hosts.

        A node is followed by its pod, if `with_pods` named one.
        """
        runs = self._parents
        machines = (
            one
            for host in self.hosts
            for one in (host, *(g for g in self._guest_hosts if runs.get(g.name) == host.name))
        )
        pods = {node: pod for pod, node in self._pods.items()}
        return tuple(
            one
            for machine in machines
            for one in (
                (machine, machine.model_copy(update={"name": pods[machine.name]}))
                if machine.name in pods
                else (machine,)
            )
        )

    def with_guests(self, guests: Iterable[HostSpec]) -> Self:
        """Return the lab with its machines as hosts: `host` and `everyone` know them, too.

        `hosts` does not: what is done to the hosts is not done to what runs inside them. They are
        no part of the lab file.
        """
        copy = self.model_copy()
        copy._guest_hosts = tuple(guests)
        return copy

    def with_pods(self, pods: Mapping[str, str]) -> Self:
        """Return the lab with a pod to be measured on some nodes: by the pod's name, the node's."""
        copy = self.model_copy()
        copy._pods = dict(pods)
        return copy

    @property
    def pod_nodes(self) -> Mapping[str, str]:
        """By pod: the node it is measured on; nothing before `with_pods`."""
        return self._pods

    def machine_of(self, name: str) -> str:
        """Return on which host or machine `name` is: a pod's node; all others are themselves."""
        return self._pods.get(name, name)

    def layer_of(self, name: str) -> Literal["host", "guest", "pod"]:
        """Return what `name` is."""
        if name in self._pods:
            return "pod"
        return "guest" if self.parent_of(name) else "host"

    def parent_of(self, name: str) -> str:
        """Return what is beneath `name`: a machine's host, a pod's node; `` if it is a host."""
        return self._pods.get(name) or self._parents.get(name, "")

    @property
    def _parents(self) -> dict[str, str]:
        """By machine: the host that runs it. Faces ask often: without settling the machines."""
        return {one.name: one.host or self.hosts[0].name for one in self.machines.written}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with `update`, validated; machines and pods that are hosts stay so."""
        copy = super().model_copy(update=update, deep=deep)
        copy._guest_hosts = self._guest_hosts
        copy._pods = self._pods
        return copy

    def host(self, name: str) -> HostSpec:
        """Return the host (or the machine that is one) called `name`; KeyError if there is none."""
        for host in self.everyone:
            if host.name == name:
                return host
        raise KeyError(name)

    def plan_of(self, name: str) -> CpuPlan | None:
        """Return the CPU plan of a host; None if there is none, or no such host."""
        machine = self.machine_of(name)
        return next((host.cpus.plan for host in self.everyone if host.name == machine), None)

    def with_plans(self, plans: Mapping[str, CpuPlan]) -> Self:
        """Return the lab with the CPU plans of some hosts, by name."""
        hosts = tuple(
            host.model_copy(update={"cpus": CpusSpec.of(plans[host.name])})
            if host.name in plans
            else host
            for host in self.hosts
        )
        return self.model_copy(update={"hosts": hosts})
