"""The journal: every event of a run, one JSON object a line, append-only, private.

A journal may end in the middle of a line (power, `kill -9`, a full disk): readers leave such
a line out, and a writer that goes on with the file closes it first, so nothing else is lost.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

from kubert_tui.base.errors import KubertError
from kubert_tui.base.paths import private_directory
from kubert_tui.events.cluster import ClusterHeard, ClusterWatched
from kubert_tui.events.codec import encode
from kubert_tui.events.measuring import (
    LatencyPast,
    LatencySnapshot,
    LatencyStarted,
    LatencyStored,
    MeasurementEnded,
)
from kubert_tui.events.model import (
    Event,
    Finished,
    Progress,
    Restarting,
    RunStarted,
    StageFinished,
)
from kubert_tui.events.questions import Answered

FILE_NAME = "journal.jsonl"
SNAPSHOT_EVERY = 10.0
"""Seconds between two latency snapshots (or two of progress) of one host that are kept."""

_MUST_LAST = (
    RunStarted,
    StageFinished,
    Restarting,
    LatencyStarted,
    LatencyStored,
    MeasurementEnded,
    Answered,
    Finished,
)


class Journal:
    """Appends events to one file. Thread-safe."""

    def __init__(self, directory: Path) -> None:
        self.path = private_directory(directory) / FILE_NAME
        self._lock = Lock()
        self._kept: dict[str, float] = {}
        try:
            self._torn = self.path.exists() and _ends_torn(self.path)
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def append(self, event: Event) -> None:
        """Write one event. Raises KubertError when the disk does not take it."""
        with self._lock:
            if isinstance(event, LatencySnapshot | Progress) and not self._worth_keeping(event):
                return
            if isinstance(event, LatencyPast | ClusterWatched | ClusterHeard):
                # The snapshots of the session before are here, and the whole of it on the host;
                # how a cluster is from one moment to the next is for who watches it.
                return
            line = json.dumps(encode(event), ensure_ascii=False, separators=(",", ":"))
            whole = line.encode("utf-8", errors="replace") + b"\n"
            data = memoryview(b"\n" + whole if self._torn else whole)
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
                if isinstance(event, _MUST_LAST):
                    os.fsync(self._descriptor)
            except OSError as error:
                self._torn = True
                raise _cannot_write(self.path, error) from error
            self._torn = False

    def close(self) -> None:
        """Close the file. Idempotent."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def _worth_keeping(self, event: LatencySnapshot | Progress) -> bool:
        if isinstance(event, Progress):
            key, last_of_all = f"{event.host} {event.what}", event.done == event.total
        else:
            key, last_of_all = event.host, event.snapshot.final
        last = self._kept.get(key)
        if last is not None and not last_of_all and event.time - last < SNAPSHOT_EVERY:
            return False
        self._kept[key] = event.time
        return True


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a journal as JSON objects; lines that are not whole are left out."""
    try:
        with path.open("rb") as file:
            for line in file:
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(entry, dict) and isinstance(entry.get("event"), str):
                    yield entry
    except FileNotFoundError:
        return
    except OSError as error:
        raise KubertError(
            f"the journal {path} cannot be read: {error.strerror}",
            fix="check who owns the file, and the disk",
        ) from error


def _ends_torn(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _cannot_write(path: Path, error: OSError) -> KubertError:
    return KubertError(
        f"the journal {path} cannot be written: {error.strerror}",
        fix="make room on this computer's disk; the run goes on from here when started again",
    )
