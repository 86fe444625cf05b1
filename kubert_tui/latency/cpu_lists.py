"""CPU lists, as people write them."""

from kubert_tui.base.errors import MeasurementError
from kubert_tui.cpus.lists import cpus_of


def parse_cpu_list(text: str) -> tuple[int, ...]:
    """Return the CPUs of `2-4,8`, ascending; MeasurementError when it is no CPU list."""
    try:
        cpus = cpus_of(text)
    except ValueError as error:
        raise MeasurementError(
            f"{text!r} is not a CPU list: {error}", fix="write it as 2-15 or 0,2,4-7"
        ) from None
    if not cpus:
        raise MeasurementError("an empty CPU list", fix="write it as 2-15 or 0,2,4-7")
    return tuple(sorted(cpus))
