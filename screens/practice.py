"""The choice of practice machines: make them, go on with those that are there, remove them."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from kubert_tui.base.errors import KubertError
from kubert_tui.lab.model import Lab
from kubert_tui.practice.model import Kind, Order
from kubert_tui.practice.status import Status
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.practice_labs import PracticeLabs
from kubert_tui.screens.practice_progress import Done, Job, PracticeProgress
from kubert_tui.screens.practice_text import (
    INTRODUCTION,
    REMOVING,
    TITLES,
    Seen,
    building,
    choices,
)
from kubert_tui.screens.prompts import ConfirmPrompt


class PracticeSeen(Message):
    """How the practice labs stand; posted from a thread."""

    def __init__(self, seen: Seen) -> None:
        super().__init__()
        self.seen = seen


def look(labs: PracticeLabs) -> PracticeSeen:
    """Return how the labs stand. Blocks. What cannot be found out does not keep one from trying."""
    seen: dict[Kind, Status | None] = {}
    for kind in Kind:
        try:
            seen[kind] = labs.look(kind)
        except (KubertError, OSError):
            seen[kind] = None
    return PracticeSeen(seen)


class PracticeScreen(Screen[Lab | None]):
    """Dismissed with the lab that is up, or None."""

    AUTO_FOCUS = "#choices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("q", "app.leave", "Quit"),
    ]

    def __init__(self, labs: PracticeLabs, glyphs: Glyphs) -> None:
        super().__init__()
        self._labs = labs
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """Lay out what practice machines are, and the choices."""
        with VerticalScroll(id="practice", can_focus=False), Vertical(classes="welcome"):
            yield Static("Practice machines", classes="welcome-title", markup=False)
            yield Static(INTRODUCTION, markup=False)
            yield OptionList(id="choices", compact=True)
            yield Static("up and down choose, enter goes on", classes="muted", markup=False)
        yield Footer()

    def on_screen_resume(self) -> None:
        """Look how they stand: at first, and after each job."""
        self._look()

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _look(self) -> None:
        self.post_message(look(self._labs))

    @on(PracticeSeen)
    def _seen(self, message: PracticeSeen) -> None:
        options = self.query_one("#choices", OptionList)
        shown = options.highlighted
        options.set_options(
            Option(Content.assemble((title, "bold"), f"\n{text}"), id=identity)
            for identity, title, text in choices(message.seen)
        )
        options.highlighted = min(shown or 0, options.option_count - 1)

    @on(OptionList.OptionSelected, "#choices")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        what, _, name = (event.option.id or "").partition("-")
        kind = Kind(name)
        if what == "up":
            self._up(kind)
        else:
            self._ask_down(kind)

    def _up(self, kind: Kind) -> None:
        def ended(done: Done | None) -> None:
            if done is not None and done.lab is not None:
                self.dismiss(done.lab)

        self.app.push_screen(PracticeProgress(up_job(self._labs, kind), self._glyphs), ended)

    def _ask_down(self, kind: Kind) -> None:
        text = "They are switched off and deleted, with everything that was done on them."
        prompt = ConfirmPrompt(f"{TITLES[kind]}: remove?", text, yes="Remove", no="Keep")
        self.app.push_screen(prompt, lambda yes: self._down(kind) if yes else None)

    def _down(self, kind: Kind) -> None:
        def ended(done: Done | None) -> None:
            if done is not None:
                self.notify(f"{TITLES[kind]}: removed, nothing of them is left.", markup=False)

        self.app.push_screen(PracticeProgress(_down_job(self._labs, kind), self._glyphs), ended)


def up_job(labs: PracticeLabs, kind: Kind) -> Job:
    """Return the job that makes or starts a practice lab."""

    def up(order: Order) -> Lab:
        return labs.up(kind, order)

    return Job(
        title=f"Practice machines: {TITLES[kind].lower()}",
        then=building(kind),
        failed="The practice machines are not up",
        do=up,
    )


def _down_job(labs: PracticeLabs, kind: Kind) -> Job:
    def down(order: Order) -> None:
        labs.down(kind, order)

    return Job(
        title=f"Removing the practice machines: {TITLES[kind].lower()}",
        then=REMOVING,
        failed="The practice machines could not be removed",
        do=down,
        may_cancel=False,
    )
