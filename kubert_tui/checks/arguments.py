"""What the kernel command line says of isolated CPUs, and whether it says it consistently."""

from kubert_tui.checks.judging import Verdict, numbers, ok, warning
from kubert_tui.facts.model import Known
from kubert_tui.facts.sections import cpu_list

_ISOLCPUS_FLAGS = frozenset({"domain", "managed_irq", "nohz"})
_TRIO = ("isolcpus", "nohz_full", "rcu_nocbs")


def arguments(command_line: str) -> dict[str, str]:
    """Return the kernel's arguments; the last of equal ones counts, and ` -- ` ends them."""
    result: dict[str, str] = {}
    for word in command_line.split():
        if word == "--":
            break
        name, _, value = word.partition("=")
        result[name] = value
    return result


def judge_arguments(command_line: str) -> Verdict:
    """Warn when isolcpus, nohz_full and rcu_nocbs differ, or IRQs may go to isolated CPUs."""
    given = arguments(command_line)
    lists = {name: _cpus(name, given[name]) for name in _TRIO if name in given}
    if not lists:
        return ok("The command line isolates no CPUs.")
    if len({*lists.values()}) > 1:
        said = ", ".join(f"{name}={cpus}" for name, cpus in lists.items())
        return warning(
            f"The CPU lists differ: {said}.",
            "Give isolcpus, nohz_full and rcu_nocbs the same CPUs.",
        )
    isolated = next(iter(lists.values()))
    missing = [name for name in ("isolcpus", "rcu_nocbs", "irqaffinity") if name not in given]
    if missing:
        return warning(
            f"CPUs {isolated} are isolated without {', '.join(missing)}.",
            f"Add {', '.join(missing)} to the kernel command line.",
        )
    return ok(f"CPUs {isolated} are isolated from tasks, RCU callbacks and interrupts.")


def _cpus(name: str, value: str) -> str:
    parts = value.split(",")
    while name == "isolcpus" and parts and parts[0] in _ISOLCPUS_FLAGS:
        parts.pop(0)
    listed = cpu_list(",".join(parts), name)
    # Forms such as `1-N` or `all` are compared as they are written.
    return numbers(listed.value) if isinstance(listed, Known) else ",".join(parts)
