"""`kubert-tui practice`: throw-away machines on this computer, up and down."""

import argparse
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from kubert_tui.base.errors import ExitCode, KubertError, UsageError
from kubert_tui.cli.practice_progress import shown
from kubert_tui.cli.text import plain_console
from kubert_tui.practice.driver import ENGINEER
from kubert_tui.practice.lab import Practice
from kubert_tui.practice.lab_file import is_ours
from kubert_tui.practice.model import NAMES, Kind, Places
from kubert_tui.practice.status import Standing, Status

_STYLES = {Standing.UP: "green", Standing.OFF: "yellow", Standing.ABSENT: "dim"}


def add_parser(commands: Any) -> None:
    """Add `practice` and its own commands to the command line."""
    parser = commands.add_parser(
        "practice", help="throw-away machines on this computer, to try everything on"
    )
    parser.set_defaults(handler=run)
    actions = parser.add_subparsers(dest="practice_command", required=True, metavar="COMMAND")
    up = actions.add_parser("up", help="build and start them, and write their lab file")
    status = actions.add_parser("status", help="say which run, and how to log in")
    ssh = actions.add_parser("ssh", help="log in on one, or run a command there")
    down = actions.add_parser("down", help="remove them and everything that belongs to them")
    for one in (up, status, ssh, down):
        one.add_argument(
            "--kind",
            choices=[str(kind) for kind in Kind],
            help="containers (seconds to start), nodes (the same, as Kubernetes nodes) or virtual "
            "(disk, GRUB, kernels of their own)",
        )
    status.add_argument("--json", action="store_true", help="one object per lab and line")
    ssh.add_argument("machine", metavar="NAME")
    ssh.add_argument("remote", nargs="*", metavar="COMMAND", help="after --, if it has options")
    down.add_argument("--cache", action="store_true", help="remove what was built, too")


def run(arguments: argparse.Namespace) -> int:
    """Run the command that was asked for; raises KubertError as every command does."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "up": _up,
        "status": _status,
        "ssh": _ssh,
        "down": _down,
    }
    return actions[arguments.practice_command](arguments)


def bring_up(lab: str | None) -> bool:
    """Build and start the practice lab if `lab` names one; its progress goes to stderr.

    Returns whether its machines are new ones: what earlier runs did was done to others.
    """
    kind = next((kind for kind, name in NAMES.items() if name == lab), None)
    if kind is None:
        return False
    practice = Practice(Places.of_user(), kind)
    # Somebody may have had a lab of that name before: an ordinary one, and none of ours.
    foreign = practice.lab_file.exists() and not is_ours(practice.lab_file)
    standing = practice.status().standing
    if foreign or standing is Standing.UP:
        return False
    with shown() as order:
        practice.up(order)
    return standing is Standing.ABSENT


def _up(arguments: argparse.Namespace) -> int:
    practice = Practice(Places.of_user(), Kind(arguments.kind or Kind.CONTAINERS))
    with shown() as order:
        practice.up(order)
    _print(plain_console(stderr=False), practice.status())
    return ExitCode.OK


def _status(arguments: argparse.Namespace) -> int:
    console = plain_console(stderr=False)
    for practice in _practices(arguments.kind):
        status = practice.status()
        if arguments.json:
            print(json.dumps(_plain(practice, status)))
            continue
        _print(console, status)
        megabytes = practice.cache_bytes() // 1_000_000
        console.print(Text(f"  cache: {status.cache}, {megabytes} MB", "dim"))
    return ExitCode.OK


def _ssh(arguments: argparse.Namespace) -> int:
    practice, status = _running(arguments.kind)
    name = practice.machine(arguments.machine).name
    machine = next(one for one in status.machines if one.name == name)
    program = shutil.which("ssh")
    if program is None:
        raise KubertError("there is no ssh on this computer", fix="install openssh-client")
    argv = status.ssh(machine, tuple(arguments.remote))
    os.execv(program, argv)  # noqa: S606
    return ExitCode.INTERNAL


def _down(arguments: argparse.Namespace) -> int:
    console = plain_console(stderr=True)
    for practice in _practices(arguments.kind):
        with shown() as order:
            practice.down(order)
        if arguments.cache:
            practice.forget()
        gone = "nothing of it is left" + (", nor of its image" if arguments.cache else "")
        console.print(Text(f"{practice.name}: {gone}"))
    return ExitCode.OK


def _practices(kind: str | None) -> list[Practice]:
    """One kind, or all."""
    kinds = [Kind(kind)] if kind else list(Kind)
    return [Practice(Places.of_user(), one) for one in kinds]


def _running(kind: str | None) -> tuple[Practice, Status]:
    """The first of these labs that is there."""
    for practice in _practices(kind):
        if practice.machines:
            return practice, practice.status()
    raise UsageError("there is no practice lab", fix="kubert-tui practice up makes one")


def _print(console: Console, status: Status) -> None:
    standing = status.standing
    console.print(Text(f"{status.name}: {standing}", _STYLES[standing]))
    for machine in status.machines:
        how = "answers" if machine.answers else "running, silent" if machine.running else "off"
        where = f"{machine.address}:{machine.port}"
        console.print(Text(f"  {machine.name:<8} {where:<22} {how}"))
        console.print(Text(f"           console: {machine.console}", "dim"))
    if standing is Standing.ABSENT:
        option = "" if status.kind is Kind.CONTAINERS else f" --kind {status.kind}"
        console.print(Text(f"  make it: kubert-tui practice up{option}", "dim"))
        return
    if status.lab_file:
        console.print(Text(f"  lab file: {status.lab_file}"))
        console.print(Text(f"  work on it: kubert-tui --lab {status.name}"))
    if status.machines:
        console.print(Text(f"  log in: kubert-tui practice ssh {status.machines[0].name}"))
    if password := status.engineer_password():
        console.print(Text(f"  user {ENGINEER}: the same key, or password {password}; may sudo"))


def _plain(practice: Practice, status: Status) -> dict[str, Any]:
    plain = {**asdict(status), "standing": status.standing, "cache_bytes": practice.cache_bytes()}
    for machine, shown_ in zip(status.machines, plain["machines"], strict=True):
        shown_["ssh"] = status.ssh(machine)
    plain["engineer_password"] = status.engineer_password()
    return json.loads(json.dumps(plain, default=str))  # type: ignore[no-any-return]
