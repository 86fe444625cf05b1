"""Facts as plain data, ready for JSON."""

from dataclasses import fields, is_dataclass

from kubert_tui.facts.model import Facts, Known, Unknown

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


def to_plain(facts: Facts) -> dict[str, Plain]:
    """Return `facts` as dicts and lists: Known is {"value": ...}, Unknown {"unknown": reason}."""
    return {part.name: plain(getattr(facts, part.name)) for part in fields(facts)}


def plain(value: object) -> Plain:
    """Return any part of facts as plain data; TypeError for what is not part of the model."""
    match value:
        case Known():
            return {"value": plain(value.value)}
        case Unknown():
            return {"unknown": value.reason}
        case None | bool() | int() | float() | str():
            return value
        case tuple() | list():
            return [plain(item) for item in value]
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
    raise TypeError(f"not a fact: {type(value).__name__}")
