"""Checks of a cluster that has been there for a while: versions, certificates, nodes set aside."""

from kubert_tui.checks.cluster import of_node
from kubert_tui.checks.cluster_up import mine_of
from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import Verdict, failed, ok, unknown, warning
from kubert_tui.checks.skew import is_version, kubelet_problem, upgrade_problem
from kubert_tui.facts.cluster import ClusterSeen, NodeSeen
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.cluster import ClusterSpec
from kubert_tui.lab.nodes import Node

SOON = 30
"""Days before it expires that a certificate is told of, and renewed by the way."""
_UPGRADE = "kubert-tui cluster upgrade"


def _version(_facts: Facts, seen: ClusterSeen, cluster: ClusterSpec, node: Node) -> Verdict:
    server, mine = seen.server, mine_of(seen, node)
    if isinstance(server, Unknown):
        return unknown("The version of the API server", server)
    if isinstance(mine, Unknown):
        return unknown("The version of the node", mine)
    if not server.value:
        return ok("There is no cluster yet.")
    if mine is not None and (problem := kubelet_problem(node.name, mine.version, server.value)):
        return failed(f"{problem}.", f"{_UPGRADE}, or a kubelet of the API server's version.")
    what, fix = upgrade_problem(server.value, cluster.kubernetes, {})
    if what:
        return failed(f"{what[0].upper()}{what[1:]}.", f"{fix[0].upper()}{fix[1:]}.")
    if left := _left(seen, cluster, node, mine):
        return warning(f"{left[0].upper()}{left[1:]}.", f"{_UPGRADE}: it goes on where it was.")
    return ok(f"The cluster runs {server.value}, as the lab file says.")


def _left(seen: ClusterSeen, cluster: ClusterSpec, node: Node, mine: NodeSeen | None) -> str:
    """Return what an upgrade to the lab file's version has left to do on a node."""
    wanted = cluster.kubernetes
    if node.role == "control-plane":
        if isinstance(seen.server, Known) and not is_version(seen.server.value, wanted):
            return f"the API server is {seen.server.value}, the lab file says {wanted}"
        made = seen.made_of.value if isinstance(seen.made_of, Known) else ()
        if old := sorted({one for one in made if one not in _of_server(seen)}):
            return f"parts of the control plane are {', '.join(old)} still"
    if mine is not None and not is_version(mine.version, wanted):
        return f"the node runs {mine.version}, the lab file says {wanted}"
    if mine is not None and mine.kept_off == "upgrade":
        return "the node is kept without pods by an upgrade that broke off"
    return ""


def _of_server(seen: ClusterSeen) -> tuple[str, ...]:
    return (seen.server.value,) if isinstance(seen.server, Known) else ()


def _upgraded(_facts: Facts, seen: ClusterSeen, cluster: ClusterSpec, node: Node) -> Verdict:
    mine = mine_of(seen, node)
    for what, fact in (
        ("The API server", seen.server),
        ("What is installed", seen.kubelet_version),
    ):
        if isinstance(fact, Unknown):
            return unknown(what, fact)
    if isinstance(mine, Unknown):
        return unknown("The node", mine)
    if mine is None:
        return failed("The cluster does not know this node.", "Run the stage cluster-workers.")
    if node.role == "control-plane" and isinstance(seen.made_of, Unknown):
        return unknown("What the control plane is made of", seen.made_of)
    if left := _left(seen, cluster, node, mine):
        return failed(f"{left[0].upper()}{left[1:]}.", f"{_UPGRADE}.")
    for name, fact in (("kubeadm", seen.kubeadm), ("kubelet", seen.kubelet_version)):
        if isinstance(fact, Known) and not is_version(fact.value, cluster.kubernetes):
            return failed(f"{name} here is {fact.value or 'missing'}.", f"{_UPGRADE}.")
    if not mine.ready:
        return failed("The node is not ready.", "journalctl -u kubelet tells why.")
    return ok(f"The node runs {mine.version}.")


