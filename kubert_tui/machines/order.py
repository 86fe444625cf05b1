"""What a user asks for about machines that are there, apart from the stage that makes them."""

from dataclasses import dataclass
from enum import StrEnum

from kubert_tui.base.errors import ExitCode, KubertError


class Action(StrEnum):
    """What is to be done."""

    LIST = "list"
    START = "start"
    STOP = "stop"
    CONSOLE = "console"
    SNAPSHOT = "snapshot"
    REVERT = "revert"
    REBUILD = "rebuild"
    DESTROY = "destroy"
    RELEASE = "release"


CHANGING = frozenset(Action) - {Action.LIST, Action.CONSOLE}
"""These need the permission `machines` and the host's lock."""

LOSING = {
    Action.REVERT: "what happened since the snapshot is lost",
    Action.REBUILD: "everything on its disk is lost",
    Action.DESTROY: "its disks go with it",
}
"""These want a typed confirmation, and why."""


class UnconfirmedError(KubertError):
    """Something would be lost, and nobody has typed that it may be."""

    exit_code = ExitCode.NEEDS_CONFIRMATION


@dataclass(frozen=True, slots=True)
class Order:
    """One request."""

    action: Action
    names: tuple[str, ...] = ()
    """Machines of the lab, in its file or left over; all if empty."""
    label: str = ""
    """Of a snapshot."""
    force: bool = False
    """STOP: cut the power instead of pressing the button."""
    typed: str = ""
    """What the user typed to confirm it: `word_for` says what is wanted."""

    def word_for(self, lab: str) -> str:
        """Return what has to be typed before it is done: the machine, or the lab if it is many."""
        if self.action not in LOSING:
            return ""
        return self.names[0] if len(self.names) == 1 else lab

    def check_confirmed(self, lab: str) -> None:
        """Raise UnconfirmedError unless the right word was typed."""
        word = self.word_for(lab)
        if self.typed != word:
            what = ", ".join(self.names) or "all machines"
            raise UnconfirmedError(
                f"{self.action} {what}: {LOSING[self.action]}; it was not confirmed",
                fix=f"type {word} when asked, or confirm with --yes",
            )
