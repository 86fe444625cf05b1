"""`kubert-tui cluster`: how the cluster is, kubectl's way into it, and nodes taken out of it."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from kubert_tui.base.errors import ExitCode, UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.checks.catalogue import CLUSTER
from kubert_tui.checks.cluster import NO_CLUSTER
from kubert_tui.cli import cluster_watch
from kubert_tui.cli.answers import Answers
from kubert_tui.cli.auto import Printer, consume, let_go_on_signals
from kubert_tui.cli.check_command import Collected
from kubert_tui.cli.json_lines import JsonLines
from kubert_tui.cli.text import TextReport, plain_console
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.codec import to_plain
from kubert_tui.facts.cluster import NodeSeen
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.lab.find import find_lab
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import Node, control_plane_of, nodes_of
from kubert_tui.lab.overrides import override
from kubert_tui.stages.cluster_change import not_for_others, observe_node
from kubert_tui.stages.cluster_reset import RESET
from kubert_tui.stages.kubeconfig import export_kubeconfig, kubeconfig_path, merge_into
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


def add_parser(commands: Any) -> None:
    """Add the command and its own commands to the parser's sub-commands."""
    parser = commands.add_parser(
        "cluster", help="the Kubernetes cluster: status, kubeconfig, reset"
    )
    parser.set_defaults(handler=run)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--lab", metavar="LAB", default=argparse.SUPPRESS, help="as above")
    common.add_argument("--accept-new-host-keys", action="store_true")
    common.add_argument("--json", action="store_true", help="for programs")
    own = parser.add_subparsers(dest="cluster_command", required=True, metavar="COMMAND")
    status = own.add_parser(
        "status", parents=[common], help="nodes, versions, conditions; changes nothing"
    )
    cluster_watch.add_option(status)
    config = own.add_parser(
        "kubeconfig", parents=[common], help="fetch the administrator's kubeconfig; say where it is"
    )
    config.add_argument(
        "--merge", action="store_true", help="add it to $KUBECONFIG or ~/.kube/config, too"
    )
    reset = own.add_parser("reset", parents=[common], help="take one node, or all, out of it")
    reset.add_argument("node", nargs="?", metavar="NODE", help="a worker; all nodes if left out")
    reset.add_argument("--confirm", metavar="NAME", help="name of the node, or of the lab for all")
    reset.add_argument("--dry-run", action="store_true", help="only show what would be done")


def run(arguments: argparse.Namespace) -> int:
    """Run the command that was asked for."""
    source = find_lab(arguments.lab)
    lab = override(source.lab, arguments.set)
    if lab.cluster is None:
        raise UsageError(f"lab {lab.name}: {NO_CLUSTER}")
    if arguments.cluster_command == "status" and arguments.watch:
        return cluster_watch.watch(lab, arguments, _answers(arguments).answer)
    if arguments.cluster_command == "status":
        return _status(lab, arguments)
    if arguments.cluster_command == "kubeconfig":
        return _kubeconfig(lab, arguments)
    return _reset(lab, str(source.path or ""), arguments)


def _answers(arguments: argparse.Namespace, *, yes: bool = False) -> Answers:
    return Answers(
        yes=yes,
        accept_new_host_keys=arguments.accept_new_host_keys,
        terminal=sys.stdin.isatty() and sys.stderr.isatty(),
    )


def _look(
    lab: Lab, stage: Stage, hosts: tuple[str, ...], arguments: argparse.Namespace
) -> tuple[Collected, int]:
    session = Session(lab, Options(dry_run=True, hosts=hosts), stages=(stage,))
    collected = Collected()
    session.submit(stage.id)
    session.close()
    return collected, consume(session, collected, _answers(arguments).answer)


def _status(lab: Lab, arguments: argparse.Namespace) -> int:
    nodes = nodes_of(lab)
    collected, code = _look(lab, STATUS, tuple(node.host for node in nodes), arguments)
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


def _kubeconfig(lab: Lab, arguments: argparse.Namespace) -> int:
    collected, code = _look(lab, FETCH, (control_plane_of(lab),), arguments)
    if code or collected.failures:
        collected.print(plain_console(stderr=True), everything=False)
        return code or int(ExitCode.FAILED)
    path = kubeconfig_path(lab.name)
    if arguments.merge:
        named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
        target = Path(named) if named else Path.home() / ".kube" / "config"
        merge_into(target, lab.name)
        print(f"merged into {target}; kubectl --context kubert-{lab.name} get nodes")
    print(f"export KUBECONFIG={path}")
    return int(ExitCode.OK)


def _reset(lab: Lab, lab_file: str, arguments: argparse.Namespace) -> int:
    nodes = nodes_of(lab)
    chosen = tuple(node for node in nodes if arguments.node in (None, node.host, node.name))
    if not chosen:
        names = ", ".join(node.host for node in nodes)
        raise UsageError(
            f"the cluster has no node {clean_line(arguments.node)!r}", fix=f"its nodes: {names}"
        )
    if arguments.node and chosen[0].role == "control-plane" and len(nodes) > 1:
        raise UsageError(
            f"{chosen[0].host} is the control plane: without it its workers have no cluster",
            fix="kubert-tui cluster reset (without a name) resets all nodes",
        )
    if not arguments.dry_run:
        _confirm(chosen[0].host if arguments.node else lab.name, arguments)
    hosts = tuple(node.host for node in chosen)
    # A run of its own: what was proved in the last one does not hold any more.
    options = Options(lab_file=lab_file, dry_run=arguments.dry_run, fresh=True, hosts=hosts)
    session = Session(lab, options, stages=(RESET,))
    let_go_on_signals(session)
    session.submit(RESET.id)
    session.close()
    printer: Printer = JsonLines(sys.stdout) if arguments.json else TextReport()
    code = consume(session, printer, _answers(arguments, yes=True).answer)
    if code == ExitCode.OK and not arguments.dry_run and not arguments.node:
        kubeconfig_path(lab.name).unlink(missing_ok=True)
    return code


def _confirm(name: str, arguments: argparse.Namespace) -> None:
    """Raise UsageError unless somebody typed the name of what is to be reset."""
    typed = arguments.confirm
    if typed is None and sys.stdin.isatty() and sys.stderr.isatty():
        print(f"{RESET.change.confirm if RESET.change else ''}", file=sys.stderr)
        print(f"Type {name} to go on: ", end="", file=sys.stderr, flush=True)
        typed = sys.stdin.readline().strip()
    if typed != name:
        raise UsageError("not confirmed: nothing was done", fix=f"--confirm {name}")
