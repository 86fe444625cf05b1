"""What a run leaves on a host: packages, services, files, and what should not be left."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.twin import Twin

MANAGED = ("etc", "usr/local", "opt", "root", "home", "boot", "var/lib/kubert-tui",
           "var/cache/kubert-tui", "var/spool", "usr/lib/systemd", "run/systemd/transient",
           "run/systemd/system")  # fmt: skip
"""Every file below is compared."""
SCRATCH = ("tmp", "var/tmp", "dev/shm", "root/.ansible", "home/engineer/.ansible")
"""Nothing of ours may be left below."""

_VOLATILE = re.compile(
    r"etc/(mtab|resolv\.conf|machine-id|\.pwd\.lock|\.updated|ld\.so\.cache)"
    r"|run/systemd/(transient|system)/(session-|user-|run-[a-z0-9]+\.scope).*"
    r"|run/systemd/transient/init\.scope.*"
    # sudo's own, at its first success.
    r"|home/engineer/\.sudo_as_admin_successful"
)
_SYSTEMS_OWN = re.compile(r"(tmp|var/tmp)/(systemd-private-.*|\.(X11|ICE|XIM|font|Test)-unix.*)")
_OURS = re.compile(r"cyclictest|sampler|ansible|kubert|\bapt(-get)?\b|dpkg|python|/bin/sh -c")


@dataclass(frozen=True)
class HostState:
    """One look."""

    packages: dict[str, str]
    """Name to version and status."""
    files: dict[str, str]
    """Path to what it is, for everything below `MANAGED`."""
    services: dict[str, str]
    """Unit to whether it is enabled and active."""

    def since(self, pristine: "HostState") -> "HostState":
        """What differs from `pristine`; what is gone is `absent`."""
        return HostState(
            _changed(pristine.packages, self.packages),
            _changed(pristine.files, self.files),
            _changed(pristine.services, self.services),
        )


def observe(twin: Twin) -> HostState:
    """Look at a twin that is up."""
    return HostState(_packages(twin), dict(_files(twin)), _services(twin))


def leftovers(twin: Twin) -> list[str]:
    """What of ours is still there that should be gone, in words."""
    found = [
        f"process {pid}: {' '.join(argv)[:200]}"
        for pid, argv in twin.processes()
        if _OURS.search(" ".join(argv))
    ]
    root = twin.root
    for place in SCRATCH:
        for path in sorted((root / place).rglob("*")):
            name = str(path.relative_to(root))
            if not _SYSTEMS_OWN.fullmatch(name):
                found.append(f"file /{name}")
    runs = root / "var/lib/kubert-tui/runs"
    found += [f"measurement {path.name}" for path in sorted(runs.glob("*"))]
    units = twin.inside(
        "systemctl", "list-units", "--all", "--plain", "--no-legend", "kubert*", "run-r*"
    )
    return found + [f"unit {line}" for line in units.splitlines()]


def _packages(twin: Twin) -> dict[str, str]:
    listed = twin.inside("dpkg-query", "-W", "-f=${Package}:${Architecture} ${Version} ${Status}\n")
    return {name: rest for name, _, rest in (line.partition(" ") for line in listed.splitlines())}


def _services(twin: Twin) -> dict[str, str]:
    units = ["irqbalance.service", "ssh.service", "apt-daily.timer", "apt-daily-upgrade.timer"]
    return {
        unit: " ".join(
            twin.inside("systemctl", verb, unit, check=False).strip()
            for verb in ("is-enabled", "is-active")
        )
        for unit in units
    }


def _files(twin: Twin) -> Iterator[tuple[str, str]]:
    root = twin.root
    for place in MANAGED:
        for directory, names, files in os.walk(root / place):
            for name in (*names, *files):
                path = Path(directory, name)
                shown = str(path.relative_to(root))
                if not _VOLATILE.fullmatch(shown):
                    yield shown, _what(path)


def _what(path: Path) -> str:
    status = path.lstat()
    mode = f"{stat.filemode(status.st_mode)} {status.st_uid}:{status.st_gid}"
    if stat.S_ISLNK(status.st_mode):
        return f"link to {path.readlink()}"
    if stat.S_ISREG(status.st_mode):
        return f"{mode} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    return mode


def _changed(before: dict[str, str], after: dict[str, str]) -> dict[str, str]:
    return {
        name: after.get(name, "absent")
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }
