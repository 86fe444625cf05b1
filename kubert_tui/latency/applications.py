"""What else ran in the cluster while a host was measured: a step of a density run."""

import json
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from kubert_tui.base.paths import runs, write_private
from kubert_tui.latency.fingerprint import Part

_END = "density.json"
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,255}")
_SIZE_LIMIT = 4 * 1024 * 1024


class StoredApplications(Part):
    """A step of a density run: so many applications on each node that runs some."""

    count: int = Field(ge=0, le=10_000)
    """Of each of `names`, on each node; 0 for the baseline."""
    names: tuple[str, ...]
    """What the lab file calls them."""
    pods: int = Field(default=0, ge=0, le=1_000_000)
    """Pods of theirs on this host (or on its virtual machines) when it began."""
    fingerprint: str = ""
    """What tells these applications from others: how they are made, and on which nodes."""


class DensityEnd(Part):
    """`density.json`, in the directory of a run: why its steps ended where they did."""

    schema_version: Literal[1] = 1
    fingerprint: str
    """Of the applications: see `StoredApplications`."""
    reached: int = Field(ge=0)
    """Applications on each node in the last step that was measured."""
    reason: str = Field(default="", max_length=2000)
    """Why there are no more; empty when that was all that was asked for."""
    results: tuple[str, ...] = Field(default=(), max_length=100_000)
    """Names of the files that are done with: who measures again measures all of it anew."""


def save_end(directory: Path, end: DensityEnd) -> None:
    """Keep it beside the run's measurements."""
    write_private(directory / _END, end.model_dump_json() + "\n")


def end_of(run: str) -> DensityEnd | None:
    """Return how the steps of a run ended; None where that is not known."""
    if not _RUN.fullmatch(run):
        return None
    path = runs() / run / _END
    try:
        if path.stat().st_size > _SIZE_LIMIT:
            return None
        return DensityEnd.model_validate(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError, ValidationError):
        return None
