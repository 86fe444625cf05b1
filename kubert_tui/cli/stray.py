"""What nobody expected: a bug of ours, and errors of threads that nobody waits for.

The latter (a library's, when a connection is closed under it) never decide anything: our own
threads hand their errors to the engine. Shown, they would only frighten; so they go to a file of
ours. Nothing of either holds a secret: no local variables, no core dumps.
"""

import os
import resource
import sys
import threading
import time
import traceback

from kubert_tui.base import paths
from kubert_tui.base.bug import bug_line, bug_report
from kubert_tui.base.errors import ExitCode
from kubert_tui.base.secrets import redactor


def keep_out_of_sight() -> None:
    """Write what threads of libraries die of to `stray.log` in the state directory."""
    threading.excepthook = _write


def no_core_dumps() -> None:
    """See to it that no crash of ours writes our memory, and with it passwords, to disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def tell_of_bug(error: Exception) -> int:
    """Say in a line that we failed and where the traceback lies; return the exit code."""
    text = bug_report(error)
    where = "`kubert-tui` could not even write a report"
    try:
        path = paths.state() / f"bug-{time.strftime('%Y%m%d-%H%M%S')}.txt"
        paths.write_private(path, text)
        where = f"please report it with {path}"
    except OSError:
        sys.stderr.write(text)
    print(f"kubert-tui: {bug_line(error)} ({where})", file=sys.stderr)
    return int(ExitCode.INTERNAL)


def _write(told: threading.ExceptHookArgs) -> None:
    text = "".join(traceback.format_exception(told.exc_type, told.exc_value, told.exc_traceback))
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    try:
        path = paths.state() / "stray.log"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{stamp} {redactor.redact(text)}\n")
    except OSError:
        return
