"""Nodes drained, removed, let back and added: asked for by hand, no stages of the way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kubert_tui.base.errors import ChangeError, KubertError
from kubert_tui.checks import cluster_upkeep
from kubert_tui.checks.cluster import of_node
from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import Verdict, failed, ok, unknown
from kubert_tui.facts.cluster import ClusterSeen, NodeSeen
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.look_cluster import look_at_pods
from kubert_tui.facts.model import Facts
from kubert_tui.lab.cluster import ClusterSpec
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import Node, control_plane_of, node_of, nodes_of
from kubert_tui.stages.cluster_change import (
    ClusterChange,
    cluster_playbook,
    control_plane_helps,
    not_for_others,
    observe_node,
    only_control_plane,
)
from kubert_tui.stages.cluster_reset import GONE
from kubert_tui.stages.model import Guide, Stage, Where, Work
from kubert_tui.stages.registry import stage

_NO_STEP = "(no step of the README takes a node out of a cluster)"


@dataclass(frozen=True, slots=True)
class DrainOptions:
    """What somebody agreed to when pods have to go; kubectl drain's own options."""

    force: bool = False
    """Pods without a controller are lost."""
    delete_emptydir_data: bool = False
    """What pods keep in their emptyDir is lost."""
    disable_eviction: bool = False
    """PodDisruptionBudgets are not asked."""
    seconds: int = 300
    """How long pods get to go."""

    def variables(self, _lab: Lab, _facts: Facts) -> Mapping[str, object]:
        """Return the variables of the role `drain`."""
        chosen = {
            "--force": self.force,
            "--delete-emptydir-data": self.delete_emptydir_data,
            "--disable-eviction": self.disable_eviction,
        }
        return {
            "cluster_drain_seconds": self.seconds,
            "cluster_drain_options": [option for option, wanted in chosen.items() if wanted],
        }


def observe_pods(work: Work, facts: Facts) -> Facts:
    """Return the facts of a node with what it is in its cluster, and its pods that could move."""
    facts = observe_node(work, facts)
    node, lead = node_of(work.lab, facts.host), control_plane_of(work.lab)
    if node is None or isinstance(facts.cluster, Unknown):
        return facts
    pods: Fact[tuple[str, ...]]
    try:
        pods = look_at_pods(work.host(lead), node.name, sudo=True, cancel=work.cancel)
    except KubertError as error:
        pods = Unknown(f"{lead}: {error.what}")
    seen: ClusterSeen = replace(facts.cluster.value, pods=pods)
    return replace(facts, cluster=Known(seen))


def drain_stage(options: DrainOptions) -> Stage:
    """Return the stage that cordons a node and moves its pods elsewhere."""
    return Stage(
        id="cluster-drain",
        title="Drain the node",
        guide=Guide(
            what="Keeps new pods off the node and moves those that run there elsewhere. Pods that "
            "cannot go are named, with what it would take, and then nothing is done.",
            why="What runs on a node that is restarted, upgraded or removed ends with it.",
            readme=_NO_STEP,
            ours="kubectl drain --ignore-daemonsets",
            differs="",
        ),
        checks=(cluster_upkeep.DRAINED,),
        goals=frozenset({cluster_upkeep.DRAINED.id}),
        change=ClusterChange(cluster_playbook("cluster-drain.yml", more=options.variables)),
        helpers=control_plane_helps,
        where=Where.NODES,
        not_for=not_for_others,
        observe=observe_pods,
    )


UNCORDON = Stage(
    id="cluster-uncordon",
    title="Let pods onto the node",
    guide=Guide(
        what="Lets pods onto a node that was drained.",
        why="A cordoned node gets no pods.",
        readme=_NO_STEP,
        ours="kubectl uncordon",
        differs="",
    ),
    checks=(cluster_upkeep.TAKES_PODS,),
    goals=frozenset({cluster_upkeep.TAKES_PODS.id}),
    change=ClusterChange(cluster_playbook("cluster-uncordon.yml")),
    helpers=control_plane_helps,
    where=Where.NODES,
    not_for=not_for_others,
    observe=observe_node,
)


