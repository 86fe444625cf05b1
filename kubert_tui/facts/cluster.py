"""What is known of a node of the Kubernetes cluster."""

from dataclasses import dataclass

from kubert_tui.facts.fact import NOT_LOOKED_AT, Fact


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """A node as the API server tells of it."""

    name: str
    version: str
    """Of its kubelet: v1.36.4."""
    address: str
    ready: bool
    conditions: tuple[str, ...] = ()
    """What is wrong with it, such as `MemoryPressure`; () when nothing is."""
    pod_cidr: str = ""
    schedulable: bool = True
    kept_off: str = ""
    """Why kubert-tui keeps pods off it for a while: `cpus`, `upgrade`; `` when it does not."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that kubeadm made on the control plane, and can renew: no authority."""

    name: str
    """As `kubeadm certs renew` takes it: `apiserver`, `admin.conf`."""
    days: int
    """Whole days it is good for by the clock of its host; negative once it has expired."""
    fingerprint: str
    """SHA-256 of it, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Kubelet:
    """How the kubelet is configured, and what runs. Arguments win over the file."""

    configured: Fact[tuple[str, ...]] = NOT_LOOKED_AT
    """Arguments in the file that its unit reads."""
    running: Fact[tuple[str, ...]] = NOT_LOOKED_AT
    """Arguments of the process; () when none runs."""
    settings: Fact[dict[str, str]] = NOT_LOOKED_AT
    """The plain values of /var/lib/kubelet/config.yaml; {} when it is not there."""
    cpu_policy: Fact[str] = NOT_LOOKED_AT
    """Of cpu_manager_state: what is in effect; `` before a kubelet ran."""


@dataclass(frozen=True, slots=True)
class ClusterSeen:
    """One node, looked at for its cluster."""

    kubeadm: Fact[str] = NOT_LOOKED_AT
    """Version, `` when it is not installed."""
    kubelet_version: Fact[str] = NOT_LOOKED_AT
    unit: Fact[str] = NOT_LOOKED_AT
    """The kubelet's unit: active, activating, inactive, failed; `absent`."""
    at_boot: Fact[bool] = NOT_LOOKED_AT
    runtime: Fact[bool] = NOT_LOOKED_AT
    """Whether the container runtime's socket is there."""
    swaps: Fact[int] = NOT_LOOKED_AT
    """Swap areas in use."""
    forwarding: Fact[bool] = NOT_LOOKED_AT
    selinux: Fact[str] = NOT_LOOKED_AT
    """enforcing, permissive; `` where the kernel has none."""
    routes: Fact[frozenset[str]] = NOT_LOOKED_AT
    """`NETWORK via ADDRESS` of every route through another host."""
    files: Fact[frozenset[str]] = NOT_LOOKED_AT
    """Of those that kubeadm makes."""
    kubelet: Kubelet = Kubelet()
    server_cpus: Fact[tuple[int, ...]] = NOT_LOOKED_AT
    """CPUs on which kube-apiserver may run; () when it does not run here."""
    api: Fact[bool] = NOT_LOOKED_AT
    """Whether the API server says that it is ready."""
    complete: Fact[tuple[str, ...]] = NOT_LOOKED_AT
    """What `kubeadm init` makes last and is missing; () when nothing is."""
    certificates: Fact[tuple[Certificate, ...]] = NOT_LOOKED_AT
    """Of the control plane."""
    made_of: Fact[tuple[str, ...]] = NOT_LOOKED_AT
    """The versions of all that `kubeadm upgrade apply` upgrades, on the control plane."""
    server: Fact[str] = NOT_LOOKED_AT
    """The API server's version, `` where there is none; asked on the control plane, as `nodes`."""
    nodes: Fact[tuple[NodeSeen, ...]] = NOT_LOOKED_AT
    """All that the API server knows; asked on the control plane, for whichever node."""
    pods: Fact[tuple[str, ...]] = NOT_LOOKED_AT
    """`NAMESPACE/NAME` of those that a drain would move; only looked for when one is asked for."""
