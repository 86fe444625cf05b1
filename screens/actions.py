"""Every action of the wizard, once: keys, footer, help screen and palette come from here."""

from dataclasses import dataclass

from textual.binding import Binding, BindingType

from kubert_tui.lab.model import Lab


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a user can do. `name` is the `action_...` method of the screen."""

    name: str
    keys: str
    """Comma-separated Textual keys."""
    title: str
    help: str
    footer: bool = False
    cluster: bool = False
    """Only where the lab has a cluster."""
    shown: str = ""
    """How the keys are written for people; the first key if empty."""

    @property
    def binding(self) -> Binding:
        """Return Textual's binding for it."""
        return Binding(
            self.keys,
            self.name,
            self.title,
            show=self.footer,
            id=f"kubert.{self.name}",
            tooltip=self.help,
            key_display=self.shown.split(" ")[0] or None,
        )

    @property
    def keys_for_people(self) -> str:
        """Return the keys as they are printed in help."""
        return self.shown or self.keys.split(",", maxsplit=1)[0]


WIZARD: tuple[Action, ...] = (
    Action(
        "apply",
        "a",
        "Apply",
        "Judge the selected stage, then review what would run; nothing runs before you agree",
        footer=True,
        shown="a enter",
    ),
    Action("next_stage", "n", "Next", "Select the next stage", footer=True),
    Action("previous_stage", "b", "Back", "Select the stage before"),
    Action("skip", "s", "Skip", "Skip the selected stage, with a reason", footer=True),
    Action("recheck", "r", "Re-check", "Judge the selected stage again"),
    Action("apply_all", "A", "All remaining", "Work on every stage that is not finished"),
    Action(
        "cancel",
        "c,escape",
        "Cancel",
        "Cancel what is running and what is queued (asks first)",
        footer=True,
        shown="c esc",
    ),
    Action("tab('guide')", "g", "Guide", "What this stage does, and why"),
    Action("tab('hosts')", "h", "Hosts", "The facts of each host"),
    Action("tab('findings')", "f", "Findings", "What the checks found, and the fixes"),
    Action("tab('log')", "l", "Log", "Live output", footer=True),
    Action("latency", "m", "Latency", "The live latency histogram", footer=True),
    Action("machines", "v", "Machines", "The virtual machines: start, stop, console, destroy"),
    Action(
        "nodes",
        "K",
        "Nodes",
        "The cluster's nodes, pods and events, live",
        footer=True,
        cluster=True,
    ),
    Action("error", "e", "Error", "What went wrong in the selected stage"),
    Action("help", "f1,question_mark", "Help", "All keys", footer=True, shown="F1 ?"),
    Action("leave", "q", "Quit", "Leave; a measurement on a host goes on by itself", footer=True),
)

RAIL: tuple[Action, ...] = (
    Action("cursor_down", "j,down", "Down", "Move down in the list of stages", shown="j down"),
    Action("cursor_up", "k,up", "Up", "Move up in the list of stages", shown="k up"),
)

FINDINGS: tuple[Action, ...] = (
    Action("toggle_scope", "t", "This stage / all", "In Findings: this stage's or all findings"),
)

LOG: tuple[Action, ...] = (
    Action(
        "search", "slash", "Search", "In the log: search; enter or down finds the next", shown="/"
    ),
    Action("pause", "p", "Pause", "In the log: hold new lines back, or let them in again"),
)

STRIPS: tuple[Action, ...] = (
    Action("move(1)", "j,down", "Down", "In the rows of hosts or CPUs: move down", shown="j down"),
    Action("move(-1)", "k,up", "Up", "In the rows of hosts or CPUs: move up", shown="k up"),
    Action("page(1)", "pagedown", "Page down", "In the rows: a page down", shown="pgdn"),
    Action("page(-1)", "pageup", "Page up", "In the rows: a page up", shown="pgup"),
    Action("end(False)", "home", "First", "In the rows: to the first one"),
    Action("end(True)", "end", "Last", "In the rows: to the last one"),
    Action("choose", "enter", "Look at it", "In the rows: look at this host or CPU", footer=True),
)

LATENCY: tuple[Action, ...] = (
    Action("hosts", "a", "All hosts", "All hosts in one picture; again: one host", footer=True),
    Action(
        "cpus",
        "u",
        "CPUs",
        "Each CPU a row, the worst first; type a number to go to that CPU",
        footer=True,
    ),
    Action("previous_cpu", "left", "CPU -", "Histogram of the CPU before", shown="←"),
    Action("next_cpu", "right", "CPU +", "Histogram of the next CPU", shown="→"),
    Action("merged", "0", "Merged", "All CPUs in one histogram"),
    Action("next_host", "h", "Host", "The next host that measures"),
    Action(
        "over_time", "t", "Time", "Latency against time, so that a spike has a moment", footer=True
    ),
    Action("worst", "w", "Worst", "The worst samples: how late, which CPU, when", footer=True),
    Action("pause", "p", "Pause", "Hold the picture, or let it go on; it measures on"),
    Action("mark", "b", "Mark", "Mark this moment: it shows over time"),
    Action("load", "l", "Load", "Start a load beside the measurement, or stop it"),
    Action("zoom(0.5)", "plus,z", "Zoom in", "Fewer microseconds, larger", shown="+ z"),
    Action("zoom(2)", "minus", "Zoom out", "More microseconds", shown="-"),
    Action("zoom(0)", "equals_sign", "Zoom off", "All microseconds that have samples", shown="="),
    Action("scale", "g", "Log/linear", "Logarithmic or linear counts"),
    Action(
        "compare",
        "o",
        "Compare",
        "Draw a stored result over it; again: take it away",
        footer=True,
    ),
    Action("picture", "s", "Save", "Save the screen as a picture (SVG)"),
    Action("copy_command", "y", "Copy", "Copy the exact command"),
    Action("help", "f1,question_mark", "Help", "All keys", footer=True, shown="F1 ?"),
    Action("close", "escape,q,m", "Back", "Back to the stages", footer=True, shown="esc q"),
)


