"""What the Ansible lab tests share: running a fixture playbook and watching it."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from kubert_tui.ansible.request import HostSecrets, PlaybookOutcome, PlaybookRequest, TaskResult
from kubert_tui.ansible.run import run_playbook
from kubert_tui.lab.model import HostSpec, Lab

PLAYBOOKS = Path(__file__).parents[1] / "fixtures" / "playbooks"
LIMIT = 120.0
HERE = HostSpec(name="here", connection="local", sudo="no")


@dataclass
class Watched:
    """One run and everything it told."""

    request: PlaybookRequest
    tasks: list[TaskResult] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    cancel: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    """Set when any task has ended."""

    def run(self) -> PlaybookOutcome:
        return run_playbook(
            self.request,
            lab=Lab(hosts=self.request.hosts),
            on_task=self._on_task,
            on_lines=self.lines.extend,
            cancel=self.cancel,
        )

    def start(self) -> "Future[PlaybookOutcome]":
        """Run in a thread; returns at once."""
        pool = ThreadPoolExecutor(1)
        future = pool.submit(self.run)
        pool.shutdown(wait=False)
        return future

    def await_begin(self, future: "Future[PlaybookOutcome]") -> None:
        """Wait until a task of it has ended; if it ends before, tell how."""
        future.add_done_callback(lambda _: self.begun.set())
        assert self.begun.wait(LIMIT), self.lines
        assert self.tasks, (future.result(), self.lines)

    def _on_task(self, result: TaskResult) -> None:
        self.tasks.append(result)
        self.begun.set()

    def outcomes(self) -> dict[str, str]:
        return {result.task: result.outcome for result in self.tasks}


def request(
    playbook: str,
    *hosts: HostSpec,
    check: bool = False,
    log: Path | None = None,
    secrets: dict[str, HostSecrets] | None = None,
    jump_hosts: dict[str, HostSpec] | None = None,
    **variables: object,
) -> PlaybookRequest:
    """A request for a fixture playbook, with the same variables for every host."""
    return PlaybookRequest(
        playbook=str(PLAYBOOKS / playbook),
        hosts=hosts,
        variables={host.name: variables for host in hosts},
        check=check,
        log=log,
        secrets=secrets or {},
        jump_hosts=jump_hosts or {},
    )


def processes_in(runtime: Path) -> dict[int, tuple[bytes, bytes]]:
    """Return argv and environment of the processes of runs in that runtime directory."""
    name = str(runtime).encode()
    found = processes(lambda argv, environ: name in argv or name in environ)
    found.pop(os.getpid(), None)
    return found


def processes(wanted: Callable[[bytes, bytes], bool]) -> dict[int, tuple[bytes, bytes]]:
    """Return argv and environment of the processes that `wanted` picks."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            argv = (entry / "cmdline").read_bytes()
            environ = (entry / "environ").read_bytes()
        except OSError:
            continue
        if argv and wanted(argv, environ):
            found[int(entry.name)] = (argv, environ)
    return found
