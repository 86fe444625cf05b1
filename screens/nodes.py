"""The cluster's nodes, live: the engine watches as long as this screen is open."""

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from kubert_tui.events.cluster import ClusterHeard, ClusterWatched
from kubert_tui.facts.nodes_now import NodeNow, nodes_now
from kubert_tui.screens import actions
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.help import HelpScreen
from kubert_tui.screens.nodes_text import detail_of, head_of, heard_of, line_of
from kubert_tui.screens.run_session import RunChange, RunSession


class NodesScreen(Screen[None]):
    """A table above all that is known of the selected node. Changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = actions.bindings(actions.NODES)
    AUTO_FOCUS = "#nodes"

    def __init__(self, session: RunSession, glyphs: Glyphs, now: Callable[[], float]) -> None:
        super().__init__()
        self._session = session
        self._view = session.view
        self._glyphs = glyphs
        self._now = now
        self._rows: tuple[NodeNow, ...] = ()
        self._quiet = False

    def compose(self) -> ComposeResult:
        """Lay out the table, what is known of the selected node, and the state of the watch."""
        yield Static(id="nodes-head", markup=False)
        yield OptionList(id="nodes", compact=True)
        with VerticalScroll(id="node-detail", can_focus=False):
            yield Static(id="node-text", markup=False)
        yield Static(id="nodes-heard", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Show what is known, and have it watched."""
        self._session.changed.subscribe(self, self._changed, immediate=True)
        self._session.watch_cluster(on=True)
        self._show()
        # Ages and the time since something was heard grow by themselves.
        self.set_interval(1.0, self._show)

    def on_unmount(self) -> None:
        """Have it watched no more."""
        self._session.watch_cluster(on=False)

    @property
    def selected(self) -> NodeNow | None:
        """The selected node; None if there is none."""
        number = self.query_one("#nodes", OptionList).highlighted
        return None if number is None or number >= len(self._rows) else self._rows[number]

    def _changed(self, change: RunChange) -> None:
        if self.is_mounted and any(
            isinstance(event, ClusterWatched | ClusterHeard) for event in change.events
        ):
            self._show()

    def _show(self) -> None:
        watched = self._view.cluster
        cluster = watched.cluster if watched is not None else None
        self._rows = nodes_now(self._view.lab, cluster, watched.cpus if watched else {})
        width, now = self.size.width, self._now()
        self.query_one("#nodes-head", Static).update(Content(head_of(width)))
        options = self.query_one("#nodes", OptionList)
        lines = [line_of(row, width, now, self._glyphs) for row in self._rows]
        if len(lines) == options.option_count:
            for number, line in enumerate(lines):
                if options.get_option_at_index(number).prompt != line:
                    options.replace_option_prompt_at_index(number, line)
        else:
            before = options.highlighted
            options.set_options([Option(line) for line in lines])
            options.highlighted = min(before or 0, len(lines) - 1) if lines else None
        self._detail()
        text, wrong = heard_of(self._view.cluster_heard, now, self._glyphs)
        heard = self.query_one("#nodes-heard", Static)
        heard.set_class(wrong, "-trouble")
        heard.update(Content(text))

    def _detail(self) -> None:
        row = self.selected
        if row is not None:
            text = detail_of(
                row, self._view.cluster, self.size.width, self._now(), quiet=self._quiet
            )
            self.query_one("#node-text", Static).update(text)

    def on_resize(self, event: events.Resize) -> None:
        """Use the columns there are."""
        del event
        self._show()

    @on(OptionList.OptionHighlighted, "#nodes")
    def _highlighted(self) -> None:
        self.query_one("#node-detail").scroll_home(animate=False)
        self._detail()

    def action_move(self, by: int) -> None:
        """Move in the table."""
        options = self.query_one("#nodes", OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_scroll(self, by: int) -> None:
        """Move in what is known of the node."""
        detail = self.query_one("#node-detail")
        if by > 0:
            detail.scroll_page_down(animate=False)
        else:
            detail.scroll_page_up(animate=False)

    def action_quiet(self) -> None:
        """Show warnings only, or all events again."""
        self._quiet = not self._quiet
        self._detail()

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(HelpScreen(self._glyphs, (("Nodes of the cluster", actions.NODES),)))

    def action_close(self) -> None:
        """Go back to the stages."""
        self.dismiss()
