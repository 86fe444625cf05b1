"""A check box that can be told on from off without colour."""

from textual.widgets import Checkbox


class Tick(Checkbox):
    """Drawn as [x] or [ ]."""

    BUTTON_LEFT = "["
    BUTTON_RIGHT = "]"
    BUTTON_INNER = " "

    def watch_value(self) -> None:
        """Draw the cross only when it is on."""
        self.BUTTON_INNER = "x" if self.value else " "
        super().watch_value()
