"""A short measurement that runs by itself on a host: its directory, start, state, output.

`job.sh` says which files there are. What it changes in the kernel's tracing it takes back itself;
what one that was killed left behind is taken back by the next look at it.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from kubert_tui.base.errors import MeasurementError
from kubert_tui.base.text import clean, clean_line, last_lines
from kubert_tui.hosts.interface import Invocation
from kubert_tui.latency.counters import Happened, told
from kubert_tui.latency.launch import script
from kubert_tui.latency.place import Place

OUTPUT_LIMIT = 4 * 1024 * 1024
"""Characters of an output that are read."""
_STATE = re.compile(r"(absent|prepared|starting|killed)|(running|ended) ([0-9]{1,6})")
_OURS = ("job.sh", "hwlat.sh", "timerlat.sh")
_SHARED = ("undo.sh", "counters.sh")


class JobStage(StrEnum):
    """How far a job is."""

    ABSENT = "absent"
    PREPARED = "prepared"
    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"
    KILLED = "killed"
    """It is gone without having ended: killed, or the host was started anew."""


@dataclass(frozen=True, slots=True)
class JobState:
    """What one look at a job told."""

    stage: JobStage
    seconds: int = 0
    """How long it has been running."""
    exit_status: int | None = None


@dataclass(frozen=True, slots=True)
class JobOutput:
    """What a job left behind."""

    text: str
    """Cleaned."""
    complaint: str
    """The last thing it complained of; may be empty."""
    happened: Happened
    """What firmware and hardware did meanwhile."""


class Job(Place):
    """One job on one host. Methods raise UnreachableError when the connection is lost."""

    def begin(self, command: tuple[str, ...], *, systemd: bool) -> None:
        """Start it: `command` is one of our scripts and its arguments. It is started once."""
        made = self._shell('umask 077; mkdir -p -- "$1"', self.directory)
        self._demand(made, f"the directory {self.directory} cannot be made")
        for name in _OURS:
            self._put(name, _script(name))
        for name in _SHARED:
            self._put(name, script(name))
        self._put("command.json", json.dumps(command))
        argv = ("sh", self.path("job.sh"), self.directory, *command)
        self._detach(argv, f"kubert-{self.identity}", systemd=systemd)

    def is_of(self, command: tuple[str, ...]) -> bool:
        """Whether what is there was begun with `command`."""
        try:
            return bool(json.loads(self._get("command.json")) == list(command))
        except ValueError:
            return False

    def look(self, *, stop: bool = False) -> JobState:
        """Tell how it stands; with `stop`, ask it to end."""
        done = self._shell(_script("look.sh"), self.directory, *(["stop"] if stop else []))
        self._demand(done, "how the measurement stands cannot be read")
        text = done.stdout.decode("utf-8", errors="replace").strip()
        if not (found := _STATE.fullmatch(text)):
            raise self.error("the host gave no sensible state", details=clean_line(text))
        if found[1]:
            return JobState(JobStage(found[1]))
        number = int(found[3])
        if found[2] == JobStage.RUNNING:
            return JobState(JobStage.RUNNING, seconds=number)
        return JobState(JobStage.ENDED, exit_status=number)

    def output(self) -> JobOutput:
        """Fetch what it printed."""
        text = self._get("out").decode("utf-8", errors="replace")
        if len(text) > OUTPUT_LIMIT:
            raise self.error("its output is too large")
        return JobOutput(
            text=clean(text),
            complaint=clean_line(last_lines(self._get("err")[-4000:], 1)),
            happened=told(self._get("counters.before"), self._get("counters.after")),
        )

    def forget(self) -> None:
        """Remove it from the host. One that runs is not touched: MeasurementError."""
        if self.look().stage is JobStage.RUNNING:
            raise self.error("the measurement still runs there", fix="wait for it, or cancel it")
        done = self.host.run(Invocation(("rm", "-rf", "--", self.directory), sudo=True))
        if not done.ok:
            details = last_lines(done.stderr)
            raise MeasurementError(
                f"{self.directory} cannot be removed", host=self.host.name, details=details
            )


def _script(name: str) -> str:
    return files("kubert_tui.causes").joinpath(name).read_text(encoding="utf-8")
