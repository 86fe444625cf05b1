"""Events as lines of the log. Plain text: nothing here or later is parsed as markup."""

import re
import shlex
import time
from functools import singledispatch
from pathlib import Path

from kubert_tui.events.measuring import (
    ApplicationsRunning,
    CauseStored,
    DensityMeasured,
    LatencyStarted,
    LatencyStored,
    LoadChanged,
    LoadRefused,
    MeasurementEnded,
)
from kubert_tui.events.model import (
    CommandFinished,
    CommandStarted,
    ConsoleSaid,
    CpuPlanMade,
    Event,
    FactsGathered,
    Failure,
    FindingMade,
    Finished,
    HostConnected,
    HostLocked,
    HostLockLost,
    HostUnlocked,
    Note,
    OrderEnded,
    Output,
    PlanMade,
    RunStarted,
    StageFinished,
    StageStarted,
    TaskFinished,
)
from kubert_tui.events.questions import Answered, Question
from kubert_tui.events.words import density_lines, running_line, trace_lines
from kubert_tui.screens.load_text import change_line, refusal

_SUCCEEDED = 0

_REPEATED = re.compile(r"(ok|changed|skipping): \[[^\]]*\]")
"""What Ansible prints of a task that ended: our own line says it with host, task and time."""

_STARS = re.compile(r" \*{3,}$")
"""Ansible fills its headings up to the width of a terminal that is not there."""


def log_lines(event: Event) -> tuple[str, ...]:
    """Return the lines of one event: output as it is, anything else with its time of day."""
    lines = _lines(event)
    if isinstance(event, Output) and event.stream == "ansible":
        lines = tuple(_STARS.sub("", line) for line in lines if not _REPEATED.fullmatch(line))
    where = f"{event.host} | " if event.host else ""
    if isinstance(event, ConsoleSaid):
        return tuple(f"{event.machine} | {line}" for line in event.lines)
    if isinstance(event, Output):
        return tuple(f"{where}{line}" for line in lines)
    stamp = time.strftime("%H:%M:%S", time.localtime(event.time))
    return tuple(f"{stamp} {where}{line}" for line in lines)


@singledispatch
def _lines(event: Event) -> tuple[str, ...]:  # noqa: ARG001
    """Return nothing: events that only matter while they last (waiting, snapshots)."""
    return ()


@_lines.register
def _(event: RunStarted) -> tuple[str, ...]:
    how = "goes on" if event.resumed else "begins"
    return (f"run {event.run} of lab {event.lab} {how} (kubert-tui {event.version})",)


@_lines.register
def _(event: StageStarted) -> tuple[str, ...]:
    return (f"=== {event.title} ===",)


@_lines.register
def _(event: StageFinished) -> tuple[str, ...]:
    return (f"=== {event.summary or event.state} ===",)


@_lines.register
def _(event: HostConnected) -> tuple[str, ...]:
    return (f"connected to {event.address} as {event.user}",)


@_lines.register
def _(event: HostLocked) -> tuple[str, ...]:
    if event.broke:
        return (f"locked for us; the lock of {event.broke} was broken",)
    return ("still locked for us" if event.found else "locked for us",)


@_lines.register
def _(event: HostLockLost) -> tuple[str, ...]:
    return (f"our lock was taken by {event.holder or 'somebody who has gone again'}",)


@_lines.register
def _(event: HostUnlocked) -> tuple[str, ...]:  # noqa: ARG001
    return ("unlocked",)


@_lines.register
def _(event: FactsGathered) -> tuple[str, ...]:
    return (f"facts gathered in {event.seconds:.1f} s",)


@_lines.register
def _(event: FindingMade) -> tuple[str, ...]:
    return (f"[{event.finding.level}] {event.finding.summary}",)


@_lines.register
def _(event: PlanMade) -> tuple[str, ...]:
    missing = (f"not allowed by the lab file: {', '.join(event.missing)}",) if event.missing else ()
    return (*(f"plan for {step.host}: {step.title}" for step in event.steps), *missing)


@_lines.register
def _(event: CpuPlanMade) -> tuple[str, ...]:
    how = "as proposed" if event.proposed else "as chosen"
    where = f"written into {event.path}" if event.path else "for this run only"
    lists = f"housekeeping {event.housekeeping}, isolated {event.isolated or 'none'}"
    return (f"CPU plan {how}: {lists} ({where})",)


@_lines.register
def _(event: CommandStarted) -> tuple[str, ...]:
    return (f"$ {shlex.join(event.argv)}",)


@_lines.register
def _(event: CommandFinished) -> tuple[str, ...]:
    how = "ended" if event.exit_status == _SUCCEEDED else f"ended with {event.exit_status}"
    return (f"{how} after {event.seconds:.1f} s",)


@_lines.register
def _(event: TaskFinished) -> tuple[str, ...]:
    message = f": {event.message}" if event.message else ""
    return (f"{event.outcome}: {event.task}{message}", *event.diff.splitlines())


@_lines.register
def _(event: Output) -> tuple[str, ...]:
    return event.lines


@_lines.register
def _(event: OrderEnded) -> tuple[str, ...]:
    names = ", ".join(event.machines) or "all machines"
    why = f" ({event.summary})" if event.summary else ""
    looked = event.action == "list" and not why
    return () if looked else (f"{event.action} {names}: {event.state}{why}",)


@_lines.register
def _(event: Note) -> tuple[str, ...]:
    return (event.text,)


@_lines.register
def _(event: LatencyStarted) -> tuple[str, ...]:
    how = "found running, attached to" if event.attached else "started"
    return (f"cyclictest {event.version} {how}: {shlex.join(event.command)}",)


@_lines.register
def _(event: LoadChanged) -> tuple[str, ...]:
    return (change_line(event),)


@_lines.register
def _(event: LoadRefused) -> tuple[str, ...]:
    return (refusal(event),)


@_lines.register
def _(event: LatencyStored) -> tuple[str, ...]:
    result = f"{event.samples} samples, maximum {event.maximum} us, stored in {event.path}"
    interrupted = (f"of a run that did not end: {event.interrupted}",) if event.interrupted else ()
    verdict = (event.verdict, *event.reasons) if event.verdict else ()
    return (result, *interrupted, *event.notes, *trace_lines(event), *verdict)


@_lines.register
def _(event: CauseStored) -> tuple[str, ...]:
    return (f"{event.summary}; stored in {event.path}",)


@_lines.register
def _(event: ApplicationsRunning) -> tuple[str, ...]:
    return (running_line(event),)


@_lines.register
def _(event: DensityMeasured) -> tuple[str, ...]:
    return density_lines(event)


@_lines.register
def _(event: MeasurementEnded) -> tuple[str, ...]:
    return (f"the measurement ended without a result: {event.reason}",)


@_lines.register
def _(event: Failure) -> tuple[str, ...]:
    fix = (f"what to do: {event.fix}",) if event.fix else ()
    return (f"FAILED: {event.what}", *event.details.splitlines(), *fix)


@_lines.register
def _(event: Question) -> tuple[str, ...]:
    return (f"asked: {event.text}",)


@_lines.register
def _(event: Answered) -> tuple[str, ...]:
    reason = f" ({event.text})" if event.text else ""
    return (f"answered: {event.choice}{reason}",)


@_lines.register
def _(event: Finished) -> tuple[str, ...]:
    return (f"the run ended; its journal is {event.journal}",)


def short_path(path: Path) -> str:
    """Return a path with the home directory as ~."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
