"""The engine: takes requests from a face, works on stages one after another, emits events."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from threading import Thread

from kubert_tui import __version__
from kubert_tui.base import paths
from kubert_tui.base.disk import own_disk_error
from kubert_tui.base.errors import ExitCode, KubertError
from kubert_tui.checks.packages import UPDATED
from kubert_tui.cpus.lists import cpu_list
from kubert_tui.engine.bug import bug_failure
from kubert_tui.engine.cluster_watch import ClusterWatch
from kubert_tui.engine.connections import Connect, Connections
from kubert_tui.engine.exit_codes import ExitCodes
from kubert_tui.engine.host_locks import HostLocks
from kubert_tui.engine.identity import lock_token, operator
from kubert_tui.engine.journal import Journal
from kubert_tui.engine.load_requests import LoadRequests
from kubert_tui.engine.lock import LabLock
from kubert_tui.engine.machine_orders import STAGE as ORDERS
from kubert_tui.engine.machine_orders import OrderRun
from kubert_tui.engine.past import (
    Past,
    decided_plans,
    new_run,
    open_run,
    planned,
    refuse_to_orphan,
    run_directory,
)
from kubert_tui.engine.requests import OrderRequest, Request, Requests, StageRequest
from kubert_tui.engine.stage_run import StageRun
from kubert_tui.engine.stream import Stream
from kubert_tui.engine.targets import nothing_to_do, targets, with_guests
from kubert_tui.engine.work import Gather, Observe, StageWork, failure
from kubert_tui.events.model import (
    Event,
    Finished,
    RunStarted,
    StageFinished,
    StageStarted,
    StageState,
)
from kubert_tui.events.questions import Answer
from kubert_tui.facts.gather import gather
from kubert_tui.facts.model import Facts
from kubert_tui.hosts.connect import connect
from kubert_tui.hosts.host_lock import About
from kubert_tui.hosts.interface import Host
from kubert_tui.lab.model import Lab
from kubert_tui.machines.order import Action, Order
from kubert_tui.rt_tests.build import cached_cyclictests
from kubert_tui.stages.machines_acts import Raw
from kubert_tui.stages.machines_observe import observe_quickly
from kubert_tui.stages.model import Stage, Where
from kubert_tui.stages.registry import all_stages

_STOPPERS = (StageState.FAILED, StageState.CANCELLED, StageState.RUNNING)
"""After one of these the stages that were asked for behind it are not begun."""

_COMPLETE = frozenset(
    {StageState.SATISFIED, StageState.DONE, StageState.SKIPPED, StageState.NOT_ALLOWED}
)
"""When every stage is in one of these, there is nothing left to resume."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a session works."""

    lab_file: str = ""
    dry_run: bool = False
    fresh: bool = False
    """Begin a new run even if the last one of this lab is unfinished."""
    hosts: tuple[str, ...] = ()
    """Those that are worked on, as `targets` says; all of the lab's if empty."""
    kind: str = ""
    """Of a run that neither ends the wizard's of this lab nor is ended by it, such as monitor."""
    clock: Callable[[], float] = time.time


def gather_facts(host: Host, updates: bool, cancel: Flag) -> Facts:
    """Gather the facts of a host; on this machine our own builds of cyclictest count too."""
    ours = cached_cyclictests(paths.cache()) if host.is_local else ()
    return gather(host, tuple(str(path) for path in ours), updates=updates, cancel=cancel)


