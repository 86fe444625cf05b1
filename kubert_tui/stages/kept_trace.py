"""A trace beside the measurement that it explains."""

import gzip
from pathlib import Path
from typing import TypedDict

from kubert_tui.base.paths import write_private
from kubert_tui.latency.breaktrace import stopped
from kubert_tui.latency.stored import StoredMeasurement


class TraceTold(TypedDict):
    """What `LatencyStored` tells of it."""

    stopped: str
    trace: str
    excerpt: tuple[str, ...]


def keep_trace(path: Path, kept: StoredMeasurement, trace: str) -> StoredMeasurement:
    """Write `trace` beside `path` (`latency-HOST-N.json`), and return `kept` with its name."""
    if kept.breaktrace is None or not trace:
        return kept
    name = f"{path.stem.replace('latency-', 'trace-', 1)}.txt.gz"
    write_private(path.with_name(name), gzip.compress(trace.encode(), mtime=0))
    named = kept.breaktrace.model_copy(update={"trace": name})
    return kept.model_copy(update={"breaktrace": named})


def told_of_trace(path: Path, kept: StoredMeasurement) -> TraceTold:
    """Return what faces are told of the trace of a result at `path`."""
    broke = kept.breaktrace
    return TraceTold(
        stopped=stopped(broke),
        trace=str(path.with_name(broke.trace)) if broke and broke.trace else "",
        excerpt=broke.excerpt if broke else (),
    )
