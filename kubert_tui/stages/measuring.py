"""One measurement with cyclictest on one host: begun, followed, stored, removed from there."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from kubert_tui.base import paths
from kubert_tui.base.errors import (
    CancelledError,
    DetachedError,
    KubertError,
    MeasurementError,
    UnreachableError,
)
from kubert_tui.events.measuring import (
    LatencyCounters,
    LatencyPast,
    LatencySnapshot,
    LatencyStarted,
    LatencyStored,
    MeasurementEnded,
)
from kubert_tui.events.model import Note
from kubert_tui.facts.fact import Known
from kubert_tui.lab.limits import limit_of
from kubert_tui.latency.applications import StoredApplications
from kubert_tui.latency.breaktrace import untraceable
from kubert_tui.latency.command import order_for
from kubert_tui.latency.failures import (
    MeasurementCancelledError,
    MeasurementInterruptedError,
    OrderDiffersError,
)
from kubert_tui.latency.launch import forget
from kubert_tui.latency.measure import measure
from kubert_tui.latency.measurement import Hooks, Launched, Measured, MeasurementOrder
from kubert_tui.latency.store import load, save, store
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.results.evidence import evidence_of, limit_named
from kubert_tui.results.verdict import judge
from kubert_tui.stages.kept_trace import keep_trace, told_of_trace
from kubert_tui.stages.measured_load import MeasuredLoad
from kubert_tui.stages.model import Work
from kubert_tui.stages.patience import attach_again

ROOT_DIRECTORY = "/var/lib/kubert-tui/runs"
"""Where a host keeps a measurement under way, until its result is stored here."""


class Site(Protocol):
    """Where cyclictest runs, and what there is to be done before and after."""

    def order(self, work: Work, host: str, identity: str) -> MeasurementOrder:
        """Decide the measurement; whatever it needs to begin is there then."""

    def leave(self, work: Work, host: str, identity: str) -> None:
        """Remove what was made for a measurement that has ended, before its directory goes."""


class OnHost:
    """It runs on the host itself, and needs nothing."""

    def order(self, work: Work, host: str, identity: str) -> MeasurementOrder:
        """Decide the measurement from the host's facts."""
        return order_for(work.lab, work.facts(host), identity)

    def leave(self, work: Work, host: str, identity: str) -> None:
        """There is nothing to remove."""


ON_HOST = OnHost()


def measure_one(
    work: Work,
    host: str,
    site: Site = ON_HOST,
    applications: StoredApplications | None = None,
) -> None:
    """Measure, store, remove it from the host, tell: a kill at any point loses nothing of that.

    `applications`: what else runs meanwhile, of a density run.
    """
    identity = work.measurement(host)
    path = result_path(work, host)
    _tidy(work, host, identity, site)
    kept = _kept(path, identity)
    trouble: KubertError | None = None
    if kept is None:
        try:
            measured = _measure(work, host, identity, site)
        except (MeasurementCancelledError, MeasurementInterruptedError) as error:
            if error.measured is None:
                raise
            measured, trouble = error.measured, error
        kept = _keep(work, host, path, measured, applications)
    _forget(work, host, identity, site)
    _tell_stored(work, host, path, kept)
    if kept.interrupted:
        raise trouble or MeasurementInterruptedError(kept.interrupted, host=host, measured=None)


def result_path(work: Work, host: str) -> Path:
    """Return where the measurement that is due on a host is stored."""
    attempt = work.measurement(host).rsplit("-", 1)[-1]
    return work.directory / f"latency-{host}-{attempt}.json"


def _keep(
    work: Work,
    host: str,
    path: Path,
    measured: Measured,
    applications: StoredApplications | None,
) -> StoredMeasurement:
    kept = store(
        measured,
        host=host,
        lab=work.lab.name,
        facts=work.facts(host),
        run=work.directory.name,
        stage=work.stage,
        limit=work.lab.cyclictest.limit,
        layer=work.lab.layer_of(host),
        parent=work.lab.parent_of(host),
        applications=applications,
    )
    kept = keep_trace(path, kept, measured.trace)
    save(path, kept)
    return kept


def _kept(path: Path, identity: str) -> StoredMeasurement | None:
    """Return the result that an earlier session stored, and was killed before it told so."""
    try:
        kept = load(path)
    except MeasurementError:
        return None
    return kept if kept.identity == identity else None


