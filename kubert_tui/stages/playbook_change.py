"""A change that is a playbook: planned from its tasks, previewed in check mode, applied."""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from kubert_tui.ansible.groups import groups_of
from kubert_tui.ansible.playbooks import list_tasks, playbook_command
from kubert_tui.ansible.request import PlaybookOutcome, PlaybookRequest, TaskResult
from kubert_tui.ansible.run import run_playbook
from kubert_tui.base.errors import (
    AuthenticationError,
    CancelledError,
    ChangeError,
    KubertError,
    ToolMissingError,
)
from kubert_tui.base.text import clean_line
from kubert_tui.events.model import (
    CommandFinished,
    CommandStarted,
    Note,
    Output,
    PlannedStep,
    TaskFinished,
)
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.stages.model import Work

_KNOWN: tuple[tuple[re.Pattern[str], type[KubertError], str, str], ...] = (
    (
        # What a shell says when it is to start an interpreter that is not there.
        re.compile(r"/python[\d.]*: (command )?not found|/python[\d.]*: No such file"),
        ToolMissingError,
        "there is no python3, which Ansible works with",
        "Install the package python3 there, then start the stage again.",
    ),
    (
        re.compile(r"(Incorrect|Missing) sudo password"),
        AuthenticationError,
        "sudo did not take the password",
        "Start the stage again and give the password of the login itself, not root's.",
    ),
)
"""Failures that are no matter of the task: what they look like, and what to tell instead."""

Variables = Callable[[Lab, Facts], Mapping[str, object]]
Helpers = Callable[[Lab], Mapping[str, Mapping[str, object]]]


def no_helpers(_lab: Lab) -> Mapping[str, Mapping[str, object]]:
    """Return the helpers of a playbook that needs none."""
    return {}


def no_variables(_lab: Lab, _facts: Facts) -> Mapping[str, object]:
    """Return the variables of a playbook that needs none."""
    return {}


@dataclass(frozen=True, slots=True)
class PlaybookChange:
    """One of our playbooks as a stage's change. See `Change` for what the methods promise."""

    playbook: str
    """File name in playbooks/."""
    permissions: frozenset[Permission]
    confirm: str = ""
    variables: Variables = no_variables
    """The variables for one host. Pure, and never a secret."""
    previews: bool = True
    helpers: Helpers = no_helpers
    """Hosts of the lab that tasks are delegated to, and their variables; they get no tasks else."""

    def needs(self, lab: Lab, host: HostSpec) -> frozenset[Permission]:  # noqa: ARG002
        return self.permissions

    def plan(self, lab: Lab, facts: Facts) -> tuple[PlannedStep, ...]:
        host = facts.host
        request = PlaybookRequest(
            self.playbook,
            hosts=(lab.host(host),),
            jump_hosts={one.name: one for one in lab.everyone},
            variables={host: self.variables(lab, facts)},
        )
        command = shlex.join(playbook_command(request))
        given = request.variables[host]
        return (
            PlannedStep(host, f"Run the playbook {self.playbook}", command),
            *(
                PlannedStep(host, f"with {name} = {json.dumps(value)}")
                for name, value in sorted(given.items())
            ),
            *(
                PlannedStep(host, task.name, task.command)
                for task in list_tasks(self.playbook, family(facts), given, _ansible_facts(facts))
                if task.changes
            ),
        )

    def preview(self, work: Work, hosts: tuple[str, ...]) -> None:
        self._run(work, hosts, check=True)

    def apply(self, work: Work, hosts: tuple[str, ...]) -> None:
        outcome = self._run(work, hosts, check=False)
        for host in hosts:
            if outcome.changed.get(host, 0) == 0:
                work.emit(Note(host=host, text="Nothing was changed: all was as wanted already."))

    def _run(self, work: Work, hosts: tuple[str, ...], *, check: bool) -> PlaybookOutcome:
        lab = work.lab
        log = _free_path(work.directory, f"{work.stage}-{'preview' if check else 'apply'}")
        helpers = {name: given for name, given in self.helpers(lab).items() if name not in hosts}
        for name in helpers:
            work.host(name)  # whatever it asks for is asked now, and not by Ansible
        request = PlaybookRequest(
            self.playbook,
            hosts=tuple(lab.host(name) for name in (*hosts, *helpers)),
            jump_hosts={one.name: one for one in lab.everyone},
            variables={name: self.variables(lab, work.facts(name)) for name in hosts} | helpers,
            # Jump hosts of the lab need theirs, too.
            secrets={one.name: work.secrets(one.name) for one in lab.everyone},
            check=check,
            log=log,
        )
        # Also where who helps is one of these hosts: all have to be in one run of Ansible.
        if (together := self.helpers(lab)) and len(groups_of(request, lab)) > 1:
            raise ChangeError(
                f"{', '.join(together)} and the other nodes take different passwords",
                fix="Ansible gives one password to all nodes that work together: log in with keys, "
                "and let sudo ask for the same password everywhere, or for none.",
                host=", ".join(hosts),
            )
        failed: list[TaskResult] = []

        def on_task(result: TaskResult) -> None:
            if result.outcome in ("failed", "unreachable"):
                failed.append(result)
            work.emit(
                TaskFinished(
                    host=result.host,
                    task=result.task,
                    outcome=result.outcome,
                    message=result.message,
                    diff=result.diff,
                )
            )

        argv = tuple(playbook_command(request))
        where = hosts[0] if len(hosts) == 1 else ""
        work.emit(CommandStarted(host=where, argv=argv))
        started = monotonic()
        outcome = run_playbook(
            request,
            lab=lab,
            on_task=on_task,
            on_lines=lambda lines: work.emit(Output(lines=lines, stream="ansible")),
            cancel=work.cancel,
        )
        seconds = monotonic() - started
        work.emit(
            CommandFinished(host=where, argv=argv, exit_status=outcome.exit_status, seconds=seconds)
        )
        if work.cancel.is_set() or outcome.status == "canceled":
            raise CancelledError(
                f"{self.playbook} was cancelled",
                fix="Start the stage again: what is done already is not done twice.",
                command=argv,
            )
        if (
            outcome.exit_status != 0
            or outcome.status != "successful"
            or any(outcome.failures.values())
        ):
            raise _failure(self.playbook, outcome, failed, argv, log)
        return outcome