MONITOR: tuple[Action, ...] = (
    *(action for action in LATENCY if action.name != "close"),
    Action(
        "cancel", "c", "End it", "End the measurement (asks first); what there is of it is kept"
    ),
    Action(
        "close",
        "escape,q",
        "Leave",
        "Leave; the measurement goes on by itself, and a new start attaches to it",
        footer=True,
        shown="q esc",
    ),
)


CPU_PLAN: tuple[Action, ...] = (
    Action(
        "save",
        "enter",
        "Keep",
        "Keep the plans of all hosts, in the lab file if there is one",
        footer=True,
        shown="enter",
    ),
    Action(
        "choose",
        "space",
        "H/I",
        "Put the selected core on the other side (so does a click); arrows select",
        footer=True,
        shown="space",
    ),
    Action("propose", "p", "Propose", "What the topology suggests", footer=True),
    Action("undo", "u", "Undo", "Take the last edit of this host back", footer=True),
    Action("next_host", "n", "Host", "The next host", footer=True),
    Action("copy_to_twins", "c", "Copy", "This plan for hosts with equal CPUs", footer=True),
    Action("keep", "t", "This run", "Keep the plans for this run, not in the lab file"),
    Action("skip", "s", "Skip", "Skip the stage, with a reason"),
    Action("help", "f1,question_mark", "Help", "All keys", footer=True, shown="F1 ?"),
    Action("refuse", "escape", "Later", "Decide nothing now", footer=True, shown="esc"),
)


MACHINES: tuple[Action, ...] = (
    Action("start", "s", "Start", "Switch the selected machine on", footer=True),
    Action("stop", "o", "Stop", "Press its power button, and wait until it is off", footer=True),
    Action("console", "c", "Console", "Watch its console", footer=True, shown="c enter"),
    Action("snapshot", "p", "Snapshot", "Keep its disk (and memory, if it runs) as it is now"),
    Action(
        "rebuild", "b", "Rebuild", "Make it anew from the image (its name is typed)", footer=True
    ),
    Action("destroy", "d", "Destroy", "Remove it with its disks (its name is typed)", footer=True),
    Action("destroy_all", "D", "Destroy all", "Remove all of the lab's (the lab's name is typed)"),
    Action("look", "r", "Look", "Look at all machines again"),
    Action("cancel", "x", "Cancel", "Cancel what was ordered"),
    Action("move(1)", "j", "Down", "Move down (so does the arrow)"),
    Action("move(-1)", "k", "Up", "Move up (so does the arrow)"),
    Action("help", "f1,question_mark", "Help", "All keys", footer=True, shown="F1 ?"),
    Action("close", "escape,q,v", "Back", "Back to the stages", footer=True, shown="esc q"),
)

NODES: tuple[Action, ...] = (
    Action("move(1)", "j", "Down", "Move down (so does the arrow)"),
    Action("move(-1)", "k", "Up", "Move up (so does the arrow)"),
    Action(
        "scroll(1)",
        "pagedown,space",
        "More",
        "What is below: a page down",
        footer=True,
        shown="pgdn space",
    ),
    Action("scroll(-1)", "pageup", "Less", "What is below: a page up", shown="pgup"),
    Action("quiet", "w", "Warnings", "Events: warnings only, or all of them", footer=True),
    Action("help", "f1,question_mark", "Help", "All keys", footer=True, shown="F1 ?"),
    Action("close", "escape,q,K", "Back", "Back to the stages", footer=True, shown="esc q"),
)

CONSOLE: tuple[Action, ...] = (
    Action(
        "close",
        "escape,q,ctrl+right_square_bracket",
        "Back",
        "Let go of the console; the machine goes on",
        footer=True,
        shown="esc q",
    ),
)


def of_lab(actions: tuple[Action, ...], lab: Lab) -> tuple[Action, ...]:
    """Return the actions that mean something in a lab."""
    return tuple(action for action in actions if not action.cluster or lab.cluster is not None)


def bindings(actions: tuple[Action, ...]) -> list[BindingType]:
    """Return the bindings of some actions, for a BINDINGS class variable."""
    return [action.binding for action in actions]
