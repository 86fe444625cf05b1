"""`kubert-tui density`: latency against the number of applications in the cluster."""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from kubert_tui.base.errors import UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.checks.cluster import NO_CLUSTER
from kubert_tui.cli.measuring_order import add_order, carry_out, ordered
from kubert_tui.cli.text import plain_console
from kubert_tui.engine.session import Options, Session
from kubert_tui.lab.model import Lab
from kubert_tui.lab.workloads import NO_WORKLOADS
from kubert_tui.latency.applications import end_of
from kubert_tui.results.density import REMARKS, Curve, curves, headings, rows, title
from kubert_tui.stages.s25_density import STAGE

_EPILOG = """\
Runs 0, 1, ... N of the lab's applications (`workloads:`) on each of their nodes, measures every
node (and the host beneath it) at each step with the same cyclictest, removes the applications, and
prints how the latencies grow and where the limit breaks. The duration is that of each step. Cut
off, the same command goes on. With --json the events are printed; the last line is the curves.
"""


def add_parser(commands: Any) -> None:
    """Add the command to the parser's sub-commands."""
    parser = commands.add_parser(
        "density",
        help="measure beside more and more applications in the cluster",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_order(parser)
    parser.add_argument("--max", metavar="N", help="applications on each node, in the last step")
    parser.add_argument(
        "--workload", metavar="NAME", action="append", default=[],
        help="which of them, repeatable; all run in each step if none is named",
    )  # fmt: skip
    parser.add_argument("--limit", metavar="LIMIT", help="us, or a name (`lab limits` lists them)")
    parser.set_defaults(handler=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    lab, options = _order(arguments)
    session = Session(lab, options)
    code, stored = carry_out(session, STAGE.id, arguments)
    end = end_of(session.run)
    found = curves(stored, ends={session.run: end} if end else {})
    if arguments.json:
        told = {"event": "density", "curves": [one.json() for one in found]}
        print(json.dumps(told, separators=(",", ":")))
    elif found:
        show(plain_console(stderr=False), found)
    return code


def _order(arguments: argparse.Namespace) -> tuple[Lab, Options]:
    settings = {
        "density.max": arguments.max,
        "density.workloads": ",".join(arguments.workload),
        "cyclictest.limit": arguments.limit,
    }
    given = [f"{key}={value}" for key, value in settings.items() if value]
    arguments.settings = [*arguments.settings, *given]
    lab, options = ordered(arguments, kind="density")
    if lab.cluster is None:
        raise UsageError(f"lab {lab.name}: {NO_CLUSTER}")
    if not lab.workloads:
        raise UsageError(f"lab {lab.name}: {NO_WORKLOADS}", fix="kubert-tui lab schema names keys")
    return lab, options


def show(console: Console, found: Sequence[Curve]) -> None:
    """Print the curves: a line of figures for each step, and where the limit breaks."""
    for curve in found:
        console.print(Text(f"\n{clean_line(title(curve), limit=300)}", "bold"))
        table = [headings(), *rows(curve)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for number, row in enumerate(table):
            over = row[-1].startswith("NOT")
            style = "bold" if number == 0 else "bold red" if over else ""
            cells = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
            console.print(Text("  ".join(cells), style))
        broken = "" if curve.breaks is None else "yellow"
        console.print(Text(clean_line(curve.statement, limit=1000), broken))
    console.print(Text(REMARKS, "dim"))
