"""What came of the cases of one session, in a file: the table is printed from it."""

import json
import os
import platform
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kubert_tui import __version__

VARIABLE = "KUBERT_FAULTS_OUTCOMES"
"""Names the directory that such files are written to."""


@dataclass(frozen=True)
class Outcome:
    """One case, once."""

    name: str
    fault: str
    way: str
    stage: str
    at: str
    detail: str
    times: int
    how: str
    """In a few words how it went: `killed, re-run`, `got through by itself`."""
    trouble: str
    """Empty: recovered, and all as after an uninterrupted run."""
    seconds: float


@dataclass(frozen=True)
class Session:
    """All cases of one session, and where it ran."""

    selected: int
    """Cases that were to be carried out."""
    known: int
    """Cases that there are."""
    date: str = field(default_factory=lambda: time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))
    kernel: str = field(default_factory=platform.release)
    processors: int = field(default_factory=lambda: os.cpu_count() or 0)
    version: str = __version__
    outcomes: tuple[Outcome, ...] = ()

    @property
    def profile(self) -> str:
        """Whether all cases were selected, or which part of them."""
        if self.selected == self.known:
            return "long"
        return f"a part: {self.selected} of {self.known} cases"


class Record:
    """Writes a session down as it goes."""

    def __init__(self, session: Session) -> None:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        self.path = directory() / f"{stamp}-{os.getpid()}.jsonl"
        self._append({key: value for key, value in asdict(session).items() if key != "outcomes"})

    def add(self, outcome: Outcome) -> None:
        """Add what came of one more case."""
        self._append(asdict(outcome))

    def _append(self, entry: Mapping[str, object]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(entry) + "\n")


def directory() -> Path:
    """Where sessions are written to."""
    default = Path(tempfile.gettempdir()) / f"kubert-faults-{os.geteuid()}"
    path = Path(os.environ.get(VARIABLE) or default)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def newest() -> Path:
    """The file of the last session."""
    return max(directory().glob("*.jsonl"))


def read(path: Path) -> Session:
    """Read a session back."""
    head, *rest = (json.loads(line) for line in path.read_text().splitlines())
    return Session(**head, outcomes=tuple(Outcome(**entry) for entry in rest))
