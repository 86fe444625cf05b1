"""Each check of the cluster, at each of its levels."""

from dataclasses import replace
from typing import Any

import pytest

from kubert_tui.checks import cluster, cluster_up, cluster_upkeep
from kubert_tui.checks.catalogue import CLUSTER
from kubert_tui.checks.finding import Check, Level
from kubert_tui.facts.cluster import Certificate, ClusterSeen, Kubelet, NodeSeen
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.kubelet import kubelet_arguments
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.nodes import node_of
from kubert_tui.stages.cluster_reset import GONE
from tests.support.blank import blank_facts

TEXT = """\
hosts:
  - {name: bull1, address: 10.0.0.1, cpus: {housekeeping: "0", isolated: "1-3"}}
  - {name: bull2, address: 10.0.0.2, cpus: {housekeeping: "0", isolated: "1-3"}}
  - {name: store}
"""
NODES = "nodes: [{name: bull1, role: control-plane}, {name: bull2}]"
LAB = parse_lab(f"{TEXT}cluster: {{{NODES}}}\n", "twins.yaml")
BARE = parse_lab(TEXT, "twins.yaml")
MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"


def arguments(host: str) -> tuple[str, ...]:
    node = node_of(LAB, host)
    assert node
    assert LAB.cluster
    return kubelet_arguments(LAB.cluster, node)


def one(name: str, **more: Any) -> NodeSeen:
    return replace(NodeSeen(name, "v1.36.4", "10.0.0.1", ready=True), **more)


def certificate(name: str, days: int) -> Certificate:
    return Certificate(name, days, "ab" * 32)


def good(host: str) -> ClusterSeen:
    return ClusterSeen(
        kubeadm=Known("v1.36.4"),
        kubelet_version=Known("v1.36.4"),
        unit=Known("active"),
        at_boot=Known(True),
        runtime=Known(True),
        swaps=Known(0),
        forwarding=Known(True),
        selinux=Known("enforcing"),
        files=Known(frozenset({MANIFEST, cluster.KUBELET_CONF})),
        kubelet=Kubelet(
            configured=Known(arguments(host)),
            running=Known(("--config=/x", *arguments(host))),
            settings=Known({}),
            cpu_policy=Known("static"),
        ),
        server_cpus=Known((0,)),
        api=Known(True),
        complete=Known(()),
        certificates=Known((certificate("admin.conf", 364), certificate("apiserver", 40))),
        made_of=Known(("v1.36.4", "v1.36.4")),
        server=Known("v1.36.4"),
        nodes=Known((one("bull1"), one("bull2"))),
    )


def facts(seen: Fact[ClusterSeen], host: str, **more: Any) -> Facts:
    return blank_facts(
        host,
        cluster=seen,
        processors__online=Known((0, 1, 2, 3)),
        processors__isolated=Known((1, 2, 3)),
        virtualization=Known("none"),
        **more,
    )


@pytest.mark.parametrize("check", CLUSTER, ids=lambda check: check.id)
@pytest.mark.parametrize("host", ["bull1", "bull2"])
def test_a_node_as_it_should_be(check: Check, host: str) -> None:
    finding = check(facts(Known(good(host)), host), LAB)
    assert finding.level is Level.OK, finding.summary


@pytest.mark.parametrize("check", CLUSTER, ids=lambda check: check.id)
def test_who_is_no_node_and_labs_without_a_cluster(check: Check) -> None:
    assert check(facts(Unknown("not looked at"), "store"), LAB).level is Level.OK
    none = check(facts(Unknown("not looked at"), "bull1"), BARE)
    assert none.level is Level.UNKNOWN
    assert "names no cluster" in none.summary


@pytest.mark.parametrize("check", CLUSTER, ids=lambda check: check.id)
def test_what_was_not_read_is_unknown(check: Check) -> None:
    assert check(facts(Unknown("timed out"), "bull1"), LAB).level is Level.UNKNOWN
    assert check(facts(Known(ClusterSeen()), "bull1"), LAB).level is Level.UNKNOWN


def told(**more: Any) -> Kubelet:
    return replace(good("bull1").kubelet, **more)


