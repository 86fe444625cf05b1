"""What earlier sessions of a run left behind, read back from its journal."""

import re
import secrets
import shlex
import time
from calendar import timegm
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubert_tui.base.errors import BusyError, ExitCode
from kubert_tui.base.paths import runs
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.engine.journal import FILE_NAME, read
from kubert_tui.events.model import StageState
from kubert_tui.lab.cpus import CpusSpec
from kubert_tui.lab.model import Lab

_END_OF_TIME = 2.0**35
"""Seconds since the epoch (the year 3058): beyond, calendars give up at some point."""

_STAMP = "%Y%m%d-%H%M%S"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a stage measured on a host: by which commands, on which boot."""

    commands: frozenset[str]
    """Empty when that is not known."""
    boot_id: str


@dataclass(slots=True)
class Past:
    """The state of a run so far. A new run has an empty past."""

    run: str
    lab: str = ""
    lab_file: str = ""
    started: float = 0.0
    dry_run: bool = False
    exit_code: int | None = None
    """Of the last `finished`; None when the last session never got there."""
    states: dict[str, StageState] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)
    attempts: dict[str, int] = field(default_factory=dict)
    """Per host: measurements of this run that ended, well or not; `hwlat HOST` for instruments."""
    measured: dict[tuple[str, str], Kept] = field(default_factory=dict)
    """By stage and host: its newest measurement, if that is stored."""
    measuring: dict[str, str] = field(default_factory=dict)
    """By host: the command of a measurement that was begun and has not ended for us."""
    ordered: dict[str, frozenset[str]] = field(default_factory=dict)
    """By host: the commands of its newest measurement: cyclictest's, and its load's."""
    inexact: dict[str, str] = field(default_factory=dict)
    """By host: why its newest measurement that ended was not exact; empty if it was."""
    blind: dict[str, str] = field(default_factory=dict)
    """By host: why the newest measurement has no live figures."""
    restarted: dict[tuple[str, str], str] = field(default_factory=dict)
    """By stage and host: the boot id it was restarted from in this run."""
    plans: dict[str, CpuPlan] = field(default_factory=dict)
    """By host: the CPU plan that was decided on in this run."""
    boots: dict[str, str] = field(default_factory=dict)
    """By host: the boot id last seen."""

    @property
    def open(self) -> bool:
        """Whether starting again should go on with this run."""
        under_way = self.measuring or StageState.RUNNING in self.states.values()
        return not self.dry_run and (self.exit_code != ExitCode.OK or bool(under_way))

    def took(self, event: str, host: str, entry: dict[str, Any]) -> None:
        """Remember what an event about a host means for the sessions to come."""
        stage = str(entry.get("stage", ""))
        match event:
            case "facts-gathered":
                boot = entry["facts"]["kernel"]["boot_id"]
                self.boots[host] = str(boot.get("value", ""))
            case "cpu-plan-made":
                lists = {key: str(entry[key]) for key in ("housekeeping", "isolated")}
                if (plan := CpusSpec(**lists).plan) is not None:
                    self.plans[host] = plan
            case "restarting":
                self.restarted[stage, host] = str(entry["boot_id"])
            case "latency-started":
                self.measured.pop((stage, host), None)
                ordered = (entry["command"], entry.get("load", ()))
                commands = [shlex.join(map(str, argv)) for argv in ordered]
                self.measuring[host] = commands[0]
                self.ordered[host] = frozenset(commands) - {""}
                if not entry.get("live", True):
                    self.blind[host] = f"no live figures: {entry.get('reason', '')}"
                elif not entry.get("attached"):
                    self.blind.pop(host, None)
            case "latency-stored":
                self.measuring.pop(host, None)
                self.results.append(str(entry["path"]))
                # A step of a density run is not the whole of it.
                if not entry.get("interrupted") and entry.get("applications") is None:
                    ours = self.ordered.pop(host, frozenset())
                    self.measured[stage, host] = Kept(ours, self.boots.get(host, ""))
                self.attempts[host] = self.attempts.get(host, 0) + 1
                unseen = entry.get("unseen")
                told = f"lossy: {unseen} samples were not seen live" if unseen else ""
                if not entry.get("exact"):
                    told = "live and final figures did not agree"
                self.inexact[host] = str(entry.get("interrupted") or self.blind.get(host) or told)
            case "cause-stored":
                key = f"{entry['instrument']} {host}"
                self.attempts[key] = self.attempts.get(key, 0) + 1
            case "causes-measured" | "cluster-proved" | "density-measured":
                ours = frozenset(map(str, entry.get("commands", ())))
                self.measured[stage, host] = Kept(ours, self.boots.get(host, ""))
            case "measurement-ended":
                self.inexact[host] = str(entry["reason"])
                self.measuring.pop(host, None)
                self.attempts[host] = self.attempts.get(host, 0) + 1


def new_run(lab: str) -> str:
    """Return a fresh run id, sortable by time: `20261123-221130-local-3f9a`.

    It sorts after all there are, also after this computer's clock was set back: what is resumed
    is the newest run.
    """
    stamp = time.strftime(_STAMP, time.gmtime())
    newest = max((path.name[:15] for path in runs().iterdir()), default="")
    if stamp <= newest:
        with suppress(ValueError):
            stamp = time.strftime(_STAMP, time.gmtime(timegm(time.strptime(newest, _STAMP)) + 1))
    return f"{stamp}-{_part_of_id(lab)}-{secrets.token_hex(2)}"


def _part_of_id(lab: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "-", lab)[:32]


def read_past(run: str) -> Past:
    """Read the journal of a run; an unknown run has an empty past."""
    past = Past(run)
    for entry in read(runs() / run / FILE_NAME):
        try:
            _take(past, entry)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            # Not what we write: somebody edited it, or another version did. The rest still counts.
            continue
    return past


def _take(past: Past, entry: dict[str, Any]) -> None:
    stage, host = str(entry.get("stage", "")), str(entry.get("host", ""))
    match entry["event"]:
        case "run-started":
            past.started = past.started or moment(entry["time"])
            past.lab = str(entry["lab"])
            past.lab_file = str(entry.get("lab_file", ""))
            past.dry_run = bool(entry.get("dry_run"))
            past.exit_code = None
        case "stage-finished":
            past.states[stage] = _state(entry["state"])
        case "finished":
            past.exit_code = int(entry["exit_code"])
        case event:
            past.took(event, host, entry)
            if event == "latency-started":
                # Whoever told so may be gone: the measurement goes on by itself.
                past.states[stage] = StageState.RUNNING
            elif past.states.get(stage) is StageState.RUNNING and not past.measuring:
                del past.states[stage]


def moment(value: object) -> float:
    """Return a time of the journal, in seconds since the epoch; ValueError if it is none."""
    seconds = float(str(value))
    if not 0 <= seconds < _END_OF_TIME:
        raise ValueError(f"{seconds} is no time")
    return seconds


def all_runs() -> Iterator[Past]:
    """Yield every run on this computer, newest first."""
    yield from map(read_past, _ids())


def _ids(pattern: str = "*") -> list[str]:
    found = runs().glob(f"{pattern}/{FILE_NAME}")
    return sorted((file.parent.name for file in found), reverse=True)


def _runs_of(lab: str, lab_file: str) -> Iterator[Past]:
    """Yield this lab's runs, newest first; a dry run is none."""
    for run in _ids(f"*-{_part_of_id(lab)}-????"):
        past = read_past(run)
        if past.lab == lab and past.lab_file == lab_file and not past.dry_run:
            yield past


