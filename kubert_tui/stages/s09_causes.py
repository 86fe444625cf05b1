"""Stage 8: what steals time from the host, measured apart from cyclictest."""

from kubert_tui.checks.causes import lacking
from kubert_tui.facts.containers import container_kind
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import Lab
from kubert_tui.stages.causes_change import CausesChange
from kubert_tui.stages.model import Guide, Stage


def _not_for(facts: Facts, _: Lab) -> str:
    """Why there is nothing to measure with; `` when there is."""
    if kind := container_kind(facts):
        return f"a container ({kind}) has the kernel of the machine that runs it"
    reasons = [lacking(facts, instrument) for instrument in ("hwlat", "timerlat")]
    return "" if "" in reasons else "; ".join(dict.fromkeys(reasons))


STAGE = Stage(
    id="causes",
    title="What steals time",
    guide=Guide(
        what=(
            "Looks for time that the hardware itself takes: system management interrupts (SMIs), "
            "power management, a hypervisor. The kernel's hwlat tracer turns interrupts off on "
            "one CPU after the other, for half of each second, and watches the clock; a gap above "
            "the limit was taken by something beneath the kernel. SMIs are counted beside it "
            "where the processor tells. Then, where rtla is installed, rtla timerlat measures "
            "what cyclictest does, from inside the kernel and in parts: interrupt, thread, user."
        ),
        why=(
            "No kernel and no setting can be more punctual than its hardware: a latency that "
            "firmware makes is sought in the BIOS, not in the kernel. And two instruments that "
            "agree are worth more than one."
        ),
        readme="(no step of the README looks for causes)",
        ours=(
            "The kernel's hwlat tracer through tracefs for 60 s, limit 10 us as hwlatdetect has "
            "it (`causes:` in the lab file), then `rtla timerlat hist` for 60 s. What a host's "
            "kernel cannot do is left out, and said."
        ),
        differs=(
            "hwlatdetect itself would need Python and "
            "rt-tests on the host and reports less than the tracer it drives; everything set in "
            "the kernel's tracing is put back, whatever happens. While it measures, the CPU at "
            "hand takes no interrupts for up to half a second: do not run it beside real work."
        ),
    ),
    change=CausesChange(),
    measures=True,
    not_for=_not_for,
)
