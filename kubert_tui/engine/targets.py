"""Whom a stage works on: hosts of the lab, its machines (reached as hosts), pods on its nodes."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from kubert_tui.base.errors import UnreachableError
from kubert_tui.checks.cluster import NO_CLUSTER
from kubert_tui.lab.machines import NO_MACHINES
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import node_of, nodes_of, pods_of
from kubert_tui.machines import keys
from kubert_tui.machines.cases import host_of
from kubert_tui.machines.guest import guests_of
from kubert_tui.stages.model import Stage, Where

_RUN_MACHINES = "run the stage machines first: it makes and starts the machines of the lab"


def with_guests(lab: Lab) -> Lab:
    """Return the lab with its machines as hosts of their own, and a pod on each of its nodes."""
    return lab.with_guests(host_of(guest, lab) for guest in guests_of(lab)).with_pods(pods_of(lab))


def targets(where: Where, lab: Lab, chosen: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names a stage works on, machines after the host that runs them.

    `chosen` are hosts and machines; all if empty. A host brings its machines, unless machines
    are chosen by name: then it is those.
    """
    hosts = {host.name for host in lab.hosts if not chosen or host.name in chosen}
    runs = {machine.name: machine.host for machine in lab.guests}
    named = {name for name in runs if name in chosen}
    guests = named or {name for name, host in runs.items() if host in hosts}
    nodes = {node.host for node in nodes_of(lab)} & (hosts | guests)
    pods = {pod for pod, node in lab.pod_nodes.items() if node in nodes}
    beneath = {runs[node] for node in nodes if node in runs} & hosts
    wanted = {
        Where.HOSTS: hosts,
        Where.GUESTS: guests,
        Where.ALL: hosts | guests,
        Where.NODES: nodes,
        Where.PODS: hosts | guests | pods,
        Where.CLUSTER: nodes | beneath,
    }[where]
    return tuple(one.name for one in lab.everyone if one.name in wanted)


def nothing_to_do(stage: Stage, lab: Lab, names: tuple[str, ...]) -> str:
    """Return why there is nobody for a stage to work on; `` when there is."""
    if stage.where in (Where.NODES, Where.PODS, Where.CLUSTER):
        if lab.cluster is None:
            return NO_CLUSTER
        nodes = any(node_of(lab, name) for name in names)
        return "" if nodes else "no node of the cluster was chosen"
    if stage.where is Where.HOSTS:
        return "" if names else "it is about hosts, and only machines were chosen"
    if any(lab.parent_of(name) for name in names):
        return ""
    return "no machine of the lab runs on the hosts that were chosen" if lab.guests else NO_MACHINES


def introduce_guests(lab: Lab) -> None:
    """Make the host keys of the lab's machines known: they are ours, nobody has to accept them."""
    if _made(lab):
        keys.introduce(lab.name, guests_of(lab))


@contextmanager
def about_guest(lab: Lab, name: str) -> Iterator[None]:
    """Connect inside: an error about a machine says what is to be done about machines."""
    host = lab.parent_of(name)
    ours = any(one.name == name and not one.adopted for one in lab.guests)
    if ours and not _made(lab):
        raise UnreachableError(
            "there is no key that logs in to it: it was never made", fix=_RUN_MACHINES, host=name
        )
    try:
        yield
    except UnreachableError as error:
        if host:
            error.fix = f"if it does not run on {host}, {_RUN_MACHINES}; else: {error.fix}"
        raise


def _made(lab: Lab) -> bool:
    return keys.login_key_file(lab.name) in keys.kept(lab.name)
