"""Measures what steals time: hardware latency, and rtla timerlat. It changes nothing that stays."""

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubert_tui.base.errors import (
    CancelledError,
    DetachedError,
    KubertError,
    MeasurementError,
    UnreachableError,
)
from kubert_tui.causes.hwlat import hwlat_command, parse_hwlat
from kubert_tui.causes.job import Job, JobOutput, JobStage, JobState
from kubert_tui.causes.store import (
    Stored,
    StoredHwlat,
    StoredTimerlat,
    load,
    save,
    stored_hwlat,
    stored_timerlat,
)
from kubert_tui.causes.timerlat import parse_timerlat, timerlat_command
from kubert_tui.checks.causes import (
    hwlat_finding,
    lacking,
    lacking_finding,
    timerlat_finding,
)
from kubert_tui.checks.finding import Finding
from kubert_tui.checks.judging import machine_kind
from kubert_tui.events.measuring import CausesMeasured, CauseStored
from kubert_tui.events.model import FindingMade, Note, PlannedStep, Waiting
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.stages.measuring import directory_on
from kubert_tui.stages.model import Work
from kubert_tui.stages.patience import attach_again

_TURN = 5.0
"""Seconds between two looks at a host, at most."""
_LOOKS = 15
"""Looks at a job that is to begin, or was asked to end, before we give up."""
_NOT_BEGUN = (JobStage.ABSENT, JobStage.PREPARED)
_TITLES = {
    "hwlat": "look for hardware latency for {seconds} s (interrupts are off meanwhile, on one CPU"
    " after the other, for half of each second)",
    "timerlat": "measure timer latency for {seconds} s with rtla, beside cyclictest's figures",
}
_NAMES = {"hwlat": "the search for hardware latency", "timerlat": "rtla timerlat"}
_ENTRIES = "-E"


@dataclass(frozen=True, slots=True)
class CausesChange:
    """Runs what the host has of the two instruments, one after the other."""

    confirm: str = ""
    previews: bool = False

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:
        """Nothing: what it sets in the kernel's tracing is put back."""
        del lab, host
        return frozenset()

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        """A step for each instrument that the host has."""
        return tuple(
            PlannedStep(
                facts.host,
                _TITLES[name].format(seconds=seconds),
                shlex.join(_command(lab, name)),
            )
            for name, seconds in _seconds(lab).items()
            if not lacking(facts, name)
        )

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        """There is nothing to preview: the plan is the command."""

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        """Measure on all hosts at once."""
        work.each(hosts, lambda host: _measure_on(work, host))


def _seconds(lab: Lab) -> dict[str, int]:
    return {"hwlat": lab.causes.hwlat_seconds, "timerlat": lab.causes.timerlat_seconds}


def _command(lab: Lab, instrument: str) -> tuple[str, ...]:
    if instrument == "hwlat":
        return hwlat_command(lab.causes.hwlat_seconds, lab.causes.limit_us)
    return timerlat_command(lab.cyclictest, lab.causes.timerlat_seconds)


def _measure_on(work: Work, host: str) -> None:
    commands = []
    for instrument in _NAMES:
        facts = work.facts(host)
        if why := lacking(facts, instrument):
            work.emit(FindingMade(host=host, finding=lacking_finding(host, instrument, why)))
            continue
        due = _Due(
            work,
            host,
            instrument,
            work.measurement(host, instrument),
            _command(work.lab, instrument),
        )
        kept = due.kept() or due.measure()
        due.forget()
        command = shlex.join(kept.command)
        finding = _finding(work.lab, facts, kept)
        work.emit(FindingMade(host=host, finding=finding))
        work.emit(
            CauseStored(
                host=host,
                instrument=instrument,
                command=command,
                path=str(due.path),
                summary=finding.summary,
            )
        )
        commands.append(command)
    work.emit(CausesMeasured(host=host, commands=tuple(commands)))


def _finding(lab: Lab, facts: Facts, kept: Stored) -> Finding:
    if isinstance(kept, StoredHwlat):
        return hwlat_finding(kept, lab.causes.limit_us, machine_kind(facts))
    return timerlat_finding(kept)


