"""`kubert-tui cluster`: how the cluster is, kubectl's way into it, and its day two."""

import argparse
from typing import Any

from kubert_tui.base.errors import UsageError
from kubert_tui.checks.cluster import NO_CLUSTER
from kubert_tui.checks.cluster_upkeep import SOON
from kubert_tui.cli import cluster_watch
from kubert_tui.cli.answers import answers_of
from kubert_tui.cli.cluster_orders import order, reset
from kubert_tui.cli.cluster_status import kubeconfig, status
from kubert_tui.lab.find import find_lab
from kubert_tui.lab.overrides import override

_EPILOG = """\
What is not begun is what the lab file says: add a worker there before `add`, and another version
(cluster: kubernetes:) before `upgrade`. All but status and kubeconfig need `cluster` in `allow`.

Exit codes are those of kubert-tui: 2 for a node that is not in the lab file or a name that was not
typed, 8 where `upgrade` was not confirmed (--yes), 9 where somebody else works on the node or the
control plane, 10 where it was refused (pods that cannot go, versions that do not follow) or failed.
"""


def add_parser(commands: Any) -> None:
    """Add the command and its own commands to the parser's sub-commands."""
    parser = commands.add_parser(
        "cluster",
        help="the Kubernetes cluster: status, kubeconfig, add, drain, ..., upgrade, reset",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(handler=run)
    common = _common()
    changing = _changing(common)
    draining = _draining()
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
    nodes = (
        ("add", [changing], "let one worker of the lab file join; the others are left alone"),
        ("drain", [changing, draining], "keep pods off a node, and move those that are there"),
        ("uncordon", [changing], "let pods onto a node again"),
        ("remove", [changing, draining], "drain a worker, and take it out of the cluster"),
    )
    for name, parents, text in nodes:
        one = own.add_parser(name, parents=parents, help=text)
        one.add_argument("node", metavar="NODE", help="of the lab file")
        if name == "remove":
            one.add_argument("--confirm", metavar="NODE", help="the name again, to confirm it")
            one.add_argument(
                "--lost",
                action="store_true",
                help="its machine is gone: only the cluster forgets it",
            )
    rotate = own.add_parser(
        "rotate", parents=[changing], help="a new kubeconfig, and what expires soon renewed"
    )
    rotate.add_argument(
        "--within",
        metavar="DAYS",
        type=_number,
        default=SOON,
        help="renew all certificates that expire within so many days (%(default)s)",
    )
    upgrade = own.add_parser(
        "upgrade", parents=[changing, draining], help="to the lab file's version, node after node"
    )
    upgrade.add_argument("--yes", action="store_true", help="confirm it")
    whole = own.add_parser("reset", parents=[changing], help="take one node, or all, out of it")
    whole.add_argument("node", nargs="?", metavar="NODE", help="a worker; all nodes if left out")
    whole.add_argument("--confirm", metavar="NAME", help="name of the node, or of the lab for all")


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--lab", metavar="LAB", default=argparse.SUPPRESS, help="as above")
    common.add_argument("--accept-new-host-keys", action="store_true")
    common.add_argument("--json", action="store_true", help="for programs")
    return common


def _changing(common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    changing = argparse.ArgumentParser(add_help=False, parents=[common])
    changing.add_argument("--dry-run", action="store_true", help="only show what would be done")
    changing.add_argument(
        "--break-lock", action="store_true", help="take nodes from other operators"
    )
    return changing


def _draining() -> argparse.ArgumentParser:
    draining = argparse.ArgumentParser(add_help=False)
    group = draining.add_argument_group("pods that cannot go (as with kubectl drain)")
    group.add_argument(
        "--force", action="store_true", help="lose pods that no controller starts again"
    )
    group.add_argument(
        "--delete-emptydir-data", action="store_true", help="lose what pods keep in an emptyDir"
    )
    group.add_argument(
        "--disable-eviction", action="store_true", help="do not ask PodDisruptionBudgets"
    )
    group.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_number,
        default=300,
        help="how long pods get to go (%(default)s)",
    )
    return draining


def _number(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 100_000:
        raise ValueError(text)
    return number


def run(arguments: argparse.Namespace) -> int:
    """Run the command that was asked for."""
    source = find_lab(arguments.lab)
    lab = override(source.lab, arguments.set)
    if lab.cluster is None:
        raise UsageError(f"lab {lab.name}: {NO_CLUSTER}")
    answers = answers_of(arguments)
    if arguments.cluster_command == "status" and arguments.watch:
        return cluster_watch.watch(lab, arguments, answers.answer)
    if arguments.cluster_command == "status":
        return status(lab, arguments, answers)
    if arguments.cluster_command == "kubeconfig":
        return kubeconfig(lab, arguments, answers)
    carry_out = reset if arguments.cluster_command == "reset" else order
    return carry_out(lab, str(source.path or ""), arguments, answers)
