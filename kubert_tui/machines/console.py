"""What a machine says on its serial console, as it comes."""

import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Event as Flag

import libvirt

from kubert_tui.machines.calls import told
from kubert_tui.machines.hypervisor import Hypervisor

_CHUNK = 4096
_TURN = 0.1
"""Seconds between two looks when there is nothing to read."""
_NOTHING_YET = -2


def console(hypervisor: Hypervisor, name: str, stop: Flag) -> Iterator[bytes]:
    """Yield what the machine `name` says (raw: to be cleaned), until `stop` or until it is off.

    Whoever read its console before is cut off: libvirt lets one read. An empty piece comes with
    each turn in which nothing was said, so that callers can look at other things, too.
    """
    with told(hypervisor.host, f"opening the console of {name}"):
        stream = hypervisor.connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
        domain = hypervisor.connection.lookupByName(name)
        domain.openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
    try:
        while not stop.is_set():
            try:
                data = stream.recv(_CHUNK)
            except libvirt.libvirtError:
                return  # the machine went off, or somebody else took the console
            if data == _NOTHING_YET:
                yield b""
                stop.wait(_TURN)
            elif data:
                yield data
            else:
                return
    finally:
        with suppress(libvirt.libvirtError):
            stream.abort()


def wait_for_words(
    hypervisor: Hypervisor, name: str, words: bytes, *, limit: float, stop: Flag | None = None
) -> bytes:
    """Return what the console said up to `words`; all it said if they did not come in `limit` s."""
    heard = b""
    deadline = time.monotonic() + limit
    for piece in console(hypervisor, name, stop or Flag()):
        heard += piece
        if words in heard or time.monotonic() > deadline:
            break
    return heard
