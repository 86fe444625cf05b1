"""Containers in which the arrow keys move between buttons or fields."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll


class ButtonRow(Horizontal):
    """Buttons beside each other: left and right move."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "app.focus_previous", "Before", show=False),
        Binding("right,down", "app.focus_next", "Next", show=False),
    ]


class FormScroll(VerticalScroll):
    """Fields below each other: up and down move."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Before", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
    ]