CASES: list[tuple[Check, dict[str, Any], Level, str]] = [
    (cluster.PREPARED, {"swaps": Known(1)}, Level.FAILED, "Swap is in use."),
    (cluster.PREPARED, {"forwarding": Known(False)}, Level.FAILED, "not forwarded"),
    (cluster.SELINUX, {"selinux": Known("permissive")}, Level.WARNING, "SELinux is permissive"),
    (cluster.RUNTIME, {"runtime": Known(False)}, Level.FAILED, "No container runtime listens"),
    (cluster.PACKAGES, {"kubeadm": Known("")}, Level.FAILED, "kubeadm is not installed."),
    (cluster.PACKAGES, {"kubelet_version": Known("v1.36.41")}, Level.FAILED, "kubelet is v1.36.41"),
    (cluster.PACKAGES, {"at_boot": Known(False)}, Level.FAILED, "does not start at boot"),
    (cluster.KUBELET, {"kubelet": told(configured=Known(()))}, Level.FAILED, "is not told --node"),
    (
        cluster.KUBELET,
        {"kubelet": told(running=Known(("--reserved-cpus=0-1",)))},
        Level.FAILED,
        "runs without --node-ip",
    ),
    (cluster.KUBELET, {"kubelet": told(cpu_policy=Known("none"))}, Level.FAILED, "effect is none"),
    (cluster.SERVER_CPUS, {"server_cpus": Known((0, 1, 2, 3))}, Level.WARNING, "on CPUs 1-3"),
    (cluster_up.CONTROL_PLANE, {"files": Known(frozenset())}, Level.FAILED, "no control plane yet"),
    (
        cluster_up.CONTROL_PLANE,
        {"files": Known(frozenset({"/etc/kubernetes/admin.conf"}))},
        Level.FAILED,
        "not whole",
    ),
    (cluster_up.CONTROL_PLANE, {"api": Known(False)}, Level.FAILED, "not ready"),
    (cluster_up.CONTROL_PLANE, {"complete": Known(("coredns",))}, Level.FAILED, "no coredns"),
    (cluster_up.JOINED, {"nodes": Known(())}, Level.FAILED, "does not know this node"),
    (cluster_up.JOINED, {"unit": Known("failed")}, Level.FAILED, "The kubelet is failed."),
    (
        cluster_up.JOINED,
        {"nodes": Known((one("bull1", version="v1.35.0"),))},
        Level.WARNING,
        "runs v1.35.0",
    ),
    (
        cluster_up.READY,
        {"nodes": Known((one("bull1", ready=False),))},
        Level.FAILED,
        "is not ready",
    ),
    (
        cluster_up.READY,
        {"nodes": Known((one("bull1", conditions=("DiskPressure",)),))},
        Level.WARNING,
        "DiskPressure",
    ),
    (
        cluster_up.READY,
        {"nodes": Known((one("bull1", schedulable=False),))},
        Level.WARNING,
        "cordoned",
    ),
    (
        cluster_up.JOINED,
        {"files": Known(frozenset())},
        Level.FAILED,
        "knows a node of this name, but this host has not joined it",
    ),
    (
        cluster_upkeep.VERSION,
        {"nodes": Known((one("bull1", version="v1.37.0"),))},
        Level.FAILED,
        "bull1 runs v1.37.0, newer than the API server",
    ),
    (cluster_upkeep.VERSION, {"server": Known("v1.34.2")}, Level.FAILED, "newer than the API"),
    (
        cluster_upkeep.VERSION,
        {"server": Known("v1.34.2"), "nodes": Known((one("bull1", version="v1.34.2"),))},
        Level.FAILED,
        "2 minor releases at once",
    ),
    (
        cluster_upkeep.VERSION,
        {"server": Known("v1.37.0")},
        Level.FAILED,
        "which is older: Kubernetes cannot go back",
    ),
    (
        cluster_upkeep.VERSION,
        {"server": Known("v1.35.2"), "nodes": Known((one("bull1", version="v1.35.2"),))},
        Level.WARNING,
        "The API server is v1.35.2, the lab file says 1.36.4",
    ),
    (
        cluster_upkeep.VERSION,
        {"nodes": Known((one("bull1", version="v1.35.2"),))},
        Level.WARNING,
        "The node runs v1.35.2",
    ),
    (
        cluster_upkeep.VERSION,
        {"made_of": Known(("v1.36.4", "v1.35.2"))},
        Level.WARNING,
        "Parts of the control plane are v1.35.2 still",
    ),
    (
        cluster_upkeep.VERSION,
        {"nodes": Known((one("bull1", kept_off="upgrade"),))},
        Level.WARNING,
        "an upgrade that broke off",
    ),
    (
        cluster_upkeep.CERTIFICATES,
        {"certificates": Known((certificate("apiserver", 29), certificate("admin.conf", 300)))},
        Level.WARNING,
        "expire: apiserver (29 days).",
    ),
    (
        cluster_upkeep.CERTIFICATES,
        {"certificates": Known((certificate("admin.conf", -1),))},
        Level.FAILED,
        "admin.conf (has expired)",
    ),
    (cluster_upkeep.UPGRADED, {"kubelet_version": Known("v1.35.2")}, Level.FAILED, "kubelet here"),
    (cluster_upkeep.UPGRADED, {"kubeadm": Known("")}, Level.FAILED, "kubeadm here is missing"),
    (cluster_upkeep.UPGRADED, {"nodes": Known(())}, Level.FAILED, "does not know this node"),
    (
        cluster_upkeep.UPGRADED,
        {"nodes": Known((one("bull1", ready=False),))},
        Level.FAILED,
        "not ready",
    ),
    (
        cluster_upkeep.UPGRADED,
        {"nodes": Known((one("bull1", kept_off="upgrade"),))},
        Level.FAILED,
        "kept without pods",
    ),
    (cluster_upkeep.DRAINED, {}, Level.FAILED, "The node takes pods."),
    (
        cluster_upkeep.DRAINED,
        {"nodes": Known((one("bull1", schedulable=False),)), "pods": Known(("default/lone",))},
        Level.FAILED,
        "Still on the node: default/lone.",
    ),
    (
        cluster_upkeep.TAKES_PODS,
        {"nodes": Known((one("bull1", schedulable=False),))},
        Level.FAILED,
        "cordoned",
    ),
    (cluster_upkeep.UNKNOWN_TO_CLUSTER, {}, Level.FAILED, "knows this node"),
]


