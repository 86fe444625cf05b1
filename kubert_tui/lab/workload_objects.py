"""A lab's applications as objects of Kubernetes: what the playbook `cluster-workloads` applies.

Density is what one node bears, so every application runs on each of its nodes equally often: its
pods are bound to those nodes, and spread over them with a skew of one at most.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubert_tui.base.errors import LabFileError
from kubert_tui.lab.manifests import Document, read_manifest
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import nodes_of
from kubert_tui.lab.workloads import WorkloadSpec

NAMESPACE = "kubert-workloads"
"""All of it is in there, and nothing else."""
WORKLOAD = "kubert-tui/workload"
"""Label of every pod: the name of its application."""
_SPREAD = "kubert-tui/spread"
_MANAGED = {"app.kubernetes.io/managed-by": "kubert-tui"}
_TAINTS = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_HOSTNAME = "kubernetes.io/hostname"


@dataclass(frozen=True, slots=True)
class Application:
    """One workload of the lab, ready to be applied."""

    name: str
    nodes: tuple[str, ...]
    """As Kubernetes calls them."""
    objects: tuple[Mapping[str, Any], ...]
    """Without `replicas`, where they have some."""
    replicas: tuple[int, ...]
    """Of each object when one application runs on each node; 0 for a kind that has none."""

    @property
    def pods(self) -> int:
        """Pods on all nodes when one application runs on each."""
        return sum(self.replicas)


def applications(lab: Lab, chosen: Sequence[str] = ()) -> tuple[Application, ...]:
    """Return the lab's applications, or those that are `chosen`, in the order of the file.

    Raises LabFileError for a manifest that is not (or not any more) what it should be, and for
    two objects of one kind and name.
    """
    found = tuple(
        _application(lab, one) for one in lab.workloads if not chosen or one.name in chosen
    )
    seen: dict[tuple[str, str], str] = {}
    for application in found:
        for one in application.objects:
            key = one["kind"], one["metadata"]["name"]
            if key in seen:
                raise LabFileError(
                    f"the workloads {seen[key]} and {application.name} both have a {key[0]} "
                    f"called {key[1]}",
                    fix="they share a namespace: rename one in its manifest",
                )
            seen[key] = application.name
    return found


def chosen_applications(lab: Lab) -> tuple[Application, ...]:
    """Return the applications whose density is stepped."""
    return applications(lab, lab.density.workloads)


def workload_variables(found: Sequence[Application]) -> dict[str, object]:
    """Return what the playbook `cluster-workloads` is told. `playbooks/README.md` explains it."""
    return {
        "cluster_workloads": [
            {
                "name": one.name,
                "pods": one.pods,
                "objects": [
                    {"object": dict(what), "replicas": replicas}
                    for what, replicas in zip(one.objects, one.replicas, strict=True)
                ],
            }
            for one in found
        ],
        "workloads_fingerprint": fingerprint_of(found),
    }


def fingerprint_of(found: Sequence[Application]) -> str:
    """Return what tells these applications from others: they run already, or others do."""
    told = [[one.name, one.nodes, one.objects, one.replicas] for one in found]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def workload_nodes(lab: Lab, workload: WorkloadSpec) -> tuple[str, ...]:
    """Return the hosts or machines, by their name in the lab, that run a workload."""
    nodes = nodes_of(lab)
    if workload.nodes:
        return tuple(node.host for node in nodes if node.host in workload.nodes)
    workers = tuple(node.host for node in nodes if node.role == "worker")
    # A cluster of one node has to run them there.
    return workers or tuple(node.host for node in nodes)


def _application(lab: Lab, workload: WorkloadSpec) -> Application:
    hosts = workload_nodes(lab, workload)
    called = {node.host: node for node in nodes_of(lab)}
    leads = any(called[host].role == "control-plane" for host in hosts)
    nodes = tuple(called[host].name for host in hosts)
    if workload.manifest:
        documents = read_manifest(Path(workload.manifest))
    else:
        documents = (Document(_deployment(workload), 1),)
    return Application(
        workload.name,
        nodes,
        tuple(
            _placed(one, f"{workload.name}-{index}", workload.name, nodes, tolerant=leads)
            for index, one in enumerate(documents)
        ),
        tuple(one.replicas * workload.copies * len(nodes) for one in documents),
    )


def _deployment(workload: WorkloadSpec) -> dict[str, Any]:
    amounts = {"cpu": str(workload.cpus), "memory": f"{workload.memory_mib}Mi"}
    command = list(workload.settled_command)
    container = {
        "name": "application",
        "image": workload.settled_image,
        "imagePullPolicy": "IfNotPresent",
        **({"command": command} if command else {}),
        # Both alike, in whole CPUs: that is Guaranteed, and what the static policy pins.
        "resources": {"requests": amounts, "limits": amounts},
        # What real-time tasks need: a policy of their own, and locked memory.
        "securityContext": {"capabilities": {"add": ["SYS_NICE", "IPC_LOCK"]}},
    }
    labels = {WORKLOAD: workload.name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": workload.name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 2,
                    "containers": [container],
                },
            },
        },
    }


def _placed(
    document: Document, spread: str, workload: str, nodes: Sequence[str], *, tolerant: bool
) -> dict[str, Any]:
    placed: dict[str, Any] = deepcopy(dict(document.data))
    placed["metadata"] = {**placed["metadata"], "namespace": NAMESPACE}
    if not document.replicas:
        return placed
    placed["spec"].pop("replicas", None)
    template = placed["spec"]["template"]
    # A new mapping: a selector may be the same one.
    template["metadata"]["labels"] = {
        **template["metadata"]["labels"], **_MANAGED, WORKLOAD: workload, _SPREAD: spread
    }  # fmt: skip
    here = {"key": _HOSTNAME, "operator": "In", "values": list(nodes)}
    required = {"nodeSelectorTerms": [{"matchExpressions": [here]}]}
    template["spec"] |= {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": _HOSTNAME,
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {_SPREAD: spread}},
            }
        ],
        **({"tolerations": [_tolerated(key) for key in _TAINTS]} if tolerant else {}),
    }
    return placed


def _tolerated(key: str) -> dict[str, str]:
    return {"key": key, "operator": "Exists", "effect": "NoSchedule"}
