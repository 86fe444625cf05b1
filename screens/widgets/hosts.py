"""The hosts: a compact table of grouped facts for each."""

from rich.table import Table
from rich.text import Text
from textual.containers import ItemGrid, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from kubert_tui.facts.model import Facts
from kubert_tui.screens.facts_text import fact_groups
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.run_view import RunView

_HOST_WIDTH = 44
"""Columns that a host's table wants; more hosts stand side by side where there is room."""


class HostsPane(VerticalScroll):
    """One panel per host of the lab."""

    def __init__(self, view: RunView, glyphs: Glyphs) -> None:
        super().__init__(id="hosts-pane")
        self._glyphs = glyphs
        self._view = view
        self._panels = {
            host.name: Static(classes="host-panel", markup=False)
            for host in view.lab.everyone
            # A pod's facts are those of its node.
            if view.lab.machine_of(host.name) == host.name
        }
        self._shown: dict[str, Facts | None] = {}

    def compose(self) -> "list[ItemGrid]":
        """Lay out one panel per host."""
        return [ItemGrid(*self._panels.values(), min_column_width=_HOST_WIDTH)]

    def on_mount(self) -> None:
        """Show what there is."""
        self.show()

    def show(self) -> None:
        """Show the newest facts; hosts whose facts are the same are left alone."""
        for name, panel in self._panels.items():
            connected = self._view.connected.get(name)
            where = f"{connected.user}@{connected.address}" if connected is not None else ""
            parent = self._view.lab.parent_of(name)
            panel.border_title = Content(
                f"{self._glyphs.corner} {name}, on {parent}" if parent else name
            )
            panel.border_subtitle = Content(where)
            facts = self._view.facts.get(name)
            # Machines may not be there yet; hosts always are.
            panel.display = not parent or connected is not None or facts is not None
            if name in self._shown and self._shown[name] is facts:
                continue
            self._shown[name] = facts
            panel.update(Content("Not inspected yet.") if facts is None else _table(facts))


def _table(facts: Facts) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True, width=14)
    table.add_column(ratio=1, overflow="fold")
    for number, group in enumerate(fact_groups(facts)):
        if number:
            table.add_row("", "")
        table.add_row(Text(group.title, style="bold underline"), Text(""))
        for row in group.rows:
            style = "" if row.known else "dim italic"
            table.add_row(Text(row.label, style="dim"), Text(row.value, style=style))
    return table
