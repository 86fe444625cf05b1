"""What the kernel command line says of isolated CPUs, and whether it says it consistently."""

from kubert_tui.checks.judging import Verdict, numbers, ok, warning
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.facts.fact import Known
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


def wanted(plan: CpuPlan) -> str:
    """Return the kernel arguments that make a CPU plan true, as tuned gives them."""
    isolated = numbers(plan.isolated)
    return (
        f"isolcpus=managed_irq,domain,{isolated} nohz_full={isolated} rcu_nocbs={isolated} "
        f"irqaffinity={numbers(plan.housekeeping)}"
    )


def judge_arguments(command_line: str, plan: CpuPlan | None = None) -> Verdict:
    """Warn when isolcpus, nohz_full and rcu_nocbs differ, or IRQs may go to isolated CPUs.

    With a plan, also when they say something else than it does.
    """
    given = arguments(command_line)
    lists = {name: _cpus(name, given[name]) for name in _TRIO if name in given}
    if plan is not None and (otherwise := _otherwise(given, lists, plan)):
        fix = f"Boot with {wanted(plan)}, or change the plan in the stage cpu-plan."
        if not plan.isolated:
            fix = "Boot without them, or change the plan in the stage cpu-plan."
        return warning(f"The CPU plan is: {plan.words}; the command line says {otherwise}.", fix)
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


def _otherwise(given: dict[str, str], lists: dict[str, str], plan: CpuPlan) -> str:
    """Return what the command line says otherwise than the plan; `` if nothing."""
    if not lists:
        return "nothing of isolated CPUs" if plan.isolated else ""
    isolated, housekeeping = numbers(plan.isolated), numbers(plan.housekeeping)
    said = [f"{name}={cpus}" for name, cpus in lists.items() if cpus != isolated]
    if "irqaffinity" in given:
        cpus = _cpus("irqaffinity", given["irqaffinity"])
        said += [f"irqaffinity={cpus}"] if cpus != housekeeping else []
    return ", ".join(said)


def _cpus(name: str, value: str) -> str:
    parts = value.split(",")
    while name == "isolcpus" and parts and parts[0] in _ISOLCPUS_FLAGS:
        parts.pop(0)
    listed = cpu_list(",".join(parts), name)
    # Forms such as `1-N` or `all` are compared as they are written.
    return numbers(listed.value) if isinstance(listed, Known) else ",".join(parts)
