"""QEMU's control socket: one command, one answer. The monitor takes one client at a time."""

import json
import os
import socket
import time
from collections.abc import Mapping
from io import BufferedRWPair
from pathlib import Path
from typing import Any

from kubert_tui.base.errors import KubertError
from kubert_tui.base.text import clean_line

_LIMIT = 30.0
"""Seconds: QEMU may have to wait for the disk, and is one of many processes here."""


def connect(path: Path, limit: float = _LIMIT) -> socket.socket:
    """Connect to the Unix socket `path`, however long that path is; OSError if nobody listens."""
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    directory = -1
    try:
        stream.settimeout(limit)
        # Socket addresses end at 107 bytes; the way through the directory's descriptor is short.
        directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        stream.connect(f"/proc/self/fd/{directory}/{path.name}")
    except BaseException:
        stream.close()
        raise
    finally:
        if directory >= 0:
            os.close(directory)
    return stream


def execute(path: Path, command: str, **arguments: object) -> Any:
    """Have the QEMU that listens at `path` execute `command`; return what it answers.

    OSError if it does not listen (any more) or does not answer in time, KubertError if it refuses.
    """
    deadline = time.monotonic() + _LIMIT
    with connect(path, _LIMIT) as stream, stream.makefile("rwb") as lines:
        _answer(lines, deadline)
        _order(lines, deadline, "qmp_capabilities", {})
        return _order(lines, deadline, command, arguments)


def _order(
    lines: BufferedRWPair, deadline: float, command: str, arguments: Mapping[str, object]
) -> Any:
    order = {"execute": command, "arguments": arguments}
    lines.write(json.dumps(order).encode() + b"\n")
    lines.flush()
    return _answer(lines, deadline)


def _answer(lines: BufferedRWPair, deadline: float) -> Any:
    """Return the next answer (or the greeting), past events that come in between."""
    while time.monotonic() < deadline:
        line = lines.readline()
        if not line:
            raise ConnectionError("QEMU closed its control socket")
        told = json.loads(line)
        if "error" in told:
            reason = clean_line(str(told["error"].get("desc", "")))
            raise KubertError(f"QEMU refused: {reason}")
        if "return" in told or "QMP" in told:
            return told.get("return")
    raise TimeoutError("QEMU does not answer on its control socket")
