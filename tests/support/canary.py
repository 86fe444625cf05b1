"""Passwords that must not be found anywhere, and the search for them.

Every canary begins and ends with the same word, made anew for each process; quotes, blanks,
dollars, braces, markup and letters beyond ASCII lie between. However a canary is quoted, escaped,
cleaned, folded or cut, the word is left as it is, or whole inside an encoding: that is searched.

`python -m tests.support.canary` watches the machine's processes for the word on its standard
input until that ends; `Watch` runs it.
"""

import base64
import io
import json
import os
import secrets
import stat
import string
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

import pexpect  # type: ignore[import-untyped]

WORD = "".join(secrets.choice(string.ascii_letters) for _ in range(16))
"""What every canary of this process begins and ends with."""
LARGEST = 64 << 20
"""Bytes: larger files (disk images) are none of ours."""

_MIDDLE = " \"q's  %41 $HOME `id` $(id) {{ 6*7 }} \\n\\ [red]<b>&é ö日;#"
_CHUNK = 4 << 20


def canary() -> str:
    """Return a password unlike all others."""
    return f"{WORD}{secrets.token_hex(2)}{_MIDDLE}{WORD}"


def needles(word: str = WORD) -> tuple[bytes, ...]:
    """Return what to search for: the word, in every encoding that would hide it."""
    raw = word.encode()
    found = [raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode()]
    found += [word.encode("utf-16-le"), word.encode("utf-16-be"), base64.b32encode(raw)[:24]]
    for lead in range(3):
        # What it looks like in the base64 of a longer text, wherever it begins in there.
        encoded = base64.b64encode(b"\0" * lead + raw)
        found.append(encoded[(0, 2, 3)[lead] : (len(raw) + lead) * 8 // 6])
    return tuple(found)


def found_in_bytes(content: bytes, wanted: Sequence[bytes] | None = None) -> str:
    """Return what stands around the first needle in `content`; empty if there is none."""
    for needle in wanted or needles():
        if (at := content.find(needle)) >= 0:
            return repr(content[max(0, at - 60) : at + len(needle) + 20])
    return ""


def found_below(*places: Path) -> list[str]:
    """Return every file below `places` that has a needle in its content, name or link."""
    return _found(file for place in places for file in _below(place))


def found_on_this_machine(since: Path) -> list[str]:
    """The same for every file of the machine's file systems that changed after file `since`."""
    find = ["find", "/", "/dev/shm", "-xdev", "-cnewer", str(since), "-print0"]
    listed = subprocess.run(find, capture_output=True, check=False, timeout=250).stdout
    return _found(Path(os.fsdecode(name)) for name in listed.split(b"\0") if name)


def _found(files: Iterable[Path]) -> list[str]:
    wanted = needles()
    return [f"{file}: {what}" for file in files if (what := _in_file(file, wanted))]


def _below(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        yield from (place,) if place.exists() else ()
        return
    for directory, names, files in os.walk(place):
        yield from (Path(directory, name) for name in (*names, *files))


def _in_file(file: Path, wanted: Sequence[bytes]) -> str:
    try:
        status = file.lstat()
        target = os.fsencode(file.readlink()) if stat.S_ISLNK(status.st_mode) else b""
        if named := found_in_bytes(os.fsencode(file) + b"\0" + target, wanted):
            return named
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            return ""
        with file.open("rb") as content:
            tail = b""
            while chunk := content.read(_CHUNK):
                if found := found_in_bytes(tail + chunk, wanted):
                    return found
                tail = chunk[-100:]
    except OSError:
        pass  # gone meanwhile
    return ""


class Typist:
    """A program on a terminal of its own, and somebody who types passwords when asked."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        output: Path | None = None,
        directory: Path | None = None,
        **environment: str,
    ) -> None:
        """With `output` its standard output goes to that file instead of the terminal."""
        shell = 'ulimit -c unlimited; exec "$@"' + (' >"$OUTPUT"' if output else "")
        self.transcript = io.BytesIO()
        """Everything that was to be seen on the terminal."""
        self.process = pexpect.spawn(
            "/bin/sh",
            ["-c", shell, "sh", *argv],
            env={**os.environ, "TERM": "xterm-256color", "OUTPUT": str(output)} | environment,
            cwd=directory,
            dimensions=(40, 120),
            timeout=120,
        )
        self.process.delaybeforesend = None
        self.process.logfile_read = self.transcript

    def type(self, prompt: str, secret: str) -> bool:
        """Wait for a prompt that begins like that, and for the echo to be off; then type.

        False if the program ended instead.
        """
        if self.process.expect([f"{prompt}[^\r\n]*: $", pexpect.EOF]):
            return False
        assert self.process.waitnoecho(30), "the password would be echoed"
        self.process.sendline(secret)
        return True

    def finish(self) -> int:
        """Read to the end; return the exit status (negative: the signal that ended it)."""
        self.process.expect(pexpect.EOF)
        self.process.close()
        if self.process.exitstatus is None:
            return -int(self.process.signalstatus)
        return int(self.process.exitstatus)


class Watch:
    """Looks at arguments and environment of every process, again and again, while inside."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.looks = 0
        """How often it looked at all processes."""
        self.found: list[str] = []
        """`PID FILE: ...` for each needle that was seen, once each."""

    def __enter__(self) -> "Watch":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.canary"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{WORD}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        told, _ = self._process.communicate(timeout=60)
        report = json.loads(told)
        self.looks, self.found = report["looks"], report["found"]


def _watch() -> None:
    wanted = needles(sys.stdin.readline().strip())
    os.set_blocking(0, False)
    found: dict[str, None] = {}
    looks = 0
    print("ready", flush=True)
    while not _ended():
        looks += 1
        for entry in os.scandir("/proc"):
            if not entry.name.isdigit():
                continue
            for name in ("cmdline", "environ"):
                try:
                    content = Path(entry.path, name).read_bytes()
                except OSError:
                    continue
                if told := found_in_bytes(content, wanted):
                    found[f"{entry.name} {name}: {told}"] = None
        time.sleep(0.003)
    print(json.dumps({"looks": looks, "found": list(found)}))


def _ended() -> bool:
    try:
        return os.read(0, 1) == b""
    except BlockingIOError:
        return False


if __name__ == "__main__":
    _watch()
