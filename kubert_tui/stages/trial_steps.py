"""What the trial of a kernel needs next on a host, decided by its facts alone."""

from enum import Enum, auto

from kubert_tui.checks.judging import realtime_running
from kubert_tui.checks.trial import Standing, standing
from kubert_tui.facts.model import Facts


class Step(Enum):
    """What comes next. A stage may begin at any of these: it was killed, or the host was."""

    TRY = auto()
    """Install the kernel (what is installed stays), arm its trial, restart."""
    ADOPT = auto()
    """The PREEMPT_RT kernel runs: it has proved itself. Make it the default, without a restart."""
    REPORT = auto()
    """The trial is over and failed: say so, with what its boot left, and clear it away."""


def next_step(facts: Facts) -> Step:
    """Return what a host whose goals are not met needs next. Pure."""
    if standing(facts) in (Standing.CAME_BACK, Standing.NOT_REALTIME):
        return Step.REPORT
    return Step.ADOPT if realtime_running(facts.kernel.realtime) else Step.TRY
