"""Stage 21: the workers."""

from kubert_tui.checks import cluster_up, cluster_upkeep
from kubert_tui.stages.cluster_change import (
    ClusterChange,
    cluster_playbook,
    control_plane_helps,
    not_for_others,
    observe_node,
)
from kubert_tui.stages.model import Guide, Stage, Where

STAGE = Stage(
    id="cluster-workers",
    title="Let the workers join",
    guide=Guide(
        what="Lets every worker join the cluster with kubeadm join. A worker that was in another "
        "cluster, or whose join was broken off, is cleaned first.",
        why="Real-time pods run on workers: nothing of the control plane is beside them there.",
        readme="ansible-playbook kubernetes-workers.yml (of the upstream that the README follows)",
        ours="a token of twenty minutes for each join, made on the control plane and deleted after "
        "it; kubeadm join --config from a file in memory, with the hash of the cluster's "
        "certificate authority",
        differs="The upstream copies one join command to all workers, where its token can be read "
        "in the list of processes.",
    ),
    checks=(cluster_up.JOINED, cluster_upkeep.VERSION),
    goals=frozenset({cluster_up.JOINED.id}),
    helpers=control_plane_helps,
    where=Where.NODES,
    change=ClusterChange(cluster_playbook("cluster-workers.yml")),
    not_for=not_for_others,
    observe=observe_node,
)
