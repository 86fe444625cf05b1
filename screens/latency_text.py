"""The words beside the histogram: badges, progress, load and kernel."""

from textual.content import Content

from kubert_tui.checks.finding import Level
from kubert_tui.events.measuring import LatencyStarted, LatencyStored
from kubert_tui.facts.fact import Known
from kubert_tui.latency.digest import Digest
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.screens.durations import clock
from kubert_tui.screens.glyphs import Glyphs
from kubert_tui.screens.load_text import load_badge
from kubert_tui.screens.run_order import is_ladder
from kubert_tui.screens.run_view import RunView
from kubert_tui.screens.widgets.histogram_layout import short

REALTIME_CHECK = "kernel.realtime-running"

MERGED = "merged"
"""All CPUs in one histogram."""

_BAR_LIMIT = 40


def cpu_name(cpu: int | None) -> str:
    """Return what a CPU (None: all of them merged) is called."""
    return MERGED if cpu is None else f"CPU {cpu}"


def per_second(rate: float) -> str:
    """Return a rate of samples; nothing while it is not known."""
    return f"{short(round(rate))}/s" if rate else ""


def missed_text(digest: Digest) -> str:
    """Return how many periods were missed, and by which CPU most of them."""
    most = max(digest.missed, default=0)
    if not most:
        return "missed 0"
    cpu = digest.snapshot.threads[digest.missed.index(most)].cpu
    return f"missed {short(sum(digest.missed))} (CPU {cpu}: {short(most)})"


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


def progress_line(
    share: float, elapsed: float, left: float, *, digest: Digest | None, width: int, glyphs: Glyphs
) -> Content:
    """Return bar, percentage, time elapsed, time left (loops x interval), rate, missed periods."""
    text = f" {share:4.0%}  elapsed {clock(elapsed)}  left {clock(left)}"
    if digest is not None:
        told = (per_second(digest.rate), missed_text(digest))
        text += "".join(f"  {one}" for one in told if one)
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
    parts += counted(view, host)
    return f"  {glyphs.dot}  ".join(parts), warning


def counted(view: RunView, host: str) -> list[str]:
    """Return what firmware and hardware did beside a measurement; `?` where nobody counts."""
    told = view.counters.get(host)
    if told is None:
        return []
    smi = "SMIs ?" if told.smi is None else f"SMIs {told.smi}"
    return [smi] if not told.throttled else [smi, f"throttled {told.throttled}x"]


def proves_nothing(view: RunView, host: str) -> bool:
    """Whether the kernel is known not to be a real-time one."""
    finding = view.findings.get((REALTIME_CHECK, host))
    return finding is not None and finding.level not in {Level.OK, Level.UNKNOWN}


def head_line(
    view: RunView, host: str, cpu: int | None, snapshot: Snapshot | None, *, paused: bool
) -> Content:
    """Return host, CPU, badges and version; what they are all together if `host` is empty."""
    hold = [(" ", ""), (" paused ", "bold $text-warning on $warning-muted")] if paused else []
    hosts = list(view.measurements)
    if not host and len(hosts) > 1:
        measuring = len(view.measuring)
        told = f"  {measuring} of {len(hosts)} measure"
        pods = any(view.lab.layer_of(one) == "pod" for one in hosts)
        ladder = "Hosts to pods" if pods else "Hosts and guests"
        return Content.assemble(
            (ladder if is_ladder(view.measurements) else "All hosts", "bold $text-primary"),
            (told, "$foreground-muted"),
            *hold,
        )
    started = view.measurements.get(host)
    parts: list[tuple[str, str]] = [(f"{host or 'Latency'}  ", "bold $text-primary")]
    if started is not None:
        if started.parent:
            parts.append((f"on {started.parent}  ", "$foreground-muted"))
        parts.append((f"{cpu_name(cpu)}  ", "bold"))
        parts += badges(view, started, snapshot)
        parts += load_badge(view, host)
        parts += hold
        parts.append((f"  cyclictest {started.version}", "$foreground-muted"))
    if len(hosts) > 1:
        parts.append((f"  host {hosts.index(host) + 1} of {len(hosts)}", "$foreground-muted"))
    return Content.assemble(*parts)


def nothing_live(started: LatencyStarted) -> str:
    """Return why there are no figures of a measurement."""
    if not started.live:
        return (
            f"No live figures can be read: {started.reason}\n"
            "The histogram comes when cyclictest has ended."
        )
    return "Waiting for the first figures."
