"""The lock on a host: who works on it. Every operation is one short command there.

`host_lock.sh` says what lies on the host and why nothing can be half written. What it prints is
as untrusted as all output. All ages are differences of the host's own clock since its boot:
clocks of two machines are never compared, and setting one changes nothing.
"""

import json
import re
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from threading import Event as Flag

from kubert_tui.base.errors import KubertError, ToolMissingError
from kubert_tui.base.text import clean_line
from kubert_tui.hosts.interface import Completed, Host, Invocation

TIMEOUT = 30.0
"""Seconds one operation may take."""
FRESH = 120.0
"""Seconds without a sign of life after which an owner counts as gone."""
KEEP = "="
"""As `seconds`: leave what the lock says of a measurement."""
NONE = "-"
"""As `seconds`: no measurement is under way. As `instead`: break nobody's lock."""

_STEP = 1.0
"""Seconds; the step of the clock that the host tells."""
_OUTPUT_LIMIT = 16_384
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
_TOKEN = re.compile(r"[0-9a-z-]{1,80}", re.ASCII)
_BOOT = re.compile(r"[0-9a-z-]{1,64}", re.ASCII)


class LockResult(StrEnum):
    """What one operation came to."""

    TAKEN = "taken"
    """Nobody had it; it is ours now."""
    KEPT = "kept"
    """It was ours, and is."""
    BROKE = "broke"
    """Somebody had it whom it was to be taken from; it is ours now."""
    HELD = "held"
    """Somebody else has it; nothing was changed."""
    FREE = "free"
    """Nobody has it; nothing was changed."""
    RELEASED = "released"
    DENIED = "denied"
    """This login may not take it; nothing was changed."""


