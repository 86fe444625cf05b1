"""Errors that a user can act on, and the exit code each class of them ends with."""

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """Process exit codes, by class of outcome (documented in docs/exit-codes.md)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    LAB_FILE = 3
    UNREACHABLE = 4
    AUTHENTICATION = 5
    HOST_KEY = 6
    TOOL_MISSING = 7
    NEEDS_CONFIRMATION = 8
    BUSY = 9
    CHANGE_FAILED = 10
    MEASUREMENT_FAILED = 11
    INTERNAL = 70
    INTERRUPTED = 130


class KubertError(Exception):
    """Something went wrong that the user should read.

    `what` is one sentence saying what happened, `fix` what to do about it, `host` and
    `command` where it happened, `details` the last lines of output (already cleaned),
    `log` the path of the full log on this computer.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(
        self,
        what: str,
        *,
        fix: str = "",
        host: str = "",
        command: Sequence[str] = (),
        details: str = "",
        exit_status: int | None = None,
        log: str = "",
    ) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.host = host
        self.command = tuple(command)
        self.details = details
        self.exit_status = exit_status
        self.log = log

    def __str__(self) -> str:
        where = f"{self.host}: " if self.host else ""
        fix = f" ({self.fix})" if self.fix else ""
        return f"{where}{self.what}{fix}"


class UsageError(KubertError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = ExitCode.USAGE


class LabFileError(KubertError):
    """The lab file is not valid. `what` already names file, line and key."""

    exit_code = ExitCode.LAB_FILE


class UnreachableError(KubertError):
    """A host could not be reached, or the connection was lost."""

    exit_code = ExitCode.UNREACHABLE


class AuthenticationError(KubertError):
    """A host refused every way we have to log in, or sudo refused the password."""

    exit_code = ExitCode.AUTHENTICATION


class HostKeyError(KubertError):
    """A host key is unknown and was not accepted, or it has changed."""

    exit_code = ExitCode.HOST_KEY


class ToolMissingError(KubertError):
    """A program or library that is needed is not installed, here or on a host."""

    exit_code = ExitCode.TOOL_MISSING


class BusyError(KubertError):
    """Another kubert-tui works on the same lab."""

    exit_code = ExitCode.BUSY


class ChangeError(KubertError):
    """A change (a playbook, a reboot) did not get through."""

    exit_code = ExitCode.CHANGE_FAILED


class LostError(ChangeError):
    """A host is out of reach since a change was made to it."""


class MeasurementError(KubertError):
    """A measurement gave no result that could be believed."""

    exit_code = ExitCode.MEASUREMENT_FAILED


class CancelledError(KubertError):
    """The user cancelled."""

    exit_code = ExitCode.INTERRUPTED


class DetachedError(CancelledError):
    """We let go of something that goes on by itself on a host."""
