"""When this computer's own disk is what fails: told as that, not as a bug of ours."""

import errno

from kubert_tui.base.errors import KubertError
from kubert_tui.base.text import clean_line

_TROUBLES = {
    errno.ENOSPC: ("is full", "make room on it"),
    errno.EDQUOT: ("has no room left for this user (quota)", "make room, or raise the quota"),
    errno.EROFS: ("cannot be written: it is mounted read-only", "see in dmesg why, and mount it"),
    errno.EIO: ("cannot be read or written (I/O error)", "see dmesg"),
}


def own_disk_error(error: OSError) -> KubertError | None:
    """Return what to tell of an error of this computer's disk; None if it is about another matter.

    Whatever was under way can be started again: journal and results are whole up to there.
    """
    if error.errno not in _TROUBLES:
        return None
    trouble, fix = _TROUBLES[error.errno]
    place = clean_line(f" ({error.filename})") if error.filename else ""
    return KubertError(
        f"this computer's disk{place} {trouble}",
        fix=f"{fix}, then start again: the run goes on from here",
    )
