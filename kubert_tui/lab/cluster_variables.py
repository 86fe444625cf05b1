"""What the cluster's playbooks are told of a node. `playbooks/README.md` explains each."""

from collections.abc import Iterable

from kubert_tui.cpus.lists import cpu_list
from kubert_tui.lab.cluster import ClusterSpec
from kubert_tui.lab.kubelet import kubelet_arguments
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import control_plane_of, node_of, nodes_of

_V1BETA3_FROM, _V1BETA4_FROM = 22, 31


def kubeadm_api(minor: int) -> str:
    """Return the version of kubeadm's configuration that it reads without a warning."""
    if minor < _V1BETA3_FROM:
        return "v1beta2"
    return "v1beta3" if minor < _V1BETA4_FROM else "v1beta4"


def cluster_variables(lab: Lab, host: str, *, helper: bool = False) -> dict[str, object]:
    """Return the variables of a node; {} for a host that is none.

    `helper`: the control plane, when tasks of others are delegated to it and it has none itself.
    """
    node = node_of(lab, host)
    if lab.cluster is None or node is None:
        return {}
    nodes = nodes_of(lab)
    return {
        "cluster_helper": helper,
        "cluster_role": node.role,
        "cluster_control_plane": control_plane_of(lab),
        "cluster_node_name": node.name,
        "cluster_node_address": node.address,
        "cluster_nodes": [
            {"name": one.name, "address": one.address, "role": one.role} for one in nodes
        ],
        "cluster_workers": sum(one.role == "worker" for one in nodes),
        "cluster_reserved_cpus": cpu_list(node.plan.housekeeping) if node.plan else "",
        "cluster_kubelet_arguments": list(kubelet_arguments(lab.cluster, node)),
        **_of_cluster(lab.cluster),
    }


def _of_cluster(cluster: ClusterSpec) -> dict[str, object]:
    return {
        "cluster_kubernetes": cluster.kubernetes,
        "cluster_minor": cluster.minor,
        "cluster_kubeadm_api": kubeadm_api(cluster.minor),
        "cluster_packages": cluster.packages,
        "cluster_repository": cluster.repository,
        "cluster_repository_key": cluster.repository_key,
        "cluster_runtime": cluster.runtime,
        "cluster_runtime_package": cluster.runtime_package,
        "cluster_runtime_socket": cluster.socket,
        "cluster_cgroup_driver": cluster.cgroup_driver,
        "cluster_pod_cidr": cluster.pod_cidr,
        "cluster_service_cidr": cluster.service_cidr,
        "cluster_cni": cluster.cni,
        "cluster_cni_manifest": cluster.cni_manifest,
        "cluster_cni_manifest_sha256": cluster.cni_manifest_sha256,
        "cluster_image_repository": cluster.image_repository,
        "cluster_smoke_image": cluster.smoke_image,
        "cluster_smoke_command": list(cluster.smoke_command),
        "cluster_skip_addons": list(cluster.skip_addons),
        "cluster_conntrack": cluster.conntrack,
        "cluster_timeout_seconds": cluster.timeout_seconds,
        "cluster_api_server": _pairs(cluster.api_server),
        "cluster_controller_manager": _pairs(cluster.controller_manager),
    }


def _pairs(arguments: Iterable[str]) -> list[dict[str, str]]:
    pairs = (argument.partition("=") for argument in arguments)
    return [{"name": name, "value": value} for name, _, value in pairs]
