"""JSON Schema of the lab file, for editors that complete and check YAML."""

from typing import Any

from kubert_tui.lab.model import Lab

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12). Rules between keys are `kubert-tui lab check`'s."""
    generated = Lab.model_json_schema(mode="validation")
    parts = generated["$defs"]
    # What a file must hold to, beyond what the model takes from Python.
    parts["CyclictestSpec"]["not"] = {"required": ["loops", "duration"]}
    parts["RpmPackage"]["required"] = ["url", "sha256"]
    machines = generated["properties"]["machines"]
    one_by_one = parts["MachinesSpec"]["properties"]["each"]
    machines["anyOf"] = [{"$ref": machines.pop("$ref")}, {**one_by_one}]
    for part in parts.values():
        # Editors show the first sentence; the rest of a docstring is for programmers.
        part["description"] = part.get("description", "").split("\n\n")[0]
    return {
        "$schema": DIALECT,
        **generated,
        "title": "kubert-tui lab",
        "description": "Hosts, kernel, measurement, and what kubert-tui may change on them.",
    }
