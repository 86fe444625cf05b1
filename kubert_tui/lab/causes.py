"""How long the causes of latency are looked for, and what is too long."""

from typing import Annotated, Any

from pydantic import Field, field_validator

from kubert_tui.lab.duration import parse_duration
from kubert_tui.lab.part import Part, microseconds_of, span

Length = Annotated[str, span("5s", "24h")]


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
            microseconds_of(text)
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
