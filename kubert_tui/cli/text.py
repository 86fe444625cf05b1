"""What `--auto` tells people: progress on stderr, results on stdout."""

import sys

from rich.console import Console
from rich.text import Text

from kubert_tui.base.errors import ExitCode
from kubert_tui.base.secrets import redactor
from kubert_tui.checks.finding import Finding, Level
from kubert_tui.cli.live import LiveHistograms
from kubert_tui.cli.words import LEVEL_STYLE, duration, state_text
from kubert_tui.events.measuring import (
    ApplicationsRunning,
    CauseStored,
    DensityMeasured,
    LatencySnapshot,
    LatencyStarted,
    LatencyStored,
    LoadChanged,
    LoadRefused,
)
from kubert_tui.events.model import (
    CommandStarted,
    ConsoleSaid,
    CpuPlanMade,
    Event,
    Failure,
    FindingMade,
    Finished,
    HostConnected,
    HostLocked,
    HostLockLost,
    Note,
    Output,
    PlanMade,
    Progress,
    RunStarted,
    StageFinished,
    StageStarted,
    StageState,
    TaskFinished,
    Waiting,
)
from kubert_tui.events.transfer import Transfer
from kubert_tui.events.words import density_lines, running_line, trace_lines

_PROGRESS_EVERY = 10.0
"""Seconds between two lines about what is on its way."""
_DETAILS = 20
"""Lines of a task's message or diff that are printed."""


