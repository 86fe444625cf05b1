"""Checks of a node as it is prepared: its system, runtime, packages, and its kubelet's CPUs."""

from collections.abc import Callable

from kubert_tui.checks.finding import Check
from kubert_tui.checks.judging import Verdict, failed, numbers, ok, unknown, warning
from kubert_tui.checks.skew import is_version
from kubert_tui.facts.cluster import ClusterSeen
from kubert_tui.facts.containers import container_kind
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.cluster import ClusterSpec
from kubert_tui.lab.kubelet import kubelet_arguments
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import Node, node_of

NO_CLUSTER = "the lab file names no cluster; add `cluster:` to it"
KUBEADM = "kubeadm: before you begin"
STAGE = "Run the stage cluster-nodes."

_CHANGE = "Or change cluster.kubernetes in the lab file."
_ANOTHER = f"This node is in a cluster: kubert-tui cluster upgrade. {_CHANGE}"
KUBELET_CONF = "/etc/kubernetes/kubelet.conf"

Judge = Callable[[Facts, Lab], Verdict]
JudgeNode = Callable[[Facts, ClusterSeen, ClusterSpec, Node], Verdict]


def of_node(what: str, judge: JudgeNode) -> Judge:
    """Return a judge of hosts for one of nodes; a host that is no node has nothing to fulfil."""

    def judged(facts: Facts, lab: Lab) -> Verdict:
        if lab.cluster is None:
            return unknown(what, Unknown(NO_CLUSTER), "Add `cluster:` to the lab file.")
        node = node_of(lab, facts.host)
        if node is None:
            return ok("This host is no node of the cluster.")
        if isinstance(facts.cluster, Unknown):
            return unknown(what, facts.cluster)
        return judge(facts, facts.cluster.value, lab.cluster, node)

    return judged


def _prepared(facts: Facts, seen: ClusterSeen, _cluster: ClusterSpec, _node: Node) -> Verdict:
    if isinstance(seen.swaps, Unknown):
        return unknown("Swap", seen.swaps)
    if seen.swaps.value and not container_kind(facts):
        return failed("Swap is in use.", STAGE)
    if isinstance(seen.forwarding, Unknown):
        return unknown("Whether packets are forwarded", seen.forwarding)
    if not seen.forwarding.value:
        return failed("Packets are not forwarded between interfaces.", STAGE)
    return ok("There is no swap, and packets are forwarded.")


def _runtime(_facts: Facts, seen: ClusterSeen, cluster: ClusterSpec, _node: Node) -> Verdict:
    if cluster.runtime == "docker":
        return ok("Docker; the kubelet opens its socket itself.")
    if isinstance(seen.runtime, Unknown):
        return unknown("The container runtime", seen.runtime)
    if seen.runtime.value:
        return ok(f"The container runtime listens at {cluster.socket}.")
    return failed(f"No container runtime listens at {cluster.socket}.", STAGE)


def _selinux(_facts: Facts, seen: ClusterSeen, _cluster: ClusterSpec, _node: Node) -> Verdict:
    match seen.selinux:
        case Unknown():
            return unknown("SELinux", seen.selinux)
        case Known("permissive"):
            return warning(
                "SELinux is permissive: it logs what containers may not do, and lets them.",
                "setenforce 1, and SELINUX=enforcing in /etc/selinux/config; what is denied then"
                " is in `ausearch -m avc`.",
            )
        case Known("enforcing"):
            return ok("SELinux is enforcing.")
    return ok("This system has no SELinux.")


def _in_cluster(seen: ClusterSeen) -> bool:
    return isinstance(seen.files, Known) and KUBELET_CONF in seen.files.value


def _packages(_facts: Facts, seen: ClusterSeen, cluster: ClusterSpec, _node: Node) -> Verdict:
    for name, fact in (("kubeadm", seen.kubeadm), ("kubelet", seen.kubelet_version)):
        if isinstance(fact, Unknown):
            return unknown(f"The version of {name}", fact)
        if not fact.value:
            return failed(f"{name} is not installed.", STAGE)
        if not is_version(fact.value, cluster.kubernetes):
            what = f"{name} is {fact.value}, the lab file says {cluster.kubernetes}."
            return failed(what, _ANOTHER if _in_cluster(seen) else f"{STAGE} {_CHANGE}")
    if isinstance(seen.at_boot, Unknown):
        return unknown("Whether the kubelet starts at boot", seen.at_boot)
    if not seen.at_boot.value:
        return failed("The kubelet does not start at boot.", STAGE)
    return ok(f"kubeadm and kubelet {cluster.kubernetes} are installed.")


