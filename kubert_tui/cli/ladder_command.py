"""`kubert-tui ladder`: hosts, their virtual machines, pods: measured, one below the other."""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from kubert_tui.base.errors import UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.cli.measuring_order import add_order, carry_out, ordered
from kubert_tui.cli.text import plain_console
from kubert_tui.engine.session import Options, Session
from kubert_tui.lab.machines import NO_MACHINES
from kubert_tui.lab.model import Lab
from kubert_tui.results.ladder import CONDITIONS, FIGURES, REMARKS, Rung, indent, ladder
from kubert_tui.stages.s18_ladder import STAGE
from kubert_tui.stages.s24_pods import STAGE as PODS

_EPILOG = """\
Measures every host and every virtual machine of the lab with the same cyclictest, and, if the lab
has a cluster, a pod on every node; prints each below what is beneath it, with the difference. At
the same time, unless --one-by-one: then a layer after the other, the hosts first. A HOST brings its
machines and pods. Cut off, the same command goes on. With --json the events are printed; the last
line is the ladder.
"""
_NAME = 22
_FIGURE = 9


def add_parser(commands: Any) -> None:
    """Add the command to the parser's sub-commands."""
    parser = commands.add_parser(
        "ladder",
        help="measure hosts, their virtual machines and pods, with the differences",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_order(parser)
    parser.add_argument(
        "--one-by-one", action="store_true", help="a layer after the other, the hosts first"
    )
    parser.set_defaults(handler=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    lab, options = _order(arguments)
    stage = PODS if lab.cluster else STAGE
    code, stored = carry_out(Session(lab, options), stage.id, arguments)
    # The newest of each host, machine and pod.
    rungs = ladder({one.host: one for one in stored}.values())
    if arguments.json:
        told = {"event": "ladder", "rungs": [rung.json() for rung in rungs]}
        print(json.dumps(told, separators=(",", ":")))
    elif rungs:
        show(plain_console(stderr=False), rungs)
    return code


def _order(arguments: argparse.Namespace) -> tuple[Lab, Options]:
    if arguments.one_by_one:
        arguments.settings = [*arguments.settings, "ladder.order=layers"]
    lab, options = ordered(arguments, kind="ladder")
    if not lab.guests and lab.cluster is None:
        raise UsageError(f"lab {lab.name} has no machines to measure", fix=NO_MACHINES)
    return lab, options


def show(console: Console, rungs: Sequence[Rung]) -> None:
    """Print the ladder: a line of figures for each, its difference, and what it was made under."""
    head = "".join(f"{name:>{_FIGURE}}" for name in FIGURES)
    console.print(Text(f"\n{'us':<{_NAME}}{head}   {CONDITIONS[0]}", "bold"))
    for rung in rungs:
        name = clean_line(rung.stored.host, limit=100)
        label = f"  {indent(rung.depth)}{name}" if rung.inside else name
        told = "".join(f"{one:>{_FIGURE}}" for one in rung.told())
        style = "" if rung.passed is None else "green" if rung.passed else "bold red"
        line = Text(f"{label:<{_NAME}}{told}   ")
        line.append(rung.conditions[0], style)
        console.print(line)
        if rung.inside:
            deltas = "".join(f"{one:>{_FIGURE}}" for one in rung.told_deltas())
            console.print(Text(f"{'    difference':<{_NAME}}{deltas}", "yellow"))
        pairs = zip(CONDITIONS[1:], rung.conditions[1:], strict=True)
        under = "; ".join(f"{key}: {value}" for key, value in pairs)
        console.print(Text(clean_line(f"    {under}", limit=1000), "dim"))
        if rung.stored.interrupted:
            console.print(Text(clean_line(f"    cut off: {rung.stored.interrupted}"), "yellow"))
    console.print(Text(REMARKS, "dim"))
