"""What a pod of ours is, as Kubernetes is told."""

import re
from dataclasses import dataclass
from typing import Any

NAMESPACE = "kubert-pods"
IMAGE = "localhost/kubert-tui/rt-tests"
"""Of the image that is made on the nodes, without its tag; `forget-images.sh` removes it."""
CONTAINER = "cyclictest"
PATIENCE = 1800
"""Seconds that a pod waits for its orders before it ends by itself."""
_MEMORY, _OF_EACH = 64, 16
"""MiB of a pod, and of each measuring thread: its stack is locked, as is its histogram."""


@dataclass(frozen=True, slots=True)
class PodOrder:
    """One pod, decided completely before it is made."""

    identity: str
    """Of its measurement."""
    node: str
    """What Kubernetes calls its node."""
    image: str
    ours: bool
    """The image was made on the node, and is nowhere else."""
    cpus: int
    directory: str
    """Of the run, on the node and in the pod."""
    program: str
    """cyclictest's path in the image, or its name."""
    priority: int

    @property
    def name(self) -> str:
        """The pod's name: that of the measurement, in the letters that Kubernetes has."""
        return pod_name(self.identity)


def pod_name(identity: str) -> str:
    """Return the name of the pod of a measurement."""
    return re.sub(r"[^a-z0-9]+", "-", identity.lower()).strip("-")


def namespace() -> dict[str, Any]:
    """Return the namespace; its pods may see the node's processes and one of its directories."""
    labels = {f"pod-security.kubernetes.io/{mode}": "privileged" for mode in ("enforce", "warn")}
    metadata = {"name": NAMESPACE, "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def pod(order: PodOrder) -> dict[str, Any]:
    """Return a Guaranteed pod with whole CPUs, which the kubelet of its node gives to it alone.

    It has no process numbers of its own, so that its node can follow it by those.
    """
    resources = {"cpu": str(order.cpus), "memory": f"{_MEMORY + _OF_EACH * order.cpus}Mi"}
    script = f"{order.directory}/pod.sh"
    wanted = (order.directory, order.program, str(order.priority), str(PATIENCE))
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": order.name, "namespace": NAMESPACE},
        "spec": {
            # Not placed by the scheduler: which node it is, is known.
            "nodeName": order.node,
            "tolerations": [{"operator": "Exists"}],
            "restartPolicy": "Never",
            "hostPID": True,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "containers": [
                {
                    "name": CONTAINER,
                    "image": order.image,
                    "imagePullPolicy": "Never" if order.ours else "IfNotPresent",
                    "command": ["sh", script, *wanted],
                    "resources": {"requests": resources, "limits": resources},
                    "securityContext": {
                        "runAsUser": 0,
                        # The directory of the run is the node's: SELinux keeps others off it.
                        "seLinuxOptions": {"type": "spc_t"},
                        "capabilities": {"add": ["SYS_NICE", "IPC_LOCK"]},
                    },
                    "volumeMounts": [{"name": "run", "mountPath": order.directory}],
                }
            ],
            "volumes": [
                {"name": "run", "hostPath": {"path": order.directory, "type": "Directory"}}
            ],
        },
    }
