"""The findings: a list per host with glyph and word, and the selected one in detail."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kubert_tui.checks.finding import Finding, Level
from kubert_tui.screens.actions import FINDINGS, bindings
from kubert_tui.screens.glyphs import LEVEL_STYLES, Glyphs
from kubert_tui.screens.run_view import RunView
from kubert_tui.stages.model import Stage

_WORST_FIRST = (Level.FAILED, Level.WARNING, Level.UNKNOWN, Level.OK)


class FindingsPane(Vertical):
    """Findings of the selected stage, or of all stages."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(FINDINGS)

    def __init__(self, view: RunView, glyphs: Glyphs) -> None:
        super().__init__(id="findings-pane")
        self._view = view
        self._glyphs = glyphs
        self._stage = view.stages[0]
        self._all = False
        self._listed: list[Finding] = []

    def compose(self) -> ComposeResult:
        """Lay out the list above the detail."""
        yield Static(id="findings-scope", markup=False)
        yield OptionList(id="findings-list", compact=True)
        with VerticalScroll(id="findings-detail", can_focus=False):
            yield Static(id="findings-text", markup=False)

    def on_mount(self) -> None:
        """Show what there is."""
        self.query_one("#findings-detail").border_title = "Detail"
        self.show(self._stage)

    def show(self, stage: Stage) -> None:
        """List the findings that concern a stage, keeping the selection where possible."""
        self._stage = stage
        scope = None if self._all else stage
        listed = sorted(
            self._view.findings_of(scope),
            key=lambda one: (one.host, _WORST_FIRST.index(one.level)),
        )
        worse = sum(one.level is not Level.OK for one in listed)
        what = "All stages" if self._all else "This stage"
        other = "this" if self._all else "all"
        self.query_one("#findings-scope", Static).update(
            f"{what}: {len(listed)} findings, {worse} not ok (t: {other})"
        )
        if listed != self._listed:
            self._list(listed)
        if not listed:
            self._detail(None)

    def action_toggle_scope(self) -> None:
        """Switch between this stage's and all findings."""
        self._all = not self._all
        self.show(self._stage)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the highlighted finding in detail."""
        event.stop()
        if event.option.id is not None:
            self._detail(self._listed[int(event.option.id)])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Keep enter to ourselves: in the rail it applies a stage."""
        event.stop()

    def _list(self, findings: list[Finding]) -> None:
        options = self.query_one("#findings-list", OptionList)
        chosen = options.highlighted
        self._listed = findings
        rows: list[Option] = []
        host = None
        for number, finding in enumerate(findings):
            if finding.host != host:
                host = finding.host
                rows.append(Option(Content.styled(host, "bold underline"), disabled=True))
            rows.append(Option(self._row(finding), id=str(number)))
        options.set_options(rows)
        if rows:
            options.highlighted = min(chosen or 1, len(rows) - 1)

    def _row(self, finding: Finding) -> Content:
        style = LEVEL_STYLES[finding.level]
        sign = f" {self._glyphs.levels[finding.level]} {finding.level:<8}"
        return Content.assemble((sign, style), (finding.summary, ""))

    def _detail(self, finding: Finding | None) -> None:
        text = self.query_one("#findings-text", Static)
        if finding is None:
            text.update("No findings yet: they are made when the stage is judged.")
            return
        parts: list[tuple[str, str]] = [
            (
                f"{self._glyphs.levels[finding.level]} {finding.level}  ",
                LEVEL_STYLES[finding.level],
            ),
            (finding.summary, "bold"),
        ]
        rows = (("Why", finding.why), ("Fix", finding.fix), ("Source", finding.source))
        for label, value in (*rows, ("Check", finding.check)):
            if value:
                parts += [(f"\n{label}: ", "bold $text-primary"), (value, "")]
        text.update(Content.assemble(*parts))
