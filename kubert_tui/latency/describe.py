"""The stored form of a measurement, described: as JSON Schema, and as docs/measurements.md.

Both come from the texts in the model itself. After a change to it:

    python -m kubert_tui.latency.describe > docs/measurements.md
"""

import json
from collections.abc import Iterator
from typing import Any

from kubert_tui.latency.stored import StoredMeasurement
from kubert_tui.latency.upgrade import SCHEMA

_INTRODUCTION = f"""\
# Stored measurements

<!-- Made by `python -m kubert_tui.latency.describe > docs/measurements.md`; do not edit. -->

Each measurement is one JSON file: `latency-HOST-N.json` in the directory of its run (see
`kubert-tui runs RUN`), or where `kubert-tui import` put it. It holds the exact histogram of every
CPU; all figures can be derived from it.

This describes version {SCHEMA} (`schema_version`). Files of earlier versions are read as ever: what
they did not record has the default that is named here. A file of a newer version is refused. Every
key that is added makes a new version. `kubert-tui runs schema` prints this as JSON Schema.

All latencies are in microseconds, cut to whole ones as cyclictest does, all other times in seconds.
Keys without a default are always there.
"""

_NAMES = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true/false"}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the file."""
    told = StoredMeasurement.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **told}


def document() -> str:
    """Return the description as Markdown."""
    told = StoredMeasurement.model_json_schema()
    lines = [_INTRODUCTION, *_part("The file", told)]
    for name, part in told["$defs"].items():
        lines += _part(name, part)
    return "\n".join(lines)


def _part(name: str, part: dict[str, Any]) -> Iterator[str]:
    yield f"## {name}\n"
    yield part["description"] + "\n"
    yield "| key | form | meaning |"
    yield "|---|---|---|"
    for key, field in part["properties"].items():
        yield f"| `{key}` | {_form(field)} | {_meaning(field)} |"
    yield ""


def _meaning(field: dict[str, Any]) -> str:
    told = " ".join(field.get("description", "").split()).replace("|", "\\|")
    if "default" in field and "const" not in field:
        told += f" Default: `{json.dumps(field['default'])}`."
    return told


def _form(field: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return " or ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(map(_form, field["anyOf"]))
    match field["type"]:
        case "array" if "prefixItems" in field:
            return "[" + ", ".join(map(_form, field["prefixItems"])) + "]"
        case "array":
            return f"list of {_form(field['items'])}"
        case "object":
            return f"object of {_form(field['additionalProperties'])}"
        case kind:
            return _NAMES.get(kind, str(kind))


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201 -- this is its purpose
