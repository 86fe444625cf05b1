"""A bug of ours, kept for a report and told like every other failure."""

from pathlib import Path

from kubert_tui.base import paths
from kubert_tui.base.bug import bug_line, bug_report
from kubert_tui.base.errors import ExitCode
from kubert_tui.events.model import Failure


def bug_failure(error: Exception, directory: Path) -> Failure:
    """Write the traceback, without secrets, to the run's `bug.txt`; return what is told of it."""
    log = directory / "bug.txt"
    try:
        paths.write_private(log, bug_report(error))
    except OSError:
        log = paths.state()
    return Failure(
        what=bug_line(error),
        fix=f"please report it with {log}; the run can be started again",
        log=str(log),
        exit_code=int(ExitCode.INTERNAL),
    )
