"""Carries out cases on twins, each twin by a thread of its own, and keeps what came of them."""

import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread

from tests.faults.bench import GOOD, WAYS, Bench, Ending, Way, write_lab_file
from tests.faults.case import AnyCase, name_of
from tests.faults.command import Home
from tests.faults.observe import HostState, observe
from tests.faults.outcome import Outcome
from tests.faults.twin import Twin


@dataclass
class Pool:
    """Takes all cases at once; `result` waits for one of them."""

    twins: Sequence[Twin]
    directory: Path
    """Homes of the operators: kept of cases that failed."""
    tell: Callable[[Outcome], None]
    password: str = ""
    _futures: dict[str, Future[Outcome]] = field(default_factory=dict)
    _queue: SimpleQueue[AnyCase] = field(default_factory=SimpleQueue)
    _pairs: SimpleQueue[AnyCase] = field(default_factory=SimpleQueue)
    """Those that need both twins: after the others."""
    _endings: dict[str, Ending] = field(default_factory=dict)
    _baselines: dict[str, Lock] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _pristine: dict[tuple[str, str], HostState] = field(default_factory=dict)
    _stop: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)
    _number: int = 0

    def start(self, cases: Sequence[AnyCase]) -> None:
        """Begin with them, in this order."""
        for case in cases:
            self._futures[name_of(case)] = Future()
            (self._queue if case.hosts == 1 else self._pairs).put(case)
        for twin in self.twins:
            thread = Thread(target=self._work, args=(twin,), name=f"faults {twin.name}")
            thread.start()
            self._threads.append(thread)
        pairs = Thread(target=self._work_pairs, args=(tuple(self._threads),), name="faults pairs")
        pairs.start()
        self._threads.append(pairs)

    def result(self, case: AnyCase) -> Outcome:
        """Return what came of a case, waiting for it."""
        return self._futures[name_of(case)].result()

    def stop(self) -> None:
        """End after the cases that are under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for future in self._futures.values():
            future.cancel()

    def _work(self, twin: Twin) -> None:
        self._take(self._queue, [twin])

    def _work_pairs(self, before: Sequence[Thread]) -> None:
        for thread in before:
            thread.join()
        self._take(self._pairs, self.twins)

    def _take(self, queue: "SimpleQueue[AnyCase]", twins: Sequence[Twin]) -> None:
        while not self._stop.is_set():
            try:
                case = queue.get_nowait()
            except Empty:
                return
            future = self._futures[name_of(case)]
            try:
                outcome = self._carry_out(case, twins)
                self.tell(outcome)
                future.set_result(outcome)
            except BaseException as error:
                future.set_exception(error)

    def _carry_out(self, case: AnyCase, twins: Sequence[Twin]) -> Outcome:
        wanted = self._wanted(case, twins[0])
        bench = self._bench(case.way, twins, case.user)
        started = time.monotonic()
        how, trouble = "", ""
        try:
            how = case.carry_out(bench, wanted)
        except Exception:
            trouble = f"{bench.home.path}\n{traceback.format_exc()}"
        finally:
            for twin in twins:
                twin.mend()
            for undo in reversed(bench.always):
                undo()
        seconds = time.monotonic() - started
        return Outcome(
            name=name_of(case),
            fault=case.fault,
            way=case.way.name,
            stage=case.where,
            at=case.at,
            detail=case.detail,
            times=case.times,
            how=how,
            trouble=trouble,
            seconds=round(seconds, 1),
        )

    def _wanted(self, case: AnyCase, twin: Twin) -> Ending:
        """How an uninterrupted run ends: found out once, on whichever twin comes first."""
        way = next((one for one in WAYS if one.name == case.way.ends_like), case.way)
        with self._lock:
            mine = self._baselines.setdefault(way.name, Lock())
        with mine:
            if way.name not in self._endings:
                bench = self._bench(way, [twin], "root")
                run = bench.start()
                code = run.finish()
                assert code in GOOD, f"exit {code}\n{run.tail()}\n{run.errors()}"
                ending = bench.ending(run, code)
                bench.assert_good(ending)
                self._endings[way.name] = ending
            return self._endings[way.name]

    def _bench(self, way: Way, twins: Sequence[Twin], user: str) -> Bench:
        with self._lock:
            self._number += 1
            home = Home(self.directory / f"{self._number:03}")
        lab = write_lab_file(home.path / "lab.yaml", way, twins, user)
        typed = self.password if user != "root" else None
        benches = []
        for twin in twins:
            twin.restore(way.state)
            key = twin.name, way.state
            if key not in self._pristine:
                self._pristine[key] = observe(twin)
            benches.append(Bench(twin, way, home, lab, self._pristine[key], user, typed))
        first, *others = benches
        first.second = others[0] if others else None
        return first
