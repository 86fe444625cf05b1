"""Run one program here, in its own process group: lines out as they come, cancel ends it all."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from time import monotonic
from typing import Protocol

from kubert_tui.base.errors import CancelledError, KubertError, ToolMissingError
from kubert_tui.base.text import clean

OnLine = Callable[[str], None]

_POLL = 0.1
"""Seconds between looks at the cancel flag."""
_GRACE = 3.0
"""Seconds a process group has between SIGTERM and SIGKILL."""


class Run(Protocol):
    """How programs are run; tests pass a scripted one."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
        on_line: OnLine | None = None,
        cancel: Flag | None = None,
        timeout: float = 120.0,
    ) -> tuple[int, str]:
        """Return (exit status, both outputs together, cleaned)."""


def run(
    argv: Sequence[str],
    *,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    on_line: OnLine | None = None,
    cancel: Flag | None = None,
    timeout: float = 120.0,
) -> tuple[int, str]:
    """Run `argv` to its end; stderr is folded into stdout, `environment` is added to ours.

    Raises ToolMissingError if there is no such program, CancelledError if `cancel` was set,
    KubertError after `timeout` seconds. In both latter cases the whole group has ended.
    """
    if cancel is not None and cancel.is_set():
        raise CancelledError("cancelled", command=argv)
    try:
        process = subprocess.Popen(
            list(argv),
            cwd=directory,
            env={**os.environ, "LC_ALL": "C", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise ToolMissingError(f"{argv[0]} is not installed", command=argv) from error
    lines: list[str] = []
    reader = Thread(target=_read, args=(process, lines, on_line), daemon=True)
    reader.start()
    deadline = monotonic() + timeout
    try:
        while (status := _wait(process)) is None:
            if cancel is not None and cancel.is_set():
                raise CancelledError("cancelled", command=argv)
            if monotonic() > deadline:
                raise KubertError(f"{argv[0]} took longer than {timeout:.0f} s", command=argv)
    except BaseException:
        _end(process)
        raise
    finally:
        reader.join(_GRACE)
    return status, "\n".join(lines)


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(_POLL)
    except subprocess.TimeoutExpired:
        return None


def _read(process: subprocess.Popen[bytes], lines: list[str], on_line: OnLine | None) -> None:
    assert process.stdout is not None  # noqa: S101  we asked for a pipe
    for raw in process.stdout:
        line = clean(raw.rstrip(b"\r\n"))
        lines.append(line)
        if on_line is not None:
            on_line(line)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_GRACE)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    process.wait()
