"""Which CPUs keep house and which are isolated: seen, and edited, as a picture of the host."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Footer, Static

from kubert_tui.cpus.draft import Draft
from kubert_tui.cpus.lists import cpu_list
from kubert_tui.events.questions import Answer, Choice, HostCpus, Question
from kubert_tui.screens import actions
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.help import HelpScreen
from kubert_tui.screens.prompts import ReasonPrompt
from kubert_tui.screens.questions.form import QuestionForm
from kubert_tui.screens.widgets.cpu_layout import Shown
from kubert_tui.screens.widgets.cpu_picture import CpuPicture


class CpuPlanForm(QuestionForm):
    """One host at a time; all of them are answered at once."""

    AUTO_FOCUS = "#cpu-picture"
    BINDINGS: ClassVar[list[BindingType]] = actions.bindings(actions.CPU_PLAN)

    def __init__(self, question: Question, glyphs: Glyphs) -> None:
        super().__init__(question)
        self.add_class("-full")
        self._glyphs = glyphs
        self._hosts = question.cpus
        self._drafts = {host.host: Draft(host.topology, host.plan) for host in self._hosts}
        self._index = 0

    @property
    def _host(self) -> HostCpus:
        return self._hosts[self._index]

    @property
    def draft(self) -> Draft:
        """The plan of the host that is shown."""
        return self._drafts[self._host.host]

    def heading(self) -> str:
        """Return which host is shown."""
        many = f" ({self._index + 1} of {len(self._hosts)})" if len(self._hosts) > 1 else ""
        return f"CPU plan: {self._host.host}{many}"

    def parts(self) -> ComposeResult:
        """Yield the host in words, the picture, the plan in words, and what is wrong with it."""
        yield Static(id="cpu-host", markup=False)
        yield CpuPicture(self._glyphs)
        yield Static(id="cpu-lists", markup=False)
        yield Static(id="cpu-wrong", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Show the first host."""
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what there is to do."""
        del parameters
        if action in ("next_host", "copy_to_twins"):
            return len(self._hosts) > 1
        return action != "keep" or Choice.SAVE in self.question.choices

    def _show(self) -> None:
        host, draft = self._host, self.draft
        self.query_one(".dialog").border_title = Content(self.heading())
        self.query_one("#cpu-host", Static).update(_in_words(host, self._glyphs))
        self.query_one(CpuPicture).show(Shown(host.topology, draft.plan, host.cards))
        self.query_one("#cpu-lists", Static).update(_lists(draft))
        wrong = self.query_one("#cpu-wrong", Static)
        wrong.update(Content(" ".join(draft.problems)))
        wrong.display = bool(draft.problems)

    def _take(self, draft: Draft) -> None:
        self._drafts[self._host.host] = draft
        self._show()

    @on(CpuPicture.Chosen)
    def _chosen(self, message: CpuPicture.Chosen) -> None:
        self._take(self.draft.toggled(message.cpu))

    def action_choose(self) -> None:
        """Put the selected core on the other side."""
        self.query_one(CpuPicture).action_choose()

    def action_propose(self) -> None:
        """Go back to what the topology suggests."""
        self._take(self.draft.proposed())

    def action_undo(self) -> None:
        """Take the last edit back."""
        self._take(self.draft.undone())

    def action_next_host(self) -> None:
        """Show the next host."""
        self._index = (self._index + 1) % len(self._hosts)
        self._show()

    def action_copy_to_twins(self) -> None:
        """Give every host whose CPUs sit alike this plan."""
        twins = [
            host.host
            for host in self._hosts
            if host is not self._host and self.draft.fits(host.topology)
        ]
        for twin in twins:
            self._drafts[twin] = self._drafts[twin].taken(self.draft.plan)
        told = f"Copied to {', '.join(twins)}." if twins else "No other host has the same CPUs."
        self.notify(told, markup=False)

    def action_save(self) -> None:
        """Answer with all plans; they go into the lab file where there is one."""
        self._answer(Choice.SAVE if Choice.SAVE in self.question.choices else Choice.APPLY)

    def action_keep(self) -> None:
        """Answer with all plans, for this run only."""
        self._answer(Choice.APPLY)

    def action_skip(self) -> None:
        """Ask for the reason, then skip."""
        if Choice.SKIP in self.question.choices:
            self.app.push_screen(ReasonPrompt("Skip this stage"), self._skipped)

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(HelpScreen(self._glyphs, (("CPU plan", actions.CPU_PLAN),)))

    def _answer(self, choice: Choice) -> None:
        for index, host in enumerate(self._hosts):
            if wrong := self._drafts[host.host].problems:
                self._index = index
                self._show()
                self.notify(wrong[0], title=host.host, severity="error", markup=False)
                return
        plans = {host: draft.plan for host, draft in self._drafts.items()}
        self.dismiss(Answer(choice, plans=plans))

    def _skipped(self, reason: str | None) -> None:
        if reason is not None:
            self.dismiss(Answer(Choice.SKIP, text=reason))


def _in_words(host: HostCpus, glyphs: Glyphs) -> Content:
    topology = host.topology
    sockets = len({cpu.socket for cpu in topology.cpus})
    facts = [
        _count(len(topology.cpus), "CPU"),
        _count(len(topology.cores), "core"),
        _count(sockets, "socket"),
        _count(len(topology.cores_of_nodes), "NUMA node"),
    ]
    if topology.smt:
        facts.append("hyperthreading on")
    if host.offline:
        facts.append(f"offline {cpu_list(host.offline)}")
    parts: list[tuple[str, str]] = [(f" {glyphs.dot} ".join(facts), "")]
    if host.replaces:
        text = f"\nThe lab's plan does not fit and was adapted. {host.replaces}"
        parts.append((text, "$text-warning"))
    if host.isolated is not None:
        isolated = cpu_list(host.isolated) or "no CPU"
        parts.append((f"\nThe running kernel isolates {isolated}.", "$foreground-muted"))
    return Content.assemble(*parts)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number != 1 else ''}"


def _lists(draft: Draft) -> Content:
    plan = draft.plan
    parts: list[tuple[str, str]] = []
    for letter, word, style, cpus in (
        ("H", "housekeeping", "bold $text-warning", plan.housekeeping),
        ("I", "isolated", "bold $text-success", plan.isolated),
    ):
        # With spaces, so that long lists are folded at them.
        listed = cpu_list(cpus).replace(",", ", ") or "none"
        parts += [(letter, style), (f" {word:<13}{len(cpus):>4}: {listed}\n", "")]
    return Content.assemble(*parts).rstrip()
