"""What must hold between the nodes of a cluster, and the hosts and machines of its lab."""

import re
from collections.abc import Mapping, Sequence

from kubert_tui.lab.cluster import ClusterSpec, NodeRole, NodeSpec

_NODE_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def specs_of(
    cluster: ClusterSpec, guests: Mapping[str, NodeRole], hosts: Sequence[str]
) -> tuple[NodeSpec, ...]:
    """Return the nodes as written; else the machines by role; else the hosts, the first leading."""
    if cluster.nodes:
        return cluster.nodes
    if guests:
        return tuple(NodeSpec(name=name, role=role) for name, role in guests.items())
    return tuple(
        NodeSpec(name=name, role="worker" if number else "control-plane")
        for number, name in enumerate(hosts)
    )


def node_problem(cluster: ClusterSpec, guests: Mapping[str, NodeRole], hosts: Sequence[str]) -> str:
    """Return what is wrong with the nodes, `` when nothing is."""
    specs = specs_of(cluster, guests, hosts)
    names = [spec.name for spec in specs]
    leading = [spec.name for spec in specs if spec.role == "control-plane"]
    unknown = [name for name in names if name not in {*guests, *hosts}]
    what = ""
    if unknown:
        what = f"this lab has no host or machine {unknown[0]}"
    elif len({name.lower() for name in names}) < len(names):
        what = "a node is named twice"
    elif bad := [name for name in names if not _NODE_NAME.fullmatch(name.lower())]:
        what = f"{bad[0]} cannot be the name of a node: no underscores there"
    elif len(leading) != 1:
        what = f"expected one node with the role control-plane, got {len(leading)}"
    return what
