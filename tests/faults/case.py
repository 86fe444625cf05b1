"""One case: a fault at a point of a way; carried out, recovered from, compared."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from kubert_tui.base.errors import ExitCode
from tests.faults import breaking
from tests.faults.bench import RESTART, Bench, Ending, Way, assert_same_ending
from tests.faults.breaking import Fault
from tests.faults.command import Run
from tests.faults.points import Point

_HELD_LIMIT = 60.0
_PATIENCE = 3

_NEVER = (ExitCode.INTERNAL, ExitCode.USAGE, ExitCode.LAB_FILE)
"""No fault may end in one of these."""


class AnyCase(Protocol):
    """What the pool carries out and the table tells of."""

    @property
    def fault(self) -> str:
        """What breaks, in words."""

    @property
    def where(self) -> str:
        """The stage."""

    @property
    def at(self) -> str:
        """The point in it."""

    @property
    def detail(self) -> str:
        """Tells cases apart where fault and point do not."""

    @property
    def times(self) -> int:
        """How often it strikes."""

    @property
    def hosts(self) -> int:
        """How many hosts the lab has: 1 or 2."""

    @property
    def way(self) -> Way:
        """The run it strikes."""

    @property
    def user(self) -> str:
        """Who logs in."""

    @property
    def quick(self) -> bool:
        """Also in the default profile."""

    def carry_out(self, bench: Bench, wanted: Ending) -> str:
        """Do it all; return how it went in a few words. AssertionError when it went wrong."""


def name_of(case: AnyCase) -> str:
    """Return the name of a case, unique and fit for pytest."""
    words = (case.fault, case.way.name, case.where, case.at, case.detail)
    return re.sub(r"[^A-Za-z0-9.-]+", "_", "-".join(filter(None, words)))


@dataclass(frozen=True)
class Case:
    """A fault at one point. `make` makes it anew for every time it strikes."""

    make: Callable[[], Fault]
    way: Way
    point: Point
    survives: bool = False
    """The run has to get through it by itself."""
    words: tuple[str, ...] = ()
    """What the error has to say, one of them, if there is one."""
    detail: str = ""
    """Tells cases apart where fault and point do not."""
    user: str = "root"
    quick: bool = False
    """Also in the default profile."""
    released: Point | None = None
    """An installation that stands still goes on when the re-run comes here."""
    times: ClassVar[int] = 1
    hosts: ClassVar[int] = 1

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
        """Do it all; return how it went in a few words. AssertionError when it went wrong."""
        fault = self.make()
        fault.prepare(bench)
        if self.point.held:
            breaking.hold_installations(bench)
        run = bench.start()
        run.until(self.point)
        if self.point.held:
            await_held(bench, run)
        fault.strike(bench, run)
        if fault.kills:
            code, how = None, "killed"
        else:
            code = fault.watch(bench, run)
            how = ended_clearly(run, code, wanted, self.words)
        if self.released is None:
            fault.mend(bench)
        if code != wanted.code:
            assert not self.survives, f"exit {code}\n{run.tail()}\n{run.errors()}"
            run, code = self._again(bench, fault, wanted)
            how += ", re-run"
        assert code == wanted.code, f"re-run: exit {code}\n{run.tail()}\n{run.errors()}"
        assert_same_ending(bench, bench.ending(run, code), wanted, fault.boots)
        return how

    def _again(self, bench: Bench, fault: Fault, wanted: Ending) -> tuple[Run, int]:
        """Run the same command again; once more if the host is just restarting."""
        for turn in range(_PATIENCE):
            bench.twin.await_up()
            run = bench.start()
            if self.released is not None:
                run.until(self.released)
                bench.after(5.0, lambda: fault.mend(bench))
            code = run.finish()
            assert_no_bug(run, code)
            restarting = code == ExitCode.UNREACHABLE and self.way is RESTART
            if not restarting or turn == _PATIENCE - 1:
                return run, code
        raise AssertionError


def ended_clearly(run: Run, code: int, wanted: Ending, words: tuple[str, ...] = ()) -> str:
    """The run ended by itself: well, or with a clear error. Return how."""
    assert_no_bug(run, code)
    if code == wanted.code:
        return "got through by itself"
    failures = run.named("failure")
    assert failures, f"exit {code} without a failure\n{run.tail()}"
    for failure in failures:
        assert failure["what"], failure
        assert failure["fix"], failure
    said = " ".join(
        f"{failure['what']} {failure['fix']} {failure['details']}" for failure in failures
    )
    assert not words or any(word in said for word in words), said
    return f"exit {code}"


def assert_no_bug(run: Run, code: int) -> None:
    errors = run.errors()
    assert "Traceback" not in errors, errors
    assert code not in _NEVER, f"exit {code}\n{run.tail()}\n{errors}"
    assert run.seen[-1]["event"] == "finished", f"exit {code}\n{run.tail()}\n{errors}"
    assert run.seen[-1]["exit_code"] == code


def await_held(bench: Bench, run: Run) -> None:
    deadline = time.monotonic() + _HELD_LIMIT
    while not breaking.held(bench):
        assert run.process.poll() is None, f"it ended\n{run.errors()}"
        assert time.monotonic() < deadline, f"nothing was installed\n{run.tail()}"
        time.sleep(0.05)
