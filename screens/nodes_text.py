"""The cluster's nodes as lines of a table, and all that is known of one of them."""

from collections.abc import Iterable
from textwrap import wrap

from textual.content import Content

from kubert_tui.checks.finding import Level
from kubert_tui.events.cluster import ClusterHeard, ClusterWatched
from kubert_tui.facts.live_cluster import GivenCpus, LiveNode, LivePod, Occurrence, of_node
from kubert_tui.facts.nodes_now import NodeNow, age
from kubert_tui.screens.glyphs import Glyphs

EVENTS = 50
"""That are shown of one node."""
_WIDE = 118
"""Columns from which kernel and runtime have room."""
_LATE = 25.0
"""Seconds after which a sign of life is overdue: they come every ten."""

_INDENT = " " * 7
_PADDED = 3
"""Columns that the borders of what is below take."""
_BESIDE_NAME = 44
"""Columns of a pod that are not its name."""

_NAME = 60
"""Columns that the name of a pod takes at most."""

Part = tuple[str, str]


def head_of(width: int) -> str:
    """Return the titles of the table's columns."""
    told = f"  {'node':<14}{'role':<9}{'state':<20}{'kubelet':<10}{'CPUs given':<12}"
    more = f"{'kernel':<22}{'runtime':<18}" if width >= _WIDE else ""
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
        parts.append((f"{_cut(_kernel(live, row.given), 21):<22}", ""))
        parts.append((_cut(_runtime(live), 18), ""))
    return Content.assemble(*parts)


def detail_of(
    row: NodeNow, watched: ClusterWatched | None, width: int, now: float, *, quiet: bool
) -> Content:
    """Return what is wrong with a node, its CPUs, its pods and its events (`quiet`: warnings)."""
    parts: list[Part] = [(f"{one}\n", "$text-warning") for one in row.advice]
    if row.live is None or watched is None:
        if not row.told:
            parts.append(("Waiting for the control plane to tell.", "$foreground-muted"))
        return Content.assemble(*parts)
    parts += [(f"{row.name} ", "bold"), (_facts(row, row.live), "")]
    parts += _pods(row, width, now)
    found = of_node(watched.cluster.occurrences, row.name, row.pods)
    parts += _events(found, width - _PADDED, now, quiet=quiet)
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
        return glyphs.levels[Level.UNKNOWN], "$foreground-muted"
    if row.well:
        return glyphs.levels[Level.OK], "$text-success"
    if row.live.ready:
        return glyphs.levels[Level.WARNING], "$text-warning"
    return glyphs.levels[Level.FAILED], "bold $text-error"


def _facts(row: NodeNow, live: LiveNode) -> str:
    facts = [live.address, _kernel(live, row.given), _runtime(live), f"kubelet {live.version}"]
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


def _runtime(live: LiveNode) -> str:
    return live.runtime.replace("://", " ")


def _pods(row: NodeNow, width: int, now: float) -> list[Part]:
    parts: list[Part] = [(f"\nPods {len(row.pods)}\n", "bold underline")]
    # Those with CPUs of their own are what this is about.
    for pod in sorted(row.pods, key=lambda one: (not one.whole, one.namespace, one.name)):
        parts += _pod(
            pod, row.cpus_of(pod), min(_NAME, max(20, width - _PADDED - _BESIDE_NAME)), now
        )
    return parts


def _pod(pod: LivePod, own: str, room: int, now: float) -> list[Part]:
    well = pod.phase in {"Running", "Succeeded"} and not pod.why
    cpus = f"CPUs {own}" if own else f"{pod.cpus:g} CPU" if pod.cpus else ""
    state = pod.why or (f"restarted {pod.restarts}x" if well and pod.restarts else pod.phase)
    return [
        (f"  {_cut(f'{pod.namespace}/{pod.name}', room):<{room}} ", "bold" if own else ""),
        (f"{pod.qos:<11}{_cut(cpus, 8):<9}", ""),
        (f"{_cut(state, 16):<17}", "" if well else "$text-warning"),
        (f"{_age(pod.created, now)}\n", "$foreground-muted"),
    ]


def _events(found: Iterable[Occurrence], width: int, now: float, *, quiet: bool) -> list[Part]:
    shown = [one for one in found if one.warning or not quiet][:EVENTS]
    title = "Warnings" if quiet else "Events"
    parts: list[Part] = [(f"\n{title}, newest first\n", "bold underline")]
    if not shown:
        parts.append(("  none in the last hour\n", "$foreground-muted"))
    for one in shown:
        times = f" (x{one.count})" if one.count > 1 else ""
        about = "" if one.kind == "Node" else f"{one.name}: "
        text = f"{one.reason}{times} {about}{one.message}"
        first, *rest = wrap(text, max(20, width - len(_INDENT)), max_lines=4, placeholder=" …")
        parts += [
            (f"  {_age(one.time, now):>4} ", "$foreground-muted"),
            (first[: len(one.reason)], "$text-warning" if one.warning else "bold"),
            (first[len(one.reason) :] + "\n", ""),
            *((f"{_INDENT}{line}\n", "") for line in rest),
        ]
    return parts


def _age(moment: float, now: float) -> str:
    return age(now - moment) if moment else ""


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
