"""How cyclictest is measured inside pods."""

from pydantic import Field

from kubert_tui.lab.part import Part


class PodsSpec(Part):
    """The pods of the stage `pods`: one on each worker, or on the control plane without any."""

    image: str = Field(
        default="",
        max_length=255,
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._:/@-]*)?$",
        description="With sh, cyclictest, chrt and flock, pulled by the nodes; if empty, made on "
        "each node of the cyclictest that is installed there.",
    )
    control_plane: bool = Field(
        default=False,
        description="One on the control plane, too; without workers there always is one.",
    )
    cpus: int = Field(
        default=0, ge=0, le=4096, description="Whole CPUs of each; 0: all that are free."
    )
