"""Nodes taken out of the cluster, or all of it given up: asked for by hand, no stage of the way."""

from kubert_tui.checks.cluster import of_node
from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import Verdict, failed, ok, unknown
from kubert_tui.facts.cluster import ClusterSeen
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.cluster import ClusterSpec
from kubert_tui.lab.nodes import Node
from kubert_tui.stages.cluster_change import (
    ClusterChange,
    cluster_playbook,
    control_plane_helps,
    not_for_others,
    observe_node,
)
from kubert_tui.stages.model import Guide, Stage, Where


def _gone(_facts: Facts, seen: ClusterSeen, _cluster: ClusterSpec, _node: Node) -> Verdict:
    if isinstance(seen.files, Unknown):
        return unknown("What kubeadm made", seen.files)
    if seen.files.value:
        return failed(f"There still is {min(seen.files.value)}.", "Reset the node again.")
    return ok("Nothing of a cluster is left.")


GONE = Check(
    "cluster.gone",
    "Nothing of a cluster left",
    "What is left of one cluster is in the way of the next.",
    "kubeadm reset",
    of_node("What is left of the cluster", _gone),
)
RESET = Stage(
    id="cluster-reset",
    title="Take nodes out of the cluster",
    guide=Guide(
        what="Drains each worker and removes it from the cluster, then undoes on the node what "
        "kubeadm did: certificates, data, containers, interfaces, rules of the firewall. With "
        "the control plane the cluster is gone. What the stage cluster-nodes prepared stays.",
        why="A node that was half in another cluster joins none.",
        readme="(no step of the README undoes a cluster)",
        ours="kubectl drain and delete node; kubeadm reset, and what it says that it leaves",
        differs="",
    ),
    checks=(GONE,),
    goals=frozenset({GONE.id}),
    change=ClusterChange(
        cluster_playbook(
            "cluster-reset.yml",
            confirm="All that runs on these nodes in the cluster ends; with the control plane "
            "all of the cluster's data is lost.",
        )
    ),
    helpers=control_plane_helps,
    where=Where.NODES,
    not_for=not_for_others,
    observe=observe_node,
)
