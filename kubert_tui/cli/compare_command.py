"""`kubert-tui compare`: what differs between measurements, and whether chance explains it."""

import argparse
import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kubert_tui.base.errors import ExitCode, KubertError, UsageError
from kubert_tui.base.text import clean, clean_line
from kubert_tui.cli.chosen_results import add_arguments, chosen
from kubert_tui.cli.output import add_output, write
from kubert_tui.cli.text import plain_console
from kubert_tui.lab.limits import Limit, limit_of
from kubert_tui.latency.statistics import merge
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.comparison import (
    HEADINGS,
    REMARKS,
    Comparison,
    compared,
    named,
    unlike,
)
from kubert_tui.results.evidence import common_limit, evidence_of, limit_named
from kubert_tui.results.likeness import follows_from_layer, marks, one_runs_the_other
from kubert_tui.results.overlay import AXIS, LIMIT, MOST, overlay
from kubert_tui.results.report.comparison_page import comparison_page
from kubert_tui.results.report.plot import plot
from kubert_tui.results.verdict import judge

_WIDTH = 100
_STYLES = {AXIS: "dim", LIMIT: "red", "1": "cyan", "2": "yellow", "3": "magenta", "4": "green"}


class UnlikeError(KubertError):
    """The measurements were made on unlike hosts or in unlike ways."""

    exit_code = ExitCode.MEASUREMENT_FAILED


def add_parser(commands: Any) -> None:
    """Add the command to the parser's sub-commands."""
    parser = commands.add_parser("compare", help="compare stored measurements with the first")
    add_arguments(parser)
    parser.add_argument(
        "--differ", metavar="KEY", action="append", default=[],
        help="this difference is the point (kernel, smt, ...); repeatable; `any` for all; "
        "`layer` and what follows from it need not be said of a host and its own guest",
    )  # fmt: skip
    parser.add_argument("--limit", metavar="LIMIT", help="us, or a name (`lab limits` lists them)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json",
                      help="one JSON object per comparison")  # fmt: skip
    for name in ("html", "svg", "png"):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name)
    add_output(parser)
    parser.set_defaults(handler=run, form="")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    measurements = chosen(arguments.results, arguments.interval)
    if len(measurements) < 2:
        raise UsageError("one measurement cannot be compared", fix="name a second one")
    if len(measurements) > MOST:
        raise UsageError(f"at most {MOST} measurements fit into one picture")
    limit = limit_of(arguments.limit) if arguments.limit else common_limit(measurements)
    first, *others = measurements
    _refuse_unlike(first, others, arguments.differ)
    found = [compared(first, other) for other in others]
    if arguments.form in ("svg", "png"):
        return write(plot(measurements, limit, arguments.form), arguments.output, arguments.form)
    if arguments.form == "html":
        drawn = plot(measurements, limit, "svg").decode()
        page = comparison_page(measurements, found, drawn, limit)
        return write(page.encode(), arguments.output, "html")
    if arguments.form == "json":
        lines = "".join(json.dumps(one.json()) + "\n" for one in found)
        return write(lines.encode(), arguments.output, "json")
    if arguments.output:
        raise UsageError("--output goes with --html, --svg, --png or --json")
    _show(measurements, found, limit)
    return int(ExitCode.OK)


def _refuse_unlike(
    first: StoredMeasurement, others: list[StoredMeasurement], expected: list[str]
) -> None:
    """Raise UnlikeError unless all differences are those that are the point."""
    known = set(marks(first))
    for key in expected:
        if key != "any" and key not in known:
            raise UsageError(f"there is no {key!r}", fix=f"any, or one of: {', '.join(known)}")
    if "any" in expected:
        return
    told: list[str] = []
    flags: dict[str, None] = {}
    for other in others:
        meant = {*expected}
        if "layer" in expected or one_runs_the_other(first, other, others):
            meant |= follows_from_layer(first, other)
        surprising = [one for one in unlike(first, other) if one.key not in meant]
        if surprising:
            which = "; ".join(f"{one.key}: {one.first} and {one.second}" for one in surprising)
            differ = f"{named(first)} and {named(other)} are unlike: {which}"
            told.append(clean_line(differ, limit=4000))
            flags.update({f"--differ {one.key}": None for one in surprising})
    if told:
        keep = [f"--differ {key}" for key in expected]
        raise UnlikeError("\n".join(told), fix=f"if that is the point: {' '.join([*keep, *flags])}")


def _show(
    measurements: list[StoredMeasurement], found: list[Comparison], limit: Limit | None
) -> None:
    console = plain_console(stderr=False)
    _picture(console, measurements, limit)
    for number, one in enumerate(measurements, 1):
        verdict = judge(evidence_of(one), limit or limit_named(one))
        _say(console, f"{number} {named(one)}: {verdict.statement}", "bold")
        reasons = [reason for reason in verdict.reasons if reason not in verdict.statement]
        if reasons:
            _say(console, f"  {' '.join(reasons)}", "dim")
    for number, comparison in enumerate(found, 2):
        _say(console, f"\n1 against {number}", "bold")
        for mark in comparison.unlike:
            _say(console, f"  {mark.key}: {mark.first}  ->  {mark.second}")
        table = Table(box=None, padding=(0, 2, 0, 0))
        for heading in HEADINGS:
            table.add_column(heading, justify="left" if heading == "figure" else "right")
        for row in comparison.rows():
            table.add_row(*map(Text, row))
        console.print(table)
        for note in comparison.notes:
            _say(console, note, "yellow")
    _say(console, REMARKS, "dim")


def _say(console: Console, text: str, style: str = "") -> None:
    # Results are files: who can edit them must not get at the terminal of who reads them.
    console.print(Text(clean(text), style))


def _picture(console: Console, measurements: list[StoredMeasurement], limit: Limit | None) -> None:
    merged = [merge(one.snapshot().threads) for one in measurements]
    ascii_only = console.options.ascii_only or (sys.stdout.encoding or "").lower() == "ascii"
    width = min(_WIDTH, console.width - 1)
    of = limit.microseconds if limit else 0
    for row in overlay(merged, limit=of, width=width, ascii_only=ascii_only):
        line = Text(no_wrap=True)
        for span in row:
            line.append(span.text, _STYLES.get(span.kind, ""))
        console.print(line)
    told = ["a digit: the top of that run", "=: of several"]
    if any(one.overflows for one in merged):
        told.append(">: off the histogram")
    if limit:
        told.append(f"limit {limit.microseconds} us")
    console.print(Text("; ".join(told), "dim"))