def _kubelet(facts: Facts, seen: ClusterSeen, cluster: ClusterSpec, node: Node) -> Verdict:
    configured, running = seen.kubelet.configured, seen.kubelet.running
    if isinstance(configured, Unknown):
        return unknown("What the kubelet is told", configured)
    wanted = kubelet_arguments(cluster, node)
    if configured.value != wanted:
        return failed(f"The kubelet is not told {' '.join(wanted) or 'nothing'}.", STAGE)
    if isinstance(running, Unknown):
        return unknown("With which arguments the kubelet runs", running)
    missing = [one for one in wanted if one not in running.value]
    if running.value and missing:
        return failed(f"The kubelet runs without {' '.join(missing)}.", STAGE)
    if node.plan is None:
        return warning(
            "There is no CPU plan: the kubelet gives no pod CPUs of its own.",
            "Make one in the stage cpu-plan, then run the stage cluster-nodes again.",
        )
    policy = seen.kubelet.cpu_policy
    if isinstance(policy, Known) and policy.value not in ("", "static"):
        return failed(f"The CPU manager's policy in effect is {policy.value}.", STAGE)
    return _isolated(facts, node)


def _isolated(facts: Facts, node: Node) -> Verdict:
    """Reserved CPUs are those that the kernel does not isolate, if it isolates any."""
    online, isolated = facts.processors.online, facts.processors.isolated
    housekeeping = node.plan.housekeeping if node.plan else frozenset[int]()
    told = f"CPUs {numbers(housekeeping)} are reserved; all others are given to pods, whole cores."
    if isinstance(online, Unknown) or isinstance(isolated, Unknown) or not isolated.value:
        return ok(told)
    rest = {*online.value} - {*isolated.value}
    if rest == housekeeping:
        return ok(told)
    return warning(
        f"CPUs {numbers(housekeeping)} are reserved, but the kernel keeps {numbers(rest)} for "
        "itself: pods may get CPUs that are not isolated.",
        "Boot with the CPU plan, or change the plan; see the finding about isolated CPUs.",
    )


def _server_cpus(_facts: Facts, seen: ClusterSeen, _cluster: ClusterSpec, node: Node) -> Verdict:
    allowed = seen.server_cpus
    if isinstance(allowed, Unknown):
        return unknown("Where the API server runs", allowed)
    if not allowed.value or node.plan is None:
        return ok("No API server here may run on isolated CPUs.")
    if on := node.plan.isolated.intersection(allowed.value):
        return warning(
            f"The API server may run on CPUs {numbers(on)}, which are isolated.",
            "Run real-time pods on workers only; on cgroup v2 with systemd the stage "
            "cluster-nodes confines the control plane's pods.",
        )
    return ok(f"The API server runs on CPUs {numbers(allowed.value)}.")


PREPARED = Check(
    "cluster.prepared",
    "Node prepared",
    "The kubelet refuses swap, and pods of other nodes are reached by forwarding.",
    KUBEADM,
    of_node("What the node is prepared for", _prepared),
)
SELINUX = Check(
    "cluster.selinux",
    "SELinux enforcing",
    "It keeps a container that breaks out from the node. Guides that turn it off for kubeadm are"
    " of the time before container-selinux; no step here does.",
    "Fedora: using Kubernetes with kubeadm; container-selinux",
    of_node("SELinux", _selinux),
)
RUNTIME = Check(
    "cluster.runtime",
    "Container runtime",
    "The kubelet runs pods through it.",
    "Kubernetes: container runtimes",
    of_node("The container runtime", _runtime),
)
PACKAGES = Check(
    "cluster.packages",
    "Kubernetes installed",
    "All nodes run the version of the lab file; kubeadm allows no other for itself.",
    "Kubernetes: version skew policy",
    of_node("What is installed", _packages),
)
KUBELET = Check(
    "cluster.kubelet-cpus",
    "Kubelet gives CPUs to pods",
    "Only the static policy gives a pod CPUs that no other has; what is reserved must be what is "
    "not isolated, or pods are placed wrongly.",
    "Kubernetes: control CPU management policies; kubernetes#87532",
    of_node("The kubelet", _kubelet),
)
SERVER_CPUS = Check(
    "cluster.control-plane-cpus",
    "Control plane off isolated CPUs",
    "etcd and the API server are busy all the time: no pod keeps time beside them.",
    "/proc/PID/status of kube-apiserver",
    of_node("Where the API server runs", _server_cpus),
)
