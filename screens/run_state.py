"""What is known of a run: plain values, and what can be asked about them."""

from dataclasses import dataclass, field

from kubert_tui.checks.finding import Finding
from kubert_tui.events.cluster import ClusterHeard, ClusterWatched
from kubert_tui.events.measuring import (
    DensityMeasured,
    LatencyCounters,
    LatencyStarted,
    LatencyStored,
    LoadChanged,
)
from kubert_tui.events.model import (
    Failure,
    Finished,
    HostConnected,
    PlanMade,
    RunStarted,
    StageState,
    TaskFinished,
    Waiting,
)
from kubert_tui.events.questions import Question
from kubert_tui.events.transfer import Transfer
from kubert_tui.facts.fact import Fact
from kubert_tui.facts.model import Facts
from kubert_tui.facts.virtual import Libvirt
from kubert_tui.lab.model import Lab
from kubert_tui.stages.model import Stage

FINISHED_STATES = frozenset({StageState.DONE, StageState.SATISFIED, StageState.SKIPPED})
"""Nothing is left to do in these."""


@dataclass
class RunState:
    """One run. `RunView` is it with the events that change it."""

    lab: Lab
    stages: tuple[Stage, ...]
    run: RunStarted | None = None
    finished: Finished | None = None
    running: str = ""
    activity: str = ""
    cancelling: bool = False
    queued: list[str] = field(default_factory=list)
    states: dict[str, StageState] = field(default_factory=dict)
    host_states: dict[str, dict[str, StageState]] = field(default_factory=dict)
    summaries: dict[str, str] = field(default_factory=dict)
    plans: dict[str, PlanMade] = field(default_factory=dict)
    failures: dict[str, tuple[Failure, ...]] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)
    connected: dict[str, HostConnected] = field(default_factory=dict)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    """Newest finding by (check id, host)."""
    finding_stages: dict[tuple[str, str], str] = field(default_factory=dict)
    """Stage that last made each finding."""
    questions: dict[int, Question] = field(default_factory=dict)
    """Open questions by number."""
    waits: dict[str, Waiting] = field(default_factory=dict)
    """What is waited for now, by host; the host's next event ends it."""
    transfers: dict[str, Transfer] = field(default_factory=dict)
    """What is on its way now, by host; the host's next other event ends it."""
    previews: dict[str, tuple[TaskFinished, ...]] = field(default_factory=dict)
    """Tasks of the last preview, by stage."""
    measurements: dict[str, LatencyStarted] = field(default_factory=dict)
    """Newest measurement by host, running or not."""
    stored: dict[str, LatencyStored] = field(default_factory=dict)
    """Results of the newest measurements that ended well, by host."""
    cut_off: dict[str, LatencyStored] = field(default_factory=dict)
    """What is left of measurements that were interrupted, by host."""
    counters: dict[str, LatencyCounters] = field(default_factory=dict)
    """By host: SMIs and throttling beside its newest measurement."""
    loads: dict[str, tuple[LoadChanged, ...]] = field(default_factory=dict)
    """What began and ended beside the newest measurements, by host, in order of time."""
    densities: dict[str, DensityMeasured] = field(default_factory=dict)
    libvirt: dict[str, Fact[Libvirt]] = field(default_factory=dict)
    """By host: its machines, when they were last looked at."""
    consoles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By virtual machine: what its console said last."""
    ordered: tuple[str, ...] = ()
    """What was asked for about machines and has not ended."""
    cluster: ClusterWatched | None = None
    """The cluster as it was told last; only while somebody watches it does that change."""
    cluster_heard: ClusterHeard = field(default_factory=ClusterHeard)
    """Whether it answers."""
    ended: set[str] = field(default_factory=set)
    """Hosts whose newest measurement ended without a result."""

    def stage(self, identity: str) -> Stage:
        """Return the stage of that id; KeyError if there is none."""
        for stage in self.stages:
            if stage.id == identity:
                return stage
        raise KeyError(identity)

    def title(self, identity: str) -> str:
        """Return the title of a stage, its id if there is none such."""
        return next((one.title for one in self.stages if one.id == identity), identity)

    def state(self, stage: str) -> StageState:
        """Return how a stage stands."""
        return self.states.get(stage, StageState.PENDING)

    def remaining(self) -> tuple[str, ...]:
        """Return the ids of stages that are neither finished, at work nor queued, in order."""
        busy = {self.running, *self.queued}
        return tuple(
            stage.id
            for stage in self.stages
            if stage.id not in busy and self.state(stage.id) not in FINISHED_STATES
        )

    @property
    def measuring(self) -> tuple[str, ...]:
        """Hosts on which cyclictest runs now."""
        return tuple(
            host
            for host, started in self.measurements.items()
            if host not in self.stored and host not in self.ended and started.stage == self.running
        )

    def findings_of(self, stage: Stage | None) -> tuple[Finding, ...]:
        """Return the findings that concern a stage (all for None), in the order first made."""
        if stage is None:
            return tuple(self.findings.values())
        own = {check.id for check in stage.checks} | {check.id for check in stage.cross_checks}
        return tuple(
            finding
            for key, finding in self.findings.items()
            if finding.check in own or self.finding_stages[key] == stage.id
        )
