"""Applications of a lab's cluster, and how their density is stepped."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from kubert_tui.lab.part import HostName, Part
from kubert_tui.lab.size import parse_size
from kubert_tui.lab.workload_presets import WORKLOAD_PRESETS

NO_WORKLOADS = "the lab file names no `workloads`: no applications to run"
COPIES_LIMIT = 200
"""Applications on one node; Kubernetes itself stops at 110 pods, unless it is told otherwise."""


def _is_size(value: str) -> str:
    try:
        parse_size(value)
    except ValueError as error:
        raise PydanticCustomError("size", "{what}", {"what": str(error)}) from None
    return value


WorkloadName = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]


class WorkloadSpec(Part):
    """One application that runs in the cluster: a preset, an image, or a manifest of your own."""

    name: WorkloadName
    preset: Literal["", "stress-ng", "control-loop", "dpsim"] = Field(
        default="",
        description="stress-ng: computes. control-loop: wakes every millisecond with SCHED_FIFO "
        "(cyclictest). dpsim: solves a circuit in real time. The first two need an `image` "
        "that has the program.",
    )
    image: str = Field(
        default="",
        max_length=500,
        pattern=r"^[A-Za-z0-9._:/@-]*$",
        description="Of its container; the preset's if empty. Pulled only where it is missing.",
    )
    command: tuple[str, ...] = Field(
        default=(), description="What runs there; the preset's, else the image's own if empty."
    )
    cpus: int = Field(
        default=1, ge=1, le=1024, description="Whole CPUs of each copy (Guaranteed: its own)."
    )
    memory: Annotated[str, AfterValidator(_is_size)] = Field(
        default="256MiB", description="Memory of each copy."
    )
    nodes: tuple[HostName, ...] = Field(
        default=(), description="Hosts or machines that run it; all workers if empty."
    )
    copies: int = Field(
        default=1,
        ge=1,
        le=COPIES_LIMIT,
        description="Pods that one application is, on each of its nodes.",
    )
    manifest: str = Field(
        default="",
        max_length=4000,
        description="YAML beside the lab file: Deployments, StatefulSets and ReplicaSets, which "
        "copies are replicas of, and the ConfigMaps and Services they need.",
    )

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if what := self._trouble():
            raise PydanticCustomError("workload", "{what}", {"what": what})
        return self

    def _trouble(self) -> str:
        if self.manifest:
            given = {"preset", "image", "command", "cpus", "memory"}
            fields = type(self).model_fields
            stray = [key for key, value in self if key in given and value != fields[key].default]
            return f"{stray[0]} is the manifest's to say" if stray else ""
        if self.image:
            return ""
        if not self.preset:
            return "expected a preset, an image or a manifest"
        preset = WORKLOAD_PRESETS[self.preset]
        program = preset.command[0]
        return "" if preset.image else f"expected an `image` that has {program} in it"

    @property
    def settled_image(self) -> str:
        """The image, whoever names it."""
        return self.image or WORKLOAD_PRESETS[self.preset].image

    @property
    def settled_command(self) -> tuple[str, ...]:
        """What runs in the container; () for the image's own command."""
        if self.command or not self.preset:
            return self.command
        return WORKLOAD_PRESETS[self.preset].arguments(self.cpus)

    @property
    def memory_mib(self) -> int:
        """Memory of each copy, in MiB."""
        return parse_size(self.memory)


class DensitySpec(Part):
    """How the stage `density` steps: 0 applications on each node, then 1, up to `max`."""

    max: int = Field(
        default=4, ge=1, le=COPIES_LIMIT, description="Applications on each node, in the last step."
    )
    workloads: tuple[WorkloadName, ...] = Field(
        default=(), description="Which of them run, by name, all in each step; all if empty."
    )


def workloads_problem(
    workloads: tuple[WorkloadSpec, ...], density: DensitySpec, nodes: tuple[str, ...] | None
) -> str:
    """Return what is wrong between workloads, density and nodes (None: no cluster); `` if nothing.

    Nodes are called as the lab file does.
    """
    names = [one.name for one in workloads]
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        return f"workloads: {double} is there twice"
    if unknown := [name for name in density.workloads if name not in names]:
        told = ", ".join(names) or "none"
        return f"density.workloads: there is no workload {unknown[0]}; there are: {told}"
    for one in workloads if nodes is not None else ():
        if missing := [name for name in one.nodes if name not in (nodes or ())]:
            return f"workloads.{one.name}: {missing[0]} is no node of the cluster"
    return ""