def plain_console(*, stderr: bool) -> Console:
    """Return a console that takes no text for markup, emoji or links."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


class TextReport:
    """Prints events as they come; the latency histogram live where stderr is a terminal."""

    def __init__(self, *, verbose: bool = False) -> None:
        """`verbose`: what consoles of virtual machines say, too."""
        self._verbose = verbose
        self._progress = plain_console(stderr=True)
        self._results = plain_console(stderr=False)
        self._live = LiveHistograms(self._progress)
        self._titles: dict[str, str] = {}
        self._transfers: dict[str, Transfer] = {}
        self._told: dict[str, float] = {}
        self._guests: dict[str, str] = {}

    def show(self, event: Event) -> None:  # noqa: C901, PLR0912, PLR0915 - a branch per kind of event
        """Show one event."""
        match event:
            case LatencyStarted() | LatencySnapshot():
                self._live.show(event)
            case LatencyStored():
                self._stored(event)
            case LoadChanged() | LoadRefused():
                self._load(event)
            case CauseStored():
                self._say(event.host, f"{event.summary}; stored in {event.path}")
            case ApplicationsRunning():
                self._say(event.host, running_line(event), "bold")
            case DensityMeasured():
                for line in density_lines(event):
                    self._say(event.host, line)
            case RunStarted():
                again = "resuming run" if event.resumed else "run"
                self._line(f"{again} {event.run} on lab {event.lab}", "bold")
                self._guests = event.guests
                for name, host in event.guests.items():
                    self._say(name, f"a virtual machine on {host}", "dim")
            case StageStarted():
                self._titles[event.stage] = event.title
                self._line(f"\n▶ {event.title}", "bold cyan")
            case HostConnected() | HostLocked() | HostLockLost():
                self._host(event)
            case FindingMade() if event.finding.level is not Level.OK:
                self._finding(event.finding)
            case PlanMade():
                self._plan(event)
            case CpuPlanMade():
                self._cpu_plan(event)
            case CommandStarted():
                self._say(event.host, "$ " + " ".join(event.argv), "dim")
            case TaskFinished():
                style = "yellow" if event.outcome == "changed" else "dim"
                self._say(event.host, f"{event.outcome}: {event.task}", style)
                if event.outcome != "ok":
                    self._details(event.message)
                    self._details(event.diff)
            # Ansible's own output says what its tasks say, too; it is in the log and the journal.
            case Output() if event.stream != "ansible":
                self._line("\n".join(f"      {line}" for line in event.lines), "dim")
            case ConsoleSaid() if self._verbose:
                said = "\n".join(f"      {event.machine}| {line}" for line in event.lines)
                self._line(said, "dim")
            case Waiting():
                self._say(
                    event.host, f"waiting for {event.what} ({duration(event.elapsed)})", "dim"
                )
            case Progress():
                self._way(event)
            case Note():
                self._say(event.host, event.text)
            case Failure():
                self._live.stop()
                self._failure(event)
            case StageFinished():
                self._live.stop()
                text, style = state_text(event.state)
                self._line(f"  {text.split()[0]} {event.summary or event.state}", style)
            case Finished():
                self._live.stop()
                self._finished(event)

    def _finding(self, finding: Finding) -> None:
        told = f"{finding.level}: {finding.summary}"
        self._say(finding.host, told, LEVEL_STYLE[finding.level])
        if finding.fix:
            self._line(f"      → {finding.fix}", "dim")

    def _stored(self, event: LatencyStored) -> None:
        self._live.stop()
        self._say(event.host, f"stored {event.samples} samples in {event.path}")
        if event.interrupted:
            self._say(event.host, f"of a run that did not end: {event.interrupted}")
        for note in event.notes:
            self._say(event.host, f"note: {note}")
        for line in trace_lines(event):
            self._say(event.host, line, "dim")
        if event.verdict:
            style = "" if event.passed is None else "green" if event.passed else "bold red"
            self._say(event.host, event.verdict, style)
        for reason in event.reasons:
            if reason in event.verdict:
                continue  # a refusal's statement is its first reason
            self._say(event.host, f"  {reason}", "dim")

    def _load(self, event: LoadChanged | LoadRefused) -> None:
        if isinstance(event, LoadRefused):
            fix = f"; {event.fix}" if event.fix else ""
            self._say(event.host, f"no load {event.preset}: {event.what}{fix}", "yellow")
            return
        how = "begins" if event.on else f"ends ({event.reason or 'the run is over'})"
        at = duration(event.elapsed)
        self._say(event.host, f"load {event.preset} on CPUs {event.cpus} {how} at {at}", "dim")

    def _way(self, event: Progress) -> None:
        known = self._transfers.get(event.host)
        one = known.followed_by(event) if known else Transfer(event, event)
        self._transfers[event.host] = one
        begun, ended = one.first is event, event.done == event.total
        if begun or ended or event.time - self._told.get(event.host, 0.0) >= _PROGRESS_EVERY:
            self._told[event.host] = event.time
            left = "" if one.remaining is None else f", {duration(one.remaining)} left"
            self._say(event.host, f"{event.what}: {one.figures()}{'' if ended else left}", "dim")

    def _host(self, event: HostConnected | HostLocked | HostLockLost) -> None:
        match event:
            case HostConnected():
                who = f" as {event.user}" if event.user else ""
                self._say(event.host, f"connected: {event.address}{who}")
            case HostLocked() if event.broke:
                self._say(event.host, f"the lock of {event.broke} was broken", "yellow")
            case HostLockLost():
                who = event.holder or "somebody who has gone again"
                self._say(event.host, f"our lock was taken by {who}", "bold red")

    def _details(self, text: str) -> None:
        lines = text.splitlines()
        more = [f"... {len(lines) - _DETAILS} more lines"] if len(lines) > _DETAILS else []
        if lines:
            self._line("\n".join(f"      {line}" for line in (*lines[:_DETAILS], *more)), "dim")

    def _plan(self, event: PlanMade) -> None:
        for step in event.steps:
            self._say(step.host, f"plan: {step.title}", "dim")
            if step.command:
                self._line(f"      $ {step.command}", "dim")
        if event.missing:
            allowed = ", ".join(event.missing)
            self._line(f"  the lab file does not allow: {allowed}", "yellow")

    def _cpu_plan(self, event: CpuPlanMade) -> None:
        how = "as proposed" if event.proposed else "as chosen"
        words = f"housekeeping {event.housekeeping}, isolated {event.isolated or 'none'}"
        self._say(event.host, f"CPU plan {how}: {words}")
        kept = f"written into {event.path}"
        if not event.path:
            lists = f'{{housekeeping: "{event.housekeeping}", isolated: "{event.isolated}"}}'
            kept = f"for this run; to keep it, write into the lab file: cpus: {lists}"
        self._line(f"      {kept}", "dim")

    def _failure(self, event: Failure) -> None:
        self._say(event.host, f"failed: {event.what}", "bold red")
        if event.command:
            self._line(f"      $ {' '.join(event.command)}", "dim")
        if event.details:
            self._line("\n".join(f"      {line}" for line in event.details.splitlines()), "dim")
        if event.fix:
            self._line(f"      → {event.fix}")
        if event.log:
            self._line(f"      full log: {event.log}", "dim")

    def _finished(self, event: Finished) -> None:
        self._line("")
        for stage, state in event.states.items():
            if state is StageState.PENDING and event.exit_code == ExitCode.OK:
                continue  # nobody asked for it
            text, style = state_text(state)
            self._results.print(Text(f"{text:<16} {self._titles.get(stage, stage)}", style))
        for line in self._live.summaries():
            self._results.print(Text(line))
        for path in event.results:
            self._results.print(Text(f"result: {path}"))
        self._progress.print(Text(f"journal: {event.journal}", "dim"))

    def _say(self, host: str, text: str, style: str = "") -> None:
        # Machines stand to the right of hosts.
        name = f"└ {host}" if host in self._guests else host
        self._line(f"  {name}: {text}" if host else f"  {text}", style)

    def _line(self, text: str, style: str = "") -> None:
        self._progress.print(Text(redactor.redact(text), style))
        sys.stderr.flush()
