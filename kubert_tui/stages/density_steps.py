"""The steps of a density run: so many applications, all of them ready, then measured."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubert_tui.base.errors import (
    CancelledError,
    DetachedError,
    KubertError,
    MeasurementError,
    UnreachableError,
)
from kubert_tui.base.paths import write_private
from kubert_tui.events.measuring import ApplicationsRunning, MeasurementEnded
from kubert_tui.events.model import Note
from kubert_tui.facts.fact import Known
from kubert_tui.lab.nodes import control_plane_of, nodes_of
from kubert_tui.lab.workload_objects import Application
from kubert_tui.latency.applications import DensityEnd, StoredApplications
from kubert_tui.latency.command import order_for
from kubert_tui.latency.launch import Run, Stage
from kubert_tui.latency.measure import await_exit
from kubert_tui.latency.store import load
from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.stages.measuring import directory_on, measure_one, result_path
from kubert_tui.stages.model import Work
from kubert_tui.stages.workloads_change import Workloads

_LACKING = re.compile(r"Insufficient [\w./-]+|Too many pods|\w+Error\b")


@dataclass(slots=True)
class DensitySteps:
    """One density run, or what is left of it."""

    work: Work
    hosts: tuple[str, ...]
    found: tuple[Application, ...]
    workloads: Workloads
    fingerprint: str
    told: frozenset[str]
    """Files of results that do not count any more: all of it was measured and told before."""
    kept: dict[Path, StoredMeasurement] = field(default_factory=dict)
    """What was read of this run's results: they never change."""
    goes_on: bool = False
    """A host is out of reach, and is measured: the applications have to stay."""

    def go_through(self) -> DensityEnd:
        """Measure what is not measured yet, step by step; return how it ended."""
        most = self.work.lab.density.max
        for count in range(most + 1):
            todo = tuple(host for host in self.hosts if self._result(host, count) is None)
            if not todo:
                continue
            self._stop_if_asked()
            if why := self.workloads.run(count):
                return DensityEnd(
                    fingerprint=self.fingerprint, reached=count - 1, reason=_no_room(count, why)
                )
            self._measure(todo, count)
        return DensityEnd(fingerprint=self.fingerprint, reached=most)

    def results(self) -> list[StoredMeasurement]:
        """Return what is measured of all steps."""
        steps = range(self.work.lab.density.max + 1)
        found = (self._result(host, count) for host in self.hosts for count in steps)
        return [one for one in found if one is not None]

    def remove_after(self, error: BaseException) -> None:
        """Remove the applications; what hinders that is told beside the `error`."""
        try:
            self.workloads.remove()
        except KubertError as trouble:
            if not isinstance(error, KubertError):
                raise
            self.work.emit(Note(host=trouble.host, text=f"left there: {trouble.what}"))

    def _stop_if_asked(self) -> None:
        if self.work.detach.is_set():
            raise DetachedError("let go between two steps: start again, and it goes on")
        if self.work.cancel.is_set():
            raise CancelledError("cancelled between two steps")

    def _measure(self, hosts: tuple[str, ...], count: int) -> None:
        pods = self.workloads.pods() if count else ()
        names = tuple(one.name for one in self.found)
        lead = control_plane_of(self.work.lab)
        self.work.emit(
            ApplicationsRunning(host=lead, applications=count, names=names, pods=len(pods))
        )
        here = self._pods_by_host([one.node for one in pods])

        def measure(host: str) -> None:
            applications = StoredApplications(
                count=count, names=names, pods=here.get(host, 0), fingerprint=self.fingerprint
            )
            self._begin(host, applications)
            try:
                measure_one(self.work, host, applications=applications)
            except UnreachableError:
                self.goes_on = True
                raise

        self.work.each(hosts, measure)
        if count:
            self._tell_of_lost(len(pods))

    def _tell_of_lost(self, wanted: int) -> None:
        """Tell when an application did not run to the end of a step: its figures are of fewer."""
        try:
            pods = self.workloads.pods()
        except KubertError as error:
            self.work.emit(Note(host=error.host, text=f"whether all ran to the end: {error.what}"))
            return
        ready, restarts = sum(one.ready for one in pods), sum(one.restarts for one in pods)
        if ready != wanted or restarts:
            text = (
                f"of {wanted} pods {ready} were ready at the end of this step, and they were "
                f"restarted {restarts} times: not all of the applications ran all of the time"
            )
            self.work.emit(Note(host=self.workloads.lead, text=text))

    def _pods_by_host(self, nodes: list[str]) -> Mapping[str, int]:
        """Return how many pods there are on each host; those of its machines are on it, too."""
        lab = self.work.lab
        called = {node.name: node.host for node in nodes_of(lab)}
        found: dict[str, int] = {}
        for node in nodes:
            host = called.get(node, "")
            for name in filter(None, (host, lab.parent_of(host))):
                found[name] = found.get(name, 0) + 1
        return found

    def _result(self, host: str, count: int) -> StoredMeasurement | None:
        """Return what this run has measured of a step on a host, in this boot, as is wanted now.

        What is stored and not told of yet does not count: `measure_one` tells of it.
        """
        facts = self.work.facts(host)
        order = order_for(self.work.lab, facts, self.work.measurement(host))
        for one in self._stored(host):
            about = one.applications
            if (
                about is not None
                and (one.host, about.count, about.fingerprint) == (host, count, self.fingerprint)
                and one.command == order.command
                and one.identity != order.identity
                and not one.interrupted
                and Known(one.fingerprint.boot_id) == facts.kernel.boot_id
                and (order.load is None or any(x.preset == order.load.preset for x in one.loads))
            ):
                return one
        return None

    def _stored(self, host: str) -> Iterator[StoredMeasurement]:
        for path in sorted(self.work.directory.glob(f"latency-{host}-*.json")):
            if path.name in self.told:
                continue
            try:
                yield self.kept.get(path) or self.kept.setdefault(path, load(path))
            except MeasurementError:
                continue

    def _begin(self, host: str, applications: StoredApplications) -> None:
        """Write down which step the measurement that is due is of; end one of another step.

        A run that was cut off may have left one, and the lab file may have been changed since.
        """
        identity = self.work.measurement(host)
        order = order_for(self.work.lab, self.work.facts(host), identity)
        begun = self.work.directory / f"density-{host}.json"
        step = {
            "identity": identity,
            "applications": [applications.count, applications.fingerprint],
            "command": list(order.command),
        }
        if _read(begun) != step:
            self._abandon(host, identity)
            write_private(begun, json.dumps({**step, "identity": self.work.measurement(host)}))

    def _abandon(self, host: str, identity: str) -> None:
        run = Run(self.work.host(host), directory_on(self.work, host), identity)
        stage = run.look().stage
        path = result_path(self.work, host)
        if stage in (Stage.ABSENT, Stage.PREPARED) and not path.exists():
            return
        if stage in (Stage.STARTING, Stage.RUNNING):
            run.stop()
            await_exit(run)
        path.unlink(missing_ok=True)
        self.kept.pop(path, None)
        why = "it was begun while other applications ran"
        self.work.emit(MeasurementEnded(host=host, identity=identity, reason=why))


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _no_room(count: int, why: str) -> str:
    """Return why there are no more steps: `no room for the 5th: Insufficient cpu`."""
    found = dict.fromkeys(_LACKING.findall(why))
    ending = {1: "st", 2: "nd", 3: "rd"}.get(count % 10 if count % 100 // 10 != 1 else 0, "th")
    return f"no room for the {count}{ending}: {', '.join(found) or why}"
