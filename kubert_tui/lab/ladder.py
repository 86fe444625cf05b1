"""How hosts and their virtual machines are measured together."""

from typing import Literal

from pydantic import Field

from kubert_tui.lab.part import Part


class LadderSpec(Part):
    """How the stage `ladder` measures."""

    order: Literal["together", "layers"] = Field(
        default="together",
        description="together: at the same time; layers: the hosts first, then the machines.",
    )
