"""The kubelet's arguments for real-time pods: what it may give away, and how it is asked to.

Arguments, because each node has its own and every kubelet from 1.20 on takes them; kubeadm's
configuration of the kubelet is the same for all nodes.
"""

from kubert_tui.cpus.lists import cpu_list
from kubert_tui.lab.cluster import ClusterSpec
from kubert_tui.lab.nodes import Node

SYSTEM_MEMORY, EVICTION = 412, 100
"""MiB: kept from pods for the system, and the kubelet's default of what has to stay free."""
_OPTIONS_FROM = 23
"""--cpu-manager-policy-options with full-pcpus-only (beta, on by default)."""
_MEMORY_MANAGER_FROM = 22
"""--memory-manager-policy Static (beta, on by default)."""
_STRICT_FROM = 35
"""strict-cpu-reservation (general availability)."""


def kubelet_arguments(cluster: ClusterSpec, node: Node) -> tuple[str, ...]:
    """Return the arguments of a node's kubelet beyond kubeadm's, in a fixed order.

    With a CPU plan: housekeeping CPUs reserved, the others given as whole cores to Guaranteed
    pods that ask for whole CPUs, memory from the same NUMA node. Reserved CPUs still run pods
    that have none of their own, unless strict-cpu-reservation keeps them off: not on the control
    plane, whose own pods would then be on the isolated CPUs.
    """
    found = [f"--node-ip={node.address}"] if node.address else []
    if node.plan is not None:
        found += [f"--reserved-cpus={cpu_list(node.plan.housekeeping)}"]
        found += ["--cpu-manager-policy=static"]
        if cluster.minor >= _OPTIONS_FROM:
            strict = cluster.minor >= _STRICT_FROM and node.role == "worker"
            more = ",strict-cpu-reservation=true" if strict else ""
            found += [f"--cpu-manager-policy-options=full-pcpus-only=true{more}"]
        found += ["--topology-manager-policy=single-numa-node"]
        if cluster.minor >= _MEMORY_MANAGER_FROM:
            # The kubelet insists: what is reserved on NUMA nodes is the sum of the other two.
            found += [
                f"--system-reserved=memory={SYSTEM_MEMORY}Mi",
                "--memory-manager-policy=Static",
                f"--reserved-memory=0:memory={SYSTEM_MEMORY + EVICTION}Mi",
            ]
    return (*found, *(f"--{argument}" for argument in cluster.kubelet))
