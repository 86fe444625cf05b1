"""The locks of a run's hosts: taken before a change, kept alive, given back at the end."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event as Flag
from threading import Lock, Thread

from kubert_tui.base.errors import BusyError, KubertError
from kubert_tui.engine.asking import Ask
from kubert_tui.engine.connections import Connections
from kubert_tui.engine.lock_question import ask_about, lost_error, refused_error
from kubert_tui.events.measuring import LatencyStarted, LatencyStored, MeasurementEnded
from kubert_tui.events.model import Event, HostLocked, HostLockLost, HostUnlocked, Note
from kubert_tui.events.questions import Choice
from kubert_tui.hosts.host_lock import KEEP, NONE, About, Holder, HostLock, LockResult, Reply
from kubert_tui.hosts.interface import Host

BEAT = 15.0
"""Seconds between two signs of life."""
CLOSE_LIMIT = 5.0
"""Seconds that giving back may take at the end: a host that hangs keeps nobody waiting."""

_OURS = (LockResult.TAKEN, LockResult.KEPT, LockResult.BROKE)

OnHost = Callable[[Callable[[Host], Reply]], Reply]
"""Calls a function with the connected host, once more if the connection turns out to be lost."""


@dataclass(slots=True)
class _Held:
    """One host's lock as we know it."""

    about: About
    sudo: bool = False
    boot: str = ""
    """The boot on which it is ours; empty: it is not, as far as we know."""
    uses: int = 0
    """Grows with each `take`: what a look from before tells does not count any more."""
    lost: BusyError | None = None
    """Why it is not ours any more, until the user was told that it ended the stage."""
    passed: str = ""
    """Where we may take none: the token of the owner beside whom we are to work."""
    measures_until: float | None = None
    """By the monotonic clock here; None: nothing is measured."""
    untold: bool = False
    """The lock there does not say yet what we know of the measurement."""
    wake: Flag = field(default_factory=Flag)
    thread: Thread | None = None


