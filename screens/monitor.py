"""`kubert-tui monitor`: the latency screen alone. It begins to measure, and leaves with `q`."""

from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from kubert_tui.events.model import Failure, StageFinished, StageState
from kubert_tui.screens import actions
from kubert_tui.screens.error import ErrorChoice, ErrorScreen
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.latency import LatencyScreen
from kubert_tui.screens.prompts import ConfirmPrompt
from kubert_tui.screens.run_session import RunChange, RunSession


class MonitorScreen(LatencyScreen):
    """Measures as soon as it is opened."""

    KEYS = actions.MONITOR
    BINDINGS: ClassVar[list[BindingType]] = actions.bindings(KEYS)

    def __init__(
        self,
        session: RunSession,
        glyphs: Glyphs,
        now: Callable[[], float],
        *,
        leave: Callable[[], None],
        stage: str,
    ) -> None:
        super().__init__(session, glyphs, now)
        self._leave = leave
        self._stage = stage

    def on_mount(self) -> None:
        """Begin."""
        super().on_mount()
        self._session.submit(self._stage, again=True)

    def nothing_yet(self) -> str:
        """Tell what is done until there are figures."""
        return self._view.activity or "Connecting."

    def _changed(self, change: RunChange) -> None:
        super()._changed(change)
        for event in change.events:
            broken = isinstance(event, StageFinished) and event.state is StageState.FAILED
            if broken or (isinstance(event, Failure) and not event.stage):
                failures = self._view.failures.get(event.stage, ()) or (
                    (event,) if isinstance(event, Failure) else ()
                )
                screen = ErrorScreen("The measurement", failures, retry=bool(event.stage))
                self.app.push_screen(screen, self._after_error)

    def _after_error(self, choice: ErrorChoice | None) -> None:
        if choice is ErrorChoice.RETRY:
            self._session.submit(self._stage, again=True)

    def action_cancel(self) -> None:
        """End the measurement; asks first."""
        if not self._view.running:
            self.notify("Nothing is measured now.", markup=False)
            return
        text = "cyclictest ends on its host; what it has measured is kept, labelled as interrupted."
        prompt = ConfirmPrompt("End the measurement?", text, yes="End it", no="Go on")
        self.app.push_screen(prompt, lambda yes: self._session.cancel() if yes else None)

    def action_close(self) -> None:
        """Leave; a measurement goes on by itself."""
        self._leave()
