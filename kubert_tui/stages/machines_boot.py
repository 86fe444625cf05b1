"""Waiting until machines that were started can be used, with the reason for the wait."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event as Flag
from threading import Thread
from time import monotonic

from kubert_tui.base.errors import CancelledError, ChangeError, DetachedError
from kubert_tui.base.text import clean_line
from kubert_tui.events.model import Note, Waiting
from kubert_tui.machines.guest import Guest
from kubert_tui.machines.hypervisor import Hypervisor
from kubert_tui.stages.machines_console import ConsoleReader
from kubert_tui.stages.machines_observe import KEY_REFUSED, SET_UP_FAILED, hindrance
from kubert_tui.stages.model import Work
from kubert_tui.stages.restart import minutes

POLL = 2.0
"""Seconds between two looks."""
TOLD = 5.0
"""Seconds between two times that the reason is told."""
_SAID = 80


@dataclass(frozen=True, slots=True)
class Boot:
    """The machines of one host that were started."""

    work: Work
    hypervisor: Hypervisor
    guests: tuple[Guest, ...]
    limit: float
    """Seconds they get, all at once."""
    poll: float = POLL
    clock: Callable[[], float] = monotonic

    def wait(self) -> None:
        """Return when all of them can be used by ssh; their consoles are told meanwhile.

        Raises ChangeError for one that cannot within the limit, or that went off.
        """
        over = Flag()
        waits = [_Wait(self.work, guest, over, self.poll) for guest in self.guests]
        with ExitStack() as stack:
            stack.callback(over.set)
            consoles = {
                guest.name: stack.enter_context(ConsoleReader(self.work, self.hypervisor, guest))
                for guest in self.guests
            }
            for wait in waits:
                wait.start()
            self._until_ready(waits, consoles)

    def _until_ready(self, waits: "list[_Wait]", consoles: dict[str, ConsoleReader]) -> None:
        host, started = self.hypervisor.host, self.clock()
        told, next_told = set[str](), 0.0
        while True:
            left = [wait for wait in waits if not wait.ready.is_set()]
            for wait in waits:
                if wait not in left and wait.guest.name not in told:
                    told.add(wait.guest.name)
                    address = wait.guest.spec.address
                    text = f"{wait.guest.name} answers by ssh at {address}"
                    self.work.emit(Note(host=host, text=text))
            if not left:
                return
            elapsed = self.clock() - started
            for wait in left:
                self._still_on(wait, consoles[wait.guest.name])
                if wait.reason.startswith(SET_UP_FAILED):
                    raise self._failed(wait)
                if elapsed > self.limit:
                    raise self._late(wait, consoles[wait.guest.name])
            if elapsed >= next_told:
                next_told = elapsed + TOLD
                what = "; ".join(_waiting(wait, consoles[wait.guest.name]) for wait in left)
                self.work.emit(Waiting(host=host, what=what, elapsed=elapsed, limit=self.limit))
            if self.work.cancel.wait(self.poll) or self.work.detach.is_set():
                error = DetachedError if self.work.detach.is_set() else CancelledError
                names = ", ".join(wait.guest.name for wait in left)
                raise error(
                    f"Stopped waiting for {names}",
                    fix="They go on starting; start the stage again to look.",
                    host=host,
                )

    def _still_on(self, wait: "_Wait", reader: ConsoleReader) -> None:
        domain = self.hypervisor.domain(wait.guest.domain)
        if domain is None or not domain.on:
            how = "vanished" if domain is None else f"went {domain.state}"
            raise ChangeError(
                f"{wait.guest.name} {how} while it started",
                fix=f"Look at what its console said, below; then start the stage again, or make "
                f"it anew: kubert-tui machines rebuild {wait.guest.name}",
                host=self.hypervisor.host,
                details="\n".join(reader.last),
            )

    def _failed(self, wait: "_Wait") -> ChangeError:
        name = wait.guest.name
        return ChangeError(
            f"{name} answers by ssh, but did not set itself up: {wait.reason}",
            fix="Look at /var/log/cloud-init.log in it. When you know better: "
            f"kubert-tui machines rebuild {name}.",
            host=self.hypervisor.host,
        )

    def _late(self, wait: "_Wait", reader: ConsoleReader) -> ChangeError:
        name = wait.guest.name
        said = reader.last
        return ChangeError(
            f"{name} did not answer by ssh at {wait.guest.spec.address} within"
            f" {minutes(self.limit)}: {wait.reason}",
            fix=f"Look at its console (kubert-tui machines console {name}). It goes on starting: "
            "start this stage again to wait on. If it hangs: kubert-tui machines rebuild "
            f"{name}. `restart_wait` in the lab file gives it longer.",
            host=self.hypervisor.host,
            details="\n".join(("its console said last:", *said)) if said else "",
        )


class _Wait:
    """Asks one machine again and again, on a thread that nobody has to wait for."""

    def __init__(self, work: Work, guest: Guest, over: Flag, poll: float) -> None:
        self.guest = guest
        self.ready = Flag()
        self.reason = "starting"
        self._work = work
        self._over = over
        self._poll = poll

    def start(self) -> None:
        Thread(target=self._ask, name=f"{self.guest.name} ssh", daemon=True).start()

    def _ask(self) -> None:
        while not self._over.is_set():
            self.reason = hindrance(self._work, self.guest, self._over)
            if not self.reason or self._is_to_be_asked_about:
                self.ready.set()
                return
            self._over.wait(self._poll)

    @property
    def _is_to_be_asked_about(self) -> bool:
        """It answers, and whoever looks next asks whether its key is right."""
        return bool(self.guest.spec.adopted) and self.reason.startswith(KEY_REFUSED)


def _waiting(wait: _Wait, reader: ConsoleReader) -> str:
    said = reader.last[-1:]
    tail = f"; console: {clean_line(said[0], limit=_SAID)}" if said else ""
    return f"{wait.guest.name} to answer by ssh ({clean_line(wait.reason, limit=_SAID)}{tail})"