def _measure(work: Work, host: str, identity: str, site: Site) -> Measured:
    order = site.order(work, host, identity)
    why = untraceable(work.facts(host))
    if work.lab.layer_of(host) == "pod":
        why = f"the kernel's trace is its node's, {work.lab.parent_of(host)}"
    if work.lab.cyclictest.breaktrace and why:
        work.emit(Note(host=host, text=f"breaktrace stops it, but records no trace: {why}"))
    try:
        try:
            return _follow(work, host, order)
        except OrderDiffersError as differs:
            told = (
                f"{differs.what}: that one is followed first ({shlex.join(differs.order.command)})"
            )
            work.emit(Note(host=host, text=told))
            return _follow(work, host, differs.order)
    except DetachedError:
        raise
    except (MeasurementError, CancelledError) as error:
        if getattr(error, "measured", None) is not None:
            raise  # what there is of it is kept first
        # Told to the journal, so that the next attempt gets an identity of its own.
        work.emit(MeasurementEnded(host=host, identity=identity, reason=error.what))
        _forget(work, host, identity, site)
        raise


def _tidy(work: Work, host: str, identity: str, site: Site) -> None:
    """Remove what earlier attempts of this run left on the host: they are stored, or have failed.

    Usually nothing: only a kill between a failure and removing leaves something.
    """
    base, _, attempt = identity.rpartition("-")
    for earlier in range(1, int(attempt)):
        _forget(work, host, f"{base}-{earlier}", site)


def _forget(work: Work, host: str, identity: str, site: Site) -> None:
    """Remove a measurement that has ended from the host; what cannot be removed is told."""
    try:
        site.leave(work, host, identity)
        try:
            forget(work.host(host), identity, directory_on(work, host))
        except UnreachableError:
            work.drop(host)
            forget(work.host(host), identity, directory_on(work, host))
    except KubertError as error:
        work.emit(Note(host=host, text=f"left on the host: {identity}: {error.what}"))


def _follow(work: Work, host: str, order: MeasurementOrder) -> Measured:
    """Measure to the end, attaching again whenever the connection was lost."""
    with MeasuredLoad(work, host, directory_on(work, host)) as load:
        try:
            measured = _follow_on(work, host, order, load)
        except (MeasurementCancelledError, MeasurementInterruptedError) as error:
            if error.measured is not None:
                load.ended(error.measured.loads)
            raise
        load.ended(measured.loads)
        return measured


def _follow_on(work: Work, host: str, order: MeasurementOrder, load: MeasuredLoad) -> Measured:
    return attach_again(
        work,
        host,
        "cyclictest",
        lambda found_again: measure(
            work.host(host),
            order,
            directory=directory_on(work, host),
            hooks=_hooks(work, host, load, found_again=found_again),
            cancel=work.cancel,
            detach=work.detach,
            systemd=work.facts(host).scheduling.init == Known("systemd"),
        ),
    )


def _hooks(work: Work, host: str, load: MeasuredLoad, found_again: Callable[[], None]) -> Hooks:
    limit = work.lab.cyclictest.limit

    def started(launched: Launched) -> None:
        found_again()
        order = launched.order
        work.emit(
            LatencyStarted(
                host=host,
                command=order.command,
                version=order.version,
                interval=order.interval,
                loops=order.loops,
                cpus=order.cpus,
                started=launched.started,
                load=order.load.command if order.load else (),
                limit=limit_of(limit).microseconds if limit else 0,
                parent=work.lab.parent_of(host),
                attached=launched.attached,
                live=launched.live,
                reason=launched.reason,
                stream=order.stream if launched.live else "none",
            )
        )
        load.started(launched)

    return Hooks(
        started=started,
        snapshot=lambda snapshot: work.emit(LatencySnapshot(host=host, snapshot=snapshot)),
        note=lambda text: work.emit(Note(host=host, text=text)),
        happened=lambda told: work.emit(
            LatencyCounters(
                host=host, smi=told.smi, smi_unknown=told.smi_unknown, throttled=told.throttled
            )
        ),
        past=lambda recorded: work.emit(LatencyPast(host=host, recorded=recorded)),
    )


def _tell_stored(work: Work, host: str, path: Path, kept: StoredMeasurement) -> None:
    work.emit(stored_event(host, str(path), kept))


def stored_event(host: str, path: str, kept: StoredMeasurement) -> LatencyStored:
    """Return what is told of a stored measurement: its worst sample, judged, and why no more."""
    verdict = judge(evidence_of(kept), limit_named(kept))
    return LatencyStored(
        host=host,
        path=path,
        samples=kept.summary.samples,
        maximum=kept.summary.maximum,
        exact=kept.exact,
        unseen=kept.unseen,
        notes=kept.notes,
        interrupted=kept.interrupted,
        passed=verdict.passed,
        verdict=verdict.statement,
        reasons=verdict.reasons,
        applications=kept.applications.count if kept.applications else None,
        **told_of_trace(Path(path), kept),
    )


def directory_on(work: Work, host: str) -> str:
    """Return where a host keeps what is under way there."""
    facts = work.facts(host)
    if work.lab.host(host).connection == "local":
        return str(paths.state() / "measurements")
    # Relative to the login's home where we are not root: cyclictest will say what it lacks.
    return ROOT_DIRECTORY if facts.privileged == Known(True) else ".local/state/kubert-tui/runs"
