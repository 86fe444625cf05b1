"""The base of everything that lies above another screen and is closed with a result."""

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

ResultT = TypeVar("ResultT")


class Dialog(ModalScreen[ResultT]):
    """A modal screen that can be told twice to close: keys come faster than screens go."""

    def dismiss(self, result: ResultT | None = None) -> AwaitComplete:
        """Close with a result; does nothing when it is closed already."""
        if not self.is_active:
            return AwaitComplete()
        return super().dismiss(result)
