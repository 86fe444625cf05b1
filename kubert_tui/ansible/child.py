"""`python -m kubert_tui.ansible.child`: one Ansible run in a process of its own.

ansible-runner forks, prints and installs signal handlers, so it stays out of the process
with the threads and the terminal. One order comes on stdin (see `protocol`), messages go out
on stdout. The end of stdin, as well as SIGTERM, cancels the run: without its parent it ends.
"""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Literal

from kubert_tui.ansible.agent import key_agent
from kubert_tui.ansible.protocol import (
    EndMessage,
    ErrorMessage,
    LinesMessage,
    Message,
    Order,
    decode_order,
    encode_message,
)
from kubert_tui.ansible.results import stats_message, task_message
from kubert_tui.ansible.settings import PROGRAMS, agent_socket, control_directory, environment
from kubert_tui.ansible.workspace import end_processes
from kubert_tui.base.errors import AuthenticationError, KubertError, ToolMissingError
from kubert_tui.base.secrets import redactor
from kubert_tui.base.text import clean_line

_STDIN = 0
_UUID = re.compile(r"[0-9A-Za-z_-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Run:
    """One order being carried out."""

    def __init__(self, order: Order, output: int) -> None:
        self._order = order
        self._output = output
        self._cancelled = threading.Event()
        self._events = Path(order.directory, "artifacts", "run", "job_events")

    def send(self, message: Message) -> None:
        """Write one message to the parent; a parent that is gone cancels the run."""
        data = encode_message(message)
        try:
            while data:
                data = data[os.write(self._output, data) :]
        except OSError:
            self._cancelled.set()

    def cancel(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Ask the run to end (a signal handler, too)."""
        self._cancelled.set()

    def carry_out(self) -> None:
        """Run the playbook and send everything about it, an `end` last. Raises KubertError."""
        order = self._order
        for secret in (order.login, order.sudo):
            # They are typed at a prompt, where control characters edit the line.
            if secret is not None and _CONTROL.search(secret):
                raise AuthenticationError("a password with control characters cannot be typed")
        values = environment(order)
        with key_agent(agent_socket(Path(order.directory)), order.passphrases, values):
            try:
                status, exit_status = self._run_ansible(values)
            except BaseException:
                end_processes(Path(order.directory))
                raise
            if status in ("canceled", "timeout"):
                # Runner killed ansible-playbook alone: its workers have sessions of their own.
                end_processes(Path(order.directory))
            self._close_masters(values)
        self.send(EndMessage(kind="end", status=status, exit_status=exit_status))

    def _run_ansible(self, values: Mapping[str, str]) -> tuple[str, int]:
        try:
            from ansible_runner.config.runner import RunnerConfig  # noqa: PLC0415
            from ansible_runner.runner import Runner  # noqa: PLC0415
        except ImportError as error:
            raise ToolMissingError(
                f"ansible-runner cannot be loaded: {clean_line(str(error))}",
                fix="install kubert-tui again",
            ) from error
        if not shutil.which("ansible-playbook", path=values["PATH"]):
            raise ToolMissingError(
                f"ansible-playbook is neither in {PROGRAMS} nor in PATH",
                fix="install kubert-tui again, it brings ansible-core",
            )
        directory = self._prepare()
        os.environ.clear()  # runner adds its own environment to what it is given
        os.environ.update(values)
        config = RunnerConfig(
            private_data_dir=str(directory),
            ident="run",
            playbook=self._order.playbook,
            inventory=str(directory / "inventory.yml"),
            cmdline=self._options(),
            passwords=self._passwords(),
            envvars=dict(values),
            fact_cache_type="memory",
            suppress_env_files=True,
            quiet=True,
        )
        config.prepare()
        runner = Runner(
            config,
            cancel_callback=self._is_cancelled,
            # `_handle` looks at them: only Ansible's own callback can have written one.
            remove_partials=False,
            event_handler=self._handle,
        )
        status, exit_status = runner.run()
        return str(status), int(exit_status if exit_status is not None else 254)

    def _prepare(self) -> Path:
        directory = Path(self._order.directory)
        for name in ("cp", "env", "home", "tmp"):
            (directory / name).mkdir(mode=0o700)
        (directory / "ansible.cfg").write_text("")
        (directory / "inventory.yml").write_text(self._order.inventory)
        # Without this file runner drops the settings it is given: cancelling in 1 s, and
        # no copy of the output on disk.
        settings = {"pexpect_timeout": 1, "suppress_output_file": True}
        (directory / "env" / "settings").write_text(json.dumps(settings))
        return directory

    def _options(self) -> str | None:
        options = ["--check", "--diff"] if self._order.check else []
        if self._order.login is not None:
            options.append("--ask-pass")
        if self._order.sudo is not None:
            options.append("--ask-become-pass")
        return " ".join(options) or None

    def _passwords(self) -> dict[str, str]:
        passwords = {}
        if self._order.login is not None:
            passwords[r"^SSH password:\s*?$"] = self._order.login
        if self._order.sudo is not None:
            passwords[r"^BECOME password(\[defaults to SSH password\])?:\s*?$"] = self._order.sudo
        return passwords

    def _is_cancelled(self) -> bool:
        readable, _, _ = select.select([_STDIN], [], [], 0)
        if readable and not os.read(_STDIN, 4096):
            self._cancelled.set()
        return self._cancelled.is_set()

    def _handle(self, event: Mapping[str, object]) -> bool:
        """Pass on one event; False keeps runner from writing it to disk. Must not raise."""
        try:
            text = event.get("stdout")
            if isinstance(text, str) and text:
                self.send(LinesMessage(kind="lines", lines=text.splitlines()))
            genuine = self._genuine(event)
            for message in (task_message(genuine), stats_message(genuine)):
                if message:
                    self.send(message)
        except Exception as error:  # runner would hang on it
            line = f"kubert-tui could not read an Ansible event: {type(error).__name__}"
            self.send(LinesMessage(kind="lines", lines=[line]))
        return False

    def _genuine(self, event: Mapping[str, object]) -> Mapping[str, object]:
        """Return what Ansible's callback itself wrote of this event; empty if it wrote none.

        Events arrive as escape sequences in the output, where a host's text (a diff) could
        imitate them. Their content lies in a file that only the callback can have written.
        """
        identity = event.get("uuid")
        if not isinstance(identity, str) or not _UUID.fullmatch(identity):
            return {}
        file = self._events / f"{identity}-partial.json"
        try:
            content = json.loads(file.read_text())
            file.unlink()
        except FileNotFoundError:
            return {}
        return content if isinstance(content, dict) else {}

    def _close_masters(self, values: Mapping[str, str]) -> None:
        for socket in control_directory(self._order).iterdir():
            with suppress(OSError, subprocess.SubprocessError):
                subprocess.run(
                    ["ssh", "-O", "exit", "-S", str(socket), "-F", "none", "host"],  # noqa: S607
                    env=dict(values),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=5,
                    check=False,
                )


def main() -> int:
    """Carry out the order on stdin; 0 if Ansible ran at all, whatever came of it."""
    # What anybody prints goes to stderr: stdout is for messages.
    output = os.dup(1)
    os.dup2(2, 1)
    try:
        order = decode_order(_first_line())
    except ValueError:
        sys.stderr.write("kubert_tui.ansible.child: expects one order on stdin\n")
        return 2
    for secret in (order.login, order.sudo, *order.passphrases.values()):
        redactor.learn(secret or "")
    run = Run(order, output)
    signal.signal(signal.SIGTERM, run.cancel)
    signal.signal(signal.SIGINT, run.cancel)
    signal.signal(signal.SIGHUP, run.cancel)
    try:
        run.carry_out()
    except KubertError as error:
        run.send(_error(error))
        return 1
    except Exception as error:  # the parent is told, whatever it is
        text = redactor.redact(clean_line(str(error)))
        run.send(_error(KubertError(f"ansible-runner failed: {type(error).__name__}: {text}")))
        return 1
    finally:
        shutil.rmtree(order.directory, ignore_errors=True)
    return 0


def _first_line() -> bytes:
    # Unbuffered: what follows (the end of stdin) is for `_is_cancelled` to see.
    data = b""
    while not data.endswith(b"\n") and (more := os.read(_STDIN, 65536)):
        data += more
    return data


def _error(error: KubertError) -> ErrorMessage:
    reason: Literal["tool-missing", "authentication", "internal"] = "internal"
    if isinstance(error, ToolMissingError):
        reason = "tool-missing"
    elif isinstance(error, AuthenticationError):
        reason = "authentication"
    return ErrorMessage(kind="error", reason=reason, what=error.what, fix=error.fix)


if __name__ == "__main__":
    sys.exit(main())
