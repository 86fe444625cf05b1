"""The exit code of a run, from how its stages and orders ended."""

from dataclasses import dataclass, field

from kubert_tui.base.errors import ExitCode
from kubert_tui.events.model import StageState

_MILD = (ExitCode.OK, ExitCode.NEEDS_CONFIRMATION, ExitCode.INTERRUPTED)
_BROKEN_OFF = (StageState.CANCELLED, StageState.RUNNING)
_WAITS_FOR_A_PERSON = (StageState.DECLINED, StageState.NEEDS_YOU)


@dataclass(slots=True)
class ExitCodes:
    """What went wrong so far. A stage that is worked on again counts as it ended last."""

    run: ExitCode = ExitCode.OK
    """Of what belongs to no stage: a full disk here, a bug."""
    _codes: dict[str, ExitCode] = field(default_factory=dict)

    def ended(self, what: str, state: StageState, failure_code: int = 0) -> None:
        """Take in how a stage (or order) ended; `failure_code` is its first failure's."""
        self._codes.pop(what, None)
        if state is StageState.FAILED:
            self._codes[what] = ExitCode(failure_code or ExitCode.FAILED)
        elif state in _BROKEN_OFF:
            self._codes[what] = ExitCode.INTERRUPTED
        elif state in _WAITS_FOR_A_PERSON:
            busy = failure_code == ExitCode.BUSY
            self._codes[what] = ExitCode.BUSY if busy else ExitCode.NEEDS_CONFIRMATION

    def total(self, *, left: bool) -> ExitCode:
        """Return the first thing that went wrong, the worst kind first.

        `left`: somebody let go of the run while there was something to do.
        """
        codes = [self.run, *self._codes.values()]
        severe = [code for code in codes if code not in _MILD]
        if severe:
            return severe[0]
        if left or ExitCode.INTERRUPTED in codes:
            return ExitCode.INTERRUPTED
        return max(codes)
