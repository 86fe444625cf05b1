"""All keys, from the same registry that binds them."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from kubert_tui.lab.model import Lab
from kubert_tui.screens import actions
from kubert_tui.screens.dialog import Dialog
from kubert_tui.screens.glyphs import LEVEL_STYLES, STATE_STYLES, STATE_WORDS, Glyphs

_Sections = tuple[tuple[str, tuple[actions.Action, ...]], ...]

_SECTIONS: _Sections = (
    ("Stages", (*actions.RAIL, *actions.WIZARD)),
    ("Findings and log", (*actions.FINDINGS, *actions.LOG)),
    ("Latency", (*actions.LATENCY, *actions.STRIPS)),
    ("CPU plan", actions.CPU_PLAN),
    ("Virtual machines", actions.MACHINES),
    ("Nodes of the cluster", actions.NODES),
)

_EVERYWHERE = (
    ("tab", "Move between the list of stages, the tabs and what they show"),
    ("ctrl+p", "Command palette: every action by name, and themes"),
    ("F1 ?", "This help"),
)


class HelpScreen(Dialog[None]):
    """A scrollable list of keys and signs."""

    AUTO_FOCUS = "#help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f1,question_mark", "dismiss", "Close")
    ]

    def __init__(
        self, glyphs: Glyphs, sections: _Sections = _SECTIONS, *, lab: Lab | None = None
    ) -> None:
        """`lab`: what means nothing in it is left out."""
        super().__init__(classes="question -large")
        if lab is not None:
            told = (one for one in sections if lab.cluster or one[1] is not actions.NODES)
            sections = tuple((title, actions.of_lab(own, lab)) for title, own in told)
        self._sections = sections
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = "esc closes"
            with VerticalScroll(id="help", can_focus=True):
                yield Static(self._text(), markup=False)

    def _text(self) -> Content:
        parts: list[tuple[str, str]] = []
        for title, section in self._sections:
            parts.append((f"{title}\n", "bold underline"))
            for action in section:
                parts += _line(action.keys_for_people, action.help)
            parts.append(("\n", ""))
        parts.append(("Everywhere\n", "bold underline"))
        for keys, text in _EVERYWHERE:
            parts += _line(keys, text)
        parts.append(("\nSigns\n", "bold underline"))
        for state, glyph in self._glyphs.states.items():
            parts.append((f"  {glyph} {STATE_WORDS[state]:<14}", STATE_STYLES[state]))
        parts.append(("\n", ""))
        for level, glyph in self._glyphs.levels.items():
            parts.append((f"  {glyph} {level:<14}", LEVEL_STYLES[level]))
        return Content.assemble(*parts)


def _line(keys: str, text: str) -> list[tuple[str, str]]:
    return [(f"  {keys:<9}", "bold $text-accent"), (f"{text}\n", "")]
