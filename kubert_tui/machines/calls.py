"""Calling libvirt: nothing is printed, one event loop, and errors that a user can act on."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import libvirt

from kubert_tui.base.errors import (
    AuthenticationError,
    HostKeyError,
    KubertError,
    ToolMissingError,
    UnreachableError,
)
from kubert_tui.base.text import clean_line

_COMPLAINT_LIMIT = 500

_starting = threading.Lock()
_looping = False


class RefusedError(KubertError):
    """libvirt or the hypervisor refused what was asked. `details` are its words, cleaned."""


def prepare() -> None:
    """Silence libvirt and start its event loop, once in this process; before any connection.

    The loop keeps connections alive and moves what consoles say. Its thread ends with us.
    """
    global _looping  # noqa: PLW0603 -- libvirt's own state is the process's, too
    with _starting:
        if _looping:
            return
        # Without a handler of ours libvirt prints every error on stderr: on somebody's screen.
        libvirt.registerErrorHandler(_say_nothing, None)
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=_loop, name="libvirt events", daemon=True).start()
        _looping = True


@contextmanager
def told(host: str, doing: str, fix: str = "") -> Iterator[None]:
    """Turn what libvirt raises within into errors that say what was being done, where."""
    try:
        yield
    except libvirt.libvirtError as error:
        raise explained(error, host, doing, fix) from None


def explained(error: libvirt.libvirtError, host: str, doing: str, fix: str = "") -> KubertError:
    """Return what to tell of an error of libvirt's: `doing` failed, with its words."""
    words = clean_line(str(error), limit=_COMPLAINT_LIMIT)
    kinds: tuple[tuple[tuple[str, ...], type[KubertError], str, str], ...] = (
        (("host key verification failed",), HostKeyError,
         "its host key is not in our known_hosts, or has changed",
         "connect to the host with kubert-tui first, which asks about its key"),
        (("permission denied (", "too many authentication failures"), AuthenticationError,
         "ssh could not log in", "load the key into an agent (ssh-add), or name identity_file"),
        (("polkit", "authentication unavailable", "authentication failed"), AuthenticationError,
         "libvirt there refuses this user", "log in as root, or add the user to the group libvirt"),
        (("libvirt-sock': permission denied", "virtqemud-sock': permission denied"),
         AuthenticationError, "libvirt's socket may not be used by this user",
         "log in as root, or add the user to the group libvirt"),
        (("libvirt-sock': no such file", "virtqemud-sock': no such file",
          "libvirt-sock': connection refused", "virt-ssh-helper: command not found",
          "nc: command not found", "cannot find 'virt-ssh-helper'"), ToolMissingError,
         "libvirt does not run there", "install it and start it: systemctl enable --now libvirtd"),
        (("connection refused", "timed out", "no route to host", "could not resolve",
          "connection reset", "network is unreachable", "connection closed"), UnreachableError,
         "it cannot be reached", "check power and network, then try again"),
        (("end of file while", "broken pipe", "client socket is closed", "keepalive",
          "cannot write data", "cannot recv data"), UnreachableError,
         "the connection to libvirt was lost", "try again"),
    )  # fmt: skip
    low = words.lower()
    # Only failures to connect: the same words inside other errors are about other matters.
    if error.get_error_domain() in (libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE,
                                    libvirt.VIR_FROM_POLKIT, libvirt.VIR_FROM_AUTH,
                                    libvirt.VIR_FROM_NONE):  # fmt: skip
        for signs, kind, what, remedy in kinds:
            if any(sign in low for sign in signs):
                return kind(f"{doing} failed: {what}", fix=remedy, host=host, details=words)
    return RefusedError(f"{doing} failed: {words}", fix=fix, host=host, details=words)


def _say_nothing(_: object, __: object) -> None:
    return


def _loop() -> None:
    while True:
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError:
            time.sleep(0.1)  # whatever it was must not make this a busy loop
