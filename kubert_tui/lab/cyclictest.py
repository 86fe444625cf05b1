"""How cyclictest measures, with every default settled when the object exists."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from kubert_tui.base.errors import UsageError
from kubert_tui.lab.duration import parse_duration
from kubert_tui.lab.limits import limit_of
from kubert_tui.lab.part import Part, microseconds_of
from kubert_tui.lab.presets import CYCLICTEST_PRESETS

MAXIMUM_LOOPS = 10**11
MAXIMUM_BREAK = 1_000_000

_CPU_LIST = r"^([0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*)?$"

ISOLATED = "isolated"
"""As the CPUs to measure: those that the host's CPU plan isolates."""

_DIVIDE = object()
"""Stands for loops that are the duration divided by the interval."""


class CyclictestSpec(Part):
    """How cyclictest measures. Times are microseconds unless they carry a unit.

    However it was made, `loops` is final: given, or the preset's, or `duration` divided by
    `interval` (rounded up). `duration` is what was written, empty when loops were.
    """

    preset: Literal["readme", "quick"] = Field(
        default="quick", description="readme: 36 000 000 loops (2 h); quick: 60 s."
    )
    priority: int = Field(default=90, ge=1, le=99)
    interval: int = Field(default=200, ge=20, le=1_000_000, description="us")
    histogram: int = Field(default=250, ge=10, le=100_000, description="buckets of 1 us")
    distance: int = Field(default=0, ge=0, le=1_000_000, description="us")
    duration: str = Field(default="", description="60s, 10m, 2h: instead of loops.")
    loops: int = Field(default=300_000, ge=1, le=MAXIMUM_LOOPS, description="Instead of duration.")
    cpus: str = Field(
        default="",
        max_length=4096,
        pattern=rf"^{ISOLATED}$|{_CPU_LIST}",
        description="CPU list such as 2-15; isolated: those of the CPU plan; all if empty.",
    )
    mlockall: bool = True
    breaktrace: str = Field(
        default="",
        max_length=64,
        description="100us: trace meanwhile, and stop at the first latency above it.",
    )
    limit: str = Field(
        default="",
        max_length=64,
        description="The worst latency is judged by it: 35us, openshift-ran, rt-guest, seapath.",
    )

    stream: Literal["auto", "memory", "verbose"] = Field(
        default="auto",
        description="Live figures: out of cyclictest's memory, or its --verbose where need be.",
    )
    load: Literal["none", "coffee", "cpu", "memory", "disk", "network", "hackbench", "all"] = Field(
        default="none",
        description="What runs beside cyclictest; coffee is the README's: nothing.",
    )
    load_cpus: str = Field(
        default="",
        max_length=4096,
        pattern=_CPU_LIST,
        description="CPU list for the load; all that are not isolated if empty.",
    )

    @model_validator(mode="before")
    @classmethod
    def _take_preset(cls, data: Any) -> Any:
        """Start from the preset; given keys win, and loops or duration replace both of its."""
        if not isinstance(data, Mapping):
            return data
        given = {k: v for k, v in data.items() if v is not None and (k, v) != ("duration", "")}
        name = given.get("preset", "quick")
        if not isinstance(name, str) or name not in CYCLICTEST_PRESETS:
            return data
        preset = dict(CYCLICTEST_PRESETS[name])
        if "loops" in given or "duration" in given:
            preset.pop("loops", None)
            preset.pop("duration", None)
        unknown = {k: None for k in data if data[k] is None and k not in cls.model_fields}
        return {"loops": _DIVIDE, **preset, **given, **unknown}

    @property
    def breaktrace_us(self) -> int:
        """The latency in us above which it stops; 0 for never."""
        return parse_duration(self.breaktrace) if self.breaktrace else 0

    @field_validator("breaktrace", mode="before")
    @classmethod
    def _is_threshold(cls, value: Any) -> Any:
        """`100` means microseconds, as cyclictest's own option does."""
        text = f"{value}us" if str(value).isdigit() else value
        if isinstance(text, str) and text and microseconds_of(text) > MAXIMUM_BREAK:
            raise PydanticCustomError("duration", "expected at most 1s")
        return text

    @field_validator("duration", mode="after")
    @classmethod
    def _is_duration(cls, value: str) -> str:
        if value:
            microseconds_of(value)
        return value

    @field_validator("loops", mode="before")
    @classmethod
    def _loops_of_duration(cls, value: Any, info: ValidationInfo) -> Any:
        """Needs interval and duration, which are declared (so validated) before."""
        duration = info.data.get("duration", "")
        interval = info.data.get("interval")
        if not duration or interval is None:
            # Without a valid interval or duration there is an error to report already.
            return 1 if value is _DIVIDE else value
        loops = -(-parse_duration(duration) // interval)
        if loops > MAXIMUM_LOOPS:
            raise PydanticCustomError(
                "loops",
                "expected a shorter measurement: {duration} are {loops} loops, more than {most}",
                {"duration": duration, "loops": loops, "most": MAXIMUM_LOOPS},
            )
        if value is not _DIVIDE and str(value) != str(loops):
            raise PydanticCustomError("loops", "expected loops or duration, not both")
        return loops

    @field_validator("limit", mode="after")
    @classmethod
    def _is_limit(cls, value: str) -> str:
        if value:
            try:
                limit_of(value)
            except UsageError as error:
                what = f"{error.what}; {error.fix}"
                raise PydanticCustomError("limit", "{what}", {"what": what}) from None
        return value

    @field_validator("cpus", "load_cpus", mode="after")
    @classmethod
    def _ranges_go_up(cls, value: str) -> str:
        for part in filter(None, value.removeprefix(ISOLATED).split(",")):
            first, _, last = part.partition("-")
            if last and int(last) < int(first):
                raise PydanticCustomError(
                    "cpus",
                    "expected a CPU list such as 2-15: {part} runs backwards",
                    {"part": part},
                )
        return value

    def changed(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keys of this measurement with `changes`, not validated yet.

        A new preset replaces what came from the old one, and how long it runs; loops and
        duration replace each other; a new interval keeps a duration, else the loops.
        """
        keys: dict[str, Any] = dict(self)
        if "preset" in changes:
            old = {**CYCLICTEST_PRESETS[self.preset], "loops": None, "duration": None}
            keys = {k: v for k, v in keys.items() if k not in old or v != old[k]}
            keys.pop("loops", None)
            keys.pop("duration", None)
        if "duration" in changes or (keys.get("duration") and "interval" in changes):
            keys.pop("loops", None)
        if "loops" in changes:
            keys.pop("duration", None)
        return {**keys, **changes}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a validated copy, changed as `changed` says."""
        if not update:
            return super().model_copy(deep=deep)
        return type(self).model_validate(self.changed(update))
