"""Stage 22: the pods' network."""

from kubert_tui.checks import cluster_up
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab
from kubert_tui.stages.cluster_change import (
    ClusterChange,
    cluster_playbook,
    control_plane_helps,
    not_for_others,
    observe_node,
)
from kubert_tui.stages.model import Guide, Stage, Where


def _not_for(facts: Facts, lab: Lab) -> str:
    if lab.cluster is not None and lab.cluster.cni == "none":
        return "the lab file says `cni: none`: the network is yours to make"
    return not_for_others(facts, lab)


STAGE = Stage(
    id="cluster-network",
    title="Make the pods' network",
    guide=Guide(
        what="Makes the network of the pods and waits until every node says that it is ready.",
        why="Without it no node takes pods. flannel is what the upstream uses; a bridge on each "
        "node with routes between them needs no image and no daemon, which suits a lab without a "
        "registry, and leaves nothing running beside real-time pods. It needs nodes that reach "
        "one another without a router between them.",
        readme="kubectl apply -f kube-flannel.yml (v0.11, of the upstream that the README follows)",
        ours="flannel's manifest of one release, held against its checksum, with the lab's network "
        "in it; or a static configuration of the plugins bridge and host-local (`cni: bridge`)",
        differs="flannel v0.11 speaks an API that was removed long ago. Readiness is waited for, "
        "where the upstream sleeps.",
    ),
    checks=(cluster_up.READY,),
    goals=frozenset({cluster_up.READY.id}),
    helpers=control_plane_helps,
    where=Where.NODES,
    change=ClusterChange(cluster_playbook("cluster-network.yml")),
    not_for=_not_for,
    observe=observe_node,
)