@dataclass(frozen=True, slots=True)
class About:
    """What an owner says of itself, for people."""

    operator: str
    """`user@computer`."""
    lab: str
    run: str
    stage: str = ""

    def line(self) -> str:
        """Return it as the one line of ASCII that is kept in the lock."""
        told = {name: clean_line(getattr(self, name), limit=60) for name in self.__slots__}
        return json.dumps(told)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a lock. Everything in it is cleaned, and only claimed."""

    token: str
    """Names the owner to `take`; not a secret."""
    about: About | None
    """None if the lock cannot be read: garbage, or another version's."""
    since: float | None
    """Seconds since it was taken."""
    silent: float | None
    """Seconds since the owner's last sign of life."""
    left: float
    """Seconds that a measurement of the owner's goes on by itself; 0 for none."""

    @property
    def fresh(self) -> bool:
        """Whether the owner gave a sign of life a short while ago."""
        return self.silent is not None and self.silent < FRESH

    @property
    def who(self) -> str:
        """The owner in a few words."""
        return self.about.operator if self.about else "somebody unknown"

    def describe(self, now: float | None = None) -> str:
        """Return owner, work and signs of life in one line; `now` is our clock."""
        if self.about is None:
            return "somebody unknown (the lock there cannot be read)"
        parts = [f"lab {self.about.lab}"]
        if self.about.stage:
            parts.append(f"stage {self.about.stage}")
        if self.since is not None:
            parts.append(f"since {_time_of_day(self.since, now)}")
        work = ", ".join(parts)
        alive = "no sign of life" if self.silent is None else f"{span(self.silent)} ago"
        measures = f"; measures for about another {span(self.left)}" if self.left else ""
        return f"{self.who} ({work}; last sign of life {alive}{measures})"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the host answered. `holder` is who has the lock now, if anybody has."""

    result: LockResult
    boot: str
    holder: Holder | None


_ON_CPUS = 'taskset -cp "$1" $$ > /dev/null 2>&1; shift; exec "$@"'
"""Goes on where it is if there is no taskset, or there are no such CPUs."""


@cache
def script() -> str:
    """Return the text of the operations, a POSIX shell script."""
    return files("kubert_tui.hosts").joinpath("host_lock.sh").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class HostLock:
    """The lock of one host as seen by one owner.

    Methods raise what `Host.run` raises, ToolMissingError without `flock`, and KubertError when
    the lock cannot be written (then nobody has it who had it not before).
    """

    host: Host
    token: str
    sudo: bool = True
    cancel: Flag | None = None
    cpus: str = ""
    """Where signs of life are given: the CPUs that keep house, as the kernel lists them; `` any."""

    def take(self, about: About, *, seconds: str = KEEP, instead: str = NONE) -> Reply:
        """Take it if nobody has it, or who is `instead`. TAKEN, KEPT, BROKE, HELD or DENIED."""
        return self._do("take", seconds, about.line(), instead)

    def keep(self, about: About, boot: str, *, seconds: str = KEEP) -> Reply:
        """Tell that we are still there. KEPT, HELD, FREE or DENIED.

        FREE: it was broken and given back since; it is not taken again. It is (TAKEN) if it was
        lost because the host left the boot `boot`.
        """
        return self._do("keep", seconds, about.line(), boot, calm=True)

    def release(self) -> Reply:
        """Give it back. RELEASED, HELD, FREE or DENIED."""
        return self._do("release")

    def _do(self, verb: str, *arguments: str, calm: bool = False) -> Reply:
        # A measurement may be under way there: then even this little has to wait its turn.
        calmly = ("nice", "-n", "19") if calm else ()
        if calm and self.cpus:
            calmly = ("sh", "-c", _ON_CPUS, "sh", self.cpus, *calmly)
        argv = (*calmly, "sh", "-c", script(), "sh", verb, self.token, *arguments)
        done = self.host.run(Invocation(argv, timeout=TIMEOUT, sudo=self.sudo, cancel=self.cancel))
        return parse(done, self.host.name)


def parse(done: Completed, host: str) -> Reply:
    """Return what a host answered; KubertError if that is no answer."""
    told = _told(done.stdout)
    if "missing" in told:
        raise ToolMissingError(
            f"the lock that keeps two operators apart needs {told['missing']}",
            fix="install the package util-linux there",
            host=host,
        )
    if "error" in told:
        raise KubertError(
            f"the lock that keeps two operators apart cannot be used: {told['error'][:300]}",
            fix="see what is wrong with /run there (a full disk?), then start again",
            host=host,
        )
    boot = told.get("boot", "")
    if told.get("result") not in set(LockResult) or not _BOOT.fullmatch(boot):
        said = clean_line(done.stderr[:1000]) or f"exit status {done.exit_status}"
        raise KubertError(
            f"the host gave no sensible answer about its lock: {said}",
            fix="log in there by hand and see whether sh works",
            host=host,
        )
    return Reply(LockResult(told["result"]), boot, _holder(told))


def shown(output: bytes) -> Holder | None:
    """Return who has the lock by what `show` printed, None for nobody; ValueError for nonsense."""
    told = _told(output)
    if told.get("result") not in (LockResult.FREE, LockResult.HELD):
        raise ValueError("the lock gave no answer")
    return _holder(told)


def _told(output: bytes) -> dict[str, str]:
    told: dict[str, str] = {}
    for line in output[:_OUTPUT_LIMIT].split(b"\n"):
        word, _, rest = clean_line(line, limit=5000).partition(" ")
        told.setdefault(word, rest)
    return told


def span(seconds: float) -> str:
    """Return a length of time as people say it: `8 s`, `14 min`, `3 h`, `2 days`."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} days"


def _holder(told: dict[str, str]) -> Holder | None:
    token = told.get("token", "")
    if not _TOKEN.fullmatch(token):
        return None
    now, since, until, beat = (_seconds(told, name) for name in ("now", "since", "until", "beat"))
    return Holder(
        token=token,
        about=_about(told.get("about", "")),
        since=_age(now, since),
        silent=_age(now, beat),
        left=0.0 if now is None or until is None else max(until - now, 0.0),
    )


def _age(now: float | None, then: float | None) -> float | None:
    """Return how long ago it was; what lies ahead was not written by us."""
    if now is None or then is None or then > now + _STEP:
        return None
    return max(now - then, 0.0)


def _seconds(told: dict[str, str], name: str) -> float | None:
    text = told.get(name, "")
    return float(text) if _NUMBER.fullmatch(text) else None


def _about(line: str) -> About | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not isinstance(told.get("operator"), str):
        return None
    fields = {name: clean_line(str(told.get(name, "")), limit=100) for name in About.__slots__}
    return About(**fields)


def _time_of_day(age: float, now: float | None) -> str:
    then = time.localtime((time.time() if now is None else now) - age)
    return time.strftime("%H:%M" if age < 12 * 3600 else "%Y-%m-%d %H:%M", then)
