"""How a bug of ours is told: in a line, and in a report. Without secrets."""

import traceback

from kubert_tui.base.secrets import redactor
from kubert_tui.base.text import clean_line


def bug_report(error: BaseException | None) -> str:
    """Return the traceback."""
    return redactor.redact("".join(traceback.format_exception(error)))


def bug_line(error: BaseException) -> str:
    """Return what is said of it, on one line."""
    # Redacted before it is quoted: a secret quoted twice would not be known again.
    told = clean_line(f"{type(error).__name__}: {redactor.redact(str(error))}")
    return f"a bug in kubert-tui: {told}"
