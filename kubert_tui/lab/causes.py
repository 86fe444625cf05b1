"""How long the causes of latency are looked for, and what is too long."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from kubert_tui.lab.duration import parse_duration
from kubert_tui.lab.part import Part

SHORTEST, LONGEST = 5, 24 * 3600
"""Seconds of one measurement."""


def _length(value: str) -> str:
    try:
        seconds = parse_duration(value) / 1_000_000
    except ValueError as error:
        raise PydanticCustomError("duration", "{what}", {"what": str(error)}) from None
    if not SHORTEST <= seconds <= LONGEST:
        raise PydanticCustomError("duration", "expected a duration from 5s to 24h")
    return value


Length = Annotated[str, AfterValidator(_length)]


class CausesSpec(Part):
    """How the stage `causes` measures."""

    hwlat: Length = Field(default="60s", description="How long hardware latency is looked for.")
    limit: str = Field(
        default="10us",
        max_length=64,
        description="What hardware may take at once; hwlatdetect's default is 10us.",
    )
    timerlat: Length = Field(default="60s", description="How long rtla timerlat measures.")

    @field_validator("limit", mode="before")
    @classmethod
    def _is_limit(cls, value: Any) -> Any:
        """`10` means microseconds, as hwlatdetect's own option does."""
        text = f"{value}us" if str(value).isdigit() else value
        if isinstance(text, str):
            try:
                parse_duration(text)
            except ValueError as error:
                raise PydanticCustomError("duration", "{what}", {"what": str(error)}) from None
        return text

    @property
    def limit_us(self) -> int:
        """The limit in us."""
        return parse_duration(self.limit)

    @property
    def hwlat_seconds(self) -> int:
        """Whole seconds."""
        return round(parse_duration(self.hwlat) / 1_000_000)

    @property
    def timerlat_seconds(self) -> int:
        """Whole seconds."""
        return round(parse_duration(self.timerlat) / 1_000_000)
