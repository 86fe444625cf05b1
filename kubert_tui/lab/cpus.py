"""The CPU plan of a host in the lab file."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from kubert_tui.cpus.lists import cpu_list, cpus_of
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.lab.part import Part


def _listed(text: str) -> str:
    try:
        return cpu_list(cpus_of(text))
    except ValueError as error:
        what = f"expected a CPU list such as 2-15: {error}"
        raise PydanticCustomError("cpus", "{what}", {"what": what}) from None


_PART = "[0-9]{1,5}(-[0-9]{1,5})?"
CpuList = Annotated[
    str,
    Field(
        max_length=4096,
        json_schema_extra={
            # A single CPU is a number to an editor; the loader reads the text as written.
            "type": ["string", "integer"],
            "pattern": f"^ *({_PART}( *, *{_PART})*)? *$",
        },
    ),
    AfterValidator(_listed),
]


class CpusSpec(Part):
    """Which CPUs of a host do everything else, and which are kept for real time.

    Both empty: there is no plan. Whether it fits the host is a check's to say.
    """

    housekeeping: CpuList = Field(
        default="", description="CPU list such as 0-1: everything that is not real-time."
    )
    isolated: CpuList = Field(
        default="", description="CPU list such as 2-15: real-time threads and virtual machines."
    )

    @property
    def plan(self) -> CpuPlan | None:
        """The plan, None if there is none."""
        if not self.housekeeping:
            return None
        return CpuPlan(cpus_of(self.housekeeping), cpus_of(self.isolated))

    @classmethod
    def of(cls, plan: CpuPlan) -> Self:
        """Return what a lab file says of a plan."""
        return cls(housekeeping=cpu_list(plan.housekeeping), isolated=cpu_list(plan.isolated))

    @model_validator(mode="after")
    def _both(self) -> Self:
        if self.isolated and not self.housekeeping:
            what = "expected `housekeeping` too: some CPU has to do the rest"
            raise PydanticCustomError("cpus", "{what}", {"what": what})
        if both := cpus_of(self.housekeeping) & cpus_of(self.isolated):
            what = f"CPUs {cpu_list(both)} cannot keep house and be isolated"
            raise PydanticCustomError("cpus", "{what}", {"what": what})
        return self
