"""How a measurement is seen while it runs: decided before it starts, from facts alone."""

from dataclasses import dataclass, replace
from typing import Literal

from kubert_tui.facts.fact import Known, Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.latency.histogram import Snapshot
from kubert_tui.latency.measurement import INCONSISTENT, Measured, Stream
from kubert_tui.latency.stream import at_or_below
from kubert_tui.rt_tests.versions import number

LAYOUTS = ((1, 0), (2, 10))
"""First and last cyclictest whose figures we know to find in its memory (`sampler.py`)."""
_MACHINES = frozenset({"x86_64", "aarch64", "ppc64le", "riscv64", "s390x", "loongarch64"})
"""`uname -m` where long and pointers have 64 bits."""
_FORBIDDEN = 3
"""Of Yama's ptrace_scope: nobody reads another process's memory."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The stream, and why it is that one."""

    stream: Stream
    why: str

    def __str__(self) -> str:
        how = "its memory, read from outside" if self.stream == "memory" else "its --verbose"
        return f"live figures out of {how} ({self.why})"


def choose(wanted: Literal["auto", "memory", "verbose"], facts: Facts, version: str) -> Choice:
    """Return the stream for cyclictest `version` on the host of `facts`.

    Memory unless it is known not to work: --verbose costs more, and can lose samples.
    """
    if wanted != "auto":
        return Choice(wanted, f"the lab file says `stream: {wanted}`")
    if facts.tools.python == Known(""):
        return Choice("memory", "without Python nothing of ours can look")
    obstacle = _permission(facts) or _layout(facts, version)
    if obstacle:
        return Choice("verbose", obstacle)
    return Choice("memory", "nothing of ours runs inside of what is measured")


def _permission(facts: Facts) -> str:
    scope, capable = facts.memory_access.scope, facts.memory_access.capable
    if scope == Known(_FORBIDDEN):
        return "kernel.yama.ptrace_scope is 3: no process may read the memory of another"
    if isinstance(capable, Unknown) or capable.value or isinstance(scope, Unknown):
        return ""
    # Yama's 1 lets ancestors read, which the sampler is not; 2 asks for the capability.
    if scope.value > 0:
        return f"without CAP_SYS_PTRACE, and kernel.yama.ptrace_scope is {scope.value}"
    return ""


def _layout(facts: Facts, version: str) -> str:
    machine = facts.kernel.machine
    if isinstance(machine, Known) and machine.value not in _MACHINES:
        return f"where cyclictest keeps its figures is not known on {machine.value}"
    this = number(version)
    if this is not None and not LAYOUTS[0] <= this <= LAYOUTS[1]:
        return f"where cyclictest {version} keeps its figures is not known"
    return ""


def account(measured: Measured, streamed: Snapshot | None) -> Measured:
    """Hold a result against all that was streamed of it with --verbose (None: nothing).

    The final figures are cyclictest's own, and hold. It does not tell its last samples, and tells
    wrong ones when nobody listened for seconds; both are said.
    """
    seen = {one.cpu: one.samples for one in streamed.threads} if streamed else {}
    final = measured.final
    unseen = sum(max(one.samples - seen.get(one.cpu, 0), 0) for one in final.threads)
    exact = streamed is None or at_or_below(streamed, final)
    notes = list(measured.notes)
    if unseen:
        notes.append(f"lossy: {unseen} samples were not seen live (stream: --verbose)")
    if measured.exact and not exact:
        notes.append(INCONSISTENT)
    return replace(measured, exact=measured.exact and exact, unseen=unseen, notes=tuple(notes))