def remove_stage(options: DrainOptions) -> Stage:
    """Return the stage that drains a worker, removes it from the cluster, and resets it."""
    return Stage(
        id="cluster-remove",
        title="Remove the node from the cluster",
        guide=Guide(
            what="Drains the worker, removes it from the cluster, and undoes on it what kubeadm "
            "did. Pods that cannot go are named, and then nothing is done.",
            why="A node that is only switched off stays in the cluster's books.",
            readme=_NO_STEP,
            ours="kubectl drain and delete node; kubeadm reset, and what it says that it leaves",
            differs="",
        ),
        checks=(GONE, cluster_upkeep.UNKNOWN_TO_CLUSTER),
        goals=frozenset({GONE.id, cluster_upkeep.UNKNOWN_TO_CLUSTER.id}),
        change=ClusterChange(
            cluster_playbook(
                "cluster-remove.yml",
                confirm="The node leaves the cluster; what the cluster kept on it is lost.",
                more=options.variables,
            )
        ),
        helpers=control_plane_helps,
        where=Where.NODES,
        not_for=not_for_others,
        observe=observe_node,
    )


def lost_stage(node: Node) -> Stage:
    """Return the stage that takes a worker out of the cluster whose machine is gone.

    It is about the control plane; nobody connects to that worker.
    """

    def seen_there(seen: ClusterSeen) -> NodeSeen | None:
        nodes = seen.nodes.value if isinstance(seen.nodes, Known) else ()
        return next((one for one in nodes if one.name == node.name), None)

    def judge(_facts: Facts, seen: ClusterSeen, _cluster: ClusterSpec, _lead: Node) -> Verdict:
        if isinstance(seen.nodes, Unknown):
            return unknown("Which nodes the cluster knows", seen.nodes)
        if seen_there(seen) is None:
            return ok(f"The cluster does not know {node.name}.")
        return failed(f"The cluster knows {node.name}.", "Take it out again.")

    def against(_lab: Lab, facts: Facts) -> KubertError | None:
        found = seen_there(facts.cluster.value) if isinstance(facts.cluster, Known) else None
        if found is None or not found.ready:
            return None
        return ChangeError(
            f"{node.host} is not lost: the cluster says that it is ready",
            fix=f"kubert-tui cluster remove {node.host}, without --lost",
        )

    gone = Check(
        "cluster.lost",
        "Lost node out of the cluster",
        cluster_upkeep.UNKNOWN_TO_CLUSTER.why,
        "kubectl get nodes",
        of_node("Which nodes the cluster knows", judge),
    )
    return Stage(
        id="cluster-lost",
        title=f"Take {node.host}, which is lost, out of the cluster",
        guide=Guide(
            what="Removes what the cluster knows of a worker whose machine is gone.",
            why="A cluster goes on waiting for a node that it knows.",
            readme=_NO_STEP,
            ours="kubectl delete node",
            differs="",
        ),
        checks=(gone,),
        goals=frozenset({gone.id}),
        change=ClusterChange(
            cluster_playbook(
                "cluster-lost.yml",
                confirm=f"The cluster forgets {node.host}; nothing is done on that machine.",
                more=lambda _lab, _facts: {"cluster_lost": node.name},
            ),
            against=against,
        ),
        helpers=control_plane_helps,
        where=Where.NODES,
        not_for=only_control_plane,
        observe=observe_node,
    )


def add_stages(lab: Lab, host: str) -> tuple[tuple[Stage, ...], tuple[str, ...]]:
    """Return the stages that make a host of the lab a worker, and the hosts that they look at.

    They change that one only; but for routes to its pods on all others, where the pods' network
    is bridges and routes.
    """
    alone = (stage("cluster-nodes"), stage("cluster-workers"))
    network = stage("cluster-network")
    routed = lab.cluster is not None and lab.cluster.cni == "bridge"
    lead = control_plane_of(lab)
    hosts = tuple(one.host for one in nodes_of(lab) if routed or one.host in (host, lead))
    stages = (*(replace(one, only=frozenset({host})) for one in alone), network)
    return stages, hosts
