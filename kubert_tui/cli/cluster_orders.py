"""`kubert-tui cluster add|drain|uncordon|remove|rotate|upgrade|reset`: asked of the engine."""

import argparse
import sys
from dataclasses import replace

from kubert_tui.base.errors import ExitCode, UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.cli.answers import Answers, somebody_there
from kubert_tui.cli.auto import Printer, consume, let_go_on_signals
from kubert_tui.cli.json_lines import JsonLines
from kubert_tui.cli.text import TextReport
from kubert_tui.engine.session import Options, Session
from kubert_tui.lab.model import Lab
from kubert_tui.lab.nodes import Node, control_plane_of, nodes_of
from kubert_tui.stages.cluster_moves import (
    UNCORDON,
    DrainOptions,
    add_stages,
    drain_stage,
    lost_stage,
    remove_stage,
)
from kubert_tui.stages.cluster_reset import RESET
from kubert_tui.stages.cluster_upkeep import rotate_stage, upgrade_stage
from kubert_tui.stages.kubeconfig import kubeconfig_path
from kubert_tui.stages.model import Stage

KIND = "cluster"
"""Of these runs: they neither end the wizard's run of the lab nor are ended by it."""


def order(lab: Lab, lab_file: str, arguments: argparse.Namespace, answers: Answers) -> int:
    """Carry out the command that was asked for; return the exit code."""
    stages, hosts = _chosen(lab, arguments)
    options = Options(
        lab_file=lab_file, dry_run=arguments.dry_run, fresh=True, hosts=hosts, kind=KIND
    )
    return _run(Session(lab, options, stages=stages), stages, arguments, answers)


def reset(lab: Lab, lab_file: str, arguments: argparse.Namespace, answers: Answers) -> int:
    """Take one node, or all of them, out of the cluster; return the exit code."""
    nodes = nodes_of(lab)
    chosen = (_node(lab, arguments.node),) if arguments.node else nodes
    if arguments.node and chosen[0].role == "control-plane" and len(nodes) > 1:
        raise UsageError(
            f"{chosen[0].host} is the control plane: without it its workers have no cluster",
            fix="kubert-tui cluster reset (without a name) resets all nodes",
        )
    if not arguments.dry_run:
        _confirm(chosen[0].host if arguments.node else lab.name, RESET, arguments)
    hosts = tuple(node.host for node in chosen)
    # A run of its own: what was proved in the last one does not hold any more.
    options = Options(lab_file=lab_file, dry_run=arguments.dry_run, fresh=True, hosts=hosts)
    session = Session(lab, options, stages=(RESET,))
    code = _run(session, (RESET,), arguments, replace(answers, yes=True))
    if code == ExitCode.OK and not arguments.dry_run and not arguments.node:
        kubeconfig_path(lab.name).unlink(missing_ok=True)
    return code


def _chosen(lab: Lab, arguments: argparse.Namespace) -> tuple[tuple[Stage, ...], tuple[str, ...]]:
    """Return the stages of a command, and the hosts that they are about."""
    command = arguments.cluster_command
    if command == "rotate":
        return (rotate_stage(lab.name, arguments.within),), (control_plane_of(lab),)
    if command == "upgrade":
        every = tuple(node.host for node in nodes_of(lab))
        return (upgrade_stage(_drain_options(arguments)),), every
    node = _node(lab, arguments.node)
    if command in ("add", "remove") and node.role == "control-plane":
        raise UsageError(
            f"{node.host} is the control plane: its workers are added to it and removed from it",
            fix="kubert-tui --auto --only cluster-control-plane makes it, cluster reset ends it",
        )
    if command == "add":
        return add_stages(lab, node.host)
    if command == "uncordon":
        return (UNCORDON,), (node.host,)
    if command == "drain":
        return (drain_stage(_drain_options(arguments)),), (node.host,)
    lost = arguments.lost
    stage = lost_stage(node) if lost else remove_stage(_drain_options(arguments))
    if not arguments.dry_run:
        _confirm(node.host, stage, arguments)
        arguments.yes = True
    return (stage,), (control_plane_of(lab) if lost else node.host,)


def _drain_options(arguments: argparse.Namespace) -> DrainOptions:
    return DrainOptions(
        force=arguments.force,
        delete_emptydir_data=arguments.delete_emptydir_data,
        disable_eviction=arguments.disable_eviction,
        seconds=arguments.timeout,
    )


def _node(lab: Lab, name: str) -> Node:
    nodes = nodes_of(lab)
    found = next((node for node in nodes if name in (node.host, node.name)), None)
    if found is None:
        names = ", ".join(node.host for node in nodes)
        raise UsageError(
            f"the cluster has no node {clean_line(name)!r}",
            fix=f"its nodes: {names}",
        )
    return found


def _run(
    session: Session, stages: tuple[Stage, ...], arguments: argparse.Namespace, answers: Answers
) -> int:
    let_go_on_signals(session)
    for stage in stages:
        session.submit(stage.id)
    session.close()
    printer: Printer = JsonLines(sys.stdout) if arguments.json else TextReport()
    agreed = replace(answers, yes=answers.yes or getattr(arguments, "yes", False))
    return consume(session, printer, agreed.answer)


def _confirm(name: str, stage: Stage, arguments: argparse.Namespace) -> None:
    """Raise UsageError unless somebody typed the name of what is to end."""
    typed = arguments.confirm
    if typed is None and somebody_there():
        print(f"{stage.change.confirm if stage.change else ''}", file=sys.stderr)
        print(f"Type {name} to go on: ", end="", file=sys.stderr, flush=True)
        typed = sys.stdin.readline().strip()
    if typed != name:
        raise UsageError("not confirmed: nothing was done", fix=f"--confirm {name}")