def open_run(lab: str, lab_file: str) -> Past | None:
    """Return the newest run of this lab if it was not finished, else None."""
    newest = next(_runs_of(lab, lab_file), None)
    return newest if newest and newest.open else None


def decided_plans(lab: str, lab_file: str) -> dict[str, CpuPlan]:
    """Return the CPU plans, by host, that the newest run of this lab that has any decided on."""
    return next((past.plans for past in _runs_of(lab, lab_file) if past.plans), {})


def planned(lab: Lab, plans: Mapping[str, CpuPlan]) -> Lab:
    """Return the lab with the CPU plans of hosts for which its file has none.

    What the file says counts more: it may have been edited since.
    """
    unplanned = {host.name for host in lab.hosts if host.cpus.plan is None}
    missing = {host: plan for host, plan in plans.items() if host in unplanned}
    return lab.with_plans(missing) if missing else lab


def refuse_to_orphan(past: Past) -> None:
    """Raise BusyError while a measurement of an unfinished run goes on."""
    if past.measuring:
        raise BusyError(
            f"run {past.run} still measures on {', '.join(past.measuring)}",
            fix="start without --fresh to attach to it; cancel it in the wizard to be rid of it",
        )


def run_directory(run: str) -> Path:
    """Return where a run keeps its journal, logs and results."""
    return runs() / run


def _state(value: object) -> StageState:
    try:
        return StageState(str(value))
    except ValueError:
        return StageState.FAILED
