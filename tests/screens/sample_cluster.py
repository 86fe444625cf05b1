"""A cluster of four: one is well, one measures, one has gone silent, one never came."""

from dataclasses import replace

from kubert_tui.events.cluster import ClusterHeard, ClusterWatched
from kubert_tui.facts.live_cluster import (
    Condition,
    GivenCpus,
    LiveCluster,
    LiveNode,
    LivePod,
    Occurrence,
)
from kubert_tui.lab.load import parse_lab
from tests.screens.scripted_engine import CLOCK
from tests.screens.story import HOSTILE

LAB = parse_lab(
    "name: bulls\nallow: [cluster]\nhosts:\n"
    + "".join(f"- {{name: bull{n}, address: 192.168.11.1{n}}}\n" for n in (1, 2, 3, 4))
    + "cluster: {kubernetes: 1.36.4}\n",
    "lab.yaml",
)
_DAY = 86_400.0
_SILENT = Condition("Ready", "NodeStatusUnknown", "Kubelet stopped posting node status.")


def _node(number: int) -> LiveNode:
    return LiveNode(
        f"bull{number}", ready=True, address=f"192.168.11.1{number}", version="v1.36.4",
        kernel="6.12.48-rt-amd64", runtime="containerd://2.1.4", capacity=8, allocatable=6,
        created=CLOCK - 3 * _DAY,
    )  # fmt: skip


def _pod(name: str, node: str, **more: object) -> LivePod:
    given = {"namespace": "kube-system", "phase": "Running", "qos": "Burstable", "cpus": 0.1}
    return LivePod(
        uid=f"uid-{name}", name=name, node=node, created=CLOCK - 7200, **{**given, **more}  # type: ignore[arg-type]
    )  # fmt: skip


def _said(reason: str, name: str, before: float, **more: object) -> Occurrence:
    given = {"warning": False, "kind": "Pod", "namespace": "kubert", "node": "bull2", "count": 1}
    return Occurrence(
        name=name, reason=reason, time=CLOCK - before, **{"message": reason, **given, **more}  # type: ignore[arg-type]
    )  # fmt: skip


NODES = (
    _node(1),
    replace(_node(2), cordoned=True),
    replace(_node(3), ready=False, wrong=(_SILENT,), version="v1.35.2"),
)
PODS = (
    _pod("etcd-bull1", "bull1"),
    _pod("kube-apiserver-bull1", "bull1", cpus=0.25),
    _pod("kube-controller-manager-bull1", "bull1", cpus=0.2, restarts=4),
    _pod("kube-flannel-ds-x7k2p", "bull2"),
    _pod("cyclictest-bull2", "bull2", namespace="kubert", qos="Guaranteed", cpus=4.0, whole=True),
    _pod("loop", "bull2", namespace="apps", why="ImagePullBackOff", phase="Pending", cpus=0.0,
         qos="BestEffort"),
    _pod(HOSTILE, "bull3"),
)  # fmt: skip
SAID = (
    _said("NodeReady", "bull1", 7100, kind="Node", message="Node bull1 status is now: NodeReady"),
    _said("Started", "cyclictest-bull2", 65, message="Started container cyclictest"),
    _said("BackOff", "loop", 20, namespace="apps", warning=True, count=7,
          message=f'Back-off pulling image "registry.example.org/loop:1" {HOSTILE}'),
)  # fmt: skip
CPUS = {
    "bull1": GivenCpus("static", "0-1", "0-7", {}, realtime=True),
    "bull2": GivenCpus("static", "0-1", "0-1,6-7", {"uid-cyclictest-bull2": "2-5"}, realtime=True),
    "bull3": GivenCpus(unknown="the connection was lost"),
}
WATCHED = ClusterWatched(
    stage="cluster", host="bull1", cluster=LiveCluster(NODES, PODS, SAID), cpus=CPUS
)
HEARD = ClusterHeard(stage="cluster", host="bull1", heard=CLOCK - 4)
LOST = replace(
    HEARD, heard=CLOCK - 90, trouble="the connection was lost", fix="check power and network"
)
