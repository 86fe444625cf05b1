"""The real-time kernel, as the lab file says it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from kubert_tui.lab.duration import parse_duration
from kubert_tui.lab.part import Part, RpmPackage, span
from kubert_tui.lab.presets import KERNEL_PRESETS


class KernelSpec(Part):
    """Which PREEMPT_RT kernel to install, and how long it has to prove itself."""

    source: Literal["distribution", "packages"] = Field(
        default="distribution", description="packages when a preset or packages are given."
    )
    preset: str = Field(default="", description="Named package list, such as ccrma-5.10-fc33.")
    packages: tuple[RpmPackage, ...] = Field(
        default=(), description="RPMs; one with the address of a preset's takes its place."
    )
    trial: Annotated[str, span("1m", "240m")] = Field(
        default="10m",
        description="Booted on trial and not reached for so long, a kernel is left again.",
    )

    @property
    def trial_seconds(self) -> int:
        """How long a kernel that was booted on trial has to prove itself."""
        return round(parse_duration(self.trial) / 1_000_000)

    @model_validator(mode="before")
    @classmethod
    def _source_of_packages(cls, data: Any) -> Any:
        """Naming packages says where the kernel comes from."""
        if isinstance(data, Mapping) and data.get("source") is None:
            named = bool(data.get("preset") or data.get("packages"))
            return {**data, "source": "packages" if named else "distribution"}
        return data

    @field_validator("preset", mode="after")
    @classmethod
    def _preset_exists(cls, value: str) -> str:
        if value and value not in KERNEL_PRESETS:
            raise PydanticCustomError(
                "preset", "expected one of {names}", {"names": ", ".join(KERNEL_PRESETS)}
            )
        return value

    @model_validator(mode="after")
    def _packages_fit_source(self) -> Self:
        named = bool(self.preset or self.packages)
        if self.source == "packages" and not named:
            raise PydanticCustomError("kernel", "expected packages or a preset for this source")
        if self.source == "distribution" and named:
            raise PydanticCustomError("kernel", "expected `source: packages` for a package list")
        return self
