"""Facts and labs for unit tests: everything unknown, unless said otherwise."""

from dataclasses import fields, is_dataclass, replace
from typing import Any, get_type_hints

from kubert_tui.facts.fact import Unknown
from kubert_tui.facts.model import Facts
from kubert_tui.lab.model import HostSpec, Lab, Permission


def blank_facts(host: str = "bull1", **known: Any) -> Facts:
    """Return facts that are all unknown except `known` (`kernel__release=Known("6.1")`)."""
    facts: Facts = replace(_blank(Facts), host=host)
    for name, value in known.items():
        facts = _with(facts, name.split("__"), value)
    return facts


def blank_lab(*hosts: str, allow: frozenset[Permission] = frozenset(Permission)) -> Lab:
    """Return a lab of SSH hosts that nobody can connect to."""
    names = hosts or ("bull1",)
    specs = tuple(HostSpec(name=name, address=f"{name}.invalid") for name in names)
    return Lab(name="test", hosts=specs, allow=allow)


def _blank(kind: type[Any]) -> Any:
    hints = get_type_hints(kind)
    values = {}
    for field in fields(kind):
        hint = hints[field.name]
        if is_dataclass(hint) and isinstance(hint, type):
            values[field.name] = _blank(hint)
        else:
            values[field.name] = "" if hint is str else Unknown("not read in this test")
    return kind(**values)


def _with(part: Any, path: list[str], value: object) -> Any:
    if len(path) == 1:
        return replace(part, **{path[0]: value})
    return replace(part, **{path[0]: _with(getattr(part, path[0]), path[1:], value)})
