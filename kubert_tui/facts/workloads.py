"""The pods of a lab's applications, as the control plane tells of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event as Flag
from typing import Any

from kubert_tui.base.errors import ChangeError
from kubert_tui.base.text import clean_line
from kubert_tui.hosts.interface import Completed, Host, Invocation
from kubert_tui.lab.workload_objects import NAMESPACE, WORKLOAD

KUBECTL = ("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf")
_STUCK = frozenset({
    "CrashLoopBackOff", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
    "CreateContainerConfigError",
})  # fmt: skip
"""Why a container waits (kubelet's words) where waiting longer does not help."""
_FULL = ("OutOf", "TopologyAffinityError", "SMTAlignmentError", "UnexpectedAdmissionError")
"""How the kubelet's reasons begin when it turns away a pod that the scheduler sent it."""


@dataclass(frozen=True, slots=True)
class PodSeen:
    """One pod. Texts are clean."""

    name: str
    workload: str
    node: str
    """`` while it has none."""
    ready: bool
    going: bool = False
    """It is being deleted."""
    no_room: str = ""
    """Why no node takes it: the scheduler's words, or the kubelet's."""
    stuck: str = ""
    """Why it will not run, whatever room there is."""
    restarts: int = 0
    """Of its containers."""


def look_at_pods(
    control_plane: Host, *, sudo: bool, cancel: Flag | None = None
) -> tuple[PodSeen, ...]:
    """Return the pods of all applications; () where there are none.

    Raises ChangeError when kubectl fails, and what `Host.run` raises.
    """
    argv = (*KUBECTL, f"--namespace={NAMESPACE}", "get", "pods", "--output=json",
            "--request-timeout=20s")  # fmt: skip
    done = control_plane.run(Invocation(argv, sudo=sudo, cancel=cancel))
    if not done.ok:
        raise kubectl_error(done, "the pods cannot be looked at")
    return pods_of(done.stdout)


def kubectl_error(done: Completed, what: str) -> ChangeError:
    """Return the error about a kubectl that failed."""
    said = clean_line(done.stderr.decode("utf-8", errors="replace"), limit=500)
    return ChangeError(
        f"{what}: {said or 'kubectl failed'}",
        fix="look at the cluster: kubert-tui cluster status",
        command=done.argv,
        exit_status=done.exit_status,
    )


def pods_of(output: bytes) -> tuple[PodSeen, ...]:
    """Return what `kubectl get pods --output=json` tells. ChangeError when that is no list."""
    try:
        items = json.loads(output)["items"]
        return tuple(_pod(item) for item in items)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ChangeError(
            "kubectl told of the pods what is no list of pods", details=clean_line(str(error))
        ) from None


def _pod(item: Mapping[str, Any]) -> PodSeen:
    metadata, status = item["metadata"], item.get("status") or {}
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    ready = conditions.get("Ready", {}).get("status") == "True"
    no_room, stuck = "", ""
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        no_room = _clean(scheduled.get("message"))
    elif status.get("phase") == "Failed":
        reason = _clean(status.get("reason")) or "it failed"
        told = f"{reason}: {_clean(status.get('message'))}".removesuffix(": ")
        no_room, stuck = (told, "") if reason.startswith(_FULL) else ("", told)
    else:
        stuck = next(filter(None, map(_stuck, status.get("containerStatuses") or ())), "")
    return PodSeen(
        name=_clean(metadata["name"]),
        workload=_clean((metadata.get("labels") or {}).get(WORKLOAD)),
        node=_clean((item.get("spec") or {}).get("nodeName")),
        ready=ready,
        going="deletionTimestamp" in metadata,
        no_room=no_room,
        stuck=stuck,
        restarts=sum(int(one["restartCount"]) for one in status.get("containerStatuses") or ()),
    )


def _stuck(container: Mapping[str, Any]) -> str:
    waiting = (container.get("state") or {}).get("waiting") or {}
    reason = waiting.get("reason")
    if reason not in _STUCK:
        return ""
    ended = (container.get("lastState") or {}).get("terminated") or {}
    why = _clean(waiting.get("message"))
    if ended:
        why = f"{why} (it ended with {_clean(ended.get('exitCode'))})"
    return f"{reason}: {why}".removesuffix(": ")


def _clean(value: object) -> str:
    return "" if value is None else clean_line(str(value), limit=400)
