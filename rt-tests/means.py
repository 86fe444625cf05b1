"""What getting and building works with: programs, downloads, progress, cancel."""

from dataclasses import dataclass, field
from threading import Event as Flag

from kubert_tui.rt_tests.downloads import Download, download
from kubert_tui.rt_tests.processes import OnLine, Run, run


@dataclass(frozen=True, slots=True)
class Means:
    """Handed down to every place a source may come from; tests script `run` and `download`."""

    on_line: OnLine
    cancel: Flag
    run: Run = field(default=run)
    download: Download = field(default=download)
