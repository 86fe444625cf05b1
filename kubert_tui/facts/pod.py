"""What a pod of ours was given: told by itself, by its node, and by the API server."""

import json
import re
from dataclasses import dataclass
from typing import Any

from kubert_tui.base.text import clean_line
from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.sections import cpu_list

_SYS_NICE = 23
"""The bit of CAP_SYS_NICE."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What the pod's container found out about itself (`latency/pod.sh`)."""

    pid: int
    """Of its shell, as the node numbers processes."""
    cpus: tuple[int, ...]
    """On which it may run."""
    nice: bool
    """It has CAP_SYS_NICE."""
    realtime: bool
    """SCHED_FIFO was given to it at the measurement's priority."""
    refusal: str
    """What chrt said when it was not."""
    program: str
    """Path of its cyclictest; `` if there is none."""


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A pod that runs, before it measures."""

    granted: Granted
    quality: str
    """Its quality of service: Guaranteed, Burstable, BestEffort."""
    groups: tuple[tuple[str, int], ...]
    """Its cgroups with their real-time budgets in us; () where the kernel has none."""
    policy: str
    """Of the CPU manager: static, none."""
    own: tuple[int, ...]
    """The CPUs that the kubelet gave to it alone; () for none."""
    shared: tuple[int, ...]
    """Those that any pod may use, and all that other pods have."""


def parse_granted(data: bytes) -> Fact[Granted] | None:
    """Return what the container wrote down; None as long as that is not whole."""
    told: dict[str, str] = {}
    for line in data.decode("utf-8", errors="replace").splitlines():
        word, _, value = clean_line(line, limit=400).partition(" ")
        told[word.rstrip(":")] = value.strip()
    if "done" not in told:
        return None
    process = re.fullmatch(r"([1-9][0-9]{0,9}) [0-9]{1,20}", told.get("process", ""))
    capabilities = re.fullmatch(r"[0-9a-f]{1,16}", told.get("CapEff", ""))
    cpus = cpu_list(told.get("Cpus_allowed_list", ""), "Cpus_allowed_list")
    if isinstance(cpus, Unknown):
        return cpus
    if not process or not capabilities or not cpus.value:
        return Unknown("the pod did not say what it was given")
    verdict, _, refusal = told.get("realtime", "").partition(" ")
    return Known(
        Granted(
            pid=int(process[1]),
            cpus=cpus.value,
            nice=bool(int(capabilities[0], 16) >> _SYS_NICE & 1),
            realtime=verdict == "yes",
            refusal=refusal,
            program=told.get("program", ""),
        )
    )


def parse_pod(granted: Granted, quality: str, data: bytes) -> Fact[PodSeen]:
    """Return what is known of a pod, with what `pods/look.py` printed on its node."""
    try:
        told = json.loads(data)
        own = _cpus(told["own"])
        shared = {*_cpus(told["default"])}.union(*map(_cpus, told["others"]))
        groups = tuple((clean_line(str(path), limit=300), int(us)) for path, us in told["groups"])
        policy = clean_line(str(told["policy"]), limit=40)
    except (ValueError, KeyError, TypeError) as error:
        return Unknown(f"its node did not say what the kubelet gave it: {clean_line(str(error))}")
    return Known(PodSeen(granted, quality, groups, policy, own, tuple(sorted(shared))))


def _cpus(told: Any) -> tuple[int, ...]:
    cpus = cpu_list("" if told is None else str(told), "cpu_manager_state")
    if isinstance(cpus, Unknown):
        raise ValueError(cpus.reason)
    return cpus.value
