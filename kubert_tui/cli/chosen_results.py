"""From what the command line names to stored measurements: a run's id, a file, another's result."""

import argparse
from pathlib import Path

from kubert_tui.base.errors import MeasurementError, UsageError
from kubert_tui.base.paths import imported
from kubert_tui.base.text import clean_line
from kubert_tui.engine.past import all_runs
from kubert_tui.latency.store import load
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.foreign import read_foreign
from kubert_tui.results.foreign_parts import Told


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name measurements."""
    parser.add_argument(
        "results",
        nargs="+",
        metavar="RUN",
        help="id of a run, a result's file, cyclictest's output or --json, an imported name",
    )
    parser.add_argument(
        "--interval", type=int, default=0, metavar="US", help="of results that do not tell it"
    )


def chosen(names: list[str], interval: int = 0) -> list[StoredMeasurement]:
    """Return the measurements that `names` mean, in that order.

    A run's id means all results of that run; a path one of our files, or what cyclictest
    printed or wrote (`interval` in us where the file does not tell it). UsageError for what
    is neither, MeasurementError for a file that cannot be believed.
    """
    found: list[StoredMeasurement] = []
    known = {past.run: past for past in all_runs()} if names else {}
    for name in names:
        if name in known:
            results = known[name].results
            if not results:
                raise UsageError(f"run {name} has no stored measurement")
            found += [load(Path(path)) for path in results]
        else:
            found.append(of_file(name, interval))
    return found


def of_file(name: str, interval: int = 0) -> StoredMeasurement:
    """Return the measurement in a file, or that was imported under this name; errors as above."""
    path = Path(name)
    if not path.is_file() and path.name == name:
        path = imported() / f"{name}.json"
    if not path.is_file():
        raise UsageError(
            f"there is no run and no file {clean_line(name, limit=200)!r}",
            fix="`kubert-tui runs` lists the runs; a file is named by its path",
        )
    try:
        return load(path)
    except MeasurementError as ours:
        try:
            return read_foreign(path, Told(interval=interval))
        except MeasurementError:
            raise ours from None
