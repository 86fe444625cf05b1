"""Write a lab as a file that a person would have written: commented, only what matters."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from kubert_tui.base import paths
from kubert_tui.base.errors import UsageError
from kubert_tui.base.text import clean_line
from kubert_tui.lab.causes import CausesSpec
from kubert_tui.lab.duration import format_duration
from kubert_tui.lab.ladder import LadderSpec
from kubert_tui.lab.model import (
    ClusterSpec,
    CpusSpec,
    CyclictestSpec,
    DensitySpec,
    HostSpec,
    ImageSpec,
    KernelSpec,
    Lab,
    MachineSpec,
    MachinesSpec,
    NetworkSpec,
    Part,
    Permission,
    RtTestsSpec,
    WorkloadSpec,
)
from kubert_tui.lab.pods import PodsSpec

_HEADER = """\
# A lab of kubert-tui: which hosts, which kernel, which measurement, and what may be changed.
# Check it: kubert-tui lab check FILE
# For completion in your editor: kubert-tui lab schema > lab.schema.json
# and make the first line of this file: `# yaml-language-server: $schema=lab.schema.json`
"""
_PERMITS = {
    Permission.PACKAGES: "install and update packages",
    Permission.KERNEL: "install a kernel, and make it the default once it has proved itself",
    Permission.REBOOT: "restart hosts",
    Permission.SERVICES: "stop and disable services such as irqbalance",
    Permission.NETWORK: "change the network of hosts: a bridge for virtual machines",
    Permission.MACHINES: "make, change and remove this lab's virtual machines and their images",
    Permission.CLUSTER: "make, change and reset the Kubernetes cluster",
}
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./@~+-]*(:[A-Za-z0-9_./@~+-]+)*")
_OTHERS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
"""Words that YAML readers, ours or others, take for something else than text."""


def dump_lab(lab: Lab, *, complete: bool = False) -> str:
    """Return `lab` as commented YAML that `parse_lab` reads back as an equal lab.

    With `complete`, the measurement's keys are written out even where they are the preset's.
    """
    sections = (
        [f"name: {_scalar(lab.name)}"],
        list(_hosts(lab.hosts)),
        list(_allow(lab.allow)),
        list(_kernel(lab.kernel, complete=complete)),
        list(_rt_tests(lab.rt_tests)),
        list(_cyclictest(lab.cyclictest, complete=complete)),
        *([list(_causes(lab.causes))] if complete or lab.causes != CausesSpec() else []),
        *([list(_network(lab.network))] if lab.network != NetworkSpec() else []),
        *([list(_machines(lab.machines))] if lab.machines != MachinesSpec() else []),
        *([list(_image(lab.image))] if lab.image != ImageSpec() else []),
        *([list(_cluster(lab.cluster))] if lab.cluster is not None else []),
        *([list(_plain("ladder", lab.ladder))] if lab.ladder != LadderSpec() else []),
        *([list(_plain("pods", lab.pods))] if lab.pods != PodsSpec() else []),
        *([list(_workloads(lab.workloads))] if lab.workloads else []),
        *([list(_plain("density", lab.density))] if lab.density != DensitySpec() else []),
        *([list(_restart_wait(lab))] if complete or lab.restart_wait != _default_wait() else []),
    )
    return _HEADER + "".join("\n" + "\n".join(lines) + "\n" for lines in sections)


def write_lab(lab: Lab, path: Path, *, overwrite: bool = False) -> None:
    """Write `lab` to `path` (0600, whole or not at all); UsageError if there is a file."""
    if path.exists() and not overwrite:
        raise UsageError(f"{clean_line(str(path))} exists", fix="--force replaces it")
    try:
        paths.write_private(path, dump_lab(lab))
    except OSError as error:
        reason = clean_line(error.strerror or str(error))
        raise UsageError(f"{clean_line(str(path))} cannot be written: {reason}") from None


def _hosts(hosts: tuple[HostSpec, ...]) -> Iterator[str]:
    yield "hosts:"
    for host in hosts:
        first = "  - "
        for key, value in _given(host):
            if isinstance(value, CpusSpec):
                yield from (f"    {line}" for line in cpus_lines(value))
                continue
            yield f"{first}{key}: {_scalar(value)}"
            first = "    "


def cpus_lines(spec: CpusSpec) -> tuple[str, ...]:
    """Return a CPU plan as the lines that a host of a lab file has for it."""
    return (
        "cpus:",
        f"  housekeeping: {_scalar(spec.housekeeping)}",
        f"  isolated: {_scalar(spec.isolated)}",
    )


def _allow(allow: frozenset[Permission]) -> Iterator[str]:
    yield "# What kubert-tui may change there; a stage that may not shows what it would do."
    if not allow:
        yield f"allow: []  # of: {', '.join(Permission)}"
        return
    yield "allow:"
    for permission in Permission:
        if permission in allow:
            yield f"  - {permission}  # {_PERMITS[permission]}"


def _kernel(kernel: KernelSpec, *, complete: bool) -> Iterator[str]:
    yield "# The PREEMPT_RT kernel: the distribution's, or packages by address and sha256."
    yield "kernel:"
    yield f"  source: {kernel.source}"
    if kernel.preset:
        yield f"  preset: {_scalar(kernel.preset)}"
    if kernel.packages:
        yield "  packages:"
    for package in kernel.packages:
        yield f"    - url: {_scalar(package.url)}"
        yield f"      sha256: {_scalar(package.sha256)}"
    if complete or kernel.trial != KernelSpec().trial:
        yield f"  trial: {_scalar(kernel.trial)}"


def _restart_wait(lab: Lab) -> Iterator[str]:
    yield "# How long a host that restarts gets to come back; a server's self-test takes minutes."
    yield f"restart_wait: {_scalar(lab.restart_wait)}"


def _default_wait() -> object:
    return Lab.model_fields["restart_wait"].default


def _rt_tests(rt_tests: RtTestsSpec) -> Iterator[str]:
    yield "# rt-tests, which brings cyclictest."
    yield "rt_tests:"
    yield f"  version: {_scalar(rt_tests.version)}"
    for key, value in _given(rt_tests):
        if key != "version":
            yield f"  {key}: {_scalar(value)}"


def _cyclictest(spec: CyclictestSpec, *, complete: bool) -> Iterator[str]:
    length = format_duration(spec.loops * spec.interval)
    yield f"# {spec.loops} loops of {spec.interval} us: {length}. Either loops or duration."
    yield "cyclictest:"
    yield f"  preset: {spec.preset}"
    preset = CyclictestSpec(preset=spec.preset)
    for key, value in dict(spec).items():
        settled = key in ("preset", "loops", "duration")
        if not settled and (complete or value != getattr(preset, key)):
            yield f"  {key}: {_scalar(value)}"
    if complete or (spec.duration, spec.loops) != (preset.duration, preset.loops):
        written = "duration" if spec.duration else "loops"
        yield f"  {written}: {_scalar(getattr(spec, written))}"


def _causes(causes: CausesSpec) -> Iterator[str]:
    yield "# What steals time: how long it is looked for, and what is too long."
    yield "causes:"
    for key, value in dict(causes).items():
        yield f"  {key}: {_scalar(value)}"


def _network(network: NetworkSpec) -> Iterator[str]:
    yield "# The virtual machines' network: the address of the first is PREFIX0, then PREFIX1, ..."
    yield "network:"
    for key, value in _given(network):
        yield f"  {key}: {_flow(value)}"


def _machines(machines: MachinesSpec) -> Iterator[str]:
    yield "# Virtual machines: a preset, or one by one."
    yield "machines:"
    for key, value in _given(machines):
        if key != "each":
            yield f"  {key}: {_flow(value)}"
    for machine in machines.each:
        yield from machine_lines(machine)


def machine_lines(machine: MachineSpec) -> Iterator[str]:
    """Yield a machine as an item of the list below `machines:`."""
    first = "  - "
    for key, value in _given(machine):
        yield f"{first}{key}: {_flow(value)}"
        first = "    "


def _image(image: ImageSpec) -> Iterator[str]:
    yield "# What the virtual machines start from."
    yield "image:"
    yield f"  source: {image.source}"
    for key, value in _given(image):
        if key != "source":
            yield f"  {key}: {_scalar(value)}"


def _cluster(cluster: ClusterSpec) -> Iterator[str]:
    yield "# The Kubernetes cluster. Its nodes: the machines above, or else the hosts themselves."
    yield "cluster:"
    # Always said: what is the default changes with our releases.
    yield f"  kubernetes: {_scalar(cluster.kubernetes)}"
    for key, value in _given(cluster):
        if key == "nodes":
            yield "  nodes:"
            for node in cluster.nodes:
                yield f"    - name: {_scalar(node.name)}"
                yield f"      role: {node.role}"
        elif key != "kubernetes":
            yield f"  {key}: {_flow(value)}"


def _workloads(workloads: tuple[WorkloadSpec, ...]) -> Iterator[str]:
    yield "# Applications that run in the cluster while it is measured."
    yield "workloads:"
    for workload in workloads:
        first = "  - "
        for key, value in _given(workload):
            yield f"{first}{key}: {_flow(value)}"
            first = "    "


def _plain(name: str, part: Part) -> Iterator[str]:
    """A section whose values are plain."""
    yield f"{name}:"
    for key, value in _given(part):
        yield f"  {key}: {_flow(value)}"


def _flow(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    return _scalar(value)


def _given(part: Part) -> Iterator[tuple[str, object]]:
    """The keys that differ from their default."""
    fields: Mapping[str, object] = dict(part)
    for key, value in fields.items():
        if value != type(part).model_fields[key].default:
            yield key, value


def _scalar(value: object) -> str:
    """Plain where YAML and our loader read it back as written, else double-quoted."""
    if isinstance(value, bool | int):
        return json.dumps(value)
    text = str(value)
    plain = _PLAIN.fullmatch(text) and text.lower() not in _OTHERS
    return text if plain else json.dumps(text, ensure_ascii=False)
