"""The stages in the README's order. A new file sNN_name.py with a STAGE is all one takes."""

import pkgutil
import re
from functools import cache
from importlib import import_module

import kubert_tui.stages as package
from kubert_tui.base.errors import UsageError
from kubert_tui.stages.model import Stage

_STAGE_MODULE = re.compile(r"s\d\d_[a-z0-9_]+")


@cache
def all_stages() -> tuple[Stage, ...]:
    """Return the STAGE of every sNN_*.py here, in the order of the file names."""
    names = sorted(
        module.name
        for module in pkgutil.iter_modules(package.__path__)
        if _STAGE_MODULE.fullmatch(module.name)
    )
    return tuple(_load(name) for name in names)


def stage(stage_id: str) -> Stage:
    """Return the stage with this id; UsageError naming the ids there are if there is none."""
    for one in all_stages():
        if one.id == stage_id:
            return one
    ids = ", ".join(one.id for one in all_stages())
    raise UsageError(f"There is no stage {stage_id!r}", fix=f"The stages are: {ids}")


def _load(name: str) -> Stage:
    module = import_module(f"{package.__name__}.{name}")
    found = getattr(module, "STAGE", None)
    if not isinstance(found, Stage):
        raise TypeError(f"{module.__name__} has no STAGE")
    return found
