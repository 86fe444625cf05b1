"""The cluster of a lab file: enabled, checked, written, and what follows for each node."""

import pytest

from kubert_tui.base.errors import LabFileError
from kubert_tui.lab.cluster import ClusterSpec
from kubert_tui.lab.cluster_variables import cluster_variables, kubeadm_api
from kubert_tui.lab.kubelet import kubelet_arguments
from kubert_tui.lab.load import parse_lab
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import control_plane_of, node_of, nodes_of
from kubert_tui.lab.overrides import override
from kubert_tui.lab.write import dump_lab

HOSTS = """\
hosts:
  - name: bull1
    address: 192.168.11.11
    cpus: {housekeeping: "0-1", isolated: "2-3"}
  - name: Bull2
    address: bull2.example.org
allow: [cluster]
"""


def lab(cluster: str = "cluster:", more: str = "") -> Lab:
    return parse_lab(f"{HOSTS}{more}{cluster}\n", "twins.yaml")


def refused(cluster: str, more: str = "") -> str:
    with pytest.raises(LabFileError) as error:
        lab(cluster, more)
    return str(error.value)


def test_it_is_there_when_the_file_says_so_however_briefly() -> None:
    assert lab("").cluster is None
    assert nodes_of(lab("")) == ()
    assert lab("cluster:").cluster == lab("cluster: {}").cluster == ClusterSpec()


def test_hosts_are_the_nodes_the_first_leads() -> None:
    one, two = nodes_of(lab())
    assert (one.host, one.role, one.address) == ("bull1", "control-plane", "192.168.11.11")
    # A name is no address, and Kubernetes knows no capitals.
    assert (two.host, two.name, two.role, two.address) == ("Bull2", "bull2", "worker", "")
    assert two.plan is None


def test_machines_are_the_nodes_by_their_roles_where_there_are_any() -> None:
    found = lab(more="machines: {preset: upstream, workers: 1, vcpus: 4}\n")
    assert [(node.host, node.role) for node in nodes_of(found)] == [
        ("master", "control-plane"),
        ("worker-1", "worker"),
    ]
    worker = node_of(found, "worker-1")
    assert worker
    assert worker.address == "192.168.77.11"
    assert worker.plan
    assert worker.plan.words == "housekeeping 0, isolated 1-3"


def test_named_nodes_are_those_and_the_control_plane_comes_first() -> None:
    found = lab("cluster: {nodes: [{name: bull1}, {name: Bull2, role: control-plane}]}")
    assert [node.host for node in nodes_of(found)] == ["Bull2", "bull1"]
    assert control_plane_of(found) == "Bull2"
    assert node_of(found, "other") is None


