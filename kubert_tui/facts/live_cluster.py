"""What a cluster is right now, as its control plane tells it line by line (`cluster_watcher`)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kubert_tui.base.text import clean_line

LIMIT = 5000
"""Nodes, pods or events that are taken of one line."""
_NORMAL = {"Ready": "True"}
"""What a condition is when all is well; False for the others."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a node that is not as it should be."""

    kind: str
    """MemoryPressure, DiskPressure, PIDPressure, NetworkUnavailable; Ready when it is not."""
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class LiveNode:
    """A node."""

    name: str
    ready: bool = False
    wrong: tuple[Condition, ...] = ()
    cordoned: bool = False
    address: str = ""
    version: str = ""
    """Of its kubelet: v1.36.4."""
    kernel: str = ""
    runtime: str = ""
    """containerd://1.6.20."""
    capacity: float = 0.0
    """CPUs."""
    allocatable: float = 0.0
    """CPUs that pods may ask for: without those that are reserved."""
    created: float = 0.0
    """Seconds since the epoch, by the control plane's clock; 0 when unknown."""


@dataclass(frozen=True, slots=True)
class LivePod:
    """A pod."""

    uid: str
    namespace: str
    name: str
    node: str = ""
    """`` until it is scheduled."""
    phase: str = ""
    """Pending, Running, Succeeded, Failed, Unknown; Terminating while it is being deleted."""
    why: str = ""
    """Why it does not run: CrashLoopBackOff, Unschedulable, ..."""
    qos: str = ""
    cpus: float = 0.0
    """That it asks for."""
    whole: bool = False
    """Guaranteed, with whole CPUs for each container: these get CPUs of their own."""
    restarts: int = 0
    created: float = 0.0


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What Kubernetes calls an event."""

    warning: bool
    kind: str
    namespace: str
    name: str
    """Of what it is about."""
    node: str
    reason: str
    message: str
    count: int = 1
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class LiveCluster:
    """All of it; what was not told yet is empty."""

    nodes: tuple[LiveNode, ...] = ()
    pods: tuple[LivePod, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class GivenCpus:
    """Who has which CPUs of a node: its CPU manager's state, and what its kernel is."""

    policy: str = ""
    """Of the CPU manager: static or none; `` before a kubelet ran."""
    reserved: str = ""
    """CPUs that are reserved, as the running kubelet was told: `0-1`."""
    shared: str = ""
    """CPUs of pods that have none of their own."""
    given: dict[str, str] = field(default_factory=dict)
    """By pod (uid): CPUs of its own."""
    realtime: bool = False
    """Whether its kernel is PREEMPT_RT."""
    unknown: str = ""
    """Why nothing is known of it."""
    paused: bool = False
    """cyclictest runs there: it was not looked at, what is said is from before."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life."""

    trouble: str = ""
    """Why the API server does not answer."""
    paused: str = ""
    """Why nothing is looked at."""


class NonsenseError(Exception):
    """A line that is not what the watcher writes."""


def told(line: Mapping[str, Any], before: LiveCluster) -> LiveCluster | Sign:
    """Return what a line (JSON, decoded) makes of a cluster, or that it is a sign of life.

    NonsenseError when it is neither. All text is cleaned.
    """
    try:
        if line["type"] == "alive":
            return Sign(_text(line["trouble"], 300), _text(line["paused"]))
        items = [dict(item) for item in line["items"][:LIMIT]]
        match line["type"]:
            case "nodes":
                nodes = tuple(sorted(map(_node, items), key=lambda one: one.name))
                return LiveCluster(nodes, before.pods, before.occurrences)
            case "pods":
                pods = sorted(map(_pod, items), key=lambda one: (one.namespace, one.name))
                return LiveCluster(before.nodes, tuple(pods), before.occurrences)
            case "events":
                found = sorted(map(_occurrence, items), key=lambda one: one.time)
                return LiveCluster(before.nodes, before.pods, tuple(found))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NonsenseError(f"{type(error).__name__}: {error}") from error
    raise NonsenseError("a line of no kind we know")


def _node(item: Mapping[str, Any]) -> LiveNode:
    conditions = [[_text(part, 300) for part in one] for one in item["conditions"][:50]]
    wrong = [
        Condition(kind, reason, message)
        for kind, status, reason, message in conditions
        if status != _NORMAL.get(kind, "False")
    ]
    # What is wrong is told in a fixed order: Ready first, it is what the others end in.
    wrong.sort(key=lambda one: (one.kind != "Ready", one.kind))
    return LiveNode(
        name=_text(item["name"]),
        ready=any((kind, status) == ("Ready", "True") for kind, status, *_ in conditions),
        wrong=tuple(wrong),
        cordoned=item["cordoned"] is True,
        address=_text(item["address"]),
        version=_text(item["version"]),
        kernel=_text(item["kernel"]),
        runtime=_text(item["runtime"]),
        capacity=quantity(item["capacity"]),
        allocatable=quantity(item["allocatable"]),
        created=moment(item["created"]),
    )


def _pod(item: Mapping[str, Any]) -> LivePod:
    asked = [quantity(one) for one in item["cpus"][:100]]
    qos = _text(item["qos"])
    return LivePod(
        uid=_text(item["uid"]),
        namespace=_text(item["namespace"]),
        name=_text(item["name"]),
        node=_text(item["node"]),
        phase="Terminating" if item["leaving"] is True else _text(item["phase"]),
        why="" if item["leaving"] is True else _text(item["why"]),
        qos=qos,
        cpus=sum(asked),
        whole=qos == "Guaranteed" and any(asked) and all(one == int(one) for one in asked),
        restarts=_number(item["restarts"]),
        created=moment(item["created"]),
    )


def _occurrence(item: Mapping[str, Any]) -> Occurrence:
    return Occurrence(
        warning=item["warning"] is True,
        kind=_text(item["kind"]),
        namespace=_text(item["namespace"]),
        name=_text(item["name"]),
        node=_text(item["node"]),
        reason=_text(item["reason"]),
        message=_text(item["message"], 300),
        count=_number(item["count"]),
        time=moment(item["time"]),
    )


def of_node(
    occurrences: Iterable[Occurrence], node: str, pods: Iterable[LivePod]
) -> list[Occurrence]:
    """Return what happened to a node and to its pods, the newest first."""
    own = {(pod.namespace, pod.name) for pod in pods}
    found = [
        one
        for one in occurrences
        if (one.kind == "Node" and one.name == node)
        or (one.kind == "Pod" and (one.node == node or (one.namespace, one.name) in own))
    ]
    return found[::-1]


def quantity(text: object) -> float:
    """Return an amount of CPUs: `2`, `1500m`; 0 for anything else."""
    if not isinstance(text, str | int):
        return 0.0
    number, scale = str(text)[:20], 1.0
    if number.endswith("m"):
        number, scale = number[:-1], 1000.0
    return int(number) / scale if number.isascii() and number.isdigit() else 0.0


def moment(text: object) -> float:
    """Return seconds since the epoch of a time as Kubernetes writes it; 0.0 for anything else."""
    try:
        return datetime.fromisoformat(str(text)[:40]).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def _number(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 10**9 else 0


def _text(value: object, limit: int = 253) -> str:
    """A name is at most 253 characters long."""
    return clean_line(str(value), limit=limit) if value else ""
