"""`kubert-tui compare`: what differs between measurements, and whether chance explains it."""

import argparse
import json
from typing import Any

from rich.table import Table
from rich.text import Text

from kubert_tui.base.errors import ExitCode, KubertError, UsageError
from kubert_tui.cli.chosen_results import add_arguments, chosen
from kubert_tui.cli.text import plain_console
from kubert_tui.latency.statistics import merge, supported
from kubert_tui.latency.store import StoredMeasurement
from kubert_tui.results.compare import Delta, Difference, deltas, differences
from kubert_tui.results.likeness import marks

_QUANTILES = ("0.5", "0.99", "0.999", "0.9999")


class UnlikeError(KubertError):
    """The measurements were made on unlike hosts or in unlike ways."""

    exit_code = ExitCode.MEASUREMENT_FAILED


def add_parser(commands: Any) -> None:
    """Add the command to the parser's sub-commands."""
    parser = commands.add_parser("compare", help="compare stored measurements with the first")
    add_arguments(parser)
    parser.add_argument(
        "--differ", metavar="KEY", action="append", default=[],
        help="this difference is the point (kernel, smt, ...); repeatable; `any` for all",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object per comparison")
    parser.set_defaults(handler=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    measurements = chosen(arguments.results, arguments.interval)
    if len(measurements) < 2:
        raise UsageError("one measurement cannot be compared", fix="name a second one")
    first, *others = measurements
    known = set(marks(first))
    for key in arguments.differ:
        if key != "any" and key not in known:
            raise UsageError(f"there is no {key!r}", fix=f"any, or one of: {', '.join(known)}")
    for other in others:
        _compare(first, other, frozenset(arguments.differ), as_json=arguments.json)
    return int(ExitCode.OK)


def _compare(
    first: StoredMeasurement, second: StoredMeasurement, differ: frozenset[str], *, as_json: bool
) -> None:
    unlike = differences(marks(first), marks(second))
    surprising = [one for one in unlike if one.key not in differ and "any" not in differ]
    if surprising:
        told = "; ".join(f"{one.key}: {one.first} and {one.second}" for one in surprising)
        flags = " ".join(f"--differ {one.key}" for one in surprising)
        raise UnlikeError(
            f"{_name(first)} and {_name(second)} are unlike: {told}",
            fix=f"if that is the point: {flags}",
        )
    found = deltas(_counts(first), _counts(second), _supported(first, second))
    worst = (first.summary.maximum, second.summary.maximum)
    if as_json:
        print(json.dumps({
            "first": first.identity, "second": second.identity,
            "differences": [{"key": d.key, "first": d.first, "second": d.second} for d in unlike],
            "deltas": [
                {"figure": d.figure, "first": d.first, "second": d.second, "change": d.change,
                 "low": d.low, "high": d.high, "resolved": d.resolved} for d in found
            ],
            "maximum": worst,
        }))  # fmt: skip
        return
    _show(first, second, unlike, found)


def _show(
    first: StoredMeasurement,
    second: StoredMeasurement,
    unlike: tuple[Difference, ...],
    found: tuple[Delta, ...],
) -> None:
    console = plain_console(stderr=False)
    console.print(Text(f"{_name(first)}  against  {_name(second)}", "bold"))
    for one in unlike:
        console.print(Text(f"  {one.key}: {one.first}  ->  {one.second}"))
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("figure", "first", "second", "change", "95 % interval", ""):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    for delta in found:
        table.add_row(
            delta.figure if delta.figure == "mean" else f"p{float(delta.figure) * 100:g}",
            f"{delta.first:.2f}", f"{delta.second:.2f}", f"{delta.change:+.2f}",
            f"[{delta.low:+.2f}, {delta.high:+.2f}]".replace("[", "\\["),
            "" if delta.resolved else "not resolved",
        )  # fmt: skip
    table.add_row("max", str(first.summary.maximum), str(second.summary.maximum), "", "", "seen")
    console.print(table)
    console.print(
        Text("us, all CPUs merged. A maximum is what was seen: it has no interval.", "dim")
    )


def _counts(stored: StoredMeasurement) -> list[int]:
    merged = merge(stored.snapshot().threads)
    return [*merged.counts, merged.overflows]


def _supported(first: StoredMeasurement, second: StoredMeasurement) -> tuple[str, ...]:
    return supported(_QUANTILES, min(first.summary.samples, second.summary.samples))


def _name(stored: StoredMeasurement) -> str:
    return f"{stored.host} ({stored.identity})"
