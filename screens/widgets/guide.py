"""The guide of a stage: what, why, the README's command beside ours, and what a person does."""

from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import ItemGrid, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from kubert_tui.events.model import StageState
from kubert_tui.events.words import density_lines
from kubert_tui.screens.glyphs import STATE_STYLES, STATE_WORDS, Glyphs
from kubert_tui.screens.log_text import short_path
from kubert_tui.screens.run_view import RunView
from kubert_tui.screens.transfer_text import transfers_content
from kubert_tui.screens.waiting_text import waits_content
from kubert_tui.screens.widgets.rail import stage_sign
from kubert_tui.stages.model import Stage

_SIDE_BY_SIDE = 36
"""Columns a command needs to stand beside another one."""

_PLAIN_SUCCESS = (StageState.DONE, StageState.SATISFIED)
"""The hosts' own signs say all there is to say."""


class GuidePane(VerticalScroll):
    """Shows one stage. All text is shown as it is, never as markup."""

    def __init__(self, view: RunView, glyphs: Glyphs, now: Callable[[], float]) -> None:
        super().__init__(id="guide-pane")
        self._view = view
        self._glyphs = glyphs
        self._now = now
        self._stage = view.stages[0]

    def compose(self) -> ComposeResult:
        """Lay out the sections; `show` fills them."""
        yield Static(id="guide-state", markup=False)
        yield Static(id="guide-waits", markup=False)
        yield Static(id="guide-transfers", markup=False)
        yield Static(id="guide-results", markup=False)
        yield Static(id="guide-what", classes="prose", markup=False)
        yield Static(id="guide-why", classes="prose muted", markup=False)
        with Vertical(id="guide-hosts"):
            yield Static(id="guide-by-host", markup=False)
        with ItemGrid(id="guide-commands", min_column_width=_SIDE_BY_SIDE):
            yield Static(id="guide-readme", classes="code", markup=False)
            yield Static(id="guide-ours", classes="code", markup=False)
        yield Static(id="guide-differs", classes="prose", markup=False)

    def on_mount(self) -> None:
        """Name the boxes."""
        self.query_one("#guide-readme").border_title = "The README says"
        self.query_one("#guide-ours").border_title = "We run"
        self.query_one("#guide-hosts").border_title = "For you to do"
        self.query_one("#guide-waits").border_title = "Waiting"
        self.query_one("#guide-transfers").border_title = "On its way"
        self.query_one("#guide-results").border_title = "Measured"
        self.show(self._stage)

    def show(self, stage: Stage) -> None:
        """Show a stage as it stands now."""
        if stage is not self._stage:
            self.scroll_home(animate=False)
        self._stage = stage
        guide = stage.guide
        self._fill("#guide-state", self._state(stage))
        self.show_waits()
        self._fill("#guide-results", self._results(stage))
        self._fill("#guide-what", Content(guide.what))
        self._fill("#guide-why", _labelled("Why: ", guide.why))
        self._fill("#guide-readme", Content(guide.readme))
        self._fill("#guide-ours", Content(guide.ours))
        self._fill("#guide-differs", _labelled("Why it differs: ", guide.differs))
        self.query_one("#guide-commands").display = bool(guide.readme or guide.ours)
        by_host = self._by_host(stage)
        self._fill("#guide-by-host", by_host)
        self.query_one("#guide-hosts").display = bool(by_host.plain)

    def show_waits(self) -> None:
        """Show what the stage waits for, for how long by now, and what is on its way."""
        waits = [one for one in self._view.waits.values() if one.stage == self._stage.id]
        self._fill("#guide-waits", waits_content(waits, self._now(), self._glyphs))
        ways = [one for one in self._view.transfers.values() if one.newest.stage == self._stage.id]
        self._fill("#guide-transfers", transfers_content(ways, self._glyphs))

    def _fill(self, selector: str, content: Content) -> None:
        widget = self.query_one(selector, Static)
        widget.update(content)
        widget.display = bool(content.plain.strip())

    def _state(self, stage: Stage) -> Content:
        glyph, word, style = stage_sign(self._view, stage.id, self._glyphs)
        parts: list[Content | tuple[str, str]] = [
            (stage.title, "bold $text-primary"),
            ("  ", ""),
            (f"{glyph} {word}", style),
        ]
        hosts = self._view.host_states.get(stage.id, {})
        guests = any(map(self._view.lab.parent_of, hosts))
        for host, state in hosts.items():
            sign = f"{self._glyphs.states[state]} {host} {STATE_WORDS[state]}"
            between = "\n" if guests or host == next(iter(hosts)) else "   "
            if (parent := self._view.lab.parent_of(host)) in hosts:
                between = f"\n  {self._glyphs.corner} "
            elif parent:
                sign = f"{sign} (on {parent})"
            parts += [(between, ""), (sign, STATE_STYLES[state])]
        summary = self._view.summaries.get(stage.id, "")
        if summary and self._view.state(stage.id) not in _PLAIN_SUCCESS:
            parts.append((f"\n{summary}", "$foreground-muted"))
        plan = self._view.plans.get(stage.id)
        if plan is not None and plan.missing:
            parts.append(
                (f"\nThe lab file does not allow: {', '.join(plan.missing)}", "$text-warning")
            )
        if self._view.failures.get(stage.id):
            parts.append(("\nPress e for the error's details.", "$text-error"))
        return Content.assemble(*parts)

    def _results(self, stage: Stage) -> Content:
        parts: list[tuple[str, str]] = []
        kept: set[str] = set()
        for result in self._view.stored.values():
            if result.stage == stage.id:
                path = Path(result.path)
                kept.add(short_path(path.parent))
                figures = f"worst {result.maximum} us of {result.samples} samples"
                parts += [(f"{result.host}  ", "bold"), (f"{figures}, {path.name}\n", "")]
        for curve in self._view.densities.values():
            if curve.stage == stage.id:
                parts += [(f"{curve.host}  ", "bold"), ("\n".join(density_lines(curve)), "")]
                parts.append(("\n", ""))
        parts += [(f"in {directory}\n", "$foreground-muted") for directory in sorted(kept)]
        return Content.assemble(*parts).rstrip()

    def _by_host(self, stage: Stage) -> Content:
        if stage.host_guide is None:
            return Content("")
        parts: list[Content | tuple[str, str]] = []
        for host, facts in self._view.facts.items():
            text = stage.host_guide(facts)
            if text:
                parts += [(f"{host}\n", "bold"), (f"{text}\n", "")]
        return Content.assemble(*parts).rstrip()


def _labelled(label: str, text: str) -> Content:
    if not text:
        return Content("")
    return Content.assemble((label, "bold"), (text, ""))
