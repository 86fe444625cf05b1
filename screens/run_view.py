"""What the screens know of a run: all events so far, folded into plain values (`run_state`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import singledispatchmethod

from kubert_tui.events.cluster import ClusterHeard, ClusterWatched
from kubert_tui.events.measuring import (
    ApplicationsRunning,
    CauseStored,
    DensityMeasured,
    LatencyCounters,
    LatencyStarted,
    LatencyStored,
    LoadChanged,
    LoadRefused,
    MeasurementEnded,
)
from kubert_tui.events.model import (
    CommandStarted,
    ConsoleSaid,
    CpuPlanMade,
    Event,
    FactsGathered,
    Failure,
    FindingMade,
    Finished,
    HostConnected,
    HostLockLost,
    Note,
    OrderEnded,
    PlanMade,
    Progress,
    RunStarted,
    StageFinished,
    StageStarted,
    StageState,
    TaskFinished,
    Waiting,
)
from kubert_tui.events.questions import Answered, Choice, Question
from kubert_tui.events.transfer import Transfer
from kubert_tui.events.words import said
from kubert_tui.facts.fact import NOT_LOOKED_AT
from kubert_tui.screens.run_order import in_order
from kubert_tui.screens.run_state import RunState


class Area(StrEnum):
    """Parts of the screen that can be out of date."""

    RAIL = "rail"
    GUIDE = "guide"
    HOSTS = "hosts"
    FINDINGS = "findings"
    STATUS = "status"
    LATENCY = "latency"


Areas = frozenset[Area]

CONSOLE_LINES = 500
"""Of each virtual machine that are kept."""

_NOTHING: Areas = frozenset()
_STAGE: Areas = frozenset({Area.RAIL, Area.GUIDE, Area.STATUS})
_WAITS: Areas = frozenset({Area.GUIDE, Area.STATUS})

STOPPED_STATES = frozenset({StageState.FAILED, StageState.CANCELLED, StageState.RUNNING})
"""After these the engine drops what was queued behind (RUNNING: a measurement was let go)."""


@dataclass
class RunView(RunState):
    """The state of one run as its events tell it. Changed on the UI thread only."""

    _previewing: str = ""

    def asked_for(self, stages: Iterable[str]) -> None:
        """Remember stages that were submitted and have not started yet."""
        self.queued += [one for one in stages if one not in self.queued]

    def apply(self, event: Event) -> Areas:
        """Fold one event in; return the areas that show something else now."""
        areas = self._fold(event)
        if isinstance(event, ClusterWatched | ClusterHeard):
            # The watch goes on beside the work: it ends no wait, and nothing that is on its way.
            return areas
        # What a console says while its machine is waited for ends no wait.
        if event.host in self.waits and not isinstance(event, Waiting | ConsoleSaid):
            del self.waits[event.host]
            areas |= _WAITS
        if event.host in self.transfers and not isinstance(event, Progress):
            del self.transfers[event.host]
            areas |= _WAITS
        return areas

    @singledispatchmethod
    def _fold(self, event: Event) -> Areas:  # noqa: ARG002
        return _NOTHING

    @_fold.register
    def _run_started(self, event: RunStarted) -> Areas:
        self.run = event
        self.states.update(event.states)
        return _STAGE

    @_fold.register
    def _stage_started(self, event: StageStarted) -> Areas:
        self.running = event.stage
        self.queued = [one for one in self.queued if one != event.stage]
        self.states[event.stage] = StageState.RUNNING
        self.host_states.pop(event.stage, None)
        self.failures.pop(event.stage, None)
        self.summaries.pop(event.stage, None)
        self.previews.pop(event.stage, None)
        self.activity = event.title
        return _STAGE

    @_fold.register
    def _stage_finished(self, event: StageFinished) -> Areas:
        stopped = event.state in STOPPED_STATES
        self.queued = [] if stopped else [one for one in self.queued if one != event.stage]
        self.ordered = () if stopped else self.ordered
        self.states[event.stage] = event.state
        self.host_states[event.stage] = dict(event.hosts)
        self.summaries[event.stage] = event.summary
        self.questions = {n: q for n, q in self.questions.items() if q.stage != event.stage}
        self.waits = {host: one for host, one in self.waits.items() if one.stage != event.stage}
        self.transfers = {}
        if self.running == event.stage:
            self.running = ""
        if not self.queued:
            self.cancelling = False
        titles = [stage.title for stage in self.stages if stage.id == event.stage]
        self.activity = ": ".join((*titles, event.summary))
        return _STAGE | {Area.LATENCY, Area.HOSTS}

    @_fold.register
    def _connected(self, event: HostConnected) -> Areas:
        self.connected[event.host] = event
        self.activity = f"{event.host} connected"
        return frozenset({Area.HOSTS, Area.STATUS})

    @_fold.register
    def _lock_lost(self, event: HostLockLost) -> Areas:
        who = event.holder or "somebody who has gone again"
        self.activity = _at(event.host, f"our lock was taken by {who}")
        return frozenset({Area.STATUS})

    @_fold.register
    def _facts(self, event: FactsGathered) -> Areas:
        self.facts[event.facts.host] = event.facts
        if event.facts.libvirt != NOT_LOOKED_AT:
            self.libvirt[event.facts.host] = event.facts.libvirt
        return frozenset({Area.HOSTS, Area.GUIDE})

    @_fold.register
    def _finding(self, event: FindingMade) -> Areas:
        key = (event.finding.check, event.finding.host)
        self.findings[key] = event.finding
        self.finding_stages[key] = event.stage
        return frozenset({Area.FINDINGS})

    @_fold.register
    def _plan(self, event: PlanMade) -> Areas:
        self.plans[event.stage] = event
        return frozenset({Area.GUIDE})

    @_fold.register
    def _cpu_plan(self, event: CpuPlanMade) -> Areas:
        where = "written into the lab file" if event.path else "kept for this run"
        self.activity = _at(event.host, f"CPU plan {where}")
        return frozenset({Area.STATUS})

    @_fold.register
    def _command(self, event: CommandStarted) -> Areas:
        self.activity = _at(event.host, " ".join(event.argv))
        return frozenset({Area.STATUS})

    @_fold.register
    def _task(self, event: TaskFinished) -> Areas:
        if self._previewing == event.stage:
            self.previews[event.stage] = (*self.previews.get(event.stage, ()), event)
        self.activity = _at(event.host, f"{event.task}: {event.outcome}")
        return frozenset({Area.STATUS})

    @_fold.register
    def _waiting(self, event: Waiting) -> Areas:
        self.waits[event.host] = event
        return _WAITS

    @_fold.register
    def _progress(self, event: Progress) -> Areas:
        known = self.transfers.get(event.host)
        self.transfers[event.host] = known.followed_by(event) if known else Transfer(event, event)
        return _WAITS

    @_fold.register
    def _said(self, event: Note | CauseStored | ApplicationsRunning | DensityMeasured) -> Areas:
        if isinstance(event, DensityMeasured):
            self.densities[event.host] = event
        self.activity = _at(event.host, said(event))
        return frozenset({Area.STATUS, Area.GUIDE})

    @_fold.register
    def _console(self, event: ConsoleSaid) -> Areas:
        before = self.consoles.get(event.machine, ())
        self.consoles[event.machine] = (*before, *event.lines)[-CONSOLE_LINES:]
        return _NOTHING

    @_fold.register
    def _cluster_watched(self, event: ClusterWatched) -> Areas:
        self.cluster = event
        return _NOTHING

    @_fold.register
    def _cluster_heard(self, event: ClusterHeard) -> Areas:
        self.cluster_heard = event
        return _NOTHING

    @_fold.register
    def _order_ended(self, event: OrderEnded) -> Areas:
        left = list(self.ordered)
        if event.action in left:
            left.remove(event.action)
        self.ordered = tuple(left)
        self.activity = event.summary or f"{event.action}: {event.state}"
        if not self.running and not self.queued:
            self.cancelling = False
        return frozenset({Area.STATUS})

    @_fold.register
    def _question(self, event: Question) -> Areas:
        self.questions[event.number] = event
        self._previewing = ""
        return _STAGE

    @_fold.register
    def _answered(self, event: Answered) -> Areas:
        self.questions.pop(event.number, None)
        if event.choice is Choice.PREVIEW:
            self._previewing = event.stage
            self.previews[event.stage] = ()
        return _STAGE

    @_fold.register
    def _latency_started(self, event: LatencyStarted) -> Areas:
        known = {**self.measurements, event.host: event}
        self.measurements = in_order(known, (host.name for host in self.lab.everyone))
        self.stored.pop(event.host, None)
        self.cut_off.pop(event.host, None)
        if not event.attached:
            self.loads.pop(event.host, None)
            self.counters.pop(event.host, None)
        self.ended.discard(event.host)
        self.activity = _at(event.host, "cyclictest runs")
        return frozenset({Area.LATENCY, Area.STATUS})

    @_fold.register
    def _latency_stored(self, event: LatencyStored) -> Areas:
        if event.interrupted:
            self.cut_off[event.host] = event
            self.ended.add(event.host)
            self.activity = _at(event.host, f"{event.interrupted}; what was measured is kept")
        else:
            self.stored[event.host] = event
            self.activity = _at(event.host, f"measured: the worst took {event.maximum} us")
        return frozenset({Area.LATENCY, Area.STATUS, Area.GUIDE})

    @_fold.register
    def _counted(self, event: LatencyCounters) -> Areas:
        self.counters[event.host] = event
        return frozenset({Area.LATENCY})

    @_fold.register
    def _load_changed(self, event: LoadChanged) -> Areas:
        # Attaching again tells them again.
        known = {(one.elapsed, one.on): one for one in (*self.loads.get(event.host, ()), event)}
        # At one moment as they were told: one load may end there for another, or be over at once.
        ordered = sorted(known.values(), key=lambda one: one.elapsed)
        self.loads[event.host] = tuple(ordered)
        what = "begins" if event.on else "ends"
        self.activity = _at(event.host, f"load {event.preset} {what}")
        return frozenset({Area.LATENCY, Area.STATUS})

    @_fold.register
    def _load_refused(self, event: LoadRefused) -> Areas:
        self.activity = _at(event.host, f"no load {event.preset}: {event.what}")
        return frozenset({Area.STATUS})

    @_fold.register
    def _measurement_ended(self, event: MeasurementEnded) -> Areas:
        self.ended.add(event.host)
        self.activity = _at(event.host, event.reason)
        return frozenset({Area.LATENCY, Area.STATUS})

    @_fold.register
    def _failure(self, event: Failure) -> Areas:
        self.failures[event.stage] = (*self.failures.get(event.stage, ()), event)
        self.activity = _at(event.host, event.what)
        return frozenset({Area.STATUS, Area.GUIDE})

    @_fold.register
    def _run_finished(self, event: Finished) -> Areas:
        self.finished = event
        self.running = ""
        self.ordered = ()
        self.queued = []
        self.questions = {}
        self.waits = {}
        self.transfers = {}
        return _STAGE


def _at(host: str, text: str) -> str:
    return f"{host}: {text}" if host else text
