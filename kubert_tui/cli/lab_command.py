"""`kubert-tui lab`: write, check and show lab files, and print their schema."""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kubert_tui.ansible.inventory import inventory_yaml
from kubert_tui.ansible.request import PlaybookRequest
from kubert_tui.base import paths
from kubert_tui.base.errors import ExitCode, LabFileError, UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.lab.builtin import local_lab
from kubert_tui.lab.cluster_variables import cluster_variables
from kubert_tui.lab.explain import explain
from kubert_tui.lab.find import find_lab
from kubert_tui.lab.limits import LIMITS, PUBLISHED
from kubert_tui.lab.load import load_lab
from kubert_tui.lab.model import Lab, Permission
from kubert_tui.lab.nodes import nodes_of
from kubert_tui.lab.overrides import override
from kubert_tui.lab.schema import schema
from kubert_tui.lab.workload_objects import applications, workload_variables
from kubert_tui.lab.write import dump_lab, write_lab

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_HOST = re.compile(
    r"(?P<name>[^=]+)"
    r"(=((?P<user>[^@]+)@)?(?P<address>\[[^\]]+\]|[^:\[\]]+|[0-9A-Fa-f:.]+)(:(?P<port>[0-9]+))?)?"
)


def add_parser(subparsers: "Subparsers") -> None:
    """Add `lab` and its own commands to the command line."""
    parser = subparsers.add_parser("lab", help="write, check and show lab files; limits")
    parser.set_defaults(handler=run)
    commands = parser.add_subparsers(dest="lab_command", required=True, metavar="COMMAND")

    commands.add_parser("schema", help="print the JSON Schema of the lab file, for editors")

    commands.add_parser("limits", help="list limits for the worst latency, and who published them")

    init = commands.add_parser("init", help="write a lab file to start from")
    init.add_argument("--output", metavar="FILE", help="the file; standard output if left out")
    init.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME=[USER@]ADDRESS[:PORT]",
        help="a host to reach over SSH, repeatable; this machine if there is none",
    )
    init.add_argument("--user", default="", help="login on the hosts that name none")
    init.add_argument(
        "--allow", default="", metavar="LIST", help=f"of {','.join(Permission)}; nothing by default"
    )
    init.add_argument("--name", default="", help="the lab's name; the file's if left out")
    init.add_argument("--force", action="store_true", help="replace an existing file")

    check = commands.add_parser("check", help="say whether lab files are valid")
    check.add_argument("files", nargs="+", metavar="FILE")

    inventory = commands.add_parser(
        "inventory", help="print the cluster's nodes as an inventory for ansible-playbook"
    )
    inventory.add_argument("shown", nargs="?", metavar="LAB", help="a name or file")
    inventory.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="settings"
    )

    show = commands.add_parser("show", help="print a lab as it will be used")
    show.add_argument("shown", nargs="?", metavar="LAB", help="a name or file; local if left out")
    show.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="settings")


def run(arguments: argparse.Namespace) -> int:
    """Run the command that was asked for; raises KubertError as every command does."""
    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "schema": _schema,
        "limits": _limits,
        "init": _init,
        "check": _check,
        "show": _show,
        "inventory": _inventory,
    }
    return commands[arguments.lab_command](arguments)


def _schema(_: argparse.Namespace) -> int:
    print(json.dumps(schema(), indent=2))
    return ExitCode.OK


def _limits(_: argparse.Namespace) -> int:
    print(
        "Limits, for `cyclictest.limit` in a lab file and `report --limit` (or any number of us):"
    )
    for limit in LIMITS:
        print(f"\n  {limit.name}: below {limit.microseconds} us\n    {limit.source}")
        print(f"    measured: {limit.measured}\n    {limit.url}")
    print("\nWhat others have measured:")
    for one in PUBLISHED:
        print(f"\n  {one.who}: {one.figures}\n    measured: {one.measured}\n    {one.url}")
    return ExitCode.OK


def _init(arguments: argparse.Namespace) -> int:
    lab = _new_lab(arguments)
    if arguments.output in (None, "-"):
        print(dump_lab(lab), end="")
        return ExitCode.OK
    path = Path(arguments.output)
    write_lab(lab, path, overwrite=arguments.force)
    print(f"{path}: written; next: kubert-tui lab check {path}")
    return ExitCode.OK


def _new_lab(arguments: argparse.Namespace) -> Lab:
    """The lab that `init` was asked for; UsageError says which part of it does not fit."""
    hosts = [_host(text, arguments.user) for text in arguments.host]
    data: dict[str, Any] = {"hosts": hosts or local_lab().hosts}
    data["allow"] = [word.strip() for word in arguments.allow.split(",") if word.strip()]
    stem = Path(arguments.output).stem if arguments.output else ""
    data["name"] = arguments.name or (stem if re.fullmatch(r"\w[\w.-]*", stem) else None)
    try:
        return Lab.model_validate(data)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        what, hint = explain(detail)
        place = ".".join(str(step) for step in detail["loc"])
        raise UsageError(f"{place}: {what}" if place else what, fix=hint) from None


def _host(text: str, user: str) -> dict[str, Any]:
    match = _HOST.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--host {clean_line(text)}: expected NAME=[USER@]ADDRESS[:PORT]",
            fix="such as bull1=root@192.168.11.11",
        )
    address = (match["address"] or "").strip("[]")
    return {
        "name": match["name"],
        "address": address,
        "user": match["user"] or user,
        "port": match["port"],
    }


def _check(arguments: argparse.Namespace) -> int:
    status = ExitCode.OK
    for file in arguments.files:
        try:
            lab = load_lab(Path(file))
        except LabFileError as error:
            print(error, file=sys.stderr)
            status = ExitCode.LAB_FILE
        else:
            allowed = ", ".join(part for part in Permission if part in lab.allow) or "nothing"
            count = f"{len(lab.hosts)} host{'s' if len(lab.hosts) > 1 else ''}"
            print(f"{clean_line(file)}: ok ({lab.name}: {count}, allowed: {allowed})")
    return status


def _show(arguments: argparse.Namespace) -> int:
    print(dump_lab(_named(arguments), complete=True), end="")
    return ExitCode.OK


def _inventory(arguments: argparse.Namespace) -> int:
    lab = _named(arguments)
    nodes = nodes_of(lab)
    if not nodes:
        raise UsageError(f"lab {lab.name} names no cluster", fix="add `cluster:` to the lab file")
    request = PlaybookRequest(
        "cluster-nodes.yml",
        hosts=tuple(lab.host(node.host) for node in nodes),
        jump_hosts={one.name: one for one in lab.hosts},
        variables={
            node.host: {
                **cluster_variables(lab, node.host),
                **(workload_variables(applications(lab)) if node.role == "control-plane" else {}),
            }
            for node in nodes
        },
    )
    print(inventory_yaml(request, paths.known_hosts(), lab=lab), end="")
    return ExitCode.OK


def _named(arguments: argparse.Namespace) -> Lab:
    # `--lab` and `--set` before the command mean the same as after it.
    name = arguments.shown or getattr(arguments, "lab", None)
    settings = [*getattr(arguments, "set", ()), *arguments.settings]
    return override(find_lab(name).lab, settings)
