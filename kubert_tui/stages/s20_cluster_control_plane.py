"""Stage 20: the control plane."""

from kubert_tui.checks import cluster, cluster_up, cluster_upkeep
from kubert_tui.stages.cluster_change import (
    ClusterChange,
    cluster_playbook,
    control_plane_helps,
    observe_node,
    only_control_plane,
)
from kubert_tui.stages.model import Guide, Stage, Where

STAGE = Stage(
    id="cluster-control-plane",
    title="Make the control plane",
    guide=Guide(
        what="Makes the control plane with kubeadm init, and keeps the administrator's kubeconfig "
        "on this computer, readable by you only. One that was broken off is finished; if it had "
        "no data yet, it is undone and made anew.",
        why="The API server, its database and the schedulers are what a cluster is; all other "
        "nodes join them.",
        readme="ansible-playbook kubernetes-masters.yml (of the upstream that the README follows)",
        ours="kubeadm init --config with the lab file's version, networks and images; then each of "
        "its last phases looked for, and run again where it is missing",
        differs="The upstream remembers an init in a marker file, so that one that broke off fails "
        "each time after. It leaves a token that is good for a day; ours are removed.",
    ),
    checks=(
        cluster_up.CONTROL_PLANE,
        cluster.SERVER_CPUS,
        cluster_upkeep.VERSION,
        cluster_upkeep.CERTIFICATES,
    ),
    goals=frozenset({cluster_up.CONTROL_PLANE.id}),
    helpers=control_plane_helps,
    where=Where.NODES,
    change=ClusterChange(cluster_playbook("cluster-control-plane.yml"), exports=True),
    not_for=only_control_plane,
    observe=observe_node,
)
