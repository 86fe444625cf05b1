"""The wizard's application: owns the run, opens screens, and knows how to leave."""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path, PurePath
from typing import ClassVar, cast

from rich.segment import Segments
from rich.text import Text
from textual import on, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from kubert_tui.base.bug import bug_report
from kubert_tui.base.errors import ExitCode, KubertError
from kubert_tui.base.text import clean
from kubert_tui.engine.interface import Engine
from kubert_tui.events.model import Failure
from kubert_tui.lab.model import Lab
from kubert_tui.screens.actions import LATENCY, MACHINES, MONITOR, NODES, WIZARD, of_lab
from kubert_tui.screens.error import ErrorScreen
from kubert_tui.screens.first_run import FirstRunScreen
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.machines import MachinesScreen
from kubert_tui.screens.monitor import MonitorScreen
from kubert_tui.screens.nodes import NodesScreen
from kubert_tui.screens.opening import OpeningScreen
from kubert_tui.screens.practice_labs import PracticeLabs
from kubert_tui.screens.practice_progress import PracticeProgress
from kubert_tui.screens.practice_text import STAY, STAYS
from kubert_tui.screens.prompts import ConfirmPrompt
from kubert_tui.screens.run_session import EventsEnded, EventsReady, RunSession
from kubert_tui.screens.theme import KUBERT
from kubert_tui.screens.wizard import WizardScreen

_LEAVE_WITHIN = 5.0
"""Seconds the engine gets to say `Finished` before we leave without it."""


