"""Are the lab's virtual machines on a host what the lab file says? Needs what libvirt says."""

from collections.abc import Callable

from kubert_tui.checks.bridge import bridge_instead
from kubert_tui.checks.finding import Check, CrossCheck
from kubert_tui.checks.judging import Verdict, failed, ok, unknown, warning
from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.facts.virtual import MachineSeen
from kubert_tui.lab.model import Lab, MachineSpec, Permission

_STAGE = "Run the stage machines."
_RUNNING = "running"
_MISSING = "missing"
_FEW = 3
"""Of a list that is told in one line."""

_Judge = Callable[[tuple[MachineSeen, ...], Lab], Verdict]


def machines_on(lab: Lab, host: str) -> tuple[MachineSpec, ...]:
    """Return the machines that a host is to run."""
    return tuple(one for one in lab.guests if one.host == host)


def _of_host(judge: _Judge) -> Callable[[Facts, Lab], Verdict]:
    """What `judge` says of the machines that are wanted on a host; ok where none is."""

    def judged(facts: Facts, lab: Lab) -> Verdict:
        if not machines_on(lab, facts.host):
            return ok("No machine of the lab is to run here.")
        if isinstance(facts.libvirt, Unknown):
            fix = "Install libvirt and start it; then run the stage machines."
            return unknown("What libvirt has", facts.libvirt, fix)
        wanted = tuple(one for one in facts.libvirt.value.machines if not one.stray)
        return judge(wanted, lab)

    return judged


def _few(lines: list[str]) -> str:
    more = f"; and {len(lines) - _FEW} more" if len(lines) > _FEW else ""
    return "; ".join(lines[:_FEW]) + more


def _present(machines: tuple[MachineSeen, ...], _: Lab) -> Verdict:
    if trouble := [f"{one.name}: {one.trouble}" for one in machines if one.trouble]:
        return failed(f"{_few(trouble)}.", "Rename the lab or the other machine.")
    if missing := [one.name for one in machines if one.state == _MISSING]:
        return failed(f"Not there: {', '.join(missing)}.", _STAGE)
    return ok(f"There: {', '.join(one.name for one in machines)}.")


def _defined(machines: tuple[MachineSeen, ...], _: Lab) -> Verdict:
    different = [f"{one.name}: {change}" for one in machines for change in one.changes]
    if different:
        return failed(f"Not as in the lab file: {_few(different)}.", _STAGE)
    return ok("All that are there are defined as the lab file says.")


def _current(machines: tuple[MachineSeen, ...], lab: Lab) -> Verdict:
    waiting = [f"{one.name} ({', '.join(one.restart)})" for one in machines if one.restart]
    if not waiting:
        return ok("What runs is what is defined.")
    told = f"Takes effect at the next start only: {_few(waiting)}."
    if {Permission.REBOOT, Permission.MACHINES} <= lab.allow:
        return failed(told, "Run the stage machines: it restarts them, if you agree.")
    return warning(
        told,
        "Allow `reboot` and run the stage machines, or: kubert-tui machines stop NAME, then start.",
    )


def _running(machines: tuple[MachineSeen, ...], _: Lab) -> Verdict:
    off = [f"{one.name} ({one.state})" for one in machines if one.state != _RUNNING]
    return failed(f"Not running: {', '.join(off)}.", _STAGE) if off else ok("All of them run.")


def _answer(machines: tuple[MachineSeen, ...], _: Lab) -> Verdict:
    silent = [f"{one.name} ({one.unreachable})" for one in machines if one.unreachable]
    if silent:
        fix = "Run the stage machines, which waits for them; or look at a console: kubert-tui"
        return failed(f"No answer by ssh: {_few(silent)}.", f"{fix} machines console NAME.")
    return ok("Those that run answer by ssh.")


def _realtime(machines: tuple[MachineSeen, ...], _: Lab) -> Verdict:
    by_line: dict[str, list[str]] = {}
    for one in machines:
        for line in one.left_out:
            by_line.setdefault(line, []).append(one.name)
    if not by_line:
        return ok("No real-time element is left out.")
    told = " | ".join(f"{', '.join(names)}: {line}" for line, names in by_line.items())
    return warning(
        f"Left out, {len(by_line)} real-time elements: {told}.",
        "Change what each needs; it is tried again when its machine starts anew.",
    )


def _strays(facts: Facts, lab: Lab) -> Verdict:
    del lab
    found = facts.libvirt.value.machines if not isinstance(facts.libvirt, Unknown) else ()
    strays = [f"{one.name} ({one.state})" for one in found if one.stray]
    if strays:
        return warning(
            f"The lab file does not name any more: {', '.join(strays)}.",
            "Remove it: kubert-tui machines destroy NAME; or name it in the lab file again.",
        )
    return ok("No machine is left from an earlier lab file.")


def _network(all_facts: tuple[Facts, ...], lab: Lab) -> Verdict:
    inside = [one for one in lab.guests if one.network == "nat"]
    hosts = dict.fromkeys(one.host for one in inside)
    if len(hosts) > 1:
        return failed(
            f"Machines on {' and '.join(hosts)} cannot reach each other: each host has a network "
            "of its own for them (kind: nat).",
            bridge_instead(all_facts, lab),
        )
    return ok("All machines of the lab are on one network.")


_SOURCE = "libvirt"

PRESENT = Check(
    "machines.present", "Machines there", "Everything that follows happens in them.",
    _SOURCE, _of_host(_present),
)  # fmt: skip
DEFINED = Check(
    "machines.defined", "Machines as wanted",
    "Pins, memory and scheduling are what keeps deadlines; the lab file says which.",
    f"{_SOURCE}: formatdomain", _of_host(_defined),
)  # fmt: skip
CURRENT = Check(
    "machines.current", "No restart pending",
    "What was changed in a definition and is not in effect misleads whoever reads it.",
    f"{_SOURCE}: live and inactive XML", _of_host(_current),
)  # fmt: skip
RUNNING = Check(
    "machines.running", "Machines run", "A machine that is off measures and serves nothing.",
    _SOURCE, _of_host(_running),
)  # fmt: skip
ANSWER = Check(
    "machines.answer", "Machines answer",
    "They are hosts of their own from here on, and reached by ssh with the lab's key.",
    "ssh, cloud-init status", _of_host(_answer),
)  # fmt: skip
REALTIME = Check(
    "machines.realtime", "Real-time elements",
    "Each element of the definition takes one cause of latency away; one that is left out leaves "
    "it there.",
    "libvirt kbase: kvm-realtime; tuned profile realtime-virtual-host", _of_host(_realtime),
)  # fmt: skip
STRAYS = Check(
    "machines.strays", "No machine left over",
    "It still takes CPUs and memory that others are to have.",
    _SOURCE, _strays,
)  # fmt: skip
NETWORK = CrossCheck(
    "machines.network", "Machines reach each other",
    "A cluster needs it. What is measured inside each machine does not.",
    "libvirt: NAT networks", _network,
)  # fmt: skip

GOALS = (PRESENT, DEFINED, CURRENT, RUNNING, ANSWER)
ALL = (*GOALS, REALTIME, STRAYS)
