"""What is going on, and the next obvious step, in a few words."""

from kubert_tui.events.model import StageState
from kubert_tui.screens.run_state import FINISHED_STATES
from kubert_tui.screens.run_view import RunView
from kubert_tui.screens.transfer_text import transfers_line
from kubert_tui.screens.waiting_text import waits_line
from kubert_tui.stages.model import Stage

_AFTER = {
    StageState.WOULD_CHANGE: "A dry run changes nothing: n next stage",
    StageState.NOT_ALLOWED: "The lab file does not allow it: n next stage",
    StageState.NEEDS_YOU: "Follow the guide (g), then press a",
    StageState.DECLINED: "Press a to review it again",
    StageState.CANCELLED: "Press a to start it again",
    StageState.FAILED: "Press e to see what went wrong",
    StageState.RUNNING: "It goes on over there: press a to attach",
}


def activity(view: RunView, now: float) -> str:
    """Return what is going on, one line. `now` is in seconds since the epoch."""
    if view.finished is not None:
        return "The run has ended"
    if view.cancelling:
        return "Cancelling: what runs on the hosts is being ended"
    if view.running:
        number = position(view, view.running)
        what = view.activity
        if view.waits:
            what = waits_line(view.waits.values(), now)
        elif view.transfers:
            what = transfers_line(view.transfers.values())
        return f"{number} {what}" if number else what
    if view.queued:
        return "Starting"
    return view.activity or "Ready"


def next_step(view: RunView, selected: Stage) -> str:
    """Return the one thing a user would most likely do now."""
    if view.questions:
        return "Answer the question"
    if view.finished is not None:
        return "Press q to leave"
    if view.cancelling:
        return "Please wait"
    if view.running:
        return _while_running(view)
    if selected.id in view.queued:
        return "Please wait"
    return _when_idle(view, selected)


def position(view: RunView, identity: str) -> int:
    """Return the number of a stage in the rail, from 1; 0 if there is no such stage."""
    for number, stage in enumerate(view.stages, start=1):
        if stage.id == identity:
            return number
    return 0


def _while_running(view: RunView) -> str:
    if view.measuring:
        return "Press m to watch it live"
    if view.waits:
        return "Press c to stop waiting"
    return "Press l for its output, c to cancel"


def _when_idle(view: RunView, selected: Stage) -> str:
    state = view.state(selected.id)
    if state in FINISHED_STATES:
        return _when_finished(view, selected)
    if state is not StageState.PENDING:
        return _AFTER[state]
    if lacks := selected.lacks(view.lab):
        last = view.stages[-1].lacks(view.lab) == lacks
        return f"The lab names no {lacks}: press {'q to leave' if last else 'n for the next'}"
    if selected.measures:
        return "Press a to review and measure"
    if selected.decision is not None:
        return "Press a to see it and decide"
    if selected.change is None:
        return "Press a to inspect"
    return "Press a to review and apply"


def _when_finished(view: RunView, selected: Stage) -> str:
    if any(started.stage == selected.id for started in view.measurements.values()):
        return "Measured: press m for the histogram"
    if selected.decision is not None:
        return "Press a to see or change it, n for the next"
    later = view.stages[position(view, selected.id) :]
    if all(stage.lacks(view.lab) for stage in later):
        return "Nothing to do here: press q to leave"
    return "Nothing to do here: press n for the next"