@pytest.mark.parametrize(("check", "change", "level", "what"), CASES)
def test_what_is_wrong_is_told(
    check: Check, change: dict[str, Any], level: Level, what: str
) -> None:
    finding = check(facts(Known(replace(good("bull1"), **change)), "bull1"), LAB)
    assert (finding.level, what in finding.summary) == (level, True), finding.summary
    assert finding.fix


def test_a_node_that_came_later_has_to_be_reached_too() -> None:
    lab = parse_lab(f"{TEXT}cluster: {{{NODES}, cni: bridge}}\n", "twins.yaml")
    both = (one("bull1"), one("bull2", address="10.0.0.2", pod_cidr="10.244.1.0/24"))
    seen = replace(good("bull1"), nodes=Known(both), routes=Known(frozenset()))
    finding = cluster_up.READY(facts(Known(seen), "bull1"), lab)
    assert (finding.level, "the pods of bull2" in finding.summary) == (Level.FAILED, True)
    there = replace(seen, routes=Known(frozenset({"10.244.1.0/24 via 10.0.0.2"})))
    assert cluster_up.READY(facts(Known(there), "bull1"), lab).level is Level.OK


def test_a_kernel_that_isolates_others_than_planned_is_told() -> None:
    found = facts(Known(good("bull2")), "bull2")
    other = replace(found, processors=replace(found.processors, isolated=Known((2, 3))))
    finding = cluster.KUBELET(other, LAB)
    assert finding.level is Level.WARNING
    assert "the kernel keeps 0-1" in finding.summary


def test_without_a_plan_pods_get_no_cpus_of_their_own() -> None:
    lab = parse_lab("hosts:\n  - {name: bull1, address: 10.0.0.1}\ncluster:\n", "twins.yaml")
    kubelet = Kubelet(configured=Known(("--node-ip=10.0.0.1",)), running=Known(()))
    finding = cluster.KUBELET(facts(Known(ClusterSeen(kubelet=kubelet)), "bull1"), lab)
    assert finding.level is Level.WARNING
    assert "no CPU plan" in finding.summary


def test_a_system_without_selinux_is_fine() -> None:
    found = facts(Known(replace(good("bull1"), selinux=Known(""))), "bull1")
    assert cluster.SELINUX(found, LAB).level is Level.OK


def test_a_container_is_not_blamed_for_the_swap_of_its_host() -> None:
    found = facts(Known(replace(good("bull1"), swaps=Known(1))), "bull1")
    inside = replace(found, virtualization=Known("systemd-nspawn"))
    assert cluster.PREPARED(inside, LAB).level is Level.OK


def test_addons_that_are_not_wanted_are_not_missed() -> None:
    lab = parse_lab(f"{TEXT}cluster: {{{NODES}, skip_addons: [coredns]}}\n", "twins.yaml")
    seen = replace(good("bull1"), complete=Known(("coredns",)))
    assert cluster_up.CONTROL_PLANE(facts(Known(seen), "bull1"), lab).level is Level.OK


def test_a_node_is_reset_when_nothing_is_left() -> None:
    assert GONE(facts(Known(good("bull1")), "bull1"), LAB).level is Level.FAILED
    bare = replace(good("bull1"), files=Known(frozenset()))
    assert GONE(facts(Known(bare), "bull1"), LAB).level is Level.OK


@pytest.mark.parametrize(
    ("check", "change"),
    [
        (cluster_upkeep.UPGRADED, {}),
        (cluster_upkeep.TAKES_PODS, {}),
        (
            cluster_upkeep.DRAINED,
            {"nodes": Known((one("bull1", schedulable=False),)), "pods": Known(())},
        ),
        (cluster_upkeep.UNKNOWN_TO_CLUSTER, {"nodes": Known(())}),
        (cluster_upkeep.VERSION, {"server": Known(""), "nodes": Known(())}),
        (cluster_upkeep.CERTIFICATES, {"certificates": Known(())}),
    ],
)
def test_what_was_asked_for_by_hand_is_so(check: Check, change: dict[str, Any]) -> None:
    finding = check(facts(Known(replace(good("bull1"), **change)), "bull1"), LAB)
    assert finding.level is Level.OK, finding.summary


@pytest.mark.parametrize(
    "check",
    [cluster_upkeep.UPGRADED, cluster_upkeep.DRAINED, cluster_upkeep.TAKES_PODS],
)
def test_what_the_control_plane_did_not_tell_is_unknown(check: Check) -> None:
    seen = replace(good("bull2"), nodes=Unknown("bull1: no route"), server=Unknown("no route"))
    assert check(facts(Known(seen), "bull2"), LAB).level is Level.UNKNOWN
