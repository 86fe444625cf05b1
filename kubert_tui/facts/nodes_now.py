"""The nodes of a lab as its cluster has them now: a row each, also of those that are not in it."""

from dataclasses import dataclass

from kubert_tui.cpus.lists import cpus_of
from kubert_tui.facts.live_cluster import GivenCpus, LiveCluster, LiveNode, LivePod
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import nodes_of

NOT_IN_LAB = "not in lab"
_SILENT = "NodeStatusUnknown"


@dataclass(frozen=True, slots=True)
class NodeNow:
    """One node."""

    name: str
    role: str
    """control-plane, worker; `not in lab`."""
    live: LiveNode | None
    """None: the cluster does not know it (or has told nothing yet: `told`)."""
    pods: tuple[LivePod, ...] = ()
    given: GivenCpus | None = None
    """None: not looked at yet."""
    wanted: str = ""
    """The lab's version of Kubernetes: 1.36.4, or 1.36 for any of that; `` for any at all."""

    told: bool = True
    """Whether the cluster has told which nodes it has."""

    @property
    def state(self) -> str:
        """What is the matter with it, in a few words."""
        if self.live is None:
            return "not joined" if self.told else "not heard yet"
        words = ["Ready" if self.live.ready else "NotReady"]
        words += [one.kind for one in self.live.wrong if one.kind != "Ready"]
        return ", ".join([*words, "cordoned"] if self.live.cordoned else words)

    @property
    def well(self) -> bool:
        """Whether it takes pods, and nothing is wrong with it."""
        live = self.live
        return live is not None and live.ready and not live.wrong and not live.cordoned

    @property
    def other_version(self) -> bool:
        """Whether its kubelet is not of the lab's version."""
        if self.live is None or not self.wanted:
            return False
        version = self.live.version.removeprefix("v")
        return version != self.wanted and not version.startswith(f"{self.wanted}.")

    @property
    def exclusive(self) -> int:
        """How many of its CPUs belong to one pod each."""
        return len(set().union(*map(cpus_of, self.given.given.values()))) if self.given else 0

    def cpus_of(self, pod: LivePod) -> str:
        """Return the CPUs that a pod has for itself, `` for none."""
        return self.given.given.get(pod.uid, "") if self.given else ""

    @property
    def advice(self) -> tuple[str, ...]:
        """What is wrong, and what to do; () when all is well."""
        if not self.told:
            return ()
        if self.live is None:
            stage = "control-plane" if self.role == "control-plane" else "workers"
            return (f"It is not in the cluster: the stage cluster-{stage} gets it in.",)
        told = [f"{one.kind}: {one.reason}: {one.message}" for one in self.live.wrong]
        reasons = {one.reason for one in self.live.wrong if one.kind == "Ready"}
        if _SILENT in reasons:
            told.append("Is it up? On it: systemctl status kubelet; journalctl -u kubelet -e")
        elif any("cni" in one.message.lower() for one in self.live.wrong):
            told.append("It has no pod network: the stage cluster-network makes it.")
        if self.live.cordoned:
            told.append(f"It takes no new pods until: kubectl uncordon {self.name}")
        if self.other_version:
            told.append(f"Its kubelet is {self.live.version}, the lab wants {self.wanted}.")
        if self.role == NOT_IN_LAB:
            told.append("The lab file does not name it: somebody else's, or left over.")
        return tuple(told)


def nodes_now(
    lab: Lab, cluster: LiveCluster | None, cpus: dict[str, GivenCpus]
) -> tuple[NodeNow, ...]:
    """Return the lab's nodes, the control plane first, then those it does not name.

    `cluster` is None until something was told of it.
    """
    told, cluster = cluster is not None, cluster or LiveCluster()
    live = {node.name: node for node in cluster.nodes}
    roles: dict[str, str] = {node.name: node.role for node in nodes_of(lab)}
    pods: dict[str, list[LivePod]] = {}
    for pod in cluster.pods:
        pods.setdefault(pod.node, []).append(pod)
    wanted = lab.cluster.kubernetes if lab.cluster else ""
    return tuple(
        NodeNow(
            name,
            roles.get(name, NOT_IN_LAB),
            live.get(name),
            tuple(pods.get(name, ())),
            cpus.get(name),
            wanted,
            told,
        )
        for name in dict.fromkeys((*roles, *live))
    )


def age(seconds: float) -> str:
    """Return how old something is, as kubectl writes it: 12s, 5m, 3h, 4d."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"
