"""One call that runs a playbook on some hosts, in a child process that holds ansible-runner."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import IO, cast

from kubert_tui.ansible.groups import Group, groups_of
from kubert_tui.ansible.inventory import inventory_yaml
from kubert_tui.ansible.playbooks import playbook_command, playbook_path
from kubert_tui.ansible.protocol import Order
from kubert_tui.ansible.reading import Reading, Report
from kubert_tui.ansible.request import OnLines, OnTask, PlaybookOutcome, PlaybookRequest
from kubert_tui.ansible.settings import agent_socket
from kubert_tui.ansible.workspace import workspace
from kubert_tui.base import paths
from kubert_tui.base.errors import KubertError
from kubert_tui.base.secrets import Secret
from kubert_tui.lab.model import Lab

_PATIENCE = 45.0
"""Seconds a cancelled child gets to clean up before it is killed."""
_CANCELED = PlaybookOutcome(254, "canceled", {}, {})
_WORST_FIRST = ("canceled", "timeout", "failed", "successful")


def run_playbook(
    request: PlaybookRequest, *, lab: Lab, on_task: OnTask, on_lines: OnLines, cancel: Event
) -> PlaybookOutcome:
    """Run the playbook on all hosts at once; return how it ended there, by Ansible's recap.

    Failed tasks and unreachable hosts are an outcome (`failed`, with `failures` per host), so
    is a cancelled run (`canceled`). The callbacks come from other threads, one at a time.
    Hosts whose passwords differ run in children of their own, side by side.

    Raises ChangeError when no recap that could be believed was given, ToolMissingError
    without Ansible, AuthenticationError for a passphrase that is wrong, UsageError for a lab
    that cannot be said in an inventory.
    """
    if cancel.is_set():
        return _CANCELED
    groups = groups_of(request, lab)
    report = Report(request.log, on_task, on_lines)
    try:
        with ThreadPoolExecutor(max(1, len(groups)), "ansible") as pool:
            runs = [pool.submit(_run_group, group, lab, report, cancel) for group in groups]
        return _together(runs)
    finally:
        report.close()


def _run_group(group: Group, lab: Lab, report: Report, cancel: Event) -> PlaybookOutcome:
    names = tuple(spec.name for spec in group.request.hosts)
    reading = Reading(names, playbook_command(group.request), report)
    known_hosts = paths.known_hosts()
    with workspace() as directory:
        order = Order(
            directory=str(directory),
            playbook=str(playbook_path(group.request.playbook)),
            inventory=inventory_yaml(
                group.request, known_hosts, lab=lab, agent_socket=str(agent_socket(directory))
            ),
            known_hosts=str(known_hosts),
            hosts=names,
            check=group.request.check,
            login=_bare(group.login),
            sudo=_bare(group.sudo),
            passphrases={file: one.reveal() for file, one in group.passphrases.items()},
        )
        returncode = _follow(order, reading, cancel)
    return reading.outcome(returncode, cancelled=cancel.is_set())


def _follow(order: Order, reading: Reading, cancel: Event) -> int:
    child = subprocess.Popen(
        # -P: nothing in the working directory can stand in for a module.
        [sys.executable, "-P", "-m", "kubert_tui.ansible.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # an interrupt at the terminal is for us to pass on
    )
    stdin, stdout, stderr = (
        cast("IO[bytes]", p) for p in (child.stdin, child.stdout, child.stderr)
    )
    ended = Event()
    helpers = [
        threading.Thread(target=_drain, args=(stderr, reading), daemon=True),
        threading.Thread(target=_pass_on, args=(child, cancel, ended), daemon=True),
    ]
    for helper in helpers:
        helper.start()
    try:
        with suppress(BrokenPipeError):
            # Stays open: its end tells the child that we are gone.
            stdin.write(order.encode())
            stdin.flush()
        for line in stdout:
            reading.take(line)
        return child.wait()
    finally:
        ended.set()
        if child.poll() is None:  # a callback raised
            stdout.close()  # a child that waits to be heard would not end
            _end(child)
        for helper in helpers:
            helper.join()
        for pipe in (stdin, stdout, stderr):
            with suppress(BrokenPipeError):
                pipe.close()


def _drain(stderr: IO[bytes], reading: Reading) -> None:
    for line in stderr:
        # Read to its end whatever happens: a child nobody listens to would not end. A log or
        # journal that cannot be written fails the run by the lines of its standard output.
        with suppress(OSError, KubertError):
            reading.lines([line.decode(errors="replace").rstrip("\n")])


def _pass_on(child: subprocess.Popen[bytes], cancel: Event, ended: Event) -> None:
    while not ended.wait(0.1):
        if cancel.is_set():
            child.terminate()
            if not ended.wait(_PATIENCE):
                child.kill()
            return


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _together(runs: Sequence[Future[PlaybookOutcome]]) -> PlaybookOutcome:
    outcomes = [run.result() for run in runs]
    if len(outcomes) == 1:
        return outcomes[0]
    worst = min(outcomes, key=lambda outcome: _WORST_FIRST.index(outcome.status))
    return PlaybookOutcome(
        exit_status=worst.exit_status or max(outcome.exit_status for outcome in outcomes),
        status=worst.status,
        changed={host: n for outcome in outcomes for host, n in outcome.changed.items()},
        failures={host: n for outcome in outcomes for host, n in outcome.failures.items()},
        last_lines="\n".join(
            outcome.last_lines for outcome in outcomes if outcome.status == worst.status
        ),
    )


def _bare(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None
