"""`kubert-tui machines`: the lab's virtual machines, after the stage that makes them."""

import argparse
import json
import sys
import time
from typing import Any

from kubert_tui.base.errors import UsageError
from kubert_tui.cli import machines_export
from kubert_tui.cli.answers import answers_of, somebody_there
from kubert_tui.cli.auto import Printer, consume, let_go_on_signals
from kubert_tui.cli.console_keys import leaving_on_key
from kubert_tui.cli.json_lines import JsonLines
from kubert_tui.cli.machines_table import MachinesTable
from kubert_tui.cli.text import TextReport
from kubert_tui.engine.session import Options, Session
from kubert_tui.events.model import ConsoleSaid, Event, Failure, Note, Waiting
from kubert_tui.lab.find import find_lab
from kubert_tui.lab.model import Lab
from kubert_tui.lab.overrides import override
from kubert_tui.machines.order import CHANGING, LOSING, Action, Order

_HELP = {
    Action.LIST: "say which there are, how they are, and how to log in",
    Action.START: "switch on as defined",
    Action.STOP: "press the power button, and wait until off",
    Action.CONSOLE: "watch what a machine says on its console; Ctrl-] leaves",
    Action.SNAPSHOT: "keep a machine's disk (and memory, if it runs) as it is now",
    Action.REVERT: "put a machine back to what it was at a snapshot",
    Action.REBUILD: "make anew from the image; everything on the disk is lost",
    Action.DESTROY: "remove with disks; --all leaves nothing of the lab's machines",
    Action.RELEASE: "let go of an adopted machine: it stays, the lab file forgets it",
}
_ONE = (Action.CONSOLE, Action.SNAPSHOT, Action.REVERT, Action.RELEASE)
_EPILOG = """\
Machines are made by the stage `machines` (kubert-tui --auto --only machines). Exit codes: those
of kubert-tui; 8 where a confirmation is missing (type it, or --yes), 9 where somebody else works on
the host, 10 where something could not be removed.
"""


def add_parser(commands: Any) -> None:
    """Add `machines` and its own commands to the command line."""
    parser = commands.add_parser(
        "machines",
        help="the lab's virtual machines: list, start, stop, console, ..., destroy",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="machines_command", required=True, metavar="COMMAND")
    for action, text in _HELP.items():
        one = actions.add_parser(action, help=text)
        one.set_defaults(handler=run)
        _add_options(one, action)
    machines_export.register(actions)


def _add_options(one: argparse.ArgumentParser, action: Action) -> None:
    one.add_argument("--lab", metavar="LAB", default=argparse.SUPPRESS, help="as above")
    one.add_argument(
        "--set", metavar="KEY=VALUE", action="append", dest="settings", default=[], help="as above"
    )
    if action in _ONE:
        one.add_argument("names", nargs=1, metavar="NAME")
    else:
        one.add_argument("names", nargs="*", metavar="NAME", help="of machines of the lab")
    if action not in (*_ONE, Action.LIST):
        one.add_argument("--all", action="store_true", help="all machines of the lab")
    if action is Action.SNAPSHOT:
        one.add_argument("label", nargs="?", default="", help="the time of day if not given")
    if action is Action.REVERT:
        one.add_argument("label", help="of the snapshot; `list` shows them")
    if action is Action.STOP:
        one.add_argument("--force", action="store_true", help="cut the power")
    if action in LOSING:
        one.add_argument("--yes", action="store_true", help="confirm that it may be lost")
    one.add_argument("--json", action="store_true", help="JSON on stdout")
    one.add_argument("--accept-new-host-keys", action="store_true")
    one.add_argument("--break-lock", action="store_true", help="take hosts from other operators")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    source = find_lab(arguments.lab)
    lab = override(source.lab, [*arguments.set, *arguments.settings])
    order = _order(lab, arguments)
    changing = order.action in CHANGING
    options = Options(
        lab_file=str(source.path or ""),
        dry_run=not changing,
        kind="machines",
    )
    answers = answers_of(arguments)
    session = Session(lab, options, stages=())
    let_go_on_signals(session)
    table = MachinesTable(lab)
    printer = _printer(order, arguments, table)
    raw = None
    if order.action is Action.CONSOLE and not sys.stdout.isatty() and not arguments.json:
        raw = _write_raw
    session.machines(order, raw)
    session.close()
    with leaving_on_key(session, wanted=order.action is Action.CONSOLE and answers.terminal):
        code = consume(session, printer, answers.answer)
    if order.action is Action.LIST:
        if arguments.json:
            print(json.dumps(table.rows(order.names), indent=2))
        else:
            table.print(order.names)
    return code


def _order(lab: Lab, arguments: argparse.Namespace) -> Order:
    """Return what is asked for, confirmed on the terminal where something would be lost."""
    action = Action(arguments.machines_command)
    every = getattr(arguments, "all", False)
    names = tuple(dict.fromkeys(arguments.names))
    if every and names:
        raise UsageError("--all does not go with names")
    if not (every or names or action is Action.LIST):
        raise UsageError(
            f"which machines are to {action}?",
            fix=f"kubert-tui machines {action} NAME ..., or --all",
        )
    label = getattr(arguments, "label", "")
    if action is Action.SNAPSHOT and not label:
        label = time.strftime("%Y%m%d-%H%M%S")
    order = Order(action, names, label=label, force=getattr(arguments, "force", False))
    word = order.word_for(lab.name)
    if not word:
        return order
    typed = word if arguments.yes else _typed(order, lab.name, word)
    return Order(action, names, label=label, typed=typed)


def _typed(order: Order, lab: str, word: str) -> str:
    if not somebody_there():
        order.check_confirmed(lab)  # raises: nobody can type anything
    what = ", ".join(order.names) or f"all machines of the lab {lab}"
    print(f"{order.action} {what}: {LOSING[order.action]}.", file=sys.stderr)
    print(f"Type {word} to go on: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _printer(order: Order, arguments: argparse.Namespace, table: MachinesTable) -> Printer:
    if order.action is Action.LIST:
        return table
    if arguments.json:
        return JsonLines(sys.stdout)
    return _Report()


class _Report(TextReport):
    """Says what is done and what failed; what a console says, on stdout."""

    def show(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, ConsoleSaid):
            print("\n".join(event.lines), flush=True)
        elif isinstance(event, Note | Failure | Waiting):
            super().show(event)


def _write_raw(piece: bytes) -> None:
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
