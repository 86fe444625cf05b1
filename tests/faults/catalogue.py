"""All cases: every fault at every stage, at its boundaries and in its middle."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from tests.faults import bench, breaking, breaking_here
from tests.faults.bench import Way
from tests.faults.case import AnyCase, Case
from tests.faults.points import Point
from tests.faults.series import CutAgainAndAgain, KilledAgainAndAgain, OneOfTwo, TwoOperators

STAGES = (
    "connect", "update", "kernel", "hyperthreading", "cpu-plan", "irqbalance", "rt-tests",
    "cyclictest", "causes", "image",
)  # fmt: skip

_AUDIT = {"task": "Ask whether an installation was interrupted"}
_ASKED = Point("update", "task-finished", fields=_AUDIT)
"""The first thing said of an installation that has not ended, whichever stage began it."""
_UPDATING = Point("update", "command-started", held=True)
_INSTALLING = Point("rt-tests", "command-started", held=True)
_MEASURING = Point("cyclictest", "latency-snapshot", 2)

_LOOKING = (
    (bench.CONNECT, Point("connect", "host-connected")),
    (bench.UPDATE, Point("update", "stage-started")),
    (bench.KERNEL, Point("kernel", "stage-started")),
    (bench.RESTART, Point("hyperthreading", "stage-started")),
    (bench.SERVICE, Point("irqbalance", "stage-started")),
    (bench.TOOLS, Point("rt-tests", "stage-started")),
    (bench.MEASURE, Point("cyclictest", "stage-started")),
)
"""While the facts of a host are gathered."""

_CHANGING = (
    (bench.UPDATE, Point("update", "command-started")),
    (bench.UPDATE, _UPDATING),
    (bench.RESTART, Point("hyperthreading", "command-started")),
    (bench.RESTART, Point("hyperthreading", "task-finished", 2)),
    (bench.RESTART, Point("hyperthreading", "waiting", 1)),
    (bench.SERVICE, Point("irqbalance", "command-started")),
    (bench.SERVICE, Point("irqbalance", "task-finished", 2)),
    (bench.TOOLS, Point("rt-tests", "command-started")),
    (bench.TOOLS, _INSTALLING),
    (bench.MEASURE, Point("cyclictest", "latency-started")),
    (bench.MEASURE, _MEASURING),
)
"""While something is changed or measured."""

_KILLING = (
    (bench.CONNECT, Point("connect", "stage-started")),
    (bench.CONNECT, Point("connect", "facts-gathered")),
    # After the last stage there is nothing left to kill.
    *((bench.WHOLE, Point(stage, "stage-finished")) for stage in STAGES[:-1]),
    (bench.KERNEL, Point("kernel", "plan-made")),
    *((bench.UPDATE, Point("update", event)) for event in (
        "plan-made", "host-locked", "command-finished")),
    (bench.UPDATE, Point("update", "task-finished", 4)),
    (bench.RESTART, Point("hyperthreading", "plan-made")),
    (bench.RESTART, Point("hyperthreading", "restarting")),
    (bench.RESTART, Point("hyperthreading", "command-finished")),
    (bench.RESTART, Point("hyperthreading", "stage-finished")),
    *((bench.SERVICE, Point("irqbalance", event)) for event in ("plan-made", "command-finished")),
    (bench.SERVICE, Point("irqbalance", "task-finished", 3)),
    *((bench.TOOLS, Point("rt-tests", event)) for event in ("plan-made", "command-finished")),
    (bench.TOOLS, Point("rt-tests", "task-finished", 3)),
    *((bench.MEASURE, Point("cyclictest", event)) for event in ("plan-made", "latency-stored")),
    (bench.MEASURE, Point("cyclictest", "latency-snapshot", 5)),
)  # fmt: skip
"""More points to kill it at, beyond those above."""

_ON_THE_WAY = (
    Point("connect", "facts-gathered"),
    Point("update", "host-locked"),
    _UPDATING,
    Point("update", "stage-finished"),
    Point("irqbalance", "task-finished", 2),
    Point("irqbalance", "stage-finished"),
    Point("rt-tests", "plan-made"),
    _INSTALLING,
    _MEASURING,
    Point("cyclictest", "latency-stored"),
)


def cases() -> tuple[AnyCase, ...]:
    """Return all of them; those of the default profile first, the longest of them first."""
    every = (*_quick(), *_killed(), *_lost(), *_disks(), *_hosts(), *_here(), *_pairs())
    return tuple(sorted(every, key=lambda case: not case.quick))


def _quick() -> Iterator[AnyCase]:
    yield CutAgainAndAgain(_longer(60), 10, quick=True)
    yield KilledAgainAndAgain(breaking.KillAll, bench.WHOLE, _ON_THE_WAY, quick=True)
    yield KilledAgainAndAgain(breaking.Kill, bench.WHOLE, _ON_THE_WAY)
    yield TwoOperators(bench.UPDATE, _UPDATING, quick=True)


def _killed() -> Iterator[AnyCase]:
    for make in (breaking.Kill, breaking.KillAll):
        for way, point in (*_LOOKING, *_CHANGING, *_KILLING):
            yield Case(make, way, point)
        for way, point in ((bench.UPDATE, _UPDATING), (bench.TOOLS, _INSTALLING)):
            detail = "the host still at it"
            yield Case(make, way, point, detail=detail, released=_ASKED)


def _lost() -> Iterator[AnyCase]:
    for way, point in (*_LOOKING, *_CHANGING):
        measuring = point.event.startswith("latency")
        waiting = point.event == "waiting"
        yield Case(
            breaking.CutConnections, way, point, survives=measuring, quick=point == _UPDATING
        )
        yield Case(breaking.HalfOpen, way, point, survives=measuring or waiting)
        yield Case(partial(breaking.Silence, 3 if waiting else 1), way, point, survives=measuring)
        yield Case(breaking.PowerCut, way, point, quick=point == _MEASURING)
        yield Case(breaking.Reboot, way, point)


def _disks() -> Iterator[AnyCase]:
    for way, point, places in (
        (bench.UPDATE, Point("update", "command-started"), ("/var", "/tmp", "/run")),
        (bench.SERVICE, Point("irqbalance", "plan-made"), ("/var", "/tmp", "/run")),
        (bench.TOOLS, Point("rt-tests", "command-started"), ("/var", "/tmp")),
        (bench.MEASURE, Point("cyclictest", "plan-made"), ("/var", "/tmp", "/run")),
        (bench.MEASURE, _MEASURING, ("/var", "/run")),
    ):
        for place in places:
            yield Case(partial(breaking.DiskFullThere, place), way, point, detail=place)


def _hosts() -> Iterator[AnyCase]:
    for way, point in (
        (bench.UPDATE, Point("update", "plan-made")),
        (bench.SERVICE, Point("irqbalance", "stage-started")),
        (bench.TOOLS, Point("rt-tests", "plan-made")),
    ):
        yield Case(breaking.PythonGone, way, point, words=("python3",), quick=way is bench.UPDATE)
    yield Case(breaking.PythonGone, bench.MEASURE, Point("cyclictest", "plan-made"), survives=True)
    yield Case(breaking.PythonGone, bench.MEASURE, _MEASURING, survives=True)
    for way, point in (
        (bench.UPDATE, Point("update", "plan-made")),
        (bench.UPDATE, Point("update", "task-finished", 4)),
        (bench.TOOLS, Point("rt-tests", "plan-made")),
    ):
        yield Case(breaking.PackagesLocked, way, point, survives=True)
    yield Case(breaking.ClockThere, bench.MEASURE, _MEASURING, survives=True)
    yield Case(breaking.ClockThere, bench.SERVICE, Point("irqbalance", "stage-started"))


def _here() -> Iterator[AnyCase]:
    for way, point in (
        (bench.UPDATE, Point("update", "plan-made")),
        (bench.UPDATE, Point("update", "task-finished", 4)),
        (bench.SERVICE, Point("irqbalance", "command-started")),
        (bench.RESTART, Point("hyperthreading", "waiting", 1)),
        (bench.MEASURE, Point("cyclictest", "plan-made")),
        (bench.MEASURE, _MEASURING),
    ):
        yield Case(breaking_here.DiskFullHere, way, point, words=("disk",),
                   quick=point == _MEASURING)  # fmt: skip
    temporary = partial(breaking_here.DiskFullHere, "TMPDIR")
    point = Point("irqbalance", "plan-made")
    yield Case(temporary, bench.SERVICE, point, detail="TMPDIR")
    yield Case(breaking_here.FullFromTheStart, bench.MEASURE, _MEASURING)
    for way, stage in ((bench.UPDATE, "update"), (bench.SERVICE, "irqbalance")):
        yield Case(breaking_here.SudoWrong, way, Point(stage, "stage-started"), words=("sudo",),
                   user="engineer")  # fmt: skip
    for by in (breaking_here.DAY, -breaking_here.DAY):
        detail = f"by {by / breaking_here.DAY:+.0f} day"
        jumps = partial(breaking_here.ClockJumps, by)
        yield Case(jumps, bench.MEASURE, _MEASURING, detail=detail, survives=True)
        yield Case(jumps, bench.RESTART, Point("hyperthreading", "waiting"), detail=detail,
                   survives=True)  # fmt: skip
        between = partial(breaking_here.ClockJumpsBetween, by)
        yield Case(between, bench.MEASURE, _MEASURING, detail=detail)
    yield Case(breaking_here.RunOfTomorrow, bench.MEASURE, _MEASURING)
    for missing in (1, 2, 0.3, 0.9, 1e9):
        detail = f"{missing:g} bytes" if 1 <= missing < 1e9 else f"{min(missing, 1):.0%} of it"
        torn = partial(breaking_here.TornJournal, missing)
        yield Case(torn, bench.MEASURE, _MEASURING, detail=detail, quick=missing == 0.3)
        yield Case(torn, bench.MEASURE, Point("cyclictest", "latency-stored"), detail=detail)
    for what, garbage in breaking_here.GARBAGE.items():
        spoilt = partial(breaking_here.GarbageInJournal, garbage)
        yield Case(spoilt, bench.MEASURE, _MEASURING, detail=what)


def _pairs() -> Iterator[AnyCase]:
    for make in (breaking.Kill, breaking.CutConnections, breaking.PowerCut):
        yield OneOfTwo(make, bench.UPDATE, _UPDATING)
        yield OneOfTwo(make, bench.MEASURE, _MEASURING)


def _longer(seconds: float) -> Way:
    """The measurement of a way that takes longer."""
    return replace(
        bench.MEASURE, name=f"measure {seconds:.0f} s", seconds=seconds, ends_like="measure"
    )