class HostLocks:
    """All locks of one session. Thread-safe."""

    def __init__(
        self,
        token: str,
        about: About,
        connections: Connections,
        emit: Callable[[Event], None],
        *,
        beat: float = BEAT,
        housekeeping: Callable[[str], str] = lambda _: "",
    ) -> None:
        """`emit` is also called on threads of ours, until `close` has returned.

        `housekeeping` tells the CPUs of a host that signs of life may be given on; `` are all.
        """
        self._token = token
        self._about = about
        self._connections = connections
        self._emit = emit
        self._beat = beat
        self._housekeeping = housekeeping
        self._order = Lock()
        self._held: dict[str, _Held] = {}
        self._noted: set[str] = set()
        self._closed = False

    def take(
        self, name: str, stage: str, on_host: OnHost, ask: Ask, *, sudo: bool, cancel: Flag
    ) -> bool:
        """Make the lock of a host ours for `stage`, asking if somebody else has it.

        Returns whether somebody else was at work there meanwhile: then the host may not be any
        more what it was when it was looked at. Raises NotBrokenError when the other one is to be
        left in peace, BusyError when our own lock was broken.
        """
        with self._order:
            held = self._held.setdefault(name, _Held(self._about))
            held.about = replace(self._about, stage=stage)
            # A look that did not get far may not know that there is sudo.
            held.sudo = held.sudo or sudo
            held.uses += 1
            boot = held.boot
        self._raise_lost(held, forget=True)
        if not boot:
            return self._acquire(name, held, on_host, ask, cancel)
        reply = on_host(lambda host: self._lock(host, held, cancel).keep(held.about, boot))
        self._judge(name, held, reply)
        self._raise_lost(held, forget=True)
        return False

    def check(self, name: str, *, forget: bool = False) -> None:
        """Raise BusyError if the lock was ours and is not any more; with `forget` for good.

        Looks at the host if it is connected; otherwise we go by what we heard last. Until it was
        forgotten the lock is not taken again: `take` raises the same once more.
        """
        held = self._held.get(name)
        if held is not None:
            self._look(name, held)
            self._raise_lost(held, forget=forget)

    def is_ours(self, holder: Holder) -> bool:
        """Whether a lock is of this session, or of an earlier one of this lab."""
        return holder.token == self._token

    def told(self, event: Event) -> None:
        """Hear what happens on the hosts: the lock says how long a measurement goes on."""
        held = self._held.get(event.host)
        if held is None:
            return
        match event:
            case LatencyStarted(attached=False):
                held.measures_until = time.monotonic() + event.loops * event.interval / 1e6
            case LatencyStored() | MeasurementEnded():
                held.measures_until = None
            case _:
                return
        held.untold = True
        held.wake.set()

    def wake(self, name: str) -> None:
        """Look now: the host was just connected to, perhaps after a restart."""
        if (held := self._held.get(name)) is not None:
            held.wake.set()

    def close(self, measuring: Collection[str]) -> None:
        """Give all locks back, except those of hosts that go on measuring without us."""
        with self._order:
            self._closed = True
        replies: dict[str, Reply] = {}
        threads = []
        for name, held in self._held.items():
            held.wake.set()
            if (host := self._connections.existing(name)) is not None and held.lost is None:
                arguments = (host, held, name in measuring, replies)
                threads.append(Thread(target=self._end, args=arguments, daemon=True))
        deadline = time.monotonic() + CLOSE_LIMIT
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for name, reply in sorted(replies.copy().items()):
            self._tell_end(name, reply)

    def _end(self, host: Host, held: _Held, stays: bool, replies: dict[str, Reply]) -> None:
        lock = self._lock(host, held)
        try:
            reply = self._keep(lock, held) if stays and held.boot else lock.release()
        except KubertError:
            # Nobody can be told there: our silence will say that we have gone.
            return
        if held.boot:
            replies[host.name] = reply

    def _tell_end(self, name: str, reply: Reply) -> None:
        match reply.result:
            case LockResult.RELEASED:
                self._emit(HostUnlocked(host=name))
            case LockResult.HELD if reply.holder is not None:
                self._emit(HostLockLost(host=name, holder=reply.holder.describe()))
            case LockResult.KEPT:
                text = "The host stays locked for us while the measurement goes on there."
                self._emit(Note(host=name, text=text))

    def _acquire(self, name: str, held: _Held, on_host: OnHost, ask: Ask, cancel: Flag) -> bool:
        instead, broke, contested = NONE, "", False
        while True:
            reply = on_host(partial(self._take, held=held, instead=instead, cancel=cancel))
            if reply.result in _OURS:
                self._win(name, held, reply, broke)
                return contested
            other, denied = reply.holder, reply.result is LockResult.DENIED
            if denied and (other is None or other.token in (self._token, held.passed)):
                self._note_denied(name)
                return contested
            if other is None:
                raise KubertError("the host did not say who has its lock", host=name)
            contested = True
            choice = ask_about(name, other, ask, denied=denied)
            if choice is Choice.NO:
                raise refused_error(name, other)
            instead, broke = NONE, ""
            if choice is Choice.BREAK and denied:
                held.passed = other.token
            elif choice is Choice.BREAK:
                instead, broke = other.token, other.describe()

    def _take(self, host: Host, *, held: _Held, instead: str, cancel: Flag) -> Reply:
        return self._lock(host, held, cancel).take(held.about, instead=instead)

    # What we know of one lock.

    def _lock(self, host: Host, held: _Held, cancel: Flag | None = None) -> HostLock:
        return HostLock(host, self._token, held.sudo, cancel, self._housekeeping(host.name))

    def _raise_lost(self, held: _Held, *, forget: bool) -> None:
        with self._order:
            lost = held.lost
            if forget:
                held.lost = None
        if lost is not None:
            raise lost

    def _note_denied(self, name: str) -> None:
        if name not in self._noted:
            self._noted.add(name)
            text = "Without root rights there is no lock: other operators do not see us at work."
            self._emit(Note(host=name, text=text))

    def _judge(self, name: str, held: _Held, reply: Reply) -> None:
        """Draw the conclusions of a sign of life."""
        if reply.result in _OURS:
            self._win(name, held, reply)
        else:
            self._lose(name, held, reply.holder)

    def _win(self, name: str, held: _Held, reply: Reply, broke: str = "") -> None:
        with self._order:
            if self._closed:
                return
            news = held.boot != reply.boot or bool(broke)
            held.boot = reply.boot
            held.uses += 1
            if held.thread is None:
                held.thread = Thread(
                    target=self._live, args=(name, held), name=f"{name} lock", daemon=True
                )
                held.thread.start()
            if news:
                found = reply.result is LockResult.KEPT
                stage = held.about.stage
                self._emit(HostLocked(stage=stage, host=name, broke=broke, found=found))

    def _lose(self, name: str, held: _Held, holder: Holder | None) -> None:
        with self._order:
            if self._closed or not held.boot:
                return
            held.boot = ""
            held.lost = lost_error(name, holder)
            self._emit(HostLockLost(host=name, holder=holder.describe() if holder else ""))

    # Signs of life.

    def _live(self, name: str, held: _Held) -> None:
        """Give signs of life until the session ends."""
        while not self._closed:
            held.wake.wait(self._beat)
            held.wake.clear()
            self._look(name, held)

    def _look(self, name: str, held: _Held) -> None:
        """Give a sign of life, and see whether the lock is still ours."""
        with self._order:
            ours, uses = bool(held.boot), held.uses
        host = self._connections.existing(name)
        if self._closed or host is None or not ours:
            return
        try:
            reply = self._keep(self._lock(host, held), held)
        except KubertError:
            # The connection is lost, or being made anew: whoever works there hears of it.
            return
        if held.uses == uses:
            self._judge(name, held, reply)

    def _keep(self, lock: HostLock, held: _Held) -> Reply:
        seconds, until, untold = KEEP, held.measures_until, held.untold
        if untold:
            seconds = NONE if until is None else f"{max(0.0, until - time.monotonic()):.0f}"
        reply = lock.keep(held.about, held.boot, seconds=seconds)
        if untold and until == held.measures_until:
            held.untold = False
        return reply
