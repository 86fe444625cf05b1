"""`kubert-tui report`: stored measurements as one file to hand on."""

import argparse
from pathlib import Path
from typing import Any

from kubert_tui.base.errors import ToolMissingError
from kubert_tui.cli.chosen_results import add_arguments, chosen
from kubert_tui.cli.output import add_output, write
from kubert_tui.lab.limits import Limit, limit_of
from kubert_tui.latency.applications import end_of
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.density import curves
from kubert_tui.results.evidence import common_limit, limit_named
from kubert_tui.results.ladder import is_ladder, ladder, rows
from kubert_tui.results.openmetrics import openmetrics
from kubert_tui.results.report.content import chapters
from kubert_tui.results.report.density_plot import density_plot
from kubert_tui.results.report.markdown import markdown
from kubert_tui.results.report.page import page
from kubert_tui.results.report.plot import plot

_FORMS = ("html", "svg", "png", "md", "openmetrics")


def add_parser(commands: Any) -> None:
    """Add the command to the parser's sub-commands."""
    parser = commands.add_parser(
        "report", help="stored measurements as HTML, SVG, PNG, Markdown or OpenMetrics"
    )
    add_arguments(parser)
    form = parser.add_mutually_exclusive_group()
    for name in _FORMS:
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name)
    add_output(parser)
    parser.add_argument(
        "--limit",
        metavar="LIMIT",
        help="judge the worst: us, or a name (`lab limits` lists them); the lab's if absent",
    )
    parser.set_defaults(handler=run, form="html")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    limit = limit_of(arguments.limit) if arguments.limit else None
    measurements = chosen(arguments.results, arguments.interval)
    data = _report(measurements, limit, arguments.form, arguments.output)
    return write(data, arguments.output, arguments.form)


def _report(
    measurements: list[StoredMeasurement], limit: Limit | None, form: str, output: str | None
) -> bytes:
    common = limit or common_limit(measurements)
    if form in ("svg", "png"):
        return plot(measurements, common, form)
    if form == "openmetrics":
        return openmetrics(measurements, limit).encode()
    told = chapters(measurements, limit)
    found = ladder(measurements, limit)
    rungs = rows(found) if is_ladder(found) else []
    ends = {run: end for run in {one.run for one in measurements} if (end := end_of(run))}
    grown = curves(measurements, limit, ends)
    if form == "md":
        return markdown(told, _beside(measurements, common, output), rungs, grown).encode()
    drawn = [plot([one], limit or limit_named(one), "svg").decode() for one in measurements]
    if len(measurements) > 1:
        drawn.insert(0, plot(measurements, common, "svg").decode())
    plotted = [(one, density_plot(one).decode()) for one in grown]
    return page(told, drawn, rungs, plotted).encode()


def _beside(measurements: list[StoredMeasurement], limit: Limit | None, output: str | None) -> str:
    """Write the plot beside a Markdown file; return its name, empty when there is no file."""
    if not output or Path(output).suffix.lower() == ".svg":
        return ""
    try:
        drawn = plot(measurements, limit, "svg")
    except ToolMissingError:
        return ""  # the text does without
    path = Path(output).with_suffix(".svg")
    write(drawn, str(path), "svg")
    return path.name