def family(facts: Facts) -> str:
    """Return `fedora`, `debian`, or `` when the distribution is unknown or neither."""
    distribution = facts.distribution
    return distribution.value.family if isinstance(distribution, Known) else ""


def _ansible_facts(facts: Facts) -> Mapping[str, object]:
    """Return what we know already of the facts that our playbooks decide by."""
    known: dict[str, object] = {}
    machine, init = facts.kernel.machine, facts.scheduling.init
    if isinstance(machine, Known):
        known["architecture"] = machine.value
    if isinstance(init, Known):
        known["service_mgr"] = init.value
    if isinstance(facts.distribution, Known):
        ubuntu = facts.distribution.value.id == "ubuntu"
        known["distribution"] = "Ubuntu" if ubuntu else facts.distribution.value.id.capitalize()
    return known


def _failure(
    playbook: str,
    outcome: PlaybookOutcome,
    failed: list[TaskResult],
    argv: tuple[str, ...],
    log: Path,
) -> KubertError:
    """Return the error that names the hosts, the tasks that failed there, and the log."""
    hosts = dict.fromkeys(
        [one.host for one in failed] + [host for host, count in outcome.failures.items() if count]
    )
    tasks = "; ".join(dict.fromkeys(_in_short(one) for one in failed))
    messages = [f"{one.host}: {one.task}: {one.message}" for one in failed if one.message]
    details = "\n".join(messages) or outcome.last_lines
    kind: type[KubertError] = ChangeError
    what = f"{playbook} failed" + (f": {tasks}" if tasks else f" (Ansible: {outcome.status})")
    fix = "Do what the task says and start the stage again; finished tasks change nothing."
    for pattern, known, reason, remedy in _KNOWN:
        if failed and all(pattern.search(one.message) for one in failed):
            kind, what, fix = known, f"{playbook} failed: {reason}", remedy
    return kind(
        what,
        fix=fix,
        host=", ".join(hosts),
        command=argv,
        details=details,
        exit_status=outcome.exit_status,
        log=str(log),
    )


def _in_short(failed: TaskResult) -> str:
    message = clean_line(failed.message, limit=300)
    return f"“{failed.task}” on {failed.host}" + (f": {message}" if message else "")


def _free_path(directory: Path, stem: str) -> Path:
    """Return a new empty file, so that a retry keeps the log before it, and each thread its own."""
    path = directory / f"{stem}.log"
    number = 2
    while True:
        try:
            path.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            path = directory / f"{stem}-{number}.log"
            number += 1
        else:
            return path