@dataclass(frozen=True, slots=True)
class _Due:
    """A measurement that is due on a host."""

    work: Work
    host: str
    instrument: str
    identity: str
    command: tuple[str, ...]

    @property
    def name(self) -> str:
        """What people call it."""
        return _NAMES[self.instrument]

    @property
    def path(self) -> Path:
        """Where its result is kept here."""
        number = self.identity.rsplit("-", 1)[-1]
        return self.work.directory / f"{self.instrument}-{self.host}-{number}.json"

    def kept(self) -> Stored | None:
        """Return the result that an earlier session stored, and was killed before it told so."""
        kept: Stored
        try:
            if self.instrument == "hwlat":
                kept = load(self.path, StoredHwlat)
            else:
                kept = load(self.path, StoredTimerlat)
        except MeasurementError:
            return None
        return kept if kept.identity == self.identity else None

    def measure(self) -> Stored:
        """Carry it out and store it. What gives no result is removed from the host."""
        try:
            kept = self._read(attach_again(self.work, self.host, self.name, self._carry_out))
        except (DetachedError, UnreachableError):
            raise
        except KubertError:
            self.forget()
            raise
        save(self.path, kept)
        return kept

    def forget(self) -> None:
        """Remove it from the host; what cannot be removed is told."""
        try:
            self._job().forget()
        except KubertError as error:
            told = f"left on the host: {self.identity}: {error.what}"
            self.work.emit(Note(host=self.host, text=told))

    def _job(self) -> Job:
        directory = directory_on(self.work, self.host)
        return Job(self.work.host(self.host), directory, self.identity)

    def _carry_out(self, answers: Callable[[], None]) -> JobOutput:
        """Start it, or attach to it; return what it printed when it has ended well."""
        job = self._job()
        state = job.look()
        answers()
        if state.stage not in _NOT_BEGUN and not job.is_of(self.command):
            told = f"{self.name} was at it with other settings; that is ended first"
            self.work.emit(Note(host=self.host, text=told))
            _stop(job)
            job.forget()
            state = JobState(JobStage.ABSENT)
        if state.stage in _NOT_BEGUN:
            self._heed("before it began")
            systemd = self.work.facts(self.host).scheduling.init == Known("systemd")
            job.begin(self.command, systemd=systemd)
        state = self._follow(job)
        output = job.output()
        if state.stage is JobStage.KILLED:
            raise job.error(
                f"{self.name} was cut off: it was killed, or the host was started anew",
                fix="start the stage again",
            )
        if state.exit_status != 0:
            raise job.error(f"{self.name} gave no result", details=output.complaint)
        return output

    def _heed(self, when: str) -> None:
        if self.work.detach.is_set():
            raise DetachedError(f"let go of {self.name} {when}", host=self.host)
        if self.work.cancel.is_set():
            raise CancelledError(f"cancelled {when}", host=self.host)

    def _follow(self, job: Job) -> JobState:
        """Wait for its end, and tell how far it is."""
        not_yet = 0
        seconds = float(_seconds(self.work.lab)[self.instrument])
        while (state := job.look()).stage in (*_NOT_BEGUN, JobStage.STARTING, JobStage.RUNNING):
            not_yet += state.stage is not JobStage.RUNNING
            if not_yet > _LOOKS:
                raise job.error(f"{self.name} was not started")
            if self.work.cancel.is_set() and not self.work.detach.is_set():
                _stop(job)
            self._heed("while it measured")
            told = f"{self.name} to end"
            elapsed = float(state.seconds)
            self.work.emit(Waiting(host=self.host, what=told, elapsed=elapsed, limit=seconds))
            left = seconds - elapsed
            self.work.cancel.wait(min(max(left, 1.0), _TURN))
        return state

    def _read(self, output: JobOutput) -> Stored:
        boot = self.work.facts(self.host).kernel.boot_id
        about = {
            "identity": self.identity,
            "host": self.host,
            "run": self.work.directory.name,
            "boot_id": boot.value if isinstance(boot, Known) else "",
            "command": self.command,
        }
        if self.instrument == "hwlat":
            return stored_hwlat(parse_hwlat(output.text), output.happened, **about)
        entries = int(self.command[self.command.index(_ENTRIES) + 1])
        return stored_timerlat(parse_timerlat(output.text), entries, **about)


def _stop(job: Job) -> None:
    """Ask it to end, and wait until it has put back what it set."""
    for _ in range(_LOOKS):
        if job.look(stop=True).stage is not JobStage.RUNNING:
            return
        time.sleep(1.0)
    raise job.error("it does not end")
