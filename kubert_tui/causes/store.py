"""What was found of the causes, as small files beside a run's measurements."""

import json
import re
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kubert_tui.base.errors import MeasurementError
from kubert_tui.base.paths import runs, write_private
from kubert_tui.base.text import clean_line
from kubert_tui.causes.hwlat import HardwareLatency
from kubert_tui.causes.timerlat import TimerLatency
from kubert_tui.latency.counters import Happened
from kubert_tui.latency.histogram import ThreadHistogram

SIZE_LIMIT = 32 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,255}")
Count = Field(ge=0, le=2**53)


class Part(BaseModel):
    """Base of all parts of the files."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class StoredGap(Part):
    """One sampling period with gaps above the threshold; see `causes.hwlat.Gap`."""

    moment: float = Field(ge=0)
    cpu: int = Field(ge=0)
    inner: int = Count
    outer: int = Count
    count: int | None = Field(default=None, ge=0)


class StoredHwlat(Part):
    """`hwlat-HOST-N.json`: hardware latency of one host. Times in us."""

    schema_version: Literal[1] = 1
    instrument: Literal["hwlat"] = "hwlat"
    identity: str
    host: str
    run: str
    boot_id: str
    command: tuple[str, ...]
    seconds: int = Count
    threshold: int = Count
    window: int = Count
    width: int = Count
    maximum: int | None = Field(default=None, ge=0)
    """None: nothing was above the threshold."""
    gaps: tuple[StoredGap, ...] = ()
    smi: int | None = Field(default=None, ge=0)
    smi_unknown: str = ""


class StoredColumn(Part):
    """Latencies of one kind on one CPU; see `causes.timerlat.Column`."""

    kind: Literal["IRQ", "thread", "user"]
    cpu: int = Field(ge=0)
    buckets: tuple[tuple[int, int], ...]
    over: int = Count
    minimum: int = Count
    average: int = Count
    maximum: int = Count


class StoredTimerlat(Part):
    """`timerlat-HOST-N.json`: what rtla timerlat measured on one host. Times in us."""

    schema_version: Literal[1] = 1
    instrument: Literal["timerlat"] = "timerlat"
    identity: str
    host: str
    run: str
    boot_id: str
    command: tuple[str, ...]
    version: str
    entries: int = Field(ge=1, le=100_000)
    columns: tuple[StoredColumn, ...]

    def histograms(self, kind: str) -> tuple[ThreadHistogram, ...]:
        """Return the histograms of one kind, by CPU."""
        return tuple(self._histogram(one) for one in self.columns if one.kind == kind)

    def _histogram(self, column: StoredColumn) -> ThreadHistogram:
        counts = [0] * self.entries
        for us, count in column.buckets:
            if 0 <= us < self.entries:
                counts[us] = count
        figures = (column.over, column.minimum, column.average, column.maximum)
        return ThreadHistogram(column.cpu, tuple(counts), *figures)


Stored = StoredHwlat | StoredTimerlat
OneOf = TypeVar("OneOf", StoredHwlat, StoredTimerlat)


def stored_hwlat(found: HardwareLatency, happened: Happened, **about: Any) -> StoredHwlat:
    """Return the file's content; `about` are identity, host, run, boot_id and command."""
    return StoredHwlat(
        **about,
        seconds=found.seconds,
        threshold=found.threshold,
        window=found.window,
        width=found.width,
        maximum=found.maximum,
        gaps=tuple(
            StoredGap(moment=g.moment, cpu=g.cpu, inner=g.inner, outer=g.outer, count=g.count)
            for g in found.gaps
        ),
        smi=happened.smi,
        smi_unknown=happened.smi_unknown,
    )


def stored_timerlat(found: TimerLatency, entries: int, **about: Any) -> StoredTimerlat:
    """Return the file's content; `about` are identity, host, run, boot_id and command."""
    columns = tuple(
        StoredColumn(
            kind=one.kind,
            cpu=one.cpu,
            buckets=one.buckets,
            over=one.over,
            minimum=one.minimum,
            average=one.average,
            maximum=one.maximum,
        )
        for one in found.columns
    )
    return StoredTimerlat(**about, version=found.version, entries=entries, columns=columns)


def save(path: Path, stored: Stored) -> None:
    """Write it, whole or not at all, readable by its owner only."""
    write_private(path, stored.model_dump_json() + "\n")


def load(path: Path, kind: type[OneOf]) -> OneOf:
    """Read it back; MeasurementError when it is not what it should be."""
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise MeasurementError(f"{path} is too large")
        return kind.model_validate(json.loads(path.read_bytes()))
    except (OSError, ValidationError, ValueError, RecursionError) as error:
        raise MeasurementError(f"{path} cannot be read: {clean_line(str(error))}") from error


def newest(run: str, host: str, kind: type[OneOf]) -> OneOf | None:
    """Return the newest of a kind that a run has of a host; None when there is none."""
    if not (_NAME.fullmatch(run) and _NAME.fullmatch(host)):
        return None
    name = re.compile(
        rf"{kind.model_fields['instrument'].default}-{re.escape(host)}-([0-9]+)\.json"
    )
    directory = runs() / run
    if not directory.is_dir():
        return None
    numbered = ((name.fullmatch(path.name), path) for path in directory.iterdir())
    found = sorted((int(match[1]), path) for match, path in numbered if match)
    try:
        return load(found[-1][1], kind) if found else None
    except MeasurementError:
        return None