class KubertApp(App[int]):
    """Ends with the run's exit code."""

    TITLE = "kubert-tui"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        "base.tcss",
        "wizard.tcss",
        "dialogs.tcss",
        "latency.tcss",
        "first_run.tcss",
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True)
    ]

    def __init__(
        self,
        lab: Lab | None,
        open_engine: Callable[[Lab], Engine],
        save_lab: Callable[[Lab], Path],
        *,
        practice: PracticeLabs,
        glyphs: Glyphs,
        practising: bool = False,
        watch: str = "",
        saved_labs: Mapping[str, Callable[[], Lab]] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Open on `lab` (`practising`: it is of practice machines), or ask for one if it is None.

        With `watch`, a stage that measures, there is no wizard: it measures, and is watched.

        `open_engine`, `save_lab` and the loaders of `saved_labs` may block and raise
        KubertError or OSError: they are called in threads.
        """
        super().__init__()
        self._lab = lab
        self._open_engine = open_engine
        self._save_lab = save_lab
        self._practice = practice
        self._saved_labs = saved_labs or {}
        self._now = now
        self._watch = watch
        self.glyphs = glyphs
        self.session: RunSession | None = None
        self.practising = practising
        """The run is on practice machines."""
        self._leaving = False
        self.register_theme(KUBERT)
        self.theme = KUBERT.name
        self.set_class(glyphs.plain, "-plain")

    def on_mount(self) -> None:
        """Go to the run, or to the choice of a lab."""
        if self._lab is not None:
            self.open_run(self._lab, self.practising)
            return
        self.push_screen(
            FirstRunScreen(
                open_session=self.open_session,
                save_lab=self._save_lab,
                saved_labs=self._saved_labs,
                practice=self._practice,
                glyphs=self.glyphs,
                chosen=self.open_run,
            )
        )

    def open_session(self, lab: Lab) -> RunSession:
        """Open an engine (this may block: call it in a thread)."""
        agreed = frozenset({self._watch} - {""})
        return RunSession(self, self._open_engine(lab), self.glyphs, agreed)

    def open_run(self, lab: Lab, practising: bool) -> None:
        """Open the run of a lab and show it."""
        self.practising = practising
        self.push_screen(OpeningScreen(lab.name))
        self._open_run(lab)

    @work(thread=True, exclusive=True, exit_on_error=False, group="open-run")
    def _open_run(self, lab: Lab) -> None:
        try:
            session = self.open_session(lab)
        except (KubertError, OSError) as error:
            self.call_from_thread(self._not_opened, lab, error)
            return
        self.call_from_thread(self._opened, session)

    def _opened(self, session: RunSession) -> None:
        self.session = session
        session.start()
        self.switch_screen(self._first_screen(session))
        if self.practising:
            self.notify(STAYS, title="Practice", timeout=12, markup=False)

    def _first_screen(self, session: RunSession) -> Screen[None]:
        leave = self.action_leave
        if self._watch:
            return MonitorScreen(session, self.glyphs, self._now, leave=leave, stage=self._watch)
        return WizardScreen(session, self.glyphs, leave=leave, now=self._now)

    def _not_opened(self, lab: Lab, error: KubertError | OSError) -> None:
        fix = error.fix if isinstance(error, KubertError) else ""
        what = error.what if isinstance(error, KubertError) else str(error)
        failure = Failure(what=what, fix=fix, host=lab.name)
        code = error.exit_code if isinstance(error, KubertError) else ExitCode.FAILED
        screen = ErrorScreen("The run cannot be opened", (failure,), retry=False)

        def closed(_: object) -> None:
            if self._lab is None:
                self.pop_screen()
            else:
                self.exit(int(code), message=f"kubert-tui: {what} ({fix})" if fix else what)

        self.push_screen(screen, closed)

    @on(EventsReady)
    def _events_ready(self, message: EventsReady) -> None:
        message.session.take()

    @on(EventsEnded)
    def _events_ended(self, message: EventsEnded) -> None:
        message.session.finish(message.problem)
        if message.session is self.session and self._leaving:
            self._exit_now()

    def action_leave(self) -> None:
        """Leave; asks first while something runs."""
        session = self.session
        if isinstance(self.screen, PracticeProgress):
            # What it has begun is to be removed first.
            self.screen.action_cancel()
            return
        if session is None or session.ended:
            self._exit_now()
            return
        if self._leaving:
            self._exit_now()
            return
        if not session.view.running:
            self._let_go(session)
            return
        if session.view.measuring:
            text = (
                "The measurement goes on by itself on its host, and opening this lab again "
                "attaches to it."
            )
            heading = "Leave while measuring?"
        else:
            title = session.view.stage(session.view.running).title
            text = f"{title} is being worked on. Leaving ends it; starting again resumes here."
            heading = "Leave?"
        if self.practising:
            text = f"{text}\n\n{STAY[0]}"
        prompt = ConfirmPrompt(heading, text, yes="Leave", no="Stay")
        self.push_screen(prompt, lambda yes: self._let_go(session) if yes else None)

    def _let_go(self, session: RunSession) -> None:
        self._leaving = True
        session.leave()
        # A host that hangs must not keep the user here.
        self.set_timer(_LEAVE_WITHIN, self._exit_now)

    def _exit_now(self) -> None:
        finished = self.session.view.finished if self.session is not None else None
        code = finished.exit_code if finished is not None else int(ExitCode.OK)
        # An unfinished run is interrupted, so that it is resumed; to leave it is no failure.
        self.exit(int(ExitCode.OK) if code == ExitCode.INTERRUPTED else code)

    def _fatal_error(self) -> None:
        """Leave after a bug. Textual's own report shows local variables: a password just typed."""
        shown = Text(clean(bug_report(self._exception)), "red")
        self._exit_renderables.append(Segments(self.console.render(shown, self.console.options)))
        self._close_messages_no_wait()

    async def action_quit(self) -> None:
        """Leave the way `q` does (ctrl+q, and the palette's Quit)."""
        self.action_leave()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action of the screen by name, then Textual's own (themes, ...)."""
        here = screen
        all_of = {
            WizardScreen: WIZARD,
            LatencyScreen: LATENCY,
            MonitorScreen: MONITOR,
            MachinesScreen: MACHINES,
            NodesScreen: NODES,
        }
        shown = all_of.get(type(here), ())
        if self.session is not None:
            shown = of_lab(shown, self.session.view.lab)
        for action in shown:
            run = partial(here.run_action, action.name)
            yield SystemCommand(
                f"{action.title} ({action.keys_for_people})",
                action.help,
                cast("Callable[[], None]", run),
            )
        yield from super().get_system_commands(screen)
