"""`kubert-tui --auto --json` as users run it: a process of its own, its lines as objects."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubert_tui.lab.model import HostSpec, Lab, Permission
from kubert_tui.lab.write import write_lab

Entry = dict[str, Any]


@dataclass
class Headless:
    """One process. Iterate its events while it runs, or `finish` it."""

    process: subprocess.Popen[str]
    seen: list[Entry] = field(default_factory=list)

    def events(self) -> Iterator[Entry]:
        """Yield events as they come."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            entry: Entry = json.loads(line)
            self.seen.append(entry)
            yield entry

    def until(self, event: str, **wanted: object) -> Entry:
        """Read on until an event of that name (and those values) comes."""
        for entry in self.events():
            if entry["event"] == event and wanted.items() <= entry.items():
                return entry
        raise AssertionError(f"no {event} {wanted}; stderr: {self.errors()}")

    def finish(self) -> int:
        """Read to the end; return the exit code."""
        for _ in self.events():
            pass
        return self.process.wait(60)

    def errors(self) -> str:
        """Return what it wrote on stderr."""
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def named(self, event: str) -> list[Entry]:
        """Return the events of one name seen so far."""
        return [entry for entry in self.seen if entry["event"] == event]


def auto(*arguments: str, lab: Path | None = None, **environment: str) -> Headless:
    """Start `kubert-tui --auto --json` with no terminal and no input."""
    return headless("--auto", *arguments, lab=lab, **environment)


def headless(*arguments: str, lab: Path | None = None, **environment: str) -> Headless:
    """Start any of its commands that has `--json` and `--lab` like that."""
    where = ("--lab", str(lab)) if lab else ()
    return Headless(
        subprocess.Popen(
            [sys.executable, "-m", "kubert_tui", *arguments, "--json", *where],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    )


def lab_file(directory: Path, *hosts: HostSpec, allow: frozenset[Permission] = frozenset()) -> Path:
    """Write a lab file with these hosts; return its path."""
    path = directory / "lab.yaml"
    write_lab(Lab(name="twins", hosts=hosts, allow=allow), path)
    return path
