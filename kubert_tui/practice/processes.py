"""Programs that a practice lab runs here, and how all of a lab's are found again: by a mark.

The mark is a variable in their environment, which children inherit: it holds from the moment a
program runs, needs nothing written down, and so survives a crash of ours at any point.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from kubert_tui.base.errors import KubertError
from kubert_tui.base.text import last_lines
from kubert_tui.practice.pace import Pace
from kubert_tui.practice.tools import SBIN

VARIABLE = "KUBERT_TUI_PRACTICE"
_POLL = 0.2
_LOOKS, _MOMENT = 200, 0.005
"""How often, and after how many seconds, a process is looked at that is becoming a program."""
_DEATH = 60.0
"""Seconds that processes get to be gone after SIGKILL."""


def environment(mark: str) -> dict[str, str]:
    """Our environment with the mark, all programs within reach, their messages in English."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *SBIN))
    return {**os.environ, VARIABLE: mark, "PATH": path, "LC_ALL": "C.UTF-8"}


def run(
    argv: Sequence[str],
    *,
    mark: str,
    stdin: str = "",
    check: bool = True,
    timeout: float = 120.0,
) -> str:
    """Run a short program to its end; return its standard output.

    KubertError with its last words if its status is not 0 (and `check`), or if it is not there.
    """
    try:
        done = subprocess.run(
            list(argv),
            input=stdin.encode(),
            capture_output=True,
            env=environment(mark),
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failure(argv, str(error)) from None
    if check and done.returncode:
        raise _failure(argv, done.stderr + b"\n" + done.stdout, done.returncode)
    return done.stdout.decode(errors="replace")


def run_long(
    argv: Sequence[str],
    *,
    mark: str,
    log: Path,
    pace: Pace,
    watch: Callable[[], None] | None = None,
) -> None:
    """Run a program that takes a while, its output appended to `log`; ends it when cancelled.

    `watch` is called a few times a second, to read from the log how far it is.
    """
    with log.open("ab") as output:
        start = output.tell()
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(mark),
            start_new_session=True,
        )
    try:
        while process.poll() is None:
            pace.tick()
            if watch is not None:
                watch()
            try:
                process.wait(_POLL)
            except subprocess.TimeoutExpired:
                continue
    except BaseException:
        kill_marked(mark)
        process.wait()
        raise
    if process.returncode:
        with log.open("rb") as output:
            output.seek(start)
            raise _failure(argv, output.read(), process.returncode)


def start(argv: Sequence[str], *, mark: str, log: Path) -> None:
    """Start a program that outlives us and our terminal, its output appended to `log`."""
    with log.open("ab") as output:
        # setsid forks, so that the program is init's to bury, not ours.
        subprocess.run(
            ["setsid", "--fork", *argv],  # noqa: S607
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(mark),
            cwd="/",
            check=True,
        )


def marked(*marks: str) -> list[int]:
    """Return the processes whose mark is one of `marks` or begins with one and a slash."""
    found = []
    for process in _all():
        mark = _environment_of(process).get(VARIABLE)
        if mark is not None and any(mark == one or mark.startswith(f"{one}/") for one in marks):
            found.append(process)
    return found


def kill_marked(*marks: str) -> None:
    """End the marked processes at once, and wait until they are gone."""
    kill_until_gone(lambda: marked(*marks))


def kill_until_gone(find: Callable[[], Iterable[int]]) -> None:
    """SIGKILL what `find` returns, again and again, until it returns nothing."""
    deadline = time.monotonic() + _DEATH
    while processes := set(find()) - {os.getpid()}:
        for process in processes:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            names = ", ".join(map(str, sorted(processes)))
            raise KubertError(f"processes of the practice lab do not end: {names}")
        time.sleep(0.02)


def in_network(namespace: Path) -> list[int]:
    """Return the processes in the network namespace that is mounted at `namespace`."""
    try:
        wanted = namespace.stat()
    except OSError:
        return []
    found = []
    for process in _all():
        try:
            theirs = Path(f"/proc/{process}/ns/net").stat()
        except OSError:
            continue
        if (theirs.st_dev, theirs.st_ino) == (wanted.st_dev, wanted.st_ino):
            found.append(process)
    return found


def uses(directory: Path) -> bool:
    """Whether any process has a file below `directory` open."""
    start = f"{directory.resolve()}/"
    for process in _all():
        with suppress(OSError):
            for descriptor in Path(f"/proc/{process}/fd").iterdir():
                with suppress(OSError):
                    if str(descriptor.readlink()).startswith(start):
                        return True
    return False


def _all() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _environment_of(process: int) -> Mapping[str, str]:
    place = Path("/proc", str(process))
    try:
        data = (place / "environ").read_bytes()
        for _ in range(_LOOKS):
            if data or not _between_programs(place):
                break
            time.sleep(_MOMENT)
            data = (place / "environ").read_bytes()
        # What became one between two looks has its variables now.
        data = data or (place / "environ").read_bytes()
    except OSError:
        return {}
    pairs = (entry.partition(b"=") for entry in data.split(b"\0"))
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs if name}


def _between_programs(place: Path) -> bool:
    """Whether a process is just becoming another program: its variables cannot be seen then."""
    try:
        (place / "exe").readlink()  # a thread of the kernel has none
        return not (place / "cmdline").read_bytes()
    except OSError:
        return False


def _failure(argv: Sequence[str], told: str | bytes, status: int | None = None) -> KubertError:
    return KubertError(
        f"{Path(argv[0]).name} failed",
        command=argv,
        details=last_lines(told),
        exit_status=status,
    )
