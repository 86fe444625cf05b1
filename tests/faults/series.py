"""Cases with more than one stroke: a run killed again and again; a measurement cut ten times."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from kubert_tui.base.errors import ExitCode
from tests.faults import breaking
from tests.faults.bench import Bench, Ending, Way, assert_same_ending
from tests.faults.breaking import Fault, Kill
from tests.faults.case import assert_no_bug, await_held, ended_clearly
from tests.faults.command import Home
from tests.faults.points import Point


@dataclass(frozen=True)
class KilledAgainAndAgain:
    """One run, killed at one point after the other, each time started again where it was."""

    make: Callable[[], Kill]
    way: Way
    points: tuple[Point, ...]
    quick: bool = False
    user: str = "root"
    detail: str = ""
    where: ClassVar[str] = "every stage"
    hosts: ClassVar[int] = 1

    @property
    def fault(self) -> str:
        return self.make().name

    @property
    def at(self) -> str:
        return "one run, again and again"

    @property
    def times(self) -> int:
        return len(self.points)

    def carry_out(self, bench: Bench, wanted: Ending) -> str:
        """Kill it at every point, then let it end."""
        for point in self.points:
            if point.held:
                breaking.hold_installations(bench)
            run = bench.start()
            run.until(point)
            if point.held:
                await_held(bench, run)
            self.make().strike(bench, run)
            bench.twin.mend()
        run = bench.start()
        code = run.finish()
        assert code == wanted.code, f"exit {code}\n{run.tail()}\n{run.errors()}"
        assert_same_ending(bench, bench.ending(run, code), wanted, 0)
        return f"killed {len(self.points)} times, re-run each time"


@dataclass(frozen=True)
class CutAgainAndAgain:
    """A measurement whose connections are cut again and again, each time it is attached to."""

    way: Way
    times: int
    quick: bool = False
    user: str = "root"
    detail: str = ""
    fault: ClassVar[str] = "SSH connections cut ten times while cyclictest runs"
    where: ClassVar[str] = "cyclictest"
    hosts: ClassVar[int] = 1
    at: ClassVar[str] = "each time it was attached to"

    def carry_out(self, bench: Bench, wanted: Ending) -> str:
        """Cut, wait until it is attached, cut again; then every sample has to be there."""
        run = bench.start()
        for cut in range(self.times):
            run.until(Point("cyclictest", "latency-started", fields={"attached": cut > 0}))
            run.until(Point("cyclictest", "latency-snapshot"))
            assert bench.twin.cut_sessions() > 0
        run.until(Point("cyclictest", "latency-started", fields={"attached": True}))
        code = run.finish()
        assert_no_bug(run, code)
        assert code == wanted.code, f"exit {code}\n{run.tail()}\n{run.errors()}"
        starts = run.named("latency-started")
        assert len({round(one["started"]) for one in starts}) == 1, "it was started anew"
        counts = [
            sum(thread["samples"] for thread in one["snapshot"]["threads"])
            for one in run.named("latency-snapshot")
        ]
        assert counts == sorted(counts), "samples were lost on the way"
        assert_same_ending(bench, bench.ending(run, code), wanted, 0)
        return f"got through by itself, attached {len(starts) - 1} times"


@dataclass(frozen=True)
class TwoOperators:
    """Somebody else starts kubert-tui on the same host while a change is under way."""

    way: Way
    point: Point
    quick: bool = False
    user: str = "root"
    detail: str = ""
    times: ClassVar[int] = 1
    hosts: ClassVar[int] = 1
    fault: ClassVar[str] = "a second operator starts meanwhile"

    @property
    def where(self) -> str:
        return self.point.stage

    @property
    def at(self) -> str:
        return str(self.point)

    def carry_out(self, bench: Bench, wanted: Ending) -> str:
        """The second one is refused and told by whom; the first one notices nothing."""
        breaking.hold_installations(bench)
        run = bench.start()
        run.until(self.point)
        await_held(bench, run)
        second = bench.start(home=Home(bench.home.path / "second"))
        code = second.finish()
        assert_no_bug(second, code)
        assert code == ExitCode.BUSY, f"exit {code}\n{second.tail()}"
        said = " ".join(f"{one['what']} {one['fix']}" for one in second.named("failure"))
        assert "@" in said, f"the owner is not named: {said}"
        assert not second.named("task-finished"), "it changed something"
        bench.twin.mend()
        code = run.finish()
        assert_no_bug(run, code)
        assert_same_ending(bench, bench.ending(run, code), wanted, 0)
        return f"the second ended with {ExitCode.BUSY}, the first got through"


@dataclass(frozen=True)
class OneOfTwo:
    """A lab of two hosts; the fault strikes the first, and the second has nothing to do with it."""

    make: Callable[[], Fault]
    way: Way
    point: Point
    quick: bool = False
    user: str = "root"
    detail: str = "one of two hosts"
    times: ClassVar[int] = 1
    hosts: ClassVar[int] = 2

    @property
    def fault(self) -> str:
        return self.make().name

    @property
    def where(self) -> str:
        return self.point.stage

    @property
    def at(self) -> str:
        return str(self.point)

    def carry_out(self, bench: Bench, wanted: Ending) -> str:
        """Strike, mend, start again; both hosts end as if nothing had happened."""
        assert bench.second is not None
        fault = self.make()
        fault.prepare(bench)
        if self.point.held:
            breaking.hold_installations(bench)
        run = bench.start()
        run.until(self.point)
        if self.point.held:
            await_held(bench, run)
        fault.strike(bench, run)
        how, code = "killed", None
        if not fault.kills:
            code = fault.watch(bench, run)
            how = ended_clearly(run, code, wanted)
        fault.mend(bench)
        if code != wanted.code:
            run = bench.start()
            code = run.finish()
            how += ", re-run"
        assert code == wanted.code, f"exit {code}\n{run.tail()}\n{run.errors()}"
        again = bench.further_run()
        for one, boots in ((bench, fault.boots), (bench.second, 0)):
            ending = one.ending_with(run, code, again)
            assert_same_ending(one, ending, wanted, boots)
        started = [
            entry
            for entry in bench.journals()
            if entry["event"] == "latency-started"
            and entry["host"] == bench.second.twin.name
            and not entry["attached"]
        ]
        assert len(started) == self.way.measures, "the other host measured more than once"
        return how
