"""Restarting hosts, and waiting for each to come back as a new boot."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import monotonic

from kubert_tui.base.errors import (
    CancelledError,
    ChangeError,
    DetachedError,
    HostKeyError,
    KubertError,
    LostError,
)
from kubert_tui.base.text import clean_line
from kubert_tui.events.model import Note, Restarting, Waiting
from kubert_tui.facts.fact import Known
from kubert_tui.facts.model import Facts
from kubert_tui.stages.model import Change, Work

POLL = 5.0
"""Seconds between two looks."""

GRACE = 15.0
"""Seconds after which a host on which the restart failed should be going down, if it is."""

CONSOLE = "Look at its console (iLO, iDRAC, XClarity or BMC: remote console)."


class RestartingHereError(DetachedError):
    """The computer kubert-tui runs on is restarting; the run goes on after a new start."""


def nothing_more(_host: str) -> None:
    """Do nothing once a host is back."""


@dataclass(frozen=True, slots=True)
class Restart:
    """One restart of some hosts, all at once; this computer, if it is one of them, last."""

    trigger: Change
    """What restarts them; it returns at once."""
    limit: float
    """Seconds a host gets to come back. A big server's self-test alone takes many minutes, and
    somebody may be in its firmware menus meanwhile."""
    tell: Callable[[Facts], str]
    """What is told of a host before it goes."""
    awaited: str = "to come back"
    lost: str = ""
    """What to do about a host that did not come back, beyond looking at its console."""
    here: str = "Start kubert-tui again afterwards: it goes on with this stage."
    """What to do after this computer was restarted."""
    poll: float = POLL
    clock: Callable[[], float] = monotonic

    def run(
        self, work: Work, hosts: tuple[str, ...], then: Callable[[str], None] = nothing_more
    ) -> None:
        """Restart `hosts`; call `then` for each as soon as it is back, on that host's thread.

        Raises LostError for a host that did not come back within the limit, HostKeyError at once
        for one that came back with another key, RestartingHereError when this computer goes.
        """
        here = tuple(name for name in hosts if work.lab.host(name).connection == "local")
        remote = tuple(name for name in hosts if name not in here)
        if remote:
            self._remote(work, remote, then)
        if here:
            self._here(work, here)

    def _remote(self, work: Work, hosts: tuple[str, ...], then: Callable[[str], None]) -> None:
        before: dict[str, str] = {}

        def remember(host: str) -> None:
            # The facts may be from before somebody restarted the host by hand: look now.
            facts = work.look_again(host)
            before[host] = _boot_id(facts)
            self._announce(work, facts)

        failed: set[str] = set()

        def come_back(host: str) -> None:
            back = host in failed and self._wait(work, host, before[host], GRACE)
            if host in failed and not back:
                self.trigger.apply(work, (host,))
                work.drop(host)
            if not back:
                self._wait(work, host, before[host])
            then(host)

        work.each(hosts, remember)
        try:
            self.trigger.apply(work, hosts)
        except ChangeError as error:
            failed.update(set(error.host.split(", ")) & set(hosts))
            if not failed:
                raise
            # Perhaps it is going down already, for an earlier session of ours or somebody else:
            # there anything may fail.
            text = f"{error.what}; looking whether it restarts all the same"
            work.emit(Note(host=error.host, text=text))
        for host in hosts:
            work.drop(host)
        work.each(hosts, come_back)

    def _here(self, work: Work, hosts: tuple[str, ...]) -> None:
        for host in hosts:
            self._announce(work, work.facts(host))
            text = f"This computer restarts now, and kubert-tui ends with it. {self.here}"
            work.emit(Note(host=host, text=text))
        self.trigger.apply(work, hosts)
        raise RestartingHereError(
            "This computer is restarting", fix=self.here, host=", ".join(hosts)
        )

    def _announce(self, work: Work, facts: Facts) -> None:
        work.emit(Note(host=facts.host, text=self.tell(facts)))
        work.emit(Restarting(host=facts.host, boot_id=_boot_id(facts)))

    def _wait(self, work: Work, host: str, old_boot: str, grace: float = inf) -> bool:
        """Return True when `host` is back as another boot; LostError when the limit passed.

        False when it still answers as the old boot after `grace` seconds.
        """
        started = self.clock()
        reason = "going down"
        while (elapsed := self.clock() - started) < self.limit:
            what = f"{host} {self.awaited} ({reason})"
            work.emit(Waiting(host=host, what=what, elapsed=elapsed, limit=self.limit))
            if work.cancel.wait(self.poll) or work.detach.is_set():
                error = DetachedError if work.detach.is_set() else CancelledError
                raise error(
                    f"Stopped waiting for {host} to come back",
                    fix="The restart itself goes on; start the stage again to look.",
                    host=host,
                )
            try:
                facts = work.look_again(host)
            except (CancelledError, HostKeyError):
                # A changed key is no matter of time.
                raise
            except KubertError as error:
                reason = f"{clean_line(error.what, limit=80)} so far"
                work.drop(host)
                continue
            boot = facts.kernel.boot_id
            if not isinstance(boot, Known):
                reason = f"it answers, its boot id is unknown: {clean_line(boot.reason, limit=80)}"
            elif boot.value != old_boot:
                work.emit(Note(host=host, text=f"{host} is back: {_uname(facts)}"))
                return True
            elif self.clock() - started >= grace:
                return False
            else:
                reason = "it answers, but has not restarted yet"
        raise LostError(
            f"{host} did not come back within {minutes(self.limit)}: {reason}",
            fix=" ".join(
                part
                for part in (
                    CONSOLE,
                    self.lost,
                    "When it is up again, start this stage again: it goes on from here.",
                )
                if part
            ),
            host=host,
        )


def minutes(seconds: float) -> str:
    """Return a time as people say it: `1 minute`, `30 minutes`."""
    number = max(1, round(seconds / 60))
    return "1 minute" if number == 1 else f"{number} minutes"


def _boot_id(facts: Facts) -> str:
    boot = facts.kernel.boot_id
    if isinstance(boot, Known):
        return boot.value
    raise ChangeError(
        f"The boot id is unknown ({boot.reason}), so a restart could not be noticed",
        fix="Make /proc/sys/kernel/random/boot_id readable on the host.",
        host=facts.host,
    )


def _uname(facts: Facts) -> str:
    uname = facts.kernel.uname
    return uname.value if isinstance(uname, Known) else f"uname -a unknown ({uname.reason})"
