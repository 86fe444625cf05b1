"""`kubert-tui report`: stored measurements as one file to hand on."""

import argparse
import sys
from pathlib import Path
from typing import Any

from kubert_tui.base.errors import ExitCode, UsageError
from kubert_tui.base.paths import write_public
from kubert_tui.cli.chosen_results import add_arguments, chosen
from kubert_tui.lab.limits import Limit, limit_of
from kubert_tui.latency.store import StoredMeasurement
from kubert_tui.results.evidence import limit_named
from kubert_tui.results.openmetrics import openmetrics
from kubert_tui.results.report.content import chapters
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
    parser.add_argument(
        "--output", "-o", metavar="FILE", help="where to write it; stdout if absent"
    )
    parser.add_argument(
        "--limit",
        metavar="LIMIT",
        help="judge the maximum: us, or a preset's name; the lab's if absent",
    )
    parser.set_defaults(handler=run, form="html")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    limit = limit_of(arguments.limit) if arguments.limit else None
    measurements = chosen(arguments.results, arguments.interval)
    data = _report(measurements, limit, arguments.form)
    if arguments.output:
        try:
            write_public(Path(arguments.output), data)
        except OSError as error:
            raise UsageError(f"{arguments.output} cannot be written: {error.strerror}") from None
        print(f"{arguments.output}: {len(measurements)} measurements", file=sys.stderr)
        return int(ExitCode.OK)
    if arguments.form == "png" and sys.stdout.isatty():
        raise UsageError("a PNG does not go on a terminal", fix="add --output FILE.png")
    sys.stdout.buffer.write(data)
    return int(ExitCode.OK)


def _report(measurements: list[StoredMeasurement], limit: Limit | None, form: str) -> bytes:
    if form in ("svg", "png"):
        return plot(measurements, limit or _common_limit(measurements), form)
    if form == "openmetrics":
        return openmetrics(measurements).encode()
    told = chapters(measurements, limit)
    if form == "md":
        return markdown(told).encode()
    drawn = [_inline(plot([one], limit or limit_named(one), "svg")) for one in measurements]
    if len(measurements) > 1:
        together = plot(measurements, limit or _common_limit(measurements), "svg")
        drawn.insert(0, _inline(together))
    return page(told, drawn).encode()


def _common_limit(measurements: list[StoredMeasurement]) -> Limit | None:
    """Return the limit that all of them were measured for."""
    named = {one.limit for one in measurements}
    return limit_named(measurements[0]) if len(named) == 1 else None


def _inline(svg: bytes) -> str:
    """Return the svg element alone: an XML declaration has no place inside HTML."""
    text = svg.decode()
    return text[text.index("<svg") :]
