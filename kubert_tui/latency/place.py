"""A directory of ours on a host, in which something runs by itself, free of our connection."""

import re

from kubert_tui.base.errors import KubertError, MeasurementError
from kubert_tui.base.text import last_lines
from kubert_tui.hosts.interface import Completed, Host, Invocation

_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Place:
    """One such directory. Methods raise UnreachableError when the connection is lost."""

    def __init__(self, host: Host, directory: str, identity: str) -> None:
        """`directory` holds all runs there; a relative one begins at the login's home."""
        if not _IDENTITY.fullmatch(identity):
            raise ValueError(f"{identity!r} cannot name a measurement")
        self.host = host
        self.identity = identity
        if not directory.startswith("/"):
            directory = f"{self._home()}/{directory}"
        self.directory = f"{directory.rstrip('/')}/{identity}"

    def _home(self) -> str:
        # Commands begin in the login's home, under sudo too; a unit of systemd's does not.
        done = self._run("pwd")
        home = done.stdout.decode("utf-8", errors="replace").rstrip("\n").rstrip("/")
        if not done.ok or not home.isprintable() or not home.startswith("/"):
            raise self.error("the login's home directory is not known")
        return home

    def path(self, name: str) -> str:
        """The path of a file in it on the host."""
        return f"{self.directory}/{name}"

    def _detach(self, argv: tuple[str, ...], unit: str, *, systemd: bool) -> None:
        """Start `argv` as a transient unit, or in a session of its own."""
        # systemd puts variables into commands; $$ is a plain dollar sign.
        plain = tuple(part.replace("$", "$$") for part in argv)
        limits = ("--property=LimitMEMLOCK=infinity", "--property=LimitRTPRIO=99")
        named = (f"--unit={unit}.service", "--collect", "--quiet")
        if systemd and self._run("systemd-run", *named, *limits, "--", *plain).ok:
            return
        # In containers systemd may be process 1 and yet not take units from us.
        done = self._run("setsid", "--fork", *argv)
        self._demand(done, "the measurement cannot be started")

    def error(self, what: str, fix: str = "", details: str = "") -> MeasurementError:
        """An error about what runs there."""
        return MeasurementError(what, fix=fix, host=self.host.name, details=details)

    def _put(self, name: str, text: str) -> None:
        self.host.put(text.encode(), self.path(name), mode=0o600, sudo=True)

    def _get(self, name: str) -> bytes:
        """Return the content of one of its files; nothing while there is none."""
        try:
            return self.host.get(self.path(name), sudo=True)
        except KubertError:
            if self._run("test", "-e", self.path(name)).exit_status == 1:
                return b""
        # Perhaps it was made between the two looks.
        return self.host.get(self.path(name), sudo=True)

    def _shell(self, text: str, *arguments: str) -> Completed:
        return self._run("sh", "-c", text, "sh", *arguments)

    def _run(self, *argv: str) -> Completed:
        return self.host.run(Invocation(argv, sudo=True))

    def _demand(self, done: Completed, what: str) -> None:
        if not done.ok:
            raise MeasurementError(
                what,
                host=self.host.name,
                command=done.argv[:1] if done.argv[:2] == ("sh", "-c") else done.argv,
                exit_status=done.exit_status,
                details=last_lines(done.stderr or done.stdout),
            )
