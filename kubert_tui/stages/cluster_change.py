"""What the stages of the cluster share: whom they are for, how they look, how they change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from kubert_tui.base.errors import KubertError, UnreachableError
from kubert_tui.checks.cluster import NO_CLUSTER
from kubert_tui.events.measuring import ClusterProved
from kubert_tui.events.model import Note, PlannedStep
from kubert_tui.facts.cluster import ClusterSeen
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.look_cluster import look_at_node, look_at_nodes
from kubert_tui.facts.model import Facts
from kubert_tui.lab.cluster_variables import cluster_variables
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.lab.nodes import control_plane_of, node_of, nodes_of
from kubert_tui.stages.kubeconfig import export_kubeconfig, refresh_merged
from kubert_tui.stages.model import Work
from kubert_tui.stages.playbook_change import PlaybookChange, Variables, no_variables


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
        seen = Known(found if here else _with_cluster(work, lead, found))
    except UnreachableError:
        raise
    except KubertError as error:
        seen = Unknown(error.what)
    return replace(facts, cluster=seen)


def _with_cluster(work: Work, lead: str, found: ClusterSeen) -> ClusterSeen:
    """Return a worker with what the control plane says of the cluster."""
    try:
        nodes, server = look_at_nodes(work.host(lead), sudo=True, cancel=work.cancel)
    except KubertError as error:
        away = Unknown(f"{lead}: {error.what}")
        return replace(found, nodes=away, server=away)
    return replace(found, nodes=nodes, server=server)


def _helpers(lab: Lab) -> Mapping[str, Mapping[str, object]]:
    lead = control_plane_of(lab)
    return {lead: cluster_variables(lab, lead, helper=True)} if lead else {}


def control_plane_helps(lab: Lab) -> tuple[str, ...]:
    """Return the hosts that the cluster's playbooks work on for whichever node: its control plane.

    See `Stage.helpers`.
    """
    return tuple(_helpers(lab))


def cluster_playbook(
    playbook: str, *permissions: Permission, confirm: str = "", more: Variables = no_variables
) -> PlaybookChange:
    """Return the change that is a playbook of the cluster's; it always needs `cluster`.

    `more` are variables beyond those of all its playbooks.
    """

    def variables(lab: Lab, facts: Facts) -> Mapping[str, object]:
        return {**cluster_variables(lab, facts.host), **more(lab, facts)}

    return PlaybookChange(
        playbook,
        frozenset({Permission.CLUSTER, *permissions}),
        confirm=confirm,
        variables=variables,
        helpers=_helpers,
    )


def _nothing_against(_lab: Lab, _facts: Facts) -> KubertError | None:
    return None


@dataclass(frozen=True, slots=True)
class ClusterChange:
    """A playbook of the cluster's, and what follows it here. See `Change` for the methods."""

    playbook: PlaybookChange
    exports: bool = False
    """Afterwards the cluster's administrator is written down here, for kubectl."""
    proves: bool = False
    """It came through: that is the result."""
    against: Callable[[Lab, Facts], KubertError | None] = _nothing_against
    """Why it may not be done, by what is known of a host. Pure."""

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
        if (error := self.against(lab, facts)) is not None:
            raise error
        return self.playbook.plan(lab, facts)

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        self.playbook.preview(work, hosts)

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        self.playbook.apply(work, hosts)
        if self.exports and (lead := control_plane_of(work.lab)) in hosts:
            export(work, lead)
        for host in hosts if self.proves else ():
            image = work.lab.cluster.smoke_image if work.lab.cluster else ""
            nodes = tuple(node.name for node in nodes_of(work.lab))
            work.emit(ClusterProved(host=host, image=image, nodes=nodes))


def export(work: Work, lead: str) -> None:
    """Write the cluster's administrator down here, and wherever it was merged into before."""
    path = export_kubeconfig(work.host(lead), work.lab.name)
    work.emit(Note(host=lead, text=f"For kubectl here: export KUBECONFIG={path}"))
    for merged in refresh_merged(work.lab.name):
        work.emit(Note(host=lead, text=f"Written anew in {merged}, too: it was merged before."))
