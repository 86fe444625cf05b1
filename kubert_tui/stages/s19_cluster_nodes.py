"""Stage 19: the cluster's nodes prepared."""

from kubert_tui.checks import cluster, cluster_upkeep, cross, host
from kubert_tui.lab.model import Permission
from kubert_tui.stages.cluster_change import (
    ClusterChange,
    cluster_playbook,
    control_plane_helps,
    not_for_others,
    observe_node,
)
from kubert_tui.stages.model import Guide, Stage, Where

STAGE = Stage(
    id="cluster-nodes",
    title="Prepare the cluster's nodes",
    guide=Guide(
        what="Turns swap off for good, loads the kernel's modules, forwards packets, tells the "
        "nodes of one another, installs the container runtime and Kubernetes, and tells each "
        "kubelet which CPUs it may give away: those that the CPU plan isolates, as whole cores.",
        why="The kubelet gives a pod CPUs of its own only with its static policy, and it has to "
        "reserve exactly the CPUs that the kernel does not isolate; otherwise real-time pods "
        "share CPUs with the system, or the system runs on theirs.",
        readme="ansible-playbook kubernetes-bootstrap.yml (the upstream's that the README follows)",
        ours="cluster-nodes.yml: packages of the version that the lab file names, from "
        "pkgs.k8s.io or a mirror, their key held against its fingerprint; containerd with "
        "systemd's cgroups; KUBELET_EXTRA_ARGS from the CPU plan",
        differs="The upstream knows apt only, trusts whatever key it downloads, and its swap comes "
        "back with zram or a line of fstab that is written differently. It leaves all CPUs to all "
        "pods.",
    ),
    checks=(
        cluster.PREPARED,
        cluster.SELINUX,
        cluster.RUNTIME,
        cluster.PACKAGES,
        cluster.KUBELET,
        cluster_upkeep.VERSION,
        host.DISTRIBUTION,
        host.DISK,
    ),
    goals=frozenset(
        {cluster.PREPARED.id, cluster.RUNTIME.id, cluster.PACKAGES.id, cluster.KUBELET.id}
    ),
    cross_checks=(cross.NAMES, cross.MACHINE_IDS, cross.ADDRESSES, cross.CLOCKS),
    helpers=control_plane_helps,
    where=Where.NODES,
    change=ClusterChange(
        cluster_playbook("cluster-nodes.yml", Permission.PACKAGES, Permission.SERVICES)
    ),
    not_for=not_for_others,
    observe=observe_node,
)
