"""A finished measurement becomes a file here, and is read back."""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from kubert_tui.base.errors import MeasurementError
from kubert_tui.base.paths import write_private
from kubert_tui.base.text import clean_line
from kubert_tui.facts.model import Facts
from kubert_tui.latency.applications import StoredApplications
from kubert_tui.latency.breaktrace import stored_break
from kubert_tui.latency.fingerprint import Fingerprint, fingerprint
from kubert_tui.latency.histogram import ThreadHistogram
from kubert_tui.latency.loads import Load
from kubert_tui.latency.measurement import Measured
from kubert_tui.latency.statistics import Percentile, summarise
from kubert_tui.latency.stored import StoredLoad, StoredMeasurement, StoredSummary, StoredThread
from kubert_tui.latency.upgrade import upgraded

SIZE_LIMIT = 256 * 1024 * 1024


def store(
    measured: Measured,
    *,
    host: str,
    lab: str,
    facts: Facts,
    run: str = "",
    stage: str = "",
    limit: str = "",
    layer: Literal["host", "guest", "pod"] = "host",
    parent: str = "",
    applications: StoredApplications | None = None,
) -> StoredMeasurement:
    """Return what is to be kept of a measurement that has ended; `parent` is what is beneath."""
    kept = packed(measured, host=host, lab=lab, fingerprint=fingerprint(facts), run=run)
    about = {"limit": limit, "stage": stage, "layer": layer, "parent": parent}
    return kept.model_copy(update={**about, "applications": applications})


def packed(
    measured: Measured, *, host: str, lab: str, fingerprint: Fingerprint, run: str = ""
) -> StoredMeasurement:
    """Return the file's content; `store` for a host whose fingerprint is known already."""
    order, final = measured.order, measured.final
    figures = summarise(final)
    return StoredMeasurement(
        identity=order.identity,
        host=host,
        lab=lab,
        run=run,
        command=order.command,
        version=order.version,
        interval=order.interval,
        loops=order.loops,
        histogram=order.histogram,
        cpus=order.cpus,
        housekeeping=order.housekeeping,
        policy=measured.policy,
        held=measured.held,
        started=measured.started,
        finished=measured.finished,
        elapsed=final.elapsed,
        load=final.load,
        loads=tuple(map(_pack_load, measured.loads)),
        exact=measured.exact,
        stream=order.stream,
        unseen=measured.unseen,
        smi=measured.happened.smi,
        smi_unknown=measured.happened.smi_unknown,
        throttled=measured.happened.throttled,
        realtime_throttled=measured.happened.realtime_throttled,
        interrupted=measured.interrupted,
        breaktrace=stored_break(order.command, measured.stopped, measured.trace),
        notes=measured.notes,
        summary=StoredSummary(
            minimum=figures.minimum,
            average=figures.average,
            p99=_percentile(figures.p99),
            p99_9=_percentile(figures.p99_9),
            maximum=figures.maximum,
            overflows=figures.overflows,
            samples=figures.samples,
        ),
        threads=tuple(map(_pack, final.threads)),
        output=measured.output,
        fingerprint=fingerprint,
    )


def save(path: Path, stored: StoredMeasurement) -> None:
    """Write it to `path`, whole or not at all, readable by its owner only."""
    write_private(path, stored.model_dump_json() + "\n")


def load(path: Path) -> StoredMeasurement:
    """Read it back; MeasurementError when it cannot be read or is not what it should be."""
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise MeasurementError(f"{path} is too large to be a measurement")
        told = json.loads(path.read_bytes())
        return _checked(told)
    except OSError as error:
        raise MeasurementError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise MeasurementError(
            f"{path} is no measurement of ours: {where}: {clean_line(first['msg'])}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise MeasurementError(
            f"{path} is no measurement of ours: {clean_line(str(error))}"
        ) from error


def _checked(told: Any) -> StoredMeasurement:
    stored = StoredMeasurement.model_validate(upgraded(told))
    if tuple(thread.cpu for thread in stored.threads) != stored.cpus:
        raise ValueError("its threads are not those of its CPUs")
    if any(thread.size != stored.histogram for thread in stored.threads):
        raise ValueError(f"a histogram has not {stored.histogram} buckets")
    samples = sum(t.overflows + sum(count for _, count in t.buckets) for t in stored.threads)
    if samples != stored.summary.samples:
        raise ValueError(f"the histogram has {samples} samples, its summary says otherwise")
    return stored


def _percentile(figure: Percentile | None) -> str:
    return "" if figure is None else str(figure)


def _pack(thread: ThreadHistogram) -> StoredThread:
    return StoredThread(
        cpu=thread.cpu,
        size=len(thread.counts),
        buckets=tuple((us, count) for us, count in enumerate(thread.counts) if count),
        overflows=thread.overflows,
        minimum=thread.minimum,
        average=thread.average,
        maximum=thread.maximum,
    )


def _pack_load(load: Load) -> StoredLoad:
    until = load.after if load.until is None else load.until
    return StoredLoad(
        preset=load.preset,
        command=load.command,
        cpus=load.cpus,
        after=load.after,
        until=until,
        ended=load.ended,
    )
