"""Gather the facts of a host in one round trip."""

import time
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from secrets import token_hex
from threading import Event as Flag

from kubert_tui.base.errors import AuthenticationError, ToolMissingError
from kubert_tui.base.text import clean_line, last_lines
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.parse import parse
from kubert_tui.facts.sections import Sections, split
from kubert_tui.hosts import host_lock
from kubert_tui.hosts.interface import Completed, Host, Invocation

TIMEOUT = 180.0
"""Seconds the probe may take: an emulated host starts a few hundred programs that slowly."""

_NOT_ASKED = Unknown("not asked for at this look")
_PARTS = ("probe_frame.sh", "probe_readers.sh", "probe.sh")


def gather(
    host: Host,
    extra_cyclictest: tuple[str, ...] = (),
    *,
    updates: bool = True,
    cancel: Flag | None = None,
    clock: Callable[[], float] = time.time,
) -> Facts:
    """Return the facts of `host`: one command, as root where that is allowed.

    `extra_cyclictest` are absolute paths on the host that are looked at before the usual ones.
    Without `updates` the package manager is not asked: that alone can take seconds.
    Where sudo is refused or missing the probe runs once more without it, and what it may not
    read then is unknown. Raises what `Host.run` raises when the host cannot be reached, does
    not answer in `TIMEOUT`, or is cancelled; what the host prints raises nothing.
    """
    try:
        facts, sections = _probe(
            host, extra_cyclictest, clock, sudo=True, updates=updates, cancel=cancel
        )
    except (AuthenticationError, ToolMissingError):
        sections = Sections({})
        facts = None
    if facts is None or not len(sections):
        facts, _ = _probe(host, extra_cyclictest, clock, sudo=False, updates=updates, cancel=cancel)
    return facts if updates else replace(facts, pending_updates=_NOT_ASKED)


def _probe(
    host: Host,
    extra: tuple[str, ...],
    clock: Callable[[], float],
    *,
    sudo: bool,
    updates: bool,
    cancel: Flag | None,
) -> tuple[Facts, Sections]:
    nonce = f"kubert-{token_hex(16)}"
    invocation = Invocation(
        argv=("sh", "-s", "--", *extra) if extra else ("sh", "-s"),
        stdin=f"nonce={nonce}\nupdates={'yes' if updates else ''}\n".encode() + probe_script(),
        timeout=TIMEOUT,
        cancel=cancel,
        sudo=sudo,
    )
    sent = clock()
    completed = host.run(invocation)
    received = clock()
    sections = split(completed.stdout, nonce, why_none=_why_none(completed))
    return parse(host.name, sections, sent, received), sections


def probe_script() -> bytes:
    """Return the text of the probe, a POSIX shell script."""
    package = files("kubert_tui.facts")
    # In a subshell of its own, which it may leave as it likes.
    lock = f"operator_lock() (\nset -- show\n{host_lock.script()}\n)\n".encode()
    return b"\n".join((lock, *(package.joinpath(name).read_bytes() for name in _PARTS)))


def _why_none(completed: Completed) -> str:
    said = clean_line(last_lines(completed.stderr, 1), limit=120)
    because = f": {said}" if said else ""
    if completed.truncated:
        return "the probe printed more than is read"
    return f"the probe did not get that far (exit status {completed.exit_status}{because})"
