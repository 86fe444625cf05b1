"""What a failed trial left: read by a script with programs of ours, cleaned, bounded."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

from kubert_tui.base.errors import CancelledError, KubertError, UnreachableError
from kubert_tui.facts.model import Trial
from kubert_tui.hosts.interface import Completed, Invocation
from kubert_tui.stages.trial_evidence import evidence

TRIAL = Trial("6.1.0-28-rt-amd64", "boot", unconfirmed=False)
JOURNAL = """\
case "$*" in
    *--boot=-2*--lines=all*) echo 'kernel: Command line: ro kubert.trial=6.1.0-28-rt-amd64' ;;
    *--boot=-2*) seq 30; printf 'Kernel panic \\033[31m- not syncing\\n' ;;
    *) echo 'kernel: Command line: ro quiet kubert.trial=6.1.0-2' ;;
esac
"""


@dataclass
class Here:
    """A host that is this machine, with programs of ours before its own."""

    programs: Path
    error: KubertError | None = None

    def run(self, invocation: Invocation) -> Completed:
        if self.error:
            raise self.error
        assert invocation.sudo
        done = subprocess.run(
            [*invocation.argv],
            input=invocation.stdin,
            env={"PATH": f"{self.programs}:{os.environ['PATH']}"},
            capture_output=True,
            check=True,
            timeout=60,
        )
        return Completed(tuple(invocation.argv), 0, done.stdout)


class Lent:
    def __init__(self, host: Here) -> None:
        self.cancel = Flag()
        self.there = host

    def host(self, name: str) -> Here:
        return self.there


def left(programs: Path, journal: str = "exit 1", error: KubertError | None = None) -> str:
    journalctl = programs / "journalctl"
    journalctl.write_text(f"#!/bin/sh\n{journal}\n")
    journalctl.chmod(0o755)
    work: Any = Lent(Here(programs, error))
    return evidence(work, "bull1", TRIAL)


def test_the_boot_that_was_the_trial_is_found_and_its_last_messages_shown(tmp_path: Path) -> None:
    lines = left(tmp_path, JOURNAL).splitlines()
    assert lines[0] == "last kernel messages of its boot (journalctl --dmesg --boot=-2):"
    assert lines[-1] == "Kernel panic - not syncing"
    assert len(lines) <= 60


def test_a_boot_that_the_journal_does_not_know_is_said_to_be_missing(tmp_path: Path) -> None:
    assert "the journal kept nothing of its boot" in left(tmp_path)
    assert "the journal kept nothing" in left(tmp_path, "echo kubert.trial=6.1.0-2")


def test_what_cannot_be_read_is_no_second_failure(tmp_path: Path) -> None:
    said = left(tmp_path, error=UnreachableError("the connection was lost"))
    assert said == "What its boot left could not be read: the connection was lost"
    with pytest.raises(CancelledError):
        left(tmp_path, error=CancelledError("cancelled"))
