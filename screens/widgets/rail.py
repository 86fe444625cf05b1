"""The rail: all stages in order, each with number, glyph and word."""

from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from kubert_tui.events.model import StageState
from kubert_tui.screens.actions import RAIL, bindings
from kubert_tui.screens.glyphs import STATE_STYLES, STATE_WORDS, Glyphs
from kubert_tui.screens.run_state import FINISHED_STATES
from kubert_tui.screens.run_view import RunView
from kubert_tui.stages.model import Stage


class Rail(OptionList):
    """The list of stages. Posts `Selected` when another stage is highlighted."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(RAIL)

    class Selected(Message):
        """The user (or the run, if it is followed) moved to a stage."""

        def __init__(self, stage: str) -> None:
            super().__init__()
            self.stage = stage

    def __init__(self, view: RunView, glyphs: Glyphs) -> None:
        super().__init__(id="rail", compact=True)
        self._view = view
        self._glyphs = glyphs

    def on_mount(self) -> None:
        """Fill the list."""
        self.border_title = Content(self._view.lab.name)
        self.add_options(
            Option(self._prompt(number, stage), id=stage.id)
            for number, stage in enumerate(self._view.stages, start=1)
        )
        self.highlighted = 0

    @property
    def selected(self) -> str:
        """Return the id of the highlighted stage."""
        option = self.highlighted_option
        return (option.id or "") if option is not None else self._view.stages[0].id

    def select(self, stage: str) -> None:
        """Move to a stage."""
        self.highlighted = self.get_option_index(stage)

    def move(self, by: int) -> None:
        """Move down by `by` stages (up if negative), stopping at the ends."""
        wanted = (self.highlighted or 0) + by
        self.highlighted = min(max(wanted, 0), self.option_count - 1)

    def show_states(self) -> None:
        """Draw every stage's state anew."""
        for number, stage in enumerate(self._view.stages, start=1):
            self.replace_option_prompt(stage.id, self._prompt(number, stage))
        finished = sum(self._view.state(one.id) in FINISHED_STATES for one in self._view.stages)
        self.border_subtitle = f"{finished} of {len(self._view.stages)} finished"

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say which stage is selected now."""
        event.stop()
        if event.option.id is not None:
            self.post_message(self.Selected(event.option.id))

    def _prompt(self, number: int, stage: Stage) -> Content:
        glyph, word, style = stage_sign(self._view, stage.id, self._glyphs)
        return Content.assemble(
            (f"{number:>2} ", "$foreground-muted"),
            (f"{glyph} ", style),
            (stage.title, "bold"),
            (f"\n     {word}", style),
        )


def stage_sign(view: RunView, stage: str, glyphs: Glyphs) -> tuple[str, str, str]:
    """Return glyph, word and style for how a stage stands."""
    state = view.state(stage)
    if stage in view.queued:
        return glyphs.queued, "queued", "$text-accent"
    if view.running == stage and view.cancelling:
        return glyphs.states[StageState.RUNNING], "cancelling", "bold $text-warning"
    if any(question.stage == stage for question in view.questions.values()):
        return glyphs.states[StageState.NEEDS_YOU], "asks you", "bold $text-warning"
    if state is StageState.RUNNING and view.running != stage:
        return glyphs.states[state], "goes on alone", STATE_STYLES[state]
    return glyphs.states[state], STATE_WORDS[state], STATE_STYLES[state]
