"""Stage 23: proof of life."""

from kubert_tui.checks import cluster_up
from kubert_tui.stages.cluster_change import (
    ClusterChange,
    cluster_playbook,
    control_plane_helps,
    not_for_others,
    observe_node,
)
from kubert_tui.stages.model import Guide, Stage, Where

STAGE = Stage(
    id="cluster-smoke",
    title="Prove that the cluster lives",
    guide=Guide(
        what="Runs nginx in a pod on every node that takes pods, asks each pod for its page, then "
        "each node through a service, and removes all of it again.",
        why="A cluster whose nodes are ready may still not pull images, not route between nodes, "
        "or not serve a service. This finds out before anything is measured.",
        readme="kubectl create deployment nginx --image=nginx, exposed and asked with curl (of the "
        "upstream that the README follows)",
        ours="a DaemonSet and a NodePort service in a namespace of their own, deleted whatever "
        "happens; `smoke_image` in the lab file names another image",
        differs="The upstream's stays, and says nothing of nodes that it was not scheduled to.",
    ),
    checks=(cluster_up.CONTROL_PLANE, cluster_up.READY),
    helpers=control_plane_helps,
    where=Where.NODES,
    change=ClusterChange(cluster_playbook("cluster-smoke.yml"), proves=True),
    measures=True,
    not_for=not_for_others,
    observe=observe_node,
)
