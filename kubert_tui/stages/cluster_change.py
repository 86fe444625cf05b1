"""What the stages of the cluster share: whom they are for, how they look, how they change."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kubert_tui.base.errors import KubertError, UnreachableError
from kubert_tui.checks.cluster import NO_CLUSTER
from kubert_tui.events.measuring import ClusterProved
from kubert_tui.events.model import Note, PlannedStep
from kubert_tui.facts.cluster import ClusterSeen, NodeSeen
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.look_cluster import look_at_node, look_at_nodes
from kubert_tui.facts.model import Facts
from kubert_tui.lab.cluster_variables import cluster_variables
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.lab.nodes import control_plane_of, node_of, nodes_of
from kubert_tui.stages.kubeconfig import export_kubeconfig
from kubert_tui.stages.model import Work
from kubert_tui.stages.playbook_change import PlaybookChange


def not_for_others(facts: Facts, lab: Lab) -> str:
    """Return why a stage of the cluster is not for a host; `` for its nodes."""
    if lab.cluster is None:
        return NO_CLUSTER
    return "" if node_of(lab, facts.host) else f"{facts.host} is no node of the cluster"


def only_control_plane(facts: Facts, lab: Lab) -> str:
    """Return why a stage is not for a host; `` for the control plane."""
    if lab.cluster is None:
        return NO_CLUSTER
    lead = control_plane_of(lab)
    return "" if facts.host == lead else f"this is done on the control plane, {lead}"


def observe_node(work: Work, facts: Facts) -> Facts:
    """Return the facts of a node with what it is in its cluster."""
    node, cluster = node_of(work.lab, facts.host), work.lab.cluster
    if node is None or cluster is None:
        return facts
    lead = control_plane_of(work.lab)
    here = facts.host == lead
    sudo = facts.privileged == Known(True)
    seen: Fact[ClusterSeen]
    try:
        found = look_at_node(
            work.host(facts.host), cluster.socket, lead=here, sudo=sudo, cancel=work.cancel
        )
        seen = Known(found if here else replace(found, nodes=_nodes(work, lead)))
    except UnreachableError:
        raise
    except KubertError as error:
        seen = Unknown(error.what)
    return replace(facts, cluster=seen)


def _nodes(work: Work, lead: str) -> Fact[tuple[NodeSeen, ...]]:
    try:
        return look_at_nodes(work.host(lead), sudo=True, cancel=work.cancel)
    except KubertError as error:
        return Unknown(f"{lead}: {error.what}")


def _variables(lab: Lab, facts: Facts) -> Mapping[str, object]:
    return cluster_variables(lab, facts.host)


def _helpers(lab: Lab) -> Mapping[str, Mapping[str, object]]:
    lead = control_plane_of(lab)
    return {lead: cluster_variables(lab, lead, helper=True)} if lead else {}


def cluster_playbook(playbook: str, *permissions: Permission, confirm: str = "") -> PlaybookChange:
    """Return the change that is a playbook of the cluster's; it always needs `cluster`."""
    return PlaybookChange(
        playbook,
        frozenset({Permission.CLUSTER, *permissions}),
        confirm=confirm,
        variables=_variables,
        helpers=_helpers,
    )


@dataclass(frozen=True, slots=True)
class ClusterChange:
    """A playbook of the cluster's, and what follows it here. See `Change` for the methods."""

    playbook: PlaybookChange
    exports: bool = False
    """Afterwards the cluster's administrator is written down here, for kubectl."""
    proves: bool = False
    """It came through: that is the result."""

    @property
    def confirm(self) -> str:
        return self.playbook.confirm

    @property
    def previews(self) -> bool:
        return not self.proves

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:
        needed = self.playbook.needs(lab, host)
        given = lab.cluster is not None and lab.cluster.packages == "preinstalled"
        return needed - {Permission.PACKAGES} if given else needed

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        return self.playbook.plan(lab, facts)

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        self.playbook.preview(work, hosts)

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        self.playbook.apply(work, hosts)
        for host in hosts if self.exports else ():
            path = export_kubeconfig(work.host(host), work.lab.name)
            work.emit(Note(host=host, text=f"For kubectl here: export KUBECONFIG={path}"))
        for host in hosts if self.proves else ():
            image = work.lab.cluster.smoke_image if work.lab.cluster else ""
            nodes = tuple(node.name for node in nodes_of(work.lab))
            work.emit(ClusterProved(host=host, image=image, nodes=nodes))
