"""The dialog that starts and stops a load while a host is measured."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kubert_tui.facts.model import Facts
from kubert_tui.lab.load_presets import LOAD_PRESETS, LoadPreset
from kubert_tui.latency.load_order import missing_tool
from kubert_tui.screens.dialog import Dialog

_TEXT = "It ends with the measurement; what ran and when is kept."


class LoadChooser(Dialog[str | None]):
    """Closed with the name of a preset, or None. Presets whose program is missing say so."""

    AUTO_FOCUS = "#loads"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,l,q", "close", "Go back"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self, host: str, facts: Facts | None, running: str) -> None:
        """`running` is the preset that loads `host` now; `` for none."""
        super().__init__(classes="question")
        self._host = host
        self._facts = facts
        self._now = running or "none"

    def compose(self) -> ComposeResult:
        """Lay out the presets."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(f"Load {self._host} while it is measured")
            yield Static(Content(_TEXT), classes="dialog-text", markup=False)
            yield OptionList(*map(self._option, LOAD_PRESETS.values()), id="loads", compact=True)

    def on_mount(self) -> None:
        """Begin at what runs now."""
        options = self.query_one("#loads", OptionList)
        options.highlighted = list(LOAD_PRESETS).index(self._now)

    def _option(self, preset: LoadPreset) -> Option:
        missing = missing_tool(self._facts, preset.name) if self._facts else ""
        told = f"needs {preset.tool}: install it, {self._host} has none" if missing else preset.what
        now = " (now)" if preset.name == self._now else ""
        text = Content.assemble(
            (f"{preset.name + now:<16}", "bold" if not missing else ""), (told, "$foreground-muted")
        )
        return Option(text, id=preset.name, disabled=bool(missing))

    @on(OptionList.OptionSelected, "#loads")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def action_move(self, by: int) -> None:
        """Move up or down."""
        options = self.query_one("#loads", OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_close(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)
