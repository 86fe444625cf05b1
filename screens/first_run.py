"""First start: which lab? This machine, one that was saved, or servers of your own."""

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
from kubert_tui.screens.lab_form import LabFormScreen
from kubert_tui.screens.run_session import RunSession

_WELCOME = """\
kubert-tui takes servers from first contact to real-time Kubernetes on KVM, and measures \
their latency on the way. It shows what it will run before it runs anything, and changes \
only what you allow."""

_LOCAL = "this-machine"
_SERVERS = "my-servers"


class FirstRunScreen(Screen[None]):
    """Asks for a lab."""

    AUTO_FOCUS = "#choices"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.leave", "Quit")]

    def __init__(
        self,
        open_session: Callable[[Lab], RunSession],
        save_lab: Callable[[Lab], Path],
        saved_labs: Mapping[str, Callable[[], Lab]],
        chosen: Callable[[Lab], None],
    ) -> None:
        super().__init__()
        self._open_session = open_session
        self._save_lab = save_lab
        self._saved = tuple(saved_labs.items())
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """Lay out the welcome and the choices."""
        with VerticalScroll(id="first-run", can_focus=False), Vertical(id="welcome"):
            yield Static("Welcome to kubert-tui", id="welcome-title", markup=False)
            yield Static(_WELCOME, id="welcome-text", markup=False)
            yield Static("Which machines?", classes="heading", markup=False)
            yield OptionList(*self._options(), id="choices", compact=True)
            yield Static("up and down choose, enter goes on", classes="muted", markup=False)
        yield Footer()

    def _options(self) -> list[Option]:
        options = [
            _option(
                _LOCAL,
                "This machine",
                "Nothing will be changed: every stage is judged, rt-tests is built in "
                "kubert-tui's own cache, and cyclictest measures for 60 seconds.",
            ),
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
            self._chosen(local_lab())
        elif identity == _SERVERS:
            form = LabFormScreen(self._open_session, self._save_lab)
            self.app.push_screen(form, self._made)
        else:
            self._load(int(identity.removeprefix("saved-")))

    def _made(self, lab: Lab | None) -> None:
        if lab is not None:
            self._chosen(lab)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _load(self, number: int) -> None:
        try:
            lab = self._saved[number][1]()
        except (KubertError, OSError) as error:
            self.app.call_from_thread(
                self.notify, str(error), severity="error", timeout=15, markup=False
            )
            return
        self.app.call_from_thread(self._chosen, lab)


def _option(identity: str, title: str, text: str) -> Option:
    return Option(Content.assemble((title, "bold"), (f"\n{text}", "")), id=identity)