@pytest.mark.parametrize(
    ("cluster", "what"),
    [
        ("cluster: {kubernetes: 1.19}", "cluster: Kubernetes 1.20 is the oldest"),
        ("cluster: {kubernetes: 1.20}", "cluster: pkgs.k8s.io has no Kubernetes 1.20: name a"),
        ("cluster: {kubernetes: newest}", "cluster.kubernetes: expected a version such as 1.36"),
        ("cluster: {runtime: docker}", "cluster: Kubernetes 1.36.4 cannot use docker"),
        ("cluster: {runtime: preinstalled}", "needs its `runtime_socket`"),
        ("cluster: {pod_cidr: 10.96.0.0/16}", "pod_cidr and service_cidr overlap"),
        ("cluster: {pod_cidr: 10.96.0.1/16}", "cluster.pod_cidr: expected a network such as"),
        ("cluster: {kubelet: [a b]}", "cluster.kubelet[0]: expected arguments such as max-pods=50"),
        ("cluster: {cni: calico}", "cluster.cni: expected 'flannel', 'bridge' or 'none'"),
        ("cluster: {nodes: [{name: x}]}", "cluster.nodes: this lab has no host or machine x"),
        ("cluster: {nodes: [{name: bull1}]}", "expected one node with the role control-plane"),
        ("cluster: {repository_key: 12}", "expected a fingerprint: 40 hexadecimal digits"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(cluster: str, what: str) -> None:
    told = refused(cluster)
    assert what in told
    assert told.startswith("twins.yaml:8: cluster")


def test_nodes_are_named_once_and_as_dns_has_it() -> None:
    leading = "{name: bull1, role: control-plane}"
    twice = f"cluster: {{nodes: [{leading}, {{name: bull1}}]}}"
    assert "a node is named twice" in refused(twice)
    hosts = HOSTS.replace("Bull2", "bull_2")
    with pytest.raises(LabFileError, match="bull_2 cannot be the name of a node"):
        parse_lab(f"{hosts}cluster:\n", "twins.yaml")


@pytest.mark.parametrize(
    "cluster",
    [
        "cluster:",
        (
            "cluster: {kubernetes: 1.20.2, packages: preinstalled, runtime: docker, cni: bridge, "
            "conntrack: false, skip_addons: [coredns], api_server: [audit-log-maxage=30], "
            "smoke_command: [httpd, -f], nodes: [{name: bull1, role: control-plane}]}"
        ),
    ],
)
def test_it_is_written_as_it_is_read(cluster: str) -> None:
    found = lab(cluster)
    assert parse_lab(dump_lab(found), "other.yaml").cluster == found.cluster


def test_a_setting_on_the_command_line_makes_one_too() -> None:
    assert override(lab(""), ["cluster.kubernetes=1.35"]).cluster == ClusterSpec(kubernetes="1.35")


@pytest.mark.parametrize(
    ("minor", "api"),
    [(20, "v1beta2"), (21, "v1beta2"), (22, "v1beta3"), (30, "v1beta3"), (31, "v1beta4")],
)
def test_kubeadm_is_spoken_to_in_its_own_version(minor: int, api: str) -> None:
    assert kubeadm_api(minor) == api


OLD = ("--reserved-cpus=0-1", "--cpu-manager-policy=static")
NUMA = "--topology-manager-policy=single-numa-node"
MEMORY = (
    "--system-reserved=memory=412Mi",
    "--memory-manager-policy=Static",
    "--reserved-memory=0:memory=512Mi",
)


@pytest.mark.parametrize(
    ("version", "role", "more"),
    [
        ("1.20.2", "worker", (*OLD, NUMA)),
        ("1.22", "worker", (*OLD, NUMA, *MEMORY)),
        (
            "1.34",
            "worker",
            (*OLD, "--cpu-manager-policy-options=full-pcpus-only=true", NUMA, *MEMORY),
        ),
        (
            "1.36.4",
            "worker",
            (
                *OLD,
                "--cpu-manager-policy-options=full-pcpus-only=true,strict-cpu-reservation=true",
                NUMA,
                *MEMORY,
            ),
        ),
        (
            "1.36.4",
            "control-plane",
            (*OLD, "--cpu-manager-policy-options=full-pcpus-only=true", NUMA, *MEMORY),
        ),
    ],
)
def test_a_kubelet_is_told_what_its_version_understands(
    version: str, role: str, more: tuple[str, ...]
) -> None:
    other = "control-plane" if role == "worker" else "worker"
    found = lab(
        f"cluster: {{kubernetes: {version}, packages: preinstalled, "
        f"nodes: [{{name: bull1, role: {role}}}, {{name: Bull2, role: {other}}}]}}"
    )
    node = node_of(found, "bull1")
    assert node
    assert found.cluster
    assert kubelet_arguments(found.cluster, node) == ("--node-ip=192.168.11.11", *more)


def test_without_a_plan_no_cpus_are_given_away() -> None:
    found = lab("cluster: {kubelet: [max-pods=50]}")
    assert cluster_variables(found, "Bull2")["cluster_kubelet_arguments"] == ["--max-pods=50"]


def test_every_node_is_told_of_all_and_who_leads() -> None:
    found = lab()
    told = cluster_variables(found, "Bull2")
    assert told["cluster_control_plane"] == "bull1"
    assert (told["cluster_role"], told["cluster_node_name"]) == ("worker", "bull2")
    assert told["cluster_workers"] == 1
    assert told["cluster_helper"] is False
    assert cluster_variables(found, "bull1", helper=True)["cluster_helper"] is True
    assert cluster_variables(found, "other") == cluster_variables(lab(""), "bull1") == {}