def _certificates(_facts: Facts, seen: ClusterSeen, _cluster: ClusterSpec, node: Node) -> Verdict:
    if node.role != "control-plane":
        return ok("The kubelet of a worker renews its own certificate.")
    if isinstance(seen.certificates, Unknown):
        return unknown("How long certificates are good for", seen.certificates)
    found = sorted(seen.certificates.value, key=lambda one: one.days)
    if not found:
        return ok("There are no certificates yet.")
    soon = [one for one in found if one.days < SOON]
    if not soon:
        return ok(f"All certificates are good for {found[0].days} days and more.")
    told = ", ".join(
        f"{one.name} ({'has expired' if one.days < 0 else f'{one.days} days'})" for one in soon
    )
    fix = "kubert-tui cluster rotate"
    what = f"Certificates of the control plane expire: {told}."
    return failed(what, fix) if soon[0].days < 0 else warning(what, fix)


def _drained(_facts: Facts, seen: ClusterSeen, _cluster: ClusterSpec, node: Node) -> Verdict:
    again = f"kubert-tui cluster drain {node.host}"
    mine = mine_of(seen, node)
    if isinstance(mine, Unknown):
        return unknown("Whether the node takes pods", mine)
    if mine is None:
        return ok("The cluster does not know this node.")
    if mine.schedulable:
        return failed("The node takes pods.", again)
    if isinstance(seen.pods, Unknown):
        return unknown("Which pods are on the node", seen.pods)
    if seen.pods.value:
        return failed(f"Still on the node: {', '.join(seen.pods.value[:10])}.", again)
    return ok("The node takes no pods, and runs none but those of DaemonSets.")


def _takes_pods(_facts: Facts, seen: ClusterSeen, _cluster: ClusterSpec, node: Node) -> Verdict:
    mine = mine_of(seen, node)
    if isinstance(mine, Unknown):
        return unknown("Whether the node takes pods", mine)
    if mine is None:
        return failed("The cluster does not know this node.", "Run the stage cluster-workers.")
    if mine.schedulable and not mine.kept_off:
        return ok("The node takes pods.")
    return failed("The node is cordoned.", f"kubert-tui cluster uncordon {node.host}")


def _unknown_to_cluster(
    _facts: Facts, seen: ClusterSeen, _cluster: ClusterSpec, node: Node
) -> Verdict:
    mine = mine_of(seen, node)
    if isinstance(mine, Unknown):
        return unknown("Whether the node is in the cluster", mine)
    if mine is None:
        return ok("The cluster does not know this node.")
    return failed("The cluster knows this node.", f"kubert-tui cluster remove {node.host}")


VERSION = Check(
    "cluster.version",
    "One version, and the lab file's",
    "A kubelet may not be newer than the API server, nor much older; upgrades go by one minor "
    "release, the control plane first.",
    "Kubernetes: version skew policy",
    of_node("The cluster's version", _version),
)
CERTIFICATES = Check(
    "cluster.certificates",
    "Certificates good for a while",
    "kubeadm's are good for a year; when they expire nobody reaches the API server any more.",
    "kubeadm certs check-expiration",
    of_node("The control plane's certificates", _certificates),
)
UPGRADED = Check(
    "cluster.upgraded",
    "Node upgraded",
    VERSION.why,
    VERSION.source,
    of_node("The version of the node", _upgraded),
)
DRAINED = Check(
    "cluster.drained",
    "Node drained",
    "What runs on a node that goes away goes with it.",
    "kubectl drain",
    of_node("Which pods are on the node", _drained),
)
TAKES_PODS = Check(
    "cluster.takes-pods",
    "Node takes pods",
    "A node that is cordoned is of no use.",
    "kubectl uncordon",
    of_node("Whether the node takes pods", _takes_pods),
)
UNKNOWN_TO_CLUSTER = Check(
    "cluster.removed",
    "Node out of the cluster",
    "A cluster goes on planning with a node that it knows.",
    "kubectl get nodes",
    of_node("Whether the node is in the cluster", _unknown_to_cluster),
)
