"""A host that exists only in a test: it plays a measurement from a script."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from kubert_tui.base.errors import CancelledError, MeasurementError, UnreachableError
from kubert_tui.hosts.interface import Completed, Invocation
from kubert_tui.latency.launch import script

BOOT = "11111111-2222-3333-4444-555555555555"
RUN = "/runs/one"

Line = dict[str, object]
"""One line of a sampler."""
Act = Callable[["PlayedHost", Invocation], Completed]


class PlayedHost:
    """`samplers` say what each sampler that is started does; after the last cyclictest ends."""

    name = "played"
    is_local = True

    def __init__(self, *, stdout: bytes = b"", stderr: bytes = b"", status: str = "0") -> None:
        self.files: dict[str, bytes] = {}
        self.stage = "absent"
        self.boot = BOOT
        self.cancelled = False
        self.starts: list[tuple[str, ...]] = []
        self.systemd = False
        self.samplers: Iterator[Act] = iter(())
        self.looks = 0
        self._stdout, self._stderr, self._status = stdout, stderr, status

    def begin(self) -> None:
        """cyclictest starts."""
        self.stage = "running"

    def end(self) -> None:
        """cyclictest ends and leaves its outputs."""
        self.stage = "ended"
        self.files[f"{RUN}/stdout"] = self._stdout
        self.files[f"{RUN}/stderr"] = self._stderr

    def run(self, invocation: Invocation) -> Completed:
        argv = tuple(invocation.argv)
        if argv[:2] == ("sh", "-c"):
            return self._script(argv)
        if argv[0] == "python3":
            act = next(self.samplers, None)
            if act is not None:
                return act(self, invocation)
            if self.stage == "running":
                self.end()
            return Completed(argv, 0)
        if argv[0] == "systemd-run":
            return self._start(argv) if self.systemd else Completed(argv, 1)
        if argv[:2] == ("setsid", "--fork"):
            return self._start(argv)
        if argv == ("pwd",):
            return Completed(argv, 0, b"/home/me\n")
        if argv[0] == "test":
            return Completed(argv, 0 if argv[2] in self.files else 1)
        raise AssertionError(f"an unexpected command: {argv}")

    def put(self, data: bytes | Path, path: str, *, mode: int = 0o600, sudo: bool = False) -> None:
        assert isinstance(data, bytes)
        self.files[path] = data

    def get(self, path: str, *, sudo: bool = False) -> bytes:
        if path not in self.files:
            raise MeasurementError(f"no {path}")
        return self.files[path]

    def close(self) -> None:
        """Nothing to close."""

    def _start(self, argv: tuple[str, ...]) -> Completed:
        self.starts.append(argv)
        self.begin()
        return Completed(argv, 0)

    def _script(self, argv: tuple[str, ...]) -> Completed:
        if argv[2] == script("probe.sh"):
            self.looks += 1
            return Completed(argv, 0, self._state().encode())
        if argv[2] == script("stop.sh"):
            self.cancelled = True
            self.end()
        return Completed(argv, 0)

    def _state(self) -> str:
        if self.stage in ("absent", "prepared"):
            return f"{self.stage}\n"
        lines = ["launched", f"boot {self.boot}", f"process 4711 99 1000.5 {BOOT}"]
        if self.cancelled:
            lines.append("cancelled")
        if self.stage == "running":
            lines.append("alive")
        elif self._status:
            lines.append(f"exit {self._status} 1001.5")
        return "\n".join(lines) + "\n"


def says(*lines: Line, then: int = 0) -> Act:
    """A sampler that writes `lines` and ends with status `then`."""

    def act(host: PlayedHost, invocation: Invocation) -> Completed:
        assert invocation.on_stdout is not None
        for line in lines:
            invocation.on_stdout(json.dumps(line).encode() + b"\n")
        return Completed(tuple(invocation.argv), then)

    return act


def waits(host: PlayedHost, invocation: Invocation) -> Completed:
    """A sampler that never says a word."""
    assert invocation.cancel is not None
    assert invocation.cancel.wait(30)
    raise CancelledError("the command was cancelled")


def breaks(host: PlayedHost, invocation: Invocation) -> Completed:
    """The connection is lost."""
    raise UnreachableError("the connection was lost", host=host.name)


def sample(number: int, *threads: tuple[int, int, list[int]], overflows: int = 0) -> Line:
    """A sample line; a thread is (cycles, maximum, gap-coded changes)."""
    return {
        "type": "sample",
        "seq": number,
        "elapsed": number / 4,
        "load": [0.5, 0.25, 0.125],
        "threads": [
            [cycles, 1, maximum, cycles, overflows, changes] for cycles, maximum, changes in threads
        ],
    }
