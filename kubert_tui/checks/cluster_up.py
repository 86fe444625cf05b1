"""Checks of a cluster that is made: its control plane, its nodes, the pods' network."""

from kubert_tui.checks.cluster import KUBELET_CONF, of_node
from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import Verdict, failed, ok, unknown, warning
from kubert_tui.checks.skew import is_version
from kubert_tui.facts.cluster import ClusterSeen, NodeSeen
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.cluster import ClusterSpec
from kubert_tui.lab.nodes import Node

_MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"


def _control_plane(_facts: Facts, seen: ClusterSeen, cluster: ClusterSpec, node: Node) -> Verdict:
    again = "Run the stage cluster-control-plane: it finishes what is half done."
    if node.role != "control-plane":
        return ok("This node is a worker.")
    if isinstance(seen.files, Unknown):
        return unknown("What kubeadm made", seen.files)
    if not seen.files.value:
        return failed("There is no control plane yet.", "Run the stage cluster-control-plane.")
    if _MANIFEST not in seen.files.value:
        return failed("The control plane was begun, and is not whole.", again)
    if isinstance(seen.api, Unknown):
        return unknown("The API server", seen.api)
    if not seen.api.value:
        return failed("The API server is not ready.", f"journalctl -u kubelet tells why. {again}")
    if isinstance(seen.complete, Unknown):
        return unknown("Whether the control plane is complete", seen.complete)
    missing = [name for name in seen.complete.value if name not in cluster.skip_addons]
    if missing:
        return failed(f"The control plane is not complete: no {', '.join(missing)}.", again)
    return ok("The API server is ready, and the control plane is complete.")


def mine_of(seen: ClusterSeen, node: Node) -> NodeSeen | Unknown | None:
    """Return what the cluster says of a node; None if it does not know it."""
    if isinstance(seen.nodes, Unknown):
        return seen.nodes
    return next((one for one in seen.nodes.value if one.name == node.name), None)


def _joined(_facts: Facts, seen: ClusterSeen, cluster: ClusterSpec, node: Node) -> Verdict:
    mine = mine_of(seen, node)
    if isinstance(mine, Unknown):
        return unknown("Whether the node is in the cluster", mine)
    stage = "cluster-workers" if node.role == "worker" else "cluster-control-plane"
    if mine is None:
        return failed("The cluster does not know this node.", f"Run the stage {stage}.")
    if isinstance(seen.files, Unknown):
        return unknown("What kubeadm made", seen.files)
    if KUBELET_CONF not in seen.files.value:
        # A machine that was made anew, and the cluster knows the one that had its name.
        return failed(
            "The cluster knows a node of this name, but this host has not joined it.",
            f"Run the stage {stage}: what the cluster knows of the old one is replaced.",
        )
    if isinstance(seen.unit, Unknown):
        return unknown("The kubelet", seen.unit)
    if seen.unit.value != "active":
        return failed(f"The kubelet is {seen.unit.value}.", f"Run the stage {stage}.")
    if not is_version(mine.version, cluster.kubernetes):
        return warning(
            f"The node runs {mine.version}, the lab file says {cluster.kubernetes}.",
            "kubert-tui cluster upgrade; by one minor release at a time.",
        )
    return ok(f"The cluster knows this node ({mine.version}, {mine.address}).")


def _ready(_facts: Facts, seen: ClusterSeen, cluster: ClusterSpec, node: Node) -> Verdict:
    mine = mine_of(seen, node)
    if isinstance(mine, Unknown):
        return unknown("Whether the node is ready", mine)
    if mine is None:
        return failed("The cluster does not know this node.", "Run the stages before this one.")
    if not mine.ready:
        return failed(
            "The node is not ready.",
            "Without a pod network no node is: run the stage cluster-network. Else "
            "journalctl -u kubelet tells why.",
        )
    if cluster.cni == "bridge" and (away := _away(seen, node)):
        return failed(
            f"There is no route to the pods of {', '.join(away)}.", "Run the stage cluster-network."
        )
    if mine.conditions:
        return warning(f"The node says {', '.join(mine.conditions)}.", "kubectl describe node")
    if not mine.schedulable:
        return warning(
            "The node takes no new pods: it is cordoned.",
            f"kubert-tui cluster uncordon {node.host}",
        )
    return ok("The node is ready.")


def _away(seen: ClusterSeen, node: Node) -> list[str]:
    """The other nodes whose pods are not reached from here: a node that came later, perhaps."""
    nodes = () if isinstance(seen.nodes, Unknown) else seen.nodes.value
    routes = frozenset[str]() if isinstance(seen.routes, Unknown) else seen.routes.value
    return [
        one.name
        for one in nodes
        if one.name != node.name and f"{one.pod_cidr} via {one.address}" not in routes
    ]


CONTROL_PLANE = Check(
    "cluster.control-plane",
    "Control plane up",
    "Everything else in the cluster is asked of it.",
    "kubeadm init; /readyz",
    of_node("The control plane", _control_plane),
)
JOINED = Check(
    "cluster.joined",
    "Node in the cluster",
    "Pods are only run on nodes that the cluster knows.",
    "kubectl get nodes",
    of_node("Whether the node is in the cluster", _joined),
)
READY = Check(
    "cluster.ready",
    "Node ready",
    "No pod is placed on a node that is not ready; without a network for pods none is.",
    "kubectl get nodes",
    of_node("Whether the node is ready", _ready),
)
