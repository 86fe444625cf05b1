"""The stored measurements of all runs on this computer, as one chooses among them."""

from dataclasses import dataclass
from pathlib import Path

from kubert_tui.base.errors import MeasurementError
from kubert_tui.base.text import clean_line
from kubert_tui.engine.past import all_runs
from kubert_tui.latency.store import load

LIMIT = 100
"""Of the newest; each file is read to be listed."""


@dataclass(frozen=True, slots=True)
class StoredResult:
    """One of them; texts are clean."""

    path: Path
    host: str
    kernel: str
    started: float
    """Seconds since the epoch."""
    maximum: int
    """us"""
    samples: int
    interrupted: bool


def stored_results(host: str, limit: int = LIMIT) -> list[StoredResult]:
    """Return the newest results, those of `host` first; files that cannot be read are left out."""
    found: list[StoredResult] = []
    for path in dict.fromkeys(Path(name) for run in all_runs() for name in reversed(run.results)):
        if len(found) == limit:
            break
        try:
            stored = load(path)
        except MeasurementError:
            continue
        found.append(
            StoredResult(
                path,
                clean_line(stored.host, limit=100),
                clean_line(stored.fingerprint.kernel, limit=100),
                stored.started,
                stored.summary.maximum,
                stored.summary.samples,
                bool(stored.interrupted),
            )
        )
    return sorted(found, key=lambda one: (one.host != host, -one.started))
