"""Errors of threads that nobody waits for (a library's, when a connection is closed under it).

They never decide anything: our own threads hand their errors to the engine. Shown, they would
only frighten; so they go to a file of ours.
"""

import os
import threading
import time
import traceback

from kubert_tui.base import paths
from kubert_tui.base.secrets import redactor


def keep_out_of_sight() -> None:
    """Write what threads of libraries die of to `stray.log` in the state directory."""
    threading.excepthook = _write


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
