"""Objects as an API server tells them, with as much as the watcher reads."""

from typing import Any

_CALM = dict.fromkeys(
    ("NetworkUnavailable", "MemoryPressure", "DiskPressure", "PIDPressure"),
    ("False", "Calm", "all is well"),
)


def node(
    name: str,
    *,
    version: str = "v1.36.4",
    runtime: str = "containerd://2.1.4",
    conditions: dict[str, tuple[str, str, str]] | None = None,
    cordoned: bool = False,
) -> dict[str, Any]:
    """A node with 4 CPUs, 3 of them for pods; `conditions`: status, reason and message by type."""
    all_of = {**_CALM, "Ready": ("True", "KubeletReady", "posting"), **(conditions or {})}
    return {
        "metadata": {
            "name": name,
            "uid": f"node-{name}",
            "creationTimestamp": "2026-11-28T20:00:00Z",
            "managedFields": [{"manager": "kubelet"}],
        },
        "spec": {"unschedulable": True} if cordoned else {},
        "status": {
            "addresses": [
                {"type": "Hostname", "address": name},
                {"type": "InternalIP", "address": "10.0.0.1"},
            ],
            "capacity": {"cpu": "4", "memory": "8Gi"},
            "allocatable": {"cpu": "3"},
            "conditions": [
                {"type": kind, "status": status, "reason": reason, "message": message}
                for kind, (status, reason, message) in all_of.items()
            ],
            "nodeInfo": {
                "kubeletVersion": version,
                "kernelVersion": "6.12.0-rt-amd64",
                "containerRuntimeVersion": runtime,
            },
        },
    }


def pod(
    name: str,
    node: str,
    *,
    cpus: tuple[str, ...] = ("0",),
    qos: str = "BestEffort",
    phase: str = "Running",
    waiting: str = "",
    unscheduled: str = "",
    restarts: int = 0,
    leaving: bool = False,
) -> dict[str, Any]:
    """A pod; `cpus` are what its containers ask for."""
    meta = {"name": name, "namespace": "default", "uid": f"pod-{name}"}
    meta["creationTimestamp"] = "2026-11-28T20:00:00Z"
    if leaving:
        meta["deletionTimestamp"] = "2026-11-28T21:00:00Z"
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    conditions = [{"type": "PodScheduled", "status": "False" if unscheduled else "True"}]
    if unscheduled:
        conditions[0]["reason"] = unscheduled
    return {
        "metadata": meta,
        "spec": {
            **({"nodeName": node} if node else {}),
            "containers": [{"resources": {"requests": {"cpu": cpu}}} for cpu in cpus],
        },
        "status": {
            "phase": phase,
            "qosClass": qos,
            "containerStatuses": [{"restartCount": restarts, "state": state}],
            "conditions": conditions,
        },
    }


def event(
    kind: str, name: str, reason: str, *, minute: int, node: str = "", warning: bool = False
) -> dict[str, Any]:
    """Something that happened, `minute` after eight."""
    return {
        "metadata": {"uid": f"event-{minute}", "name": f"{name}.{minute}"},
        "type": "Warning" if warning else "Normal",
        "involvedObject": {"kind": kind, "name": name, "namespace": "default"},
        "source": {"component": "kubelet", "host": node},
        "reason": reason,
        "message": f"{name} {reason}",
        "count": 1,
        "lastTimestamp": f"2026-11-28T20:{minute:02}:00Z",
    }