@dataclass(slots=True)
class Session:
    """One run of one lab (`engine.interface.Engine`).

    Holds the lab's lock until it has finished; a dry run changes nothing and needs no lock.
    """

    lab: Lab
    options: Options = field(default_factory=Options)
    stages: tuple[Stage, ...] = field(default_factory=all_stages)
    gather: Gather = gather_facts
    connect: Connect = connect
    connections: Connections = field(init=False)
    _past: Past = field(init=False)
    _journal: Journal = field(init=False)
    _stream: Stream = field(init=False)
    _lock: LabLock | None = field(init=False, default=None)
    _host_locks: HostLocks | None = field(init=False, default=None)
    _requests: Requests = field(init=False, default_factory=Requests)
    _loads: LoadRequests = field(init=False)
    _watch: ClusterWatch = field(init=False)
    _states: dict[str, StageState] = field(init=False)
    _cancel: Flag = field(init=False, default_factory=Flag)
    _detach: Flag = field(init=False, default_factory=Flag)
    _codes: ExitCodes = field(init=False, default_factory=ExitCodes)
    _thread: Thread = field(init=False)

    def __post_init__(self) -> None:
        self.lab = with_guests(self.lab)
        if not self.options.dry_run:
            self._lock = LabLock(self._name, self.options.lab_file)
        try:
            earlier = None
            if not self.options.dry_run:
                earlier = open_run(self._name, self.options.lab_file)
            if earlier and self.options.fresh:
                refuse_to_orphan(earlier)
                earlier = None
            self._past = earlier or Past(new_run(self._name))
            self._journal = Journal(self._directory)
        except BaseException:
            self._release()
            raise
        self.lab = planned(self.lab, self._past.plans)
        if self.options.kind:
            self.lab = self._with_decided(self.lab)
        self._states = {stage.id: StageState.PENDING for stage in self.stages}
        self._states.update({s: v for s, v in self._past.states.items() if s in self._states})
        self._stream = Stream(self._journal, self.options.clock)
        self._loads = LoadRequests(self._emit)
        self.connections = Connections(self.lab, self.connect)
        self._watch = ClusterWatch(
            lambda: self.lab,
            self.connections,
            self._emit,
            self._measured,
            self.options.clock,
        )
        if not self.options.dry_run:
            self._host_locks = self._make_host_locks()
        self._thread = Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    def _with_decided(self, lab: Lab) -> Lab:
        """Return the lab with the CPU plans that only a run of it knows; for what decides none."""
        return planned(lab, decided_plans(lab.name, self.options.lab_file))

    @property
    def _name(self) -> str:
        """What runs of this kind belong to: the lab, or the lab's `monitor`."""
        kind = self.options.kind
        return f"{self.lab.name[: 62 - len(kind)]}-{kind}" if kind else self.lab.name

    @property
    def run(self) -> str:
        """The id of the run."""
        return self._past.run

    @property
    def _directory(self) -> Path:
        return run_directory(self._past.run)

    def events(self) -> Iterator[Event]:
        """Yield every event in order; ends after `Finished`, when lab and journal are free."""
        for event in self._stream.events():
            if isinstance(event, Finished):
                self._thread.join()
            yield event

    def submit(self, stage: str, *, again: bool = False) -> None:
        """Ask for one stage to be worked on."""
        self._requests.put(StageRequest(stage, again))

    def skip(self, stage: str, reason: str) -> None:
        """Mark a stage as skipped."""
        self._requests.put(StageRequest(stage, skip=reason or "no reason given"))

    def machines(self, order: Order, raw: Raw | None = None) -> None:
        """Ask for something to be done about machines that are there."""
        self._requests.put(OrderRequest(order, raw))

    def answer(self, question: int, answer: Answer) -> None:
        """Answer an open question."""
        self._stream.answer(question, answer)

    def load(self, host: str, preset: str) -> None:
        """Load a host while it is measured, at once."""
        self._loads.serve(host, preset)

    def watch_cluster(self, *, on: bool) -> None:
        """Watch the lab's cluster, beside whatever is at work, or end that."""
        self._watch.switch(on=on)

    def cancel(self) -> None:
        """Cancel the stage at work and what is queued behind it."""
        self._cancel.set()
        self._stream.wake()

    def detach(self) -> None:
        """Let go at once; a measurement on a host goes on by itself."""
        self._detach.set()
        self.cancel()
        self._requests.close()

    def close(self) -> None:
        """Finish when the queued work is done."""
        self._requests.close()

    def _work(self) -> None:
        try:
            self._emit(self._started())
            while (request := self._requests.next()) is not None:
                if self._detach.is_set():
                    break
                self._serve(request)
        except KubertError as error:
            self._codes.run = error.exit_code
            self._emit(failure(error))
        except Exception as error:
            trouble = own_disk_error(error) if isinstance(error, OSError) else None
            self._codes.run = trouble.exit_code if trouble else ExitCode.INTERNAL
            self._emit(failure(trouble) if trouble else bug_failure(error, self._directory))
        finally:
            self._finish()

    def _serve(self, request: Request) -> None:
        if isinstance(request, OrderRequest):
            self._serve_order(request)
            return
        stage = next(stage for stage in self.stages if stage.id == request.stage)
        if request.skip:
            self._skip(stage, request.skip)
            return
        hosts = self._hosts(stage.where)
        hosts = tuple(host for host in hosts if not stage.only or host in stage.only)
        if why := nothing_to_do(stage, self.lab, hosts):
            self._emit(StageStarted(stage=stage.id, title=stage.title))
            self._skip(stage, why)
            return
        work = self._stage_work(stage.id, stage.observe, updates=UPDATED in stage.checks)
        finished = StageRun(stage, work, hosts, self.options.dry_run, request.again).run()
        self.lab = work.lab
        self._ended(finished, work.failure_code)
        if finished.state in _STOPPERS or self._cancel.is_set():
            self._requests.drop()

    def _serve_order(self, request: OrderRequest) -> None:
        order = request.order
        work = self._stage_work(ORDERS, observe_quickly)
        work.lab = self._with_decided(work.lab)
        state = OrderRun(work, order, request.raw).run()
        key = f"{order.action} {' '.join(order.names)}"
        if state is not StageState.CANCELLED or order.action is not Action.CONSOLE:
            self._codes.ended(key, state, work.failure_code)

    def _stage_work(
        self, stage: str, observe: Observe | None, *, updates: bool = False
    ) -> StageWork:
        if not self._detach.is_set():
            # A cancel that came while nothing ran is not meant for what is asked for now.
            self._cancel.clear()
        return StageWork(
            lab=self.lab,
            stage=stage,
            directory=self._directory,
            past=self._past,
            stream=self._stream,
            connections=self.connections,
            cancel=self._cancel,
            detach=self._detach,
            gather=self.gather,
            locks=self._host_locks,
            loads=self._loads,
            lab_file=self.options.lab_file,
            updates=updates,
            observe=observe,
        )

    def _skip(self, stage: Stage, why: str) -> None:
        hosts = self._hosts(stage.where)
        finished = StageFinished(
            stage=stage.id,
            state=StageState.SKIPPED,
            hosts=dict.fromkeys(hosts, StageState.SKIPPED),
            summary=f"skipped: {why}",
        )
        self._ended(finished)
        self._emit(finished)

    def _ended(self, finished: StageFinished, failure_code: int = 0) -> None:
        self._states[finished.stage] = finished.state
        self._past.states[finished.stage] = finished.state
        self._codes.ended(finished.stage, finished.state, failure_code)

    def _started(self) -> RunStarted:
        return RunStarted(
            run=self._past.run,
            lab=self._name,
            lab_file=self.options.lab_file,
            hosts=self._hosts(Where.HOSTS),
            stages=tuple(stage.id for stage in self.stages),
            version=__version__,
            resumed=bool(self._past.started),
            dry_run=self.options.dry_run,
            states=dict(self._states),
            guests={name: self.lab.parent_of(name) for name in self._hosts(Where.GUESTS)},
        )

    def _make_host_locks(self) -> HostLocks:
        token = lock_token(self._name, self.options.lab_file)
        about = About(operator(), self._name, self._past.run)
        return HostLocks(
            token, about, self.connections, self._emit, housekeeping=self._housekeeping
        )

    def _housekeeping(self, host: str) -> str:
        plan = self.lab.plan_of(host)
        return cpu_list(plan.housekeeping) if plan is not None else ""

    def _measured(self) -> frozenset[str]:
        """Return where something is measured now: of a pod, its node."""
        return frozenset(map(self.lab.machine_of, tuple(self._past.measuring)))

    def _finish(self) -> None:
        self._watch.close()
        if self._host_locks is not None:
            self._host_locks.close(self._measured())
        self.connections.close()
        left = self._detach.is_set() and not _COMPLETE.issuperset(self._states.values())
        self._emit(
            Finished(
                states=dict(self._states),
                results=tuple(self._past.results),
                journal=str(self._journal.path),
                exit_code=int(self._codes.total(left=left)),
                exact=not any(self._past.inexact.values()) if self._past.inexact else None,
                inexact={host: why for host, why in self._past.inexact.items() if why},
            )
        )
        self._journal.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _hosts(self, where: Where) -> tuple[str, ...]:
        return targets(where, self.lab, self.options.hosts)

    def _emit(self, event: Event) -> None:
        try:
            self._stream.emit(event)
        except KubertError as error:
            # The consumer has the event; only the journal lost it.
            self._codes.run = error.exit_code
