"""cyclictest's command line: the README's, kept literally where the version still takes it."""

from kubert_tui.base.errors import MeasurementError
from kubert_tui.cpus.lists import cpu_list
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Cyclictest, Facts
from kubert_tui.lab.cyclictest import ISOLATED
from kubert_tui.lab.model import CyclictestSpec, Lab
from kubert_tui.lab.rt_tests import pinned_version
from kubert_tui.latency.breaktrace import break_options, untraceable
from kubert_tui.latency.cpu_lists import parse_cpu_list
from kubert_tui.latency.load_order import load_for
from kubert_tui.latency.measurement import MeasurementOrder, Stream
from kubert_tui.latency.streaming import Choice, choose
from kubert_tui.rt_tests.versions import accepts, number

LOOPS_LIMIT = 2**31 - 1
"""cyclictest reads --loops with atoi(), in every version."""


def arguments(
    settings: CyclictestSpec,
    version: str,
    *,
    path: str,
    cpus: tuple[int, ...],
    stream: Stream = "memory",
    traced: bool = False,
) -> tuple[str, ...]:
    """Return the argv for `settings`; `cpus` empty means all (--smp), as in the README.

    `traced`: a latency above its `breaktrace` is to be marked in the kernel's trace.

    `--nanosleep` is left out where it no longer exists (1.2 and later print their usage and
    exit 0); later versions use clock_nanosleep anyway. `--verbose` is added where samples cannot
    be seen otherwise; every version takes it beside `--quiet`. Raises MeasurementError.
    """
    if settings.loops > LOOPS_LIMIT:
        raise MeasurementError(
            f"cyclictest cannot count {settings.loops} loops, at most {LOOPS_LIMIT}",
            fix="set fewer loops, a shorter duration or a longer interval",
        )
    where = ["--smp"]
    if cpus:
        where = [f"--affinity={cpu_list(cpus)}", f"--threads={len(cpus)}"]
    return (
        path,
        *(["--mlockall"] if settings.mlockall else []),
        *where,
        *(["--nanosleep"] if accepts(version, "nanosleep") else []),
        f"--priority={settings.priority}",
        f"--interval={settings.interval}",
        f"--histogram={settings.histogram}",
        f"--distance={settings.distance}",
        f"--loops={settings.loops}",
        "--quiet",
        *(["--verbose"] if stream == "verbose" else []),
        *break_options(settings.breaktrace_us, version, traced=traced),
    )


def stream_for(lab: Lab, facts: Facts) -> Choice:
    """Return how the measurement is seen; MeasurementError when there is no cyclictest."""
    return choose(lab.cyclictest.stream, facts, _tool(facts, pinned_version(lab)).version)


def order_for(lab: Lab, facts: Facts, identity: str) -> MeasurementOrder:
    """Decide one measurement on the host of `facts`; MeasurementError when it cannot be.

    Threads are in ascending CPU order: that is how every cyclictest hands them out. All CPUs are
    measured unless the lab chooses, whatever the CPU plan isolates: so says the README.
    """
    settings = lab.cyclictest
    tool = _tool(facts, pinned_version(lab))
    online = _online(facts)
    plan = lab.plan_of(facts.host)
    if lab.parent_of(facts.host):
        wanted = _wanted_inside(settings.cpus, plan)
    else:
        wanted = _wanted(settings.cpus, plan, facts.host)
    missing = set(wanted) - set(online)
    if missing:
        raise MeasurementError(
            f"CPUs {cpu_list(tuple(missing))} are to be measured but are not online",
            fix=f"choose from {cpu_list(online)} in cyclictest.cpus of the lab file",
            host=facts.host,
        )
    measured = wanted or online
    major, _ = number(tool.version) or (0, 0)
    if major < 2 and measured[-1] >= len(online):
        # 1.x counts the online CPUs and takes that for their highest number.
        raise MeasurementError(
            f"cyclictest {tool.version} cannot pin to CPU {measured[-1]} here: it believes CPUs "
            f"are numbered 0-{len(online) - 1}, but {cpu_list(online)} are online",
            fix="use rt-tests 2.0 or later",
            host=facts.host,
        )
    stream = stream_for(lab, facts).stream
    return MeasurementOrder(
        identity=identity,
        command=arguments(
            settings,
            tool.version,
            path=tool.path,
            cpus=wanted,
            stream=stream,
            traced=not untraceable(facts),
        ),
        version=tool.version,
        interval=settings.interval,
        loops=settings.loops,
        histogram=settings.histogram,
        cpus=measured,
        housekeeping=_helpers(plan, online, measured),
        stream=stream,
        load=load_for(lab, facts, settings.load),
    )


