"""Stage 24: the ladder down to the pod."""

from dataclasses import replace

from kubert_tui.checks import cluster, cluster_up, kernel
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import node_of
from kubert_tui.stages.cluster_change import control_plane_helps, observe_node
from kubert_tui.stages.model import Guide, Where, Work
from kubert_tui.stages.pods_change import PodsChange
from kubert_tui.stages.s08_cyclictest import STAGE as ON_HOSTS


def _observe(work: Work, facts: Facts) -> Facts:
    """Only of pods it matters what their nodes are in the cluster."""
    return observe_node(work, facts) if work.lab.layer_of(facts.host) == "pod" else facts


def _not_for(facts: Facts, lab: Lab) -> str:
    """Return why no pod can be measured on a node; `` for all that are no pods."""
    if lab.layer_of(facts.host) != "pod" or isinstance(facts.cluster, Unknown):
        return ""
    node, nodes = node_of(lab, facts.host), facts.cluster.value.nodes
    if node is None or isinstance(nodes, Unknown) or node.name in {one.name for one in nodes.value}:
        return ""
    return f"{node.host} is in no cluster yet: run the stages from cluster-nodes on first"


STAGE = replace(
    ON_HOSTS,
    id="pods",
    title="Ladder: down to the pod",
    guide=Guide(
        what="cyclictest runs on every host, in every virtual machine, and in a pod on every "
        "worker (without any: on the control plane), with the same settings. Each one's figures "
        "stand below those of what is beneath it, with the difference: what virtualization costs, "
        "and what Kubernetes costs.\n\n"
        "The pod is Guaranteed, asks for whole CPUs (all that are free; `pods: {cpus: 2}` in the "
        "lab file asks for two), and measures those that the kubelet gives it. Before that it "
        "proves that it gets SCHED_FIFO and has CPUs of its own; if not, the finding says why and "
        "what to do, and nothing is measured in it.\n\n"
        "All at the same time, or with `ladder: {order: layers}` (`kubert-tui ladder "
        "--one-by-one`) each layer for itself: then the pods' CPUs are not measured by their "
        "nodes meanwhile.\n\n"
        "Its image is made on the node, of the cyclictest that the stage rt-tests installed "
        "there, and put into the node's runtime without a registry; it stays until the cluster is "
        "reset. `pods: {image: ...}` names another one. The pods and their namespace, "
        "kubert-pods, are removed in the end.",
        why="A pod can be more punctual than neither its node nor the host beneath. Only all "
        "figures together tell which layer is to be worked on.",
        readme=ON_HOSTS.guide.readme,
        ours="The same command, started by the pod itself and streamed from its node, which sees "
        "the pod's process: lose the connection, close the wizard, it goes on. "
        "`kubert-tui ladder` runs this stage and prints the table.",
        differs="The README measures its hosts only. " + ON_HOSTS.guide.differs,
    ),
    pod_checks=(kernel.REALTIME_RUNNING, cluster_up.READY, cluster.KUBELET),
    change=PodsChange(),
    helpers=control_plane_helps,
    where=Where.PODS,
    not_for=_not_for,
    observe=_observe,
)
