"""A bug of ours, kept for a report and told like every other failure."""

import traceback
from pathlib import Path

from kubert_tui.base import paths
from kubert_tui.base.errors import ExitCode
from kubert_tui.base.secrets import redactor
from kubert_tui.base.text import clean_line
from kubert_tui.events.model import Failure


def bug_failure(error: Exception, directory: Path) -> Failure:
    """Write the traceback, without secrets, to the run's `bug.txt`; return what is told of it."""
    log = directory / "bug.txt"
    text = redactor.redact("".join(traceback.format_exception(error)))
    try:
        paths.write_private(log, text)
    except OSError:
        log = paths.state()
    # Redacted before it is quoted: a secret quoted twice would not be known again.
    told = clean_line(f"{type(error).__name__}: {redactor.redact(str(error))}")
    return Failure(
        what=f"a bug in kubert-tui: {told}",
        fix=f"please report it with {log}; the run can be started again",
        log=str(log),
        exit_code=int(ExitCode.INTERNAL),
    )
