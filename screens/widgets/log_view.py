"""The log: searchable, can be paused, bounded; the whole of it is on disk."""

from collections import deque
from collections.abc import Iterable
from typing import ClassVar

from rich.highlighter import Highlighter
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Log, Static

from kubert_tui.base.text import clean
from kubert_tui.screens.actions import LOG, bindings

LINES_KEPT = 20_000


class _Marker(Highlighter):
    """Marks every occurrence of what is searched for."""

    def __init__(self) -> None:
        self.needle = ""

    def highlight(self, text: Text) -> None:
        """Mark the needle in one line."""
        plain, needle = text.plain.lower(), self.needle
        position = plain.find(needle) if needle else -1
        while position >= 0:
            text.stylize("reverse bold", position, position + len(needle))
            position = plain.find(needle, position + len(needle))


class _SearchInput(Input):
    """The search field; up and down go to other matches."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "move(1)", "Next match", show=False),
        Binding("up,ctrl+p", "move(-1)", "Match before", show=False),
        Binding("escape", "leave", "Close", show=False),
    ]

    def action_move(self, by: int) -> None:
        """Go to another match."""
        self._pane().find(by)

    def action_leave(self) -> None:
        """Close the search."""
        self._pane().close_search()

    def _pane(self) -> "LogPane":
        return next(one for one in self.ancestors if isinstance(one, LogPane))


class LogPane(Vertical):
    """Live output with a search line below."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(LOG)

    def __init__(self) -> None:
        super().__init__(id="log-pane")
        self._marker = _Marker()
        self._held: deque[str] = deque(maxlen=LINES_KEPT)
        self._paused = False
        self._at = -1
        self._place = ""

    def compose(self) -> ComposeResult:
        """Lay out the log, its state and the search line."""
        log = Log(id="log", max_lines=LINES_KEPT, highlight=True)
        log.highlighter = self._marker
        yield log
        with Horizontal(id="log-search"):
            yield Static("/", id="log-slash", markup=False)
            yield _SearchInput(id="log-needle", compact=True, placeholder="search")
            yield Static(id="log-matches", markup=False)
        yield Static(id="log-state", markup=False)

    def on_mount(self) -> None:
        """Begin without a search."""
        self.query_one("#log-search").display = False
        self._show_state()

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the lines shown."""
        return tuple(self.query_one(Log).lines)

    def write(self, lines: Iterable[str]) -> None:
        """Add lines; while paused they are held back."""
        # Text comes cleaned; a control character that slipped through must not reach the terminal.
        new = [line if line.isprintable() else clean(line) for line in lines]
        if not new:
            return
        if self._paused:
            self._held.extend(new)
            self._show_state()
            return
        self.query_one(Log).write_lines(new)

    def set_place(self, place: str) -> None:
        """Say where the whole log lies."""
        self._place = place
        self._show_state()

    def action_pause(self) -> None:
        """Hold new lines back, or let them in again."""
        self._paused = not self._paused
        if not self._paused:
            held, self._held = list(self._held), deque(maxlen=LINES_KEPT)
            log = self.query_one(Log)
            log.write_lines(held)
            log.scroll_end(animate=False)
        self._show_state()

    def action_search(self) -> None:
        """Open the search line."""
        self.query_one("#log-search").display = True
        self.query_one("#log-needle").focus()

    def close_search(self) -> None:
        """Close the search line and unmark."""
        needle = self.query_one("#log-needle", Input)
        needle.value = ""
        self.query_one("#log-search").display = False
        self.query_one(Log).focus()

    def find(self, by: int) -> None:
        """Scroll to the match after (`by` 1) or before (-1) the last one."""
        matches = self._matches()
        if not matches:
            return
        if by > 0:
            position = next((i for i, line in enumerate(matches) if line > self._at), 0)
        else:
            before = [i for i, line in enumerate(matches) if line < self._at]
            position = before[-1] if before else len(matches) - 1
        self._at = matches[position]
        log = self.query_one(Log)
        log.scroll_to(y=max(0, self._at - log.size.height // 2), animate=False)
        self._count(f"{position + 1} of {len(matches)} lines")

    @on(Input.Changed, "#log-needle")
    def _needle_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._marker.needle = event.value.lower()
        self._at = -1
        log = self.query_one(Log)
        log.notify_style_update()
        log.refresh()
        matches = len(self._matches())
        self._count(f"{matches} lines" if event.value else "")

    @on(Input.Submitted, "#log-needle")
    def _needle_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.find(1)

    def _matches(self) -> list[int]:
        needle = self._marker.needle
        if not needle:
            return []
        lines = self.query_one(Log).lines
        return [number for number, line in enumerate(lines) if needle in line.lower()]

    def _count(self, text: str) -> None:
        self.query_one("#log-matches", Static).update(text)

    def _show_state(self) -> None:
        paused = f"PAUSED, {len(self._held)} lines held back (p)  " if self._paused else ""
        place = f"\nall of it: {self._place}" if self._place else ""
        self.query_one("#log-state", Static).update(f"{paused}/ search  p pause{place}")
        self.set_class(self._paused, "-paused")
