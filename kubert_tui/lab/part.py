"""What the parts of a lab are made of."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from kubert_tui.lab.duration import parse_duration

HostName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$", max_length=64)
]


class Part(BaseModel):
    """Base of every part of a lab: immutable, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_not_given(cls, data: Any) -> Any:
        """A known key without a value (`user:`) means its default."""
        if not isinstance(data, Mapping):
            return data
        return {k: v for k, v in data.items() if v is not None or k not in cls.model_fields}

    @field_validator("*", mode="after")
    @classmethod
    def _no_control_characters(cls, value: Any) -> Any:
        """Values end in argument lists, files and on screens."""
        if isinstance(value, str) and not value.isprintable():
            raise PydanticCustomError("unprintable", "expected text without control characters")
        return value

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with `update`; unlike pydantic's own, the result is validated."""
        if not update:
            return super().model_copy(deep=deep)
        return type(self).model_validate({**dict(self), **update})


class RpmPackage(Part):
    """A kernel package by address, checked before it is installed."""

    url: str = Field(pattern=r"^(https?|file)://[^\s/]*/\S+$")
    sha256: str = Field(
        default="",
        pattern=r"^([0-9a-f]{64})?$",
        description="Empty only in presets whose publisher gave no checksum: then refused.",
    )


def microseconds_of(value: str) -> int:
    """Return what a duration of the lab file means; PydanticCustomError says what is wrong."""
    try:
        return parse_duration(value)
    except ValueError as error:
        raise PydanticCustomError("duration", "{what}", {"what": str(error)}) from None


def span(least: str, most: str) -> AfterValidator:
    """Check a duration: at least and at most so long."""

    def check(value: str) -> str:
        if not parse_duration(least) <= microseconds_of(value) <= parse_duration(most):
            what = f"expected a duration from {least} to {most}"
            raise PydanticCustomError("duration", "{what}", {"what": what})
        return value

    return AfterValidator(check)
