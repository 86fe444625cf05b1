"""Which hosts or virtual machines of a lab are the nodes of its cluster."""

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.lab.cluster import NodeRole
from kubert_tui.lab.model import Lab
from kubert_tui.lab.rules_of_cluster import specs_of


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the cluster, called as the host or machine is (in lower case)."""

    host: str
    """Its name in the lab file."""
    role: NodeRole
    address: str
    """Its IPv4 address; `` where the lab file has none (a name, or this machine)."""
    plan: CpuPlan | None
    """Which of its CPUs keep house; None when nobody said."""

    @property
    def name(self) -> str:
        """What Kubernetes calls it."""
        return self.host.lower()


def nodes_of(lab: Lab) -> tuple[Node, ...]:
    """Return the cluster's nodes, the control plane first; () when the lab has no cluster."""
    if lab.cluster is None:
        return ()
    guests = {guest.name: guest for guest in lab.guests}
    nodes = []
    roles = {name: guest.role for name, guest in guests.items()}
    for spec in specs_of(lab.cluster, roles, tuple(host.name for host in lab.hosts)):
        guest = guests.get(spec.name)
        if guest is not None:
            address = guest.address
            plan = lab.plan_of(spec.name) or _of_guest(guest.vcpus, realtime=guest.realtime)
        else:
            host = lab.host(spec.name)
            address, plan = _address(host.address), lab.plan_of(spec.name)
        nodes.append(Node(spec.name, spec.role, address, plan))
    return tuple(sorted(nodes, key=lambda node: node.role != "control-plane"))


def node_of(lab: Lab, host: str) -> Node | None:
    """Return the node that a host or machine is (or a pod is on); None if it is none."""
    machine = lab.machine_of(host)
    return next((node for node in nodes_of(lab) if node.host == machine), None)


def pods_of(lab: Lab) -> dict[str, str]:
    """Return what is measured on the nodes: by the pod's name, which no host has, the node's.

    Beside workers the control plane takes no pods, unless the lab file says so.
    """
    taken = {host.name for host in lab.hosts} | {guest.name for guest in lab.guests}
    nodes = nodes_of(lab)
    workers = [node for node in nodes if node.role == "worker"]
    pods = {}
    for node in nodes if lab.pods.control_plane else workers or nodes:
        name = f"{node.host}-pod"
        while name in taken:
            name += "-pod"
        taken.add(name)
        pods[name] = node.host
    return pods


def control_plane_of(lab: Lab) -> str:
    """Return the control plane's name in the lab file; `` when the lab has no cluster."""
    return next((node.host for node in nodes_of(lab) if node.role == "control-plane"), "")


def _of_guest(vcpus: int, *, realtime: bool) -> CpuPlan | None:
    """A machine's first CPU keeps its house, as that of any host does."""
    if not realtime or vcpus < 2:
        return None
    return CpuPlan(frozenset({0}), frozenset(range(1, vcpus)))


def _address(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        return ""