def order_in_pod(
    lab: Lab,
    facts: Facts,
    identity: str,
    cpus: tuple[int, ...],
    *,
    path: str = "",
    version: str = "",
) -> MeasurementOrder:
    """Decide the measurement of a pod to which its node's kubelet gave `cpus`.

    `facts` are the node's. The command is that of all CPUs (--smp): in a pod these are the pod's,
    except for cyclictest 1.x. It marks nothing in the kernel's trace, which is the node's. `path`
    and `version` are those of the node's cyclictest if empty. MeasurementError as `order_for`.
    """
    settings, tool = lab.cyclictest, _tool(facts, pinned_version(lab))
    path, version = path or tool.path, version or tool.version
    major, _ = number(version) or (0, 0)
    stream = choose(settings.stream, facts, version).stream
    wanted = cpus if major < 2 else ()
    return MeasurementOrder(
        identity=identity,
        command=arguments(settings, version, path=path, cpus=wanted, stream=stream),
        version=version,
        interval=settings.interval,
        loops=settings.loops,
        histogram=settings.histogram,
        cpus=cpus,
        housekeeping=_helpers(lab.plan_of(facts.host), _online(facts), cpus),
        stream=stream,
        load=load_for(lab, facts, settings.load),
    )


def _wanted(chosen: str, plan: CpuPlan | None, host: str) -> tuple[int, ...]:
    """Return the CPUs that the lab chooses; () are all."""
    if chosen != ISOLATED:
        return parse_cpu_list(chosen) if chosen else ()
    if plan is not None and plan.isolated:
        return tuple(sorted(plan.isolated))
    raise MeasurementError(
        f"the CPUs to measure are those that the CPU plan isolates, and {_none(plan)}",
        fix="run the stage cpu-plan, or choose others in cyclictest.cpus of the lab file",
        host=host,
    )


def _wanted_inside(chosen: str, plan: CpuPlan | None) -> tuple[int, ...]:
    """Return the virtual CPUs to measure; () are all. Numbers in the lab file are the hosts'."""
    return tuple(sorted(plan.isolated)) if chosen and plan is not None else ()


def _none(plan: CpuPlan | None) -> str:
    return "there is no plan" if plan is None else "it isolates none"


def _helpers(
    plan: CpuPlan | None, online: tuple[int, ...], measured: tuple[int, ...]
) -> tuple[int, ...]:
    """Return where our own helpers stay: on CPUs that keep house, and are not measured if any."""
    allowed = online
    if plan is not None and (kept := plan.housekeeping.intersection(online)):
        allowed = tuple(sorted(kept))
    free = tuple(cpu for cpu in allowed if cpu not in measured)
    return free or (allowed if allowed != online else ())


def _tool(facts: Facts, pinned: str) -> Cyclictest:
    """Return the pinned version where it is installed, else what comes first."""
    tools = facts.tools.cyclictest
    if isinstance(tools, Unknown) or not tools.value:
        why = f": {tools.reason}" if isinstance(tools, Unknown) else ""
        raise MeasurementError(
            f"there is no cyclictest{why}",
            fix="run the stage rt-tests first",
            host=facts.host,
        )
    return next((one for one in tools.value if one.version == pinned), tools.value[0])


def _online(facts: Facts) -> tuple[int, ...]:
    online = facts.processors.online
    if isinstance(online, Unknown) or not online.value:
        why = f": {online.reason}" if isinstance(online, Unknown) else ""
        raise MeasurementError(f"which CPUs are online is not known{why}", host=facts.host)
    return tuple(sorted(online.value))
