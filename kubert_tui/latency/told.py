"""The sampler of a cyclictest with `--verbose`: samples out of what `streamer.py` adds up.

Runs on the host, in the place of `sampler.py`, and writes the same. cyclictest's memory is left
alone, and need not be readable.
"""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from kubert_tui.latency import sampler
from kubert_tui.latency.recorder import gaps, ungapped
from kubert_tui.latency.sampler import BlindError, GoneError, Memory, Process

PATIENCE = 10.0  # seconds until every thread has told something
DIRECTORY = Path(sys.argv[0]).parent


class Told(Memory):
    """The figures as they are added up in the directory of the run."""

    def __init__(self, process: Process, buckets: int, expected: int) -> None:
        """Wait until every thread has told something; BlindError if none does."""
        del buckets  # those that are not empty are told
        self.path = DIRECTORY / "live" / "last"
        self.layout = "verbose"
        self.counts: list[dict[int, int]] = [{} for _ in range(expected)]
        self.number = -1
        self.helper = revive()
        deadline = time.monotonic() + PATIENCE
        while not self._begun():
            if not process.alive():
                raise GoneError
            if time.monotonic() > deadline:
                if len(process.measuring()) != expected:
                    break  # the caller sees that
                raise BlindError("what cyclictest tells is not added up on the host")
            time.sleep(sampler.PERIOD / 5)
        tids = process.measuring()
        if len(tids) < expected and self._begun():
            # Every thread has told something: cyclictest is through, not on too few CPUs.
            raise GoneError
        self.cpus = [process.cpus_of(tid) for tid in tids]

    def _begun(self) -> bool:
        told = self._read()
        return told is not None and all(figures[0] for figures in told["threads"])

    def _read(self) -> "dict[str, Any] | None":
        try:
            told = json.loads(self.path.read_text())
            return told if len(told["threads"]) == len(self.counts) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def take(self) -> "tuple[float, list[list[object]]] | None":
        """As of memory. SystemExit when samples were lost: another sampler begins anew."""
        if self.helper is not None:
            self.helper.poll()  # or its end would be remembered as long as we live
        told = self._read()
        if told is None or told["seq"] == self.number:
            return None
        self.number = told["seq"]
        return told["elapsed"], list(map(self._added, self.counts, told["threads"]))

    @staticmethod
    def _added(known: "dict[int, int]", figures: "list[Any]") -> "list[object]":
        now = ungapped(figures[5])
        if any(now.get(us, 0) < count for us, count in known.items()):
            raise SystemExit("what was added up is lost")
        new = [(us, count - known.get(us, 0)) for us, count in sorted(now.items())]
        known.update(now)
        return [*figures[:5], gaps([(us, count) for us, count in new if count])]


def revive() -> "subprocess.Popen[bytes] | None":
    """Start one that adds up, in case it was killed together with all that would start it again.

    Where one is at work already, the new one ends at once.
    """
    nothing = subprocess.DEVNULL
    with contextlib.suppress(OSError):
        return subprocess.Popen(
            [sys.executable, "-I", "stream.pyz", "revived"],
            cwd=str(DIRECTORY),
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            start_new_session=True,
        )
    return None


def main() -> int:
    """Run; returns the exit status."""
    return sampler.main(sys.argv[1:], Told)
