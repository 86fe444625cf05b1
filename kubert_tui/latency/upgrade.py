"""Files of earlier versions of kubert-tui, brought into the present form.

Files are never rewritten: whoever reads one upgrades it in memory. A version is a step: each
function below brings a file from one version to the next.

  1   the first form
  2   `stage`, `layer`, `policy`: who measured on what, and how its threads were scheduled
"""

from collections.abc import Callable
from typing import Any

SCHEMA = 2
"""The present version. A key more is a new version: who reads strictly must be told."""


def upgraded(told: Any) -> Any:
    """Return what a file tells, in the present form; what is no measurement stays as it is.

    ValueError for a file of a newer version.
    """
    if not isinstance(told, dict):
        return told
    version = told.get("schema_version")
    if not isinstance(version, int) or version < 1:
        return told
    if version > SCHEMA:
        raise ValueError(
            f"a newer kubert-tui wrote it (schema {version}, this one reads up to {SCHEMA})"
        )
    for step in _STEPS[version - 1 :]:
        told = step(told)
    return told


def _from_1(told: dict[str, Any]) -> dict[str, Any]:
    # There was one stage that measured, and only hosts were. The rest has defaults.
    stage = "" if told.get("lab") == "imported" else "cyclictest"
    return {**told, "schema_version": 2, "stage": stage}


_STEPS: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = (_from_1,)
