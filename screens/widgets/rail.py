"""The rail: all stages in order, each with number, glyph and word.

Stages for which the lab has nothing (no machines, no cluster) are one row together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from kubert_tui.events.model import StageState
from kubert_tui.lab.model import Lab
from kubert_tui.screens.actions import RAIL, bindings
from kubert_tui.screens.glyphs import STATE_STYLES, STATE_WORDS, Glyphs
from kubert_tui.screens.run_state import FINISHED_STATES
from kubert_tui.screens.run_view import RunView
from kubert_tui.stages.model import Stage

_FOLDED = {"machines": "Virtual machines", "cluster": "Kubernetes"}
"""What a row of stages that lack something is called."""
_NONE = "none in this lab"


@dataclass(frozen=True, slots=True)
class Row:
    """One stage; or several next to each other, which all lack the same."""

    first: int
    """Number of the first one, from 1."""
    stages: tuple[Stage, ...]
    lacks: str = ""

    @property
    def id(self) -> str:
        """Of its first stage: that is the one which is selected with the row."""
        return self.stages[0].id


def rows_of(stages: Sequence[Stage], lab: Lab) -> tuple[Row, ...]:
    """Return the rows of the rail."""
    rows: list[Row] = []
    for number, stage in enumerate(stages, start=1):
        lacks = stage.lacks(lab)
        if lacks and rows and rows[-1].lacks == lacks:
            rows[-1] = replace(rows[-1], stages=(*rows[-1].stages, stage))
        else:
            rows.append(Row(number, (stage,), lacks))
    return tuple(rows)


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
        self._rows = rows_of(view.stages, view.lab)
        self._row_of = {stage.id: row.id for row in self._rows for stage in row.stages}

    def on_mount(self) -> None:
        """Fill the list."""
        self.border_title = Content(self._view.lab.name)
        self.add_options(Option(self._prompt(row), id=row.id) for row in self._rows)
        self.highlighted = 0

    @property
    def selected(self) -> str:
        """Return the id of the highlighted stage."""
        option = self.highlighted_option
        return (option.id or "") if option is not None else self._view.stages[0].id

    def select(self, stage: str) -> None:
        """Move to a stage, or to the row that it is part of."""
        self.highlighted = self.get_option_index(self._row_of[stage])

    def move(self, by: int) -> None:
        """Move down by `by` rows (up if negative), stopping at the ends."""
        wanted = (self.highlighted or 0) + by
        self.highlighted = min(max(wanted, 0), self.option_count - 1)

    def show_states(self) -> None:
        """Draw every stage's state anew."""
        for row in self._rows:
            self.replace_option_prompt(row.id, self._prompt(row))
        own = [stage for row in self._rows if not row.lacks for stage in row.stages]
        finished = sum(self._view.state(one.id) in FINISHED_STATES for one in own)
        self.border_subtitle = f"{finished} of {len(own)} finished"

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say which stage is selected now."""
        event.stop()
        if event.option.id is not None:
            self.post_message(self.Selected(event.option.id))

    def _prompt(self, row: Row) -> Content:
        if row.lacks and len(row.stages) > 1:
            return self._folded(row)
        stage = row.stages[0]
        glyph, word, style = stage_sign(self._view, stage.id, self._glyphs)
        return Content.assemble(
            (f"{row.first:>2} ", "$foreground-muted"),
            (f"{glyph} ", style),
            (stage.title, "bold"),
            (f"\n     {word}", style),
        )

    def _folded(self, row: Row) -> Content:
        last = row.first + len(row.stages) - 1
        sign = self._glyphs.states[StageState.SKIPPED]
        return Content.assemble(
            (f"{row.first}-{last} {sign} {_FOLDED[row.lacks]}\n", "$foreground-muted"),
            (f"     {_NONE}", "$foreground-muted"),
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
    if state is StageState.PENDING and view.stage(stage).lacks(view.lab):
        return glyphs.states[StageState.SKIPPED], _NONE, STATE_STYLES[state]
    return glyphs.states[state], STATE_WORDS[state], STATE_STYLES[state]
