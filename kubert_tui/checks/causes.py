"""What the measurements of the stage `causes` mean."""

from kubert_tui.causes.store import StoredHwlat, StoredTimerlat
from kubert_tui.checks.finding import Finding, Level
from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.latency.statistics import merge

HWLAT = "causes.hardware-latency"
TIMERLAT = "causes.timerlat"
_WHY = (
    "Time that firmware or hardware takes (an SMI) is out of the kernel's reach: no wake-up can be"
    " more punctual than that."
)
_SOURCE = "Linux: Documentation/trace/hwlat_detector.rst, hwlatdetect(8)"
_FIX = (
    "Look for SMIs: turn off in the BIOS what makes them (power capping and monitoring, C-states,"
    " legacy USB, patrol scrubbing of memory; keep those that guard temperature), update the"
    " firmware, look again."
)
_FIX_VIRTUAL = "Pin the vCPUs and reserve their CPUs on the machine that runs this one; see there."


def hwlat_finding(stored: StoredHwlat, limit: int, virtual: str) -> Finding:
    """Judge hardware latency by `limit` (us); `virtual` names the hypervisor, if there is one."""
    smi = f"{stored.smi} SMIs meanwhile" if stored.smi is not None else "SMIs not counted"
    watched = f"{stored.seconds} s, each CPU in turn"
    if stored.maximum is None:
        level, told = Level.OK, f"no gap above {stored.threshold} us in {watched}; {smi}"
    else:
        cpus = len({gap.cpu for gap in stored.gaps})
        seen = len(stored.gaps)
        level = Level.WARNING if stored.maximum > limit else Level.OK
        told = (
            f"up to {stored.maximum} us at once, limit {limit} us: {seen} of the periods that were"
            f" watched in {watched}, on {cpus} CPUs; {smi}"
        )
    inside = f"Inside {virtual} it is the hypervisor that takes it. " if virtual else ""
    fix = "" if level is Level.OK else _FIX_VIRTUAL if virtual else _FIX
    return Finding(
        HWLAT, stored.host, level, f"hardware latency: {told}", inside + _WHY, fix, _SOURCE
    )


def timerlat_finding(stored: StoredTimerlat) -> Finding:
    """Say what rtla timerlat measured. It is a second opinion, no judgement."""
    parts = []
    for kind in ("IRQ", "thread", "user"):
        merged = merge(stored.histograms(kind))
        if merged.samples:
            parts.append(f"{kind} {merged.average:.0f} us on average, {merged.maximum} us at most")
    told = "; ".join(parts) or "no samples"
    return Finding(
        TIMERLAT,
        stored.host,
        Level.OK if parts else Level.UNKNOWN,
        f"rtla timerlat: {told}",
        "A large IRQ latency points at masked interrupts or hardware, a large difference between"
        " IRQ and thread at the scheduler or at something of higher priority.",
        "",
        "rtla-timerlat(1)",
    )


def lacking(facts: Facts, instrument: str) -> str:
    """Return why an instrument (`hwlat`, `timerlat`) cannot be used on a host; `` when it can."""
    tracing = facts.tracing
    if isinstance(tracing, Unknown):
        return f"unknown: {tracing.reason}"
    tracers = Known(frozenset[str]()) if tracing.value is None else tracing.value.tracers
    if isinstance(tracers, Unknown):
        return f"unknown: {tracers.reason}"
    if instrument not in tracers.value:
        return f"its kernel has no {instrument} tracer"
    if facts.privileged != Known(value=True):
        return "tracing needs root"
    if instrument == "timerlat":
        rtla = facts.tools.rtla
        if isinstance(rtla, Unknown):
            return f"unknown: {rtla.reason}"
        return "" if rtla.value else "rtla is not installed"
    return ""


def lacking_finding(host: str, instrument: str, why: str) -> Finding:
    """Say that an instrument was not used: nothing is known then, which is not nothing found."""
    check, name = {
        "hwlat": (HWLAT, "hardware latency"),
        "timerlat": (TIMERLAT, "rtla timerlat"),
    }[instrument]
    fix = "Install rtla." if why.startswith("rtla is not") else ""
    return Finding(check, host, Level.UNKNOWN, f"{name}: not measured: {why}", _WHY, fix, _SOURCE)
