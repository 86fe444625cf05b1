"""The words beside the histogram: badges, progress, load and kernel."""

from textual.content import Content

from kubert_tui.checks.finding import Level
from kubert_tui.events.model import LatencyStarted, LatencyStored
from kubert_tui.facts.model import Known
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.screens.durations import clock
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.run_view import RunView

REALTIME_CHECK = "kernel.realtime-running"

_BAR_LIMIT = 40


def badges(
    view: RunView, started: LatencyStarted, snapshot: Snapshot | None
) -> list[tuple[str, str]]:
    """Return what kind of figures these are: final, ended, live, attached."""
    if snapshot is not None and snapshot.final:
        return [(" final ", "bold $text-success on $success-muted")]
    if started.host in view.cut_off:
        return [(" interrupted ", "bold $text-warning on $warning-muted")]
    if started.host in view.ended:
        return [(" ended without a result ", "bold $text-error on $error-muted")]
    found: list[tuple[str, str]] = []
    if started.live:
        found.append((" live ", "bold $text-accent on $accent-muted"))
        if started.stream == "verbose":
            found += [(" ", ""), (" -v fallback ", "bold $text-warning on $warning-muted")]
    else:
        found.append((" running, not live ", "bold $text-warning on $warning-muted"))
    if started.attached:
        found += [(" ", ""), (" attached ", "bold $text-primary on $primary-muted")]
    return found


def progress_line(share: float, elapsed: float, left: float, width: int, glyphs: Glyphs) -> Content:
    """Return bar, percentage, time elapsed and time left (loops x interval)."""
    text = f" {share:4.0%}  elapsed {clock(elapsed)}  left {clock(left)}"
    room = max(10, min(_BAR_LIMIT, width - len(text)))
    done = round(share * room)
    return Content.assemble(
        (glyphs.done * done, "$text-success" if share >= 1 else "$text-accent"),
        (glyphs.left * (room - done), "$foreground-muted"),
        (text, ""),
    )


def verdict_line(stored: LatencyStored | None) -> Content:
    """Return the judgement of a measurement that has ended, and the first reason for it."""
    if stored is None or not stored.verdict:
        return Content("")
    style = {True: "bold $text-success", False: "bold $text-error", None: "$text-warning"}
    because = f"  {stored.reasons[0]}" if stored.reasons and stored.passed is not None else ""
    return Content.assemble((stored.verdict, style[stored.passed]), (because, "$foreground-muted"))


def kernel_line(
    view: RunView, host: str, snapshot: Snapshot | None, glyphs: Glyphs
) -> tuple[str, str]:
    """Return load and kernel on one line, and a warning if the figures prove nothing."""
    parts: list[str] = []
    if snapshot is not None and any(snapshot.load):
        parts.append("load " + " ".join(f"{one:.2f}" for one in snapshot.load))
    facts = view.facts.get(host)
    if facts is not None and isinstance(facts.kernel.release, Known):
        parts.append(f"kernel {facts.kernel.release.value}")
    finding = view.findings.get((REALTIME_CHECK, host))
    warning = ""
    if finding is not None and finding.level is Level.OK:
        parts.append("real-time: yes")
    elif finding is not None and finding.level is Level.UNKNOWN:
        parts.append("real-time: unknown")
        warning = f"{finding.summary}: whether these figures prove anything is unknown"
    elif finding is not None:
        parts.append("real-time: NO")
        warning = "Not a real-time kernel: these figures prove nothing"
    return f"  {glyphs.dot}  ".join(parts), warning
