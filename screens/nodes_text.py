"""The cluster's nodes as lines of a table, and all that is known of one of them."""

from collections.abc import Iterable

from textual.content import Content

from kubert_tui.checks.finding import Level
from kubert_tui.events.cluster import ClusterHeard, ClusterWatched
from kubert_tui.facts.live_cluster import GivenCpus, LiveNode, LivePod, Occurrence, of_node
from kubert_tui.facts.nodes_now import NodeNow, age
from kubert_tui.screens.glyphs import Glyphs

EVENTS = 50
"""That are shown of one node."""
_WIDE = 110
"""Columns from which kernel and runtime have room."""
_LATE = 25.0
"""Seconds after which a sign of life is overdue: they come every ten."""

Part = tuple[str, str]


def head_of(width: int) -> str:
    """Return the titles of the table's columns."""
    told = f"  {'node':<14}{'role':<9}{'state':<20}{'kubelet':<10}{'CPUs given':<12}"
    more = f"{'kernel':<24}{'runtime':<20}" if width >= _WIDE else ""
    return f"{told}{'pods':<5}{'age':<5}{more}"


def line_of(row: NodeNow, width: int, now: float, glyphs: Glyphs) -> Content:
    """Return a node as a line: 75 columns, more where there is room."""
    live = row.live
    glyph, style = _sign(row, glyphs)
    parts: list[Part] = [
        (f"{glyph} ", style),
        (f"{_cut(row.name, 13):<14}", "bold"),
        (f"{'control' if row.role == 'control-plane' else row.role:<9}", ""),
        (f"{_cut(row.state, 19):<20}", style),
    ]
    if live is None:
        return Content.assemble(*parts)
    given = f"{row.exclusive} of {live.allocatable:g}" if live.allocatable else "?"
    parts += [
        (f"{_cut(live.version, 9):<10}", "$text-warning" if row.other_version else ""),
        (f"{given:<12}", ""),
        (f"{len(row.pods):<5}", ""),
        (f"{_age(live.created, now):<5}", ""),
    ]
    if width >= _WIDE:
        parts += [(f"{_cut(_kernel(live, row.given), 23):<24}", ""), (_cut(live.runtime, 20), "")]
    return Content.assemble(*parts)


def detail_of(row: NodeNow, watched: ClusterWatched | None, now: float, *, quiet: bool) -> Content:
    """Return what is wrong with a node, its CPUs, its pods and its events (`quiet`: warnings)."""
    parts: list[Part] = [(f"{one}\n", "$text-warning") for one in row.advice]
    if row.live is None or watched is None:
        if not row.told:
            parts.append(("Waiting for the control plane to tell.", "$text-muted"))
        return Content.assemble(*parts)
    parts += [(f"{row.name} ", "bold"), (_facts(row, row.live), "")]
    parts += _pods(row, now)
    parts += _events(of_node(watched.cluster.occurrences, row.name, row.pods), now, quiet=quiet)
    return Content.assemble(*parts)


def heard_of(heard: ClusterHeard, now: float, glyphs: Glyphs) -> tuple[str, bool]:
    """Return what is known of the connection, and whether something is wrong with it."""
    before = f"last heard {age(now - heard.heard)} ago" if heard.heard else "never heard yet"
    if heard.trouble:
        fix = f" {glyphs.dot} {heard.fix}" if heard.fix else ""
        where = f"{heard.host}: " if heard.host else ""
        return f"{glyphs.ellipsis} {where}{heard.trouble} ({before}){fix}", True
    if heard.paused:
        return f"{heard.host}: paused: {heard.paused}; it goes on by itself ({before})", False
    if not heard.heard:
        return "Connecting to the control plane ...", False
    late = now - heard.heard > _LATE
    told = f"{heard.host}: {before}" if late else f"live from {heard.host} {glyphs.dot} {before}"
    return told, late


def _sign(row: NodeNow, glyphs: Glyphs) -> Part:
    if row.live is None:
        return glyphs.levels[Level.UNKNOWN], "$text-muted"
    if row.well:
        return glyphs.levels[Level.OK], "$text-success"
    if row.live.ready:
        return glyphs.levels[Level.WARNING], "$text-warning"
    return glyphs.levels[Level.FAILED], "bold $text-error"


def _facts(row: NodeNow, live: LiveNode) -> str:
    facts = [live.address, _kernel(live, row.given), live.runtime, live.version]
    lines = [", ".join(filter(None, facts))]
    given = row.given
    if given is None:
        lines.append(f"CPUs {live.capacity:g}, {live.allocatable:g} for pods")
    elif given.unknown:
        lines.append(f"CPUs {live.capacity:g}; who has which is not known: {given.unknown}")
    else:
        shares = [f"CPUs {live.capacity:g}", f"reserved {given.reserved or 'none'}"]
        shares += [f"shared {given.shared}"] if given.shared else []
        own = ", ".join(sorted(set(given.given.values())))
        shares += [f"given {own or 'none'}", f"CPU manager {given.policy or 'not running yet'}"]
        shares += ["(not looked at while cyclictest runs there)"] if given.paused else []
        lines.append(", ".join(shares))
    return "\n".join(lines) + "\n"


def _kernel(live: LiveNode, given: GivenCpus | None) -> str:
    return f"{live.kernel} (RT)" if given is not None and given.realtime else live.kernel


def _pods(row: NodeNow, now: float) -> list[Part]:
    parts: list[Part] = [(f"\nPods {len(row.pods)}\n", "bold underline")]
    # Those with CPUs of their own are what this is about.
    for pod in sorted(row.pods, key=lambda one: (not one.whole, one.namespace, one.name)):
        parts += _pod(pod, row.cpus_of(pod), now)
    return parts


def _pod(pod: LivePod, own: str, now: float) -> list[Part]:
    well = pod.phase in {"Running", "Succeeded"} and not pod.why
    cpus = f"CPUs {own}" if own else f"{pod.cpus:g} CPU" if pod.cpus else ""
    restarts = f"  {pod.restarts} restarts" if pod.restarts else ""
    return [
        (f"  {_cut(f'{pod.namespace}/{pod.name}', 37):<38}", "bold" if own else ""),
        (f"{pod.qos:<12}{_cut(cpus, 9):<10}", ""),
        (f"{_cut(pod.why or pod.phase, 18)}", "" if well else "$text-warning"),
        (f" {_age(pod.created, now)}{restarts}\n", "$text-muted"),
    ]


def _events(found: Iterable[Occurrence], now: float, *, quiet: bool) -> list[Part]:
    shown = [one for one in found if one.warning or not quiet][:EVENTS]
    title = "Warnings" if quiet else "Events"
    parts: list[Part] = [(f"\n{title}, newest first\n", "bold underline")]
    if not shown:
        parts.append(("  none in the last hour\n", "$text-muted"))
    for one in shown:
        times = f" (x{one.count})" if one.count > 1 else ""
        about = "" if one.kind == "Node" else f"{one.name}: "
        parts += [
            (f"  {_age(one.time, now):>4} ", "$text-muted"),
            (f"{one.reason}{times} ", "$text-warning" if one.warning else "bold"),
            (f"{about}{one.message}\n", ""),
        ]
    return parts


def _age(moment: float, now: float) -> str:
    return age(now - moment) if moment else ""


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
