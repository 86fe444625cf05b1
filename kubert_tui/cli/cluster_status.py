"""`kubert-tui cluster status` and `kubeconfig`: looked at, nothing changed in the cluster."""

import argparse
import json

from rich.table import Table
from rich.text import Text

from kubert_tui.base.errors import ExitCode
from kubert_tui.checks.catalogue import CLUSTER
from kubert_tui.cli.answers import Answers
from kubert_tui.cli.auto import consume
from kubert_tui.cli.check_command import Collected
from kubert_tui.cli.text import plain_console
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.codec import to_plain
from kubert_tui.facts.cluster import NodeSeen
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import Node, control_plane_of, nodes_of
from kubert_tui.stages.cluster_change import not_for_others, observe_node
from kubert_tui.stages.kubeconfig import (
    export_kubeconfig,
    kubeconfig_path,
    merge_into,
    merge_target,
)
from kubert_tui.stages.model import Guide, Stage, Where, Work

_NOTHING = Guide(what="Look at the cluster.", why="", readme="", ours="", differs="")
STATUS = Stage(
    id="cluster-status",
    title="Look at the cluster",
    guide=_NOTHING,
    checks=CLUSTER,
    where=Where.NODES,
    not_for=not_for_others,
    observe=observe_node,
)


def _fetch(work: Work, facts: Facts) -> Facts:
    export_kubeconfig(work.host(facts.host), work.lab.name)
    return facts


FETCH = Stage(id="cluster-kubeconfig", title="Fetch kubeconfig", guide=_NOTHING, observe=_fetch)


def _look(
    lab: Lab, stage: Stage, hosts: tuple[str, ...], answers: Answers
) -> tuple[Collected, int]:
    session = Session(lab, Options(dry_run=True, hosts=hosts), stages=(stage,))
    collected = Collected()
    session.submit(stage.id)
    session.close()
    return collected, consume(session, collected, answers.answer)


def status(lab: Lab, arguments: argparse.Namespace, answers: Answers) -> int:
    """Print the nodes and what the checks find; return the exit code."""
    nodes = nodes_of(lab)
    collected, code = _look(lab, STATUS, tuple(node.host for node in nodes), answers)
    seen = _seen(collected, lab)
    if arguments.json:
        ours = [_plain(node, seen.get(node.name)) for node in nodes]
        print(json.dumps({"nodes": ours, **collected.as_plain()}, indent=2))
        return code
    console = plain_console(stderr=False)
    console.print(_table(nodes, seen))
    collected.print(console, everything=False)
    return code


def _seen(collected: Collected, lab: Lab) -> dict[str, NodeSeen]:
    lead = collected.facts.get(control_plane_of(lab))
    told = lead.cluster.value.nodes if lead and isinstance(lead.cluster, Known) else None
    return {one.name: one for one in told.value} if isinstance(told, Known) else {}


def _plain(node: Node, seen: NodeSeen | None) -> dict[str, object]:
    known = to_plain(seen) if seen else None
    return {"name": node.name, "role": node.role, "seen": known}


def _table(nodes: tuple[Node, ...], seen: dict[str, NodeSeen]) -> Table:
    table = Table("NODE", "ROLE", "STATE", "VERSION", "ADDRESS", "PODS", box=None)
    for node in nodes:
        one = seen.get(node.name)
        state = "not in the cluster"
        if one is not None:
            words = ["Ready" if one.ready else "NotReady", *one.conditions]
            state = ", ".join(words if one.schedulable else [*words, "cordoned"])
        told = (one.version, one.address, one.pod_cidr) if one else ("", "", "")
        table.add_row(*map(Text, (node.name, node.role, state, *told)))
    return table


def kubeconfig(lab: Lab, arguments: argparse.Namespace, answers: Answers) -> int:
    """Fetch the administrator's kubeconfig; return the exit code."""
    collected, code = _look(lab, FETCH, (control_plane_of(lab),), answers)
    if code or collected.failures:
        collected.print(plain_console(stderr=True), everything=False)
        return code or int(ExitCode.FAILED)
    path = kubeconfig_path(lab.name)
    if arguments.merge:
        target = merge_target()
        merge_into(target, lab.name)
        print(f"merged into {target}; kubectl --context kubert-{lab.name} get nodes")
    print(f"export KUBECONFIG={path}")
    return int(ExitCode.OK)
