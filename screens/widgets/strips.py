"""Rows of small histograms with a cursor: hosts, or CPUs, the worst first."""

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from kubert_tui.screens.actions import STRIPS, bindings
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.widgets.plot import Plot
from kubert_tui.screens.widgets.runs import Run
from kubert_tui.screens.widgets.strips_layout import Sheet, layout, rows_for

_DIGITS = 6


class Strips(Plot, can_focus=True):
    """Posts `Moved` when the cursor goes to another row, `Chosen` when one is taken."""

    KINDS = ("axis", "bar", "overflow", "limit", "cursor", "good", "bad")
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"plot--{kind}" for kind in KINDS}
    BINDINGS: ClassVar[list[BindingType]] = bindings(STRIPS)

    class Moved(Message):
        """The cursor is on this row now."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Chosen(Message):
        """This row is to be looked at."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="strips")
        self._glyphs = glyphs
        self._sheet = Sheet((), ())
        self._cursor = ""
        self._first = 0
        self._typed = ""

    def show(self, sheet: Sheet, cursor: str) -> None:
        """Draw these rows, the cursor on the one called `cursor`."""
        if cursor != self._cursor and self._typed not in cursor:
            self._typed = ""
        self._sheet, self._cursor = sheet, cursor
        self.compute()

    def lines(self, width: int, height: int) -> list[list[Run]]:
        """Lay it out, the cursor in sight."""
        rows = rows_for(height)
        at = self._at()
        self._first = min(max(self._first, at - rows + 1), at)
        self._first = max(0, min(self._first, len(self._sheet.strips) - rows))
        return layout(
            self._sheet, width, height, self._glyphs, cursor=self._cursor, first=self._first
        )

    def _at(self) -> int:
        keys = [strip.key for strip in self._sheet.strips]
        return keys.index(self._cursor) if self._cursor in keys else 0

    def _go(self, at: int) -> None:
        strips = self._sheet.strips
        if not strips:
            return
        key = strips[min(max(at, 0), len(strips) - 1)].key
        if key != self._cursor:
            self._cursor = key
            self.compute()
            self.post_message(self.Moved(key))

    def action_move(self, by: int) -> None:
        """Move the cursor so many rows down."""
        self._typed = ""
        self._go(self._at() + by)

    def action_page(self, by: int) -> None:
        """Move it so many screens down."""
        self.action_move(by * rows_for(self.size.height))

    def action_end(self, last: bool) -> None:
        """Move it to the first or the last row."""
        self._typed = ""
        self._go(len(self._sheet.strips) - 1 if last else 0)

    def action_choose(self) -> None:
        """Look at the row under the cursor."""
        if self._sheet.strips:
            self.post_message(self.Chosen())

    def on_key(self, event: events.Key) -> None:
        """Go to the row whose number is typed, digit by digit."""
        if event.character is None or not ("0" <= event.character <= "9"):
            return
        numbers = {strip.key.rpartition(" ")[2]: at for at, strip in enumerate(self._sheet.strips)}
        if not any(number.isdecimal() for number in numbers):
            return
        event.stop()
        event.prevent_default()
        for typed in (self._typed + event.character, event.character):
            if len(typed) <= _DIGITS and any(number.startswith(typed) for number in numbers):
                self._typed = typed
                break
        else:
            return
        if self._typed in numbers:
            self._go(numbers[self._typed])
