"""First start: which lab? A saved one, this machine, practice machines, or your own servers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from kubert_tui.base.errors import KubertError
from kubert_tui.lab.builtin import local_lab
from kubert_tui.lab.model import Lab
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.lab_form import LabFormScreen
from kubert_tui.screens.practice import PracticeScreen, PracticeSeen, look
from kubert_tui.screens.practice_labs import PracticeLabs
from kubert_tui.screens.practice_text import offer
from kubert_tui.screens.run_session import RunSession

_WELCOME = """\
kubert-tui takes servers from first contact to real-time Kubernetes on KVM, and measures \
their latency on the way. It shows what it will run before it runs anything, and changes \
only what you allow."""

_LOCAL = "this-machine"
_PRACTICE = "practice"
_SERVERS = "my-servers"


class FirstRunScreen(Screen[None]):
    """Asks for a lab."""

    AUTO_FOCUS = "#choices"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.leave", "Quit")]

    def __init__(
        self,
        *,
        open_session: Callable[[Lab], RunSession],
        save_lab: Callable[[Lab], Path],
        saved_labs: Mapping[str, Callable[[], Lab]],
        practice: PracticeLabs,
        glyphs: Glyphs,
        chosen: Callable[[Lab, bool], None],
    ) -> None:
        """`chosen` gets the lab, and whether it is of practice machines."""
        super().__init__()
        self._open_session = open_session
        self._save_lab = save_lab
        self._saved = tuple(saved_labs.items())
        self._practice = practice
        self._glyphs = glyphs
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """Lay out the welcome and the choices."""
        with VerticalScroll(id="first-run", can_focus=False), Vertical(classes="welcome"):
            yield Static("Welcome to kubert-tui", classes="welcome-title", markup=False)
            yield Static(_WELCOME, markup=False)
            yield Static("Which machines?", classes="heading", markup=False)
            yield OptionList(*self._options(), id="choices", compact=True)
            yield Static("up and down choose, enter goes on", classes="muted", markup=False)
        yield Footer()

    def on_screen_resume(self) -> None:
        """Look for practice machines: they may have come or gone."""
        self._look()

    @work(thread=True, exclusive=True, exit_on_error=False, group="look")
    def _look(self) -> None:
        self.post_message(look(self._practice))

    @on(PracticeSeen)
    def _seen(self, message: PracticeSeen) -> None:
        prompt = _prompt(*offer(message.seen))
        self.query_one("#choices", OptionList).replace_option_prompt(_PRACTICE, prompt)

    def _options(self) -> list[Option]:
        options = [
            _option(
                _LOCAL,
                "This machine",
                "Nothing will be changed: every stage is judged, rt-tests is built in "
                "kubert-tui's own cache, and cyclictest measures for 60 seconds.",
            ),
            _option(_PRACTICE, *offer({})),
            _option(
                _SERVERS,
                "My servers",
                "Add them by name and address, test the connection, and choose what may be "
                "changed on them.",
            ),
        ]
        saved = [
            _option(f"saved-{number}", f"Lab {name}", "Saved before: open it again.")
            for number, (name, _) in enumerate(self._saved)
        ]
        return [*saved, *options]

    @on(OptionList.OptionSelected, "#choices")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        identity = event.option.id or ""
        if identity == _LOCAL:
            self._chosen(local_lab(), False)
        elif identity == _PRACTICE:
            self.app.push_screen(PracticeScreen(self._practice, self._glyphs), self._up)
        elif identity == _SERVERS:
            form = LabFormScreen(self._open_session, self._save_lab)
            self.app.push_screen(form, self._made)
        else:
            self._load(int(identity.removeprefix("saved-")))

    def _made(self, lab: Lab | None) -> None:
        if lab is not None:
            self._chosen(lab, False)

    def _up(self, lab: Lab | None) -> None:
        if lab is not None:
            self._chosen(lab, True)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _load(self, number: int) -> None:
        try:
            lab = self._saved[number][1]()
        except (KubertError, OSError) as error:
            self.app.call_from_thread(
                self.notify, str(error), severity="error", timeout=15, markup=False
            )
            return
        self.app.call_from_thread(self._chosen, lab, False)


def _option(identity: str, title: str, text: str) -> Option:
    return Option(_prompt(title, text), id=identity)


def _prompt(title: str, text: str) -> Content:
    return Content.assemble((title, "bold"), (f"\n{text}", ""))
